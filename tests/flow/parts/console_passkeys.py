"""Passkeys: made, shown, removed, and forged in every way that the specification names, each refused with its reason in the access log. The
numbers are requirements of OWASP ASVS 5.0.0."""
import base64
import os

from console_authenticator import KEY, PRESENT, VERIFIED, Passkey, b64
from console_desk import PORT, Desk, Person, same, told, until, user

ORIGIN = "https://localhost:%d" % PORT
SIGN, OWN = "/api/v1/session", "/api/v1/session/passkeys"


def item(text):
    print("  " + text, flush=True)


def refused(cause, words, **want):
    """One more refusal in the log, with this reason."""
    until(lambda: any(words in r.get("text", "") for r in told("console-sign-in-refused", cause=cause, **want)),
          "in the log: %s, %s" % (cause, words))


addresses = iter("127.0.3.%d" % i for i in range(1, 250))


def door():
    """A browser at the door, that was given a challenge. Each comes from elsewhere, so that none has to wait."""
    d = Desk(next(addresses))
    d.asked = d.post("/api/v1/session/challenge")
    return d


def proof(person, key):
    """Who it is, once more: a passkey that verifies its person."""
    return {"proof": {"passkey": key.show(person.post("/api/v1/session/challenge", {}), ORIGIN)}}


def add(person, key, name, by=None, status=200, **how):
    asked = person.post(OWN + "/challenge", proof(person, by) if by else {})
    return person.post(OWN, {"name": name, **key.make(asked, ORIGIN, **how)}, status)


item("there is a way with passkeys, for the origin that the settings name")
same(Desk().get("/api/v1/ways")["passkeys"], True, "passkeys")
same(Desk().get("/api/v1/ways")["origin"], ORIGIN, "origin")

item("6.3.3: a passkey is a second factor: the first one, before anything else")
hanako, mine = Desk("127.0.2.1"), Passkey()
first = user("add", "hanako", "--role", "auditor")
hanako.sign_in("hanako", first)
same(hanako.post(OWN + "/challenge", {}, 403)["error"], "must", "before the password is one's own")
hanako.password = "Kumo no Mine 1694 Basho"
hanako.post("/api/v1/session/password", {"old": first, "new": hanako.password})
same(hanako.told["must"], ["factor"], "what is left")
add(hanako, mine, "仕事用のキー <b>")
same(hanako.told["must"], [], "all is done")
hanako.get("/api/v1/records")
same(Desk("127.0.2.1").sign_in("hanako", hanako.password).json["factors"], ["passkey"], "what is left behind the password")
tanaka = Person("tanaka", "administrator", source="127.0.2.2")

item("7.5.1: another one wants a proof; a challenge is good once, and not for others")
spare, rsa_key, ed = Passkey(count=0), Passkey(-257), Passkey(-8)
same(hanako.post(OWN + "/challenge", {}, 400)["error"], "request", "without a proof")
asked = hanako.post(OWN + "/challenge", proof(hanako, mine))
same([base64.b64decode(x) for x in asked["known"]], [mine.id], "those that are there")
hanako.post(OWN, {"name": "spare", **spare.make(asked, ORIGIN)})
same(hanako.post(OWN, {"name": "again", **Passkey().make(asked, ORIGIN)}, 400)["error"], "passkey", "the same challenge")
add(hanako, rsa_key, "RSA", mine)
add(hanako, ed, "Ed25519", mine)
handle, theirs = mine.handle, Passkey()
asked = tanaka.post(OWN + "/challenge", {"proof": {"password": tanaka.password, "code": tanaka.next_code()}})
tanaka.post(OWN, {"name": "theirs", **theirs.make(asked, ORIGIN)})
add(tanaka, mine, "somebody's", theirs, 409)
mine.handle = handle
same([k["name"] for k in hanako.get(OWN)["passkeys"]], ["仕事用のキー <b>", "spare", "RSA", "Ed25519"], "several")

item("what is made wrong is not taken, and changes nothing")
for how in ({"kind": "webauthn.get"}, {"challenge": b64(os.urandom(32))}, {"rp": "evil.example"}, {"flags": VERIFIED | KEY},
            {"flags": PRESENT | KEY}, {"flags": PRESENT | VERIFIED}, {"crossOrigin": True}, {"topOrigin": "https://evil.example"},
            {"cose": {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}}, {"cose": {1: 2, 3: -35, -1: 2, -2: bytes(48), -3: bytes(48)}},
            {"cose": {1: 2, -1: 1}}):
    same(add(hanako, Passkey(), "bad", mine, 400, **how)["error"], "passkey", how)
asked = hanako.post(OWN + "/challenge", proof(hanako, mine))
same(hanako.post(OWN, {"name": "x", **Passkey().make(asked, "https://evil.example")}, 400)["error"], "passkey", "origin")
for name in ("", "x" * 65, "a\nb"):
    hanako.post(OWN, {"name": name, **Passkey().make(asked, ORIGIN)}, 400)
same(len(hanako.get(OWN)["passkeys"]), 4, "four, as before")
until(lambda: len(told("console-refused", operation=OWN)) >= 12, "refusals in the log")

item("6.3.3, 6.3.4: signing in without a password: by each kind of key, also by one without a counter")
for key, step in ((mine, 1), (spare, 0), (rsa_key, 1), (ed, 7)):
    d = door()
    d.post(SIGN, {"passkey": key.show(d.asked, ORIGIN, step=step)})
    same(d.told["account"], "hanako", "who")
    d.get("/api/v1/records")
until(lambda: [r for r in told("console-sign-in", user="hanako", service="passkey") if r.get("text") == "仕事用のキー <b>"], "the method in the log")

item("as a second factor, presence is enough; behind a wrong password it counts for nothing")
d = door()
d.post(SIGN, {"account": "hanako", "password": hanako.password, "passkey": mine.show(d.asked, ORIGIN, flags=PRESENT)})
until(lambda: told("console-sign-in", user="hanako", service="password and passkey"), "the method in the log")
d = door()
d.post(SIGN, {"account": "hanako", "password": "some other password", "passkey": mine.show(d.asked, ORIGIN)}, 401)
d = door()
d.post(SIGN, {"account": "nobody", "password": hanako.password, "passkey": mine.show(d.asked, ORIGIN)}, 401)
mine.count -= 2
d = door()
d.post(SIGN, {"account": "hanako", "password": hanako.password, "passkey": mine.show(d.asked, ORIGIN)})

item("6.7.2: a replayed challenge, and a replayed answer")
d = door()
good = mine.show(d.asked, ORIGIN)
d.post(SIGN, {"passkey": good})
d.cookie = None
d.post(SIGN, {"passkey": good}, 401)
refused("challenge", "used before")
d.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN)}, 401)
other = door()
other.post(SIGN, {"passkey": good}, 401)
refused("challenge", "another challenge")

item("6.7.2: a challenge belongs to one browser; none, one that was made up, and one of another")
d, other = door(), Desk(next(addresses))
other.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN)}, 401)
refused("challenge", "no challenge was given")
other.challenge = os.urandom(32).hex() + "%016x" % 1
other.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN)}, 401)
other.challenge = os.urandom(32).hex() + "f" * 16
other.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN)}, 401)
refused("challenge", "none of ours")

item("wrong origin, inside of another page, another relying party, another ceremony")
for how, cause, words in (({"origin": "https://evil.example"}, "origin", "another origin"),
                          ({"origin": "http://localhost:%d" % PORT}, "origin", "another origin"),
                          ({"origin": ORIGIN + "/"}, "origin", "another origin"),
                          ({"crossOrigin": True}, "origin", "inside a page"),
                          ({"topOrigin": "https://evil.example"}, "origin", "inside a page"),
                          ({"rp": "evil.example"}, "origin", "another relying party"),
                          ({"kind": "webauthn.create"}, "credentials", "another ceremony")):
    d = door()
    d.post(SIGN, {"passkey": mine.show(d.asked, how.pop("origin", ORIGIN), **how)}, 401)
    refused(cause, words, user="hanako")

item("nobody there, or not verified: no sign-in without a password")
for flags, words in ((PRESENT, "did not verify"), (VERIFIED, "nobody was there"), (0, "nobody was there")):
    d = door()
    d.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN, flags=flags)}, 401)
    refused("unverified", words, user="hanako")
d = door()
d.post(SIGN, {"account": "hanako", "password": hanako.password, "passkey": mine.show(d.asked, ORIGIN, flags=0)}, 401)

item("a counter that goes back, or stands: a copy of the key")
for step in (-3, 0):
    d = door()
    d.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN, step=10)})
    d = door()
    d.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN, step=step)}, 401)
    mine.count += 10
refused("counter", "did not grow", user="hanako")

item("another account's key, in every mixture; a key of nobody; a signature of another key")
for body in ({"passkey": {"handle": mine.handle}}, {"account": "hanako", "password": hanako.password, "passkey": {}}):
    d = door()
    d.post(SIGN, {**body, "passkey": theirs.show(d.asked, ORIGIN, **body["passkey"])}, 401)
refused("unknown-key", "another account")
d = door()
nobody = Passkey()
nobody.handle = mine.handle
d.post(SIGN, {"passkey": nobody.show(d.asked, ORIGIN)}, 401)
refused("unknown-key", "of nobody")
d = door()
d.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN, by=theirs)}, 401)
refused("bad-signature", "not signed", user="hanako")

item("bytes that are none: refused, and no more")
d = door()
whole = mine.show(d.asked, ORIGIN)
for name, bad in (("signature", ""), ("signature", "!!"), ("client_data", b64(b"x" * 5000)), ("id", b64(bytes(1024)))):
    d.post(SIGN, {"passkey": {**whole, name: bad}}, 400)
d.post(SIGN, {"passkey": {"id": "AA=="}}, 400)
d.post(SIGN, {"passkey": 1}, 400)
d.post(SIGN, {"passkey": whole, "code": "123456"}, 400)
for name, bad in (("client_data", b"{}"), ("client_data", b"[]"), ("client_data", b'{"type":"webauthn.get","type":"webauthn.get"}'),
                  ("authenticator_data", b"x"), ("authenticator_data", base64.b64decode(whole["authenticator_data"]) + b"\x9f")):
    d = door()
    d.post(SIGN, {"passkey": {**mine.show(d.asked, ORIGIN), name: b64(bad)}}, 401)

item("6.5.6, 7.4.3, 7.5.1, removing: with a proof; not the last factor; who used it is signed out")
elsewhere = door()
elsewhere.post(SIGN, {"passkey": mine.show(elsewhere.asked, ORIGIN)})
mine_id = next(k["id"] for k in hanako.get(OWN)["passkeys"] if k["name"].startswith("仕"))
hanako.post("%s/%s/remove" % (OWN, mine_id), {}, 400)
hanako.post("%s/%s/remove" % (OWN, "0" * 16), proof(hanako, ed), 404)
hanako.post("%s/%s/remove" % (OWN, mine_id), proof(hanako, ed))
elsewhere.get("/api/v1/session", 401)
d = door()
d.post(SIGN, {"passkey": mine.show(d.asked, ORIGIN)}, 401)
while len(hanako.get(OWN)["passkeys"]) > 1:
    hanako.post("%s/%s/remove" % (OWN, hanako.get(OWN)["passkeys"][0]["id"]), proof(hanako, ed))
left = hanako.get(OWN)["passkeys"][0]
same(hanako.post("%s/%s/remove" % (OWN, left["id"]), proof(hanako, ed), 409)["error"], "last", "the last one")

item("administrators see who has which, and remove; who had no other is disabled until a reset")
hanako.get("/api/v1/people", 403)
people = {p["account"]: p for p in tanaka.get("/api/v1/people")["people"]}
same([k["name"] for k in people["hanako"]["passkeys"]], ["Ed25519"], "hanako's")
same((people["hanako"]["codes"], people["tanaka"]["codes"]), (False, True), "codes")
tanaka.post("/api/v1/people/passkeys/remove", {"account": "hanako", "passkey": "0" * 16}, 404)
hanako.post("/api/v1/people/passkeys/remove", {"account": "tanaka", "passkey": people["tanaka"]["passkeys"][0]["id"]}, 403)
same(tanaka.post("/api/v1/people/passkeys/remove", {"account": "hanako", "passkey": left["id"]})["disabled"], True, "disabled")
hanako.get("/api/v1/session", 401)
d = door()
d.sign_in("hanako", hanako.password, status=401)
until(lambda: told("console-account", user="tanaka", target_user="hanako"), "in the log")
until(lambda: [r for r in told("console-account", user="hanako") if r.get("text", "").startswith("passkey added")], "in the log")
until(lambda: [r for r in told("console-account", user="hanako") if r.get("text", "").startswith("passkey removed")], "in the log")

item("a reset takes passkeys too")
again = user("reset", "tanaka")
d = door()
d.post(SIGN, {"passkey": theirs.show(d.asked, ORIGIN)}, 401)
d.sign_in("tanaka", again)
same(d.told["must"], ["password", "factor"], "as new")
