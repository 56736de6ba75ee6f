"""Several second factors of one account, and recovery codes: added and removed with a proof, either of them good, each code once; replayed, forged, of
somebody else, by two at a time; and nothing tells who has what before the password is right. The numbers are requirements of OWASP ASVS 5.0.0."""
import concurrent.futures
import json
import os
import re
import time

from console_authenticator import PRESENT, Passkey
from console_desk import PORT, Desk, next_step, same, step_before, told, totp, true, until, user

ORIGIN = "https://localhost:%d" % PORT
SIGN, OWN, TOTP, CODES = "/api/v1/session", "/api/v1/session/passkeys", "/api/v1/session/totp", "/api/v1/session/recovery"
PASSWORD = "Kumo no Mine 1694 Basho"
addresses = iter("127.0.6.%d" % i for i in range(1, 250))
challenge = SIGN + "/challenge"


def item(text):
    print("  " + text, flush=True)


def accounts():
    with open(os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-console/accounts.json") as f:
        text = f.read()
    return text, {a["name"]: a for a in json.loads(text)["accounts"]}


class Browser(Desk):
    """At the door: keeps the cookie of a sign-in that is half done, too. Where somebody comes from whose account it is, none of the tries counts
    against strangers."""

    def __init__(self, of=None):
        super().__init__(of.source if of else next(addresses))
        self.half = None

    def ask(self, method, path, body=None, status=None, headers=None, **more):
        kept = [("__Host-sekisho", self.cookie), ("__Host-sekisho-challenge", self.challenge), ("__Host-sekisho-second", self.half)]
        text = "; ".join("%s=%s" % x for x in kept if x[1])
        a = super().ask(method, path, body, None, {"Cookie": text or None, **(headers or {})}, **more)
        if a.status == 429 and a.headers["Retry-After"] == "1":
            # Everybody together may try ten times a second.
            time.sleep(0.2)
            return self.ask(method, path, body, status, headers, **more)
        if status is not None:
            same(a.status, status, "%s %s: %s" % (method, path, a.body[:300]))
        return a

    def take(self, a):
        super().take(a)
        for line in a.headers.get_all("Set-Cookie", []):
            name, value = line.split(";")[0].split("=", 1)
            if name == "__Host-sekisho-second":
                self.half = value or None
                true("; Secure; HttpOnly; SameSite=Strict" in line and "; Path=/" in line, line)

    def second(self, status=200, **factor):
        return self.post(SIGN, {"second": True, **factor}, status)

    def passkey(self, key, **how):
        return key.show(self.post(challenge, {}), ORIGIN, **how)


def begin(name, key=None, role="auditor"):
    """A new account, with codes of an app or with a passkey. Codes: of half a minute ago, so that one is left."""
    d, first = Browser(), user("add", name, "--role", role)
    d.sign_in(name, first)
    d.post(SIGN + "/password", {"old": first, "new": PASSWORD})
    if key:
        asked = d.post(OWN + "/challenge", {})
        d.post(OWN, {"name": "first", **key.make(asked, ORIGIN)})
    else:
        d.secret = d.post(TOTP)["secret"]
        d.at = step_before()
        d.post(TOTP, {"code": totp(d.secret, d.at)})
    same(d.told["must"], [], "all is done")
    return d


def code(d):
    """The next one."""
    d.at = next_step(d.at)
    return totp(d.secret, d.at)


def left(name):
    return len(accounts()[1][name]["recovery"]["codes"])


item("6.3.3, 7.5.1: who has codes adds a passkey, with password and code; less is not enough")
hanako, key = begin("hanako"), Passkey()
for bad in ({}, {"proof": 1}, {"proof": {}}, {"proof": {"password": PASSWORD}}, {"proof": {"code": "000000"}}, {"proof": {"password": PASSWORD, "code": "1"}},
            {"proof": {"password": PASSWORD, "code": "000000", "recovery": "x"}}, {"proof": {"password": PASSWORD, "code": "000000", "more": 1}},
            {"password": PASSWORD}):
    hanako.post(OWN + "/challenge", bad, 400)
hanako.post(OWN + "/challenge", {"proof": {"password": "not the password at all", "code": code(hanako)}}, 401)
hanako.post(OWN + "/challenge", {"proof": {"password": PASSWORD, "code": "000000"}}, 401)
hanako.post(OWN + "/challenge", {"proof": {"password": PASSWORD, "passkey": hanako.passkey(Passkey(), handle=bytes(32))}}, 401)
until(lambda: told("console-sign-in-refused", user="hanako", text="for a passkey", service="password and code"), "in the log")
shown = totp(hanako.secret, hanako.at)
asked = hanako.post(OWN + "/challenge", {"proof": {"password": PASSWORD, "code": shown}})
hanako.post(OWN, {"name": "key", **key.make(asked, ORIGIN)})
until(lambda: [r for r in told("console-account", user="hanako") if r.get("text") == "passkey added: key"], "in the log")

item("6.5.1: the code of that proof is used: not for another one, not at the sign-in")
hanako.post(OWN + "/challenge", {"proof": {"password": PASSWORD, "code": shown}}, 401)
Browser(hanako).sign_in("hanako", PASSWORD, shown, status=401)

item("who has a passkey adds codes: the passkey alone is proof, where it verified its person; its challenge is good once")
own = Passkey()
jiro = begin("jiro", own, "administrator")
jiro.post(TOTP, {"proof": {"passkey": jiro.passkey(own, flags=PRESENT)}}, 401)
one = jiro.passkey(own)
jiro.secret = jiro.post(TOTP, {"proof": {"passkey": one}})["secret"]
jiro.post(TOTP, {"proof": {"passkey": one}}, 401)
jiro.post(TOTP, {"proof": {"passkey": jiro.passkey(key)}}, 401)
jiro.at = step_before()
other = Browser(jiro)
same(other.sign_in("jiro", PASSWORD).json, {"account": "jiro", "factors": ["passkey"]}, "not before it is confirmed")
jiro.post(TOTP, {"code": totp(jiro.secret, jiro.at)})
same(jiro.post(TOTP, {"code": totp(jiro.secret)}, 400)["error"], "totp", "a secret is confirmed once")
same(other.second(401, passkey=other.passkey(own))["error"], "session", "what was half done before the change is over")
same([jiro.get(OWN)[k] for k in ("codes", "recovery")], [True, None], "both")

item("either is the second factor, beside the password or after it")
for name, k, d in (("hanako", key, hanako), ("jiro", own, jiro)):
    b = Browser(d)
    same(b.sign_in(name, PASSWORD).json, {"account": name, "factors": ["code", "passkey"]}, "what there is")
    b.get(SIGN, 401)
    b.second(401)
    b.second(401, code="000000")
    same(b.second(passkey=b.passkey(k, flags=PRESENT))["account"], name, "by the passkey")
    same(b.half, None, "once")
    b = Browser(d)
    b.sign_in(name, PASSWORD)
    same(b.second(code=code(d))["account"], name, "by the code")
    until(lambda: told("console-sign-in", user=name, service="password and code") and told("console-sign-in", user=name, service="password and passkey"),
          "in the log")

item("6.5.5: a code of a minute and more ago is none, nor is one of the time to come")
for seconds in (-61, 31):
    Browser(jiro).sign_in("jiro", PASSWORD, totp(jiro.secret, time.time() + seconds), status=401)

item("6.5.2 to 6.5.4: ten recovery codes of 118 bits, shown once, kept as hashes; with a proof")
for bad, status in (({}, 400), ({"proof": {"password": PASSWORD}}, 400), ({"proof": {"password": PASSWORD, "recovery": "aaaa"}}, 401)):
    hanako.post(CODES, bad, status)
codes = hanako.post(CODES, {"proof": {"passkey": hanako.passkey(key)}})["codes"]
theirs = jiro.post(CODES, {"proof": {"passkey": jiro.passkey(own)}})["codes"]
true(all(re.fullmatch("([a-hjkmnp-z2-9]{4}-){5}[a-hjkmnp-z2-9]{4}", c) for c in codes) and len(set(codes + theirs)) == 20, codes)
text, kept = accounts()
true(not any(c in text or c.replace("-", "") in text for c in codes), "no code lies on the disk")
true(all(re.fullmatch("[0-9a-f]{64}", h) for h in kept["hanako"]["recovery"]["codes"]), "hashes")
same([hanako.get(OWN)["recovery"][k] for k in ("left", "of")], [10, 10], "all are left")
people = {p["account"]: p for p in jiro.get("/api/v1/people")["people"]}
same([people["hanako"]["recovery"]["left"], people["hanako"]["codes"]], [10, True], "an administrator sees how many")
true("recovery codes: 10" in user("list"), "sekishoctl")

item("6.5.1: each stands for the second factor, once; however it is typed; and what was used is in the log")
for typed in (codes[0], codes[1].upper().replace("-", " "), codes[2].replace("-", "")):
    b = Browser(hanako)
    same(b.sign_in("hanako", PASSWORD).json["factors"], ["code", "passkey", "recovery"], "what there is")
    same(b.second(recovery=typed)["account"], "hanako", typed)
b = Browser(hanako)
b.sign_in("hanako", PASSWORD)
b.second(401, recovery=codes[1])
same(left("hanako"), 7, "what is left")
same(hanako.get(OWN)["recovery"]["left"], 7, "and told")
until(lambda: [r for r in told("console-account", user="hanako") if r.get("text") == "a recovery code was used: 7 left"], "in the log")
until(lambda: len(told("console-sign-in", user="hanako", service="password and recovery code")) == 3, "the method in the log")
true(not any(c in json.dumps(told("console-account")) for c in codes), "no code is in the log")

item("two at a time with one code: one of them is let in")
pairs = [Browser(jiro) for _ in range(6)]
for b in pairs:
    b.body = {"account": "jiro", "password": PASSWORD, "recovery": theirs[0]}
with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
    answers = sorted(pool.map(lambda b: b.ask("POST", SIGN, b.body).status, pairs))
same((answers.count(200), answers.count(401)), (1, 5), answers)
same(left("jiro"), 9, "one is used")

item("alone it is nothing; behind a wrong password it is not looked at, and not used; another's is none")
b = Browser()
b.post(SIGN, {"recovery": codes[3]}, 400)
b.post(SIGN, {"account": "hanako", "recovery": codes[3]}, 400)
b.second(401, recovery=codes[3])
b.half = "0" * 64
same(b.second(401, recovery=codes[3])["error"], "session", "a cookie that was made up")
b.post(SIGN, {"account": "hanako", "password": "not the password at all", "recovery": codes[3]}, 401)
b.post(SIGN, {"account": "nobody", "password": PASSWORD, "recovery": codes[3]}, 401)
hanako.post(CODES, {"proof": {"password": PASSWORD, "recovery": theirs[3]}}, 401)
same((left("hanako"), left("jiro")), (7, 9), "none is used")

item("as a proof it is used as well, also where the change is refused then")
begin("saburo", Passkey())
hanako.post(TOTP + "/remove", {"proof": {"password": PASSWORD, "recovery": codes[3]}})
same((left("hanako"), hanako.get(OWN)["codes"]), (6, False), "the app is removed")
same(hanako.post(TOTP + "/remove", {"proof": {"password": PASSWORD, "recovery": codes[4]}}, 404)["error"], "totp", "there is none")
only = hanako.get(OWN)["passkeys"][0]["id"]
same(hanako.post("%s/%s/remove" % (OWN, only), {"proof": {"password": PASSWORD, "recovery": codes[5]}}, 409)["error"], "last", "the last factor")
same(left("hanako"), 4, "two more are used")
hanako.post(CODES, {"proof": {"password": PASSWORD, "recovery": codes[5]}}, 401)
until(lambda: [r for r in told("console-account", user="hanako") if r.get("text") == "second factor removed: codes"], "in the log")
d = begin("yone")
same(d.post(TOTP + "/remove", {"proof": {"password": PASSWORD, "code": code(d)}}, 409)["error"], "last", "the app is the last factor")

item("new ones void those of before")
fresh = hanako.post(CODES, {"proof": {"passkey": hanako.passkey(key)}})["codes"]
b = Browser(hanako)
b.sign_in("hanako", PASSWORD)
b.second(401, recovery=codes[6])
b.second(recovery=fresh[9])
until(lambda: [r for r in told("console-account", user="hanako") if r.get("text") == "recovery codes made, instead of those before"], "in the log")

item("another app takes the place of the one before")
d = begin("rokuro")
before = d.secret
d.secret = d.post(TOTP, {"proof": {"password": PASSWORD, "code": code(d)}})["secret"]
d.at = step_before()
d.post(TOTP, {"code": totp(d.secret, d.at)})
b = Browser(d)
b.sign_in("rokuro", PASSWORD)
b.second(401, code=totp(before))
b.second(code=code(d))

item("6.3.8: before the password is right, nothing tells who has what: neither the answer nor its headers")
plain = user("add", "goro", "--role", "viewer", "--scope", "pc-*")
user("disable", "saburo")
shapes = set()
for name, of in (("hanako", hanako), ("jiro", jiro), ("rokuro", d), ("goro", None), ("saburo", None), ("nobody", None)):
    for more in ({}, {"code": "000000"}, {"recovery": fresh[0]}, {"passkey": {}}):
        b = Browser(of)
        more = {"passkey": b.passkey(key)} if "passkey" in more else more
        a = b.ask("POST", SIGN, {"account": name, "password": "some other password", **more}, 401)
        shapes.add((a.body, tuple(k for k in a.headers if k != "Date")))
a = Browser().ask("POST", SIGN, {"account": "saburo", "password": PASSWORD}, 401)
shapes.add((a.body, tuple(k for k in a.headers if k != "Date")))
same(len(shapes), 1, shapes)
same(left("hanako"), 9, "none is used")

item("6.3.1: wrong ones behind the right password: after ten the right one is none either, from elsewhere; its owner is not locked out")
shiro = begin("shiro")
fourth = shiro.post(CODES, {"proof": {"password": PASSWORD, "code": code(shiro)}})["codes"]
tries = 0
while tries < 12:
    b = Browser()
    b.sign_in("shiro", PASSWORD)
    for _ in range(6):
        b.second(401, recovery="aaaa-aaaa-aaaa-aaaa-aaaa-aaaa")
        tries += 1
b = Browser()
b.sign_in("shiro", PASSWORD)
b.second(401, recovery=fourth[0])
until(lambda: told("console-sign-in-refused", user="shiro", cause="too-often"), "in the log")
same(left("shiro"), 10, "it is not used")
shiro.post(CODES, {"proof": {"password": PASSWORD, "recovery": fourth[0]}})

item("who has the password and no second factor is told of, when the time is over or too many wait")
b = Browser(jiro)
b.sign_in("jiro", PASSWORD)
b.second(recovery=theirs[1])
waiting = []
for _ in range(5):
    b = Browser(jiro)
    b.sign_in("jiro", PASSWORD)
    waiting.append(b)
until(lambda: told("console-sign-in-refused", user="jiro", service="password", text="the second factor was not shown"), "in the log")
waiting[4].second(recovery=theirs[2])
same(waiting[0].second(401, recovery=theirs[3])["error"], "session", "the first one gave way")

item("another password, and a reset, end what is half done; a reset takes all factors and codes")
b = Browser(jiro)
b.sign_in("jiro", PASSWORD)
jiro.post(SIGN + "/password", {"old": PASSWORD, "new": "Samidare wo Atsumete Hayashi"})
b.second(401, recovery=theirs[3])
again = user("reset", "jiro")
b = Browser(jiro)
b.sign_in("jiro", again)
same(b.told["must"], ["password", "factor"], "as new")
same((accounts()[1]["jiro"]["recovery"], accounts()[1]["jiro"]["totp"]), (None, None), "nothing is left")
same(b.post(CODES, {"proof": {}}, 403)["error"], "must", "no recovery codes without a factor")
