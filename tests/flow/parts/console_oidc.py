"""Signing in by an OpenID provider that forges: each ID token and each logout token that must not be taken, each answer that is not this browser's,
each reason in the access log. The numbers are requirements of OWASP ASVS 5.0.0."""
import base64
import json
import os
import socket
import ssl
import subprocess
import threading
import urllib.request
from urllib.parse import parse_qs, urlsplit

from console_desk import HOST, PORT, Desk, Person, same, tls, told, totp, true, until, user

ISSUER = "https://localhost:" + os.environ["OIDC_PORT"]
DOOR, FORM = "/api/v1/session/oidc/backchannel", "application/x-www-form-urlencoded"
BEGIN, RETURN, SIGN = "/api/v1/session/oidc", "/api/v1/session/oidc/return", "/api/v1/session"
addresses = iter("127.0.5.%d" % i for i in range(1, 250))
machines = iter("127.0.6.%d" % i for i in range(1, 250))


def b64(b):
    return base64.urlsafe_b64encode(b).decode().rstrip("=")


def item(text):
    print("  " + text, flush=True)


def provider(path):
    context = ssl.create_default_context(cafile=os.environ["OIDC_CRT"])
    return urllib.request.urlopen(ISSUER + path, context=context).read().decode()


def mode(name):
    provider("/mode/" + name)


def logout_token(**how):
    return provider("/logout/" + b64(json.dumps(how).encode()))


def leave(status, token, source=None, mime=FORM, **headers):
    """What a provider's machine sends."""
    a = Desk(source or next(machines)).ask("POST", DOOR, token if "=" in token else "logout_token=" + token, status, {"Origin": None, "Sec-Fetch-Site": None, **headers},
                                           mime=mime)
    same(a.headers["Cache-Control"], "no-store", "no-store")
    if status in (200, 400):
        same(a.json if status == 200 else a.json["error"], {} if status == 200 else "invalid_request", token)
    return a


class Visitor(Desk):
    """A browser that went to the provider and comes back."""

    def __init__(self):
        super().__init__(next(addresses))
        self.kept = {}

    def ask(self, method, path, body=None, status=None, headers=None, **more):
        kept = "; ".join("%s=%s" % x for x in [*self.kept.items(), ("__Host-sekisho", self.cookie)] if x[1])
        return super().ask(method, path, body, status, {"Cookie": kept or None, **(headers or {})}, **more)

    def take(self, a):
        super().take(a)
        for line in a.headers.get_all("Set-Cookie", []):
            name, value = line.split(";")[0].split("=", 1)
            if name in ("__Host-sekisho-oidc", "__Host-sekisho-second"):
                self.kept[name] = value
                true("; Secure; HttpOnly; SameSite=Strict" in line and "; Path=/" in line, line)

    def go(self):
        there = urlsplit(self.post(BEGIN)["location"])
        self.asked = {k: v[0] for k, v in parse_qs(there.query).items()}
        return self

    def code(self, **how):
        return b64(json.dumps({"nonce": self.asked["nonce"], "challenge": self.asked["code_challenge"], **how}).encode())

    def back(self, status=200, state=None, iss=ISSUER, **how):
        """Comes back with a code that says how the token is to be made."""
        return self.post(RETURN, {"state": state or self.asked["state"], "code": self.code(**how), **({"iss": iss} if iss else {})}, status)


def refused(cause, words, **want):
    until(lambda: any(words in r.get("text", "") for r in told("console-sign-in-refused", cause=cause, service="OpenID Connect", **want)),
          "in the log: %s, %s" % (cause, words))


def bind(name, subject, status=0, action="bind"):
    r = subprocess.run(["sekishoctl", "console", "user", action, name, "--oidc", subject], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    same(r.returncode, status, "%s %s: %s" % (name, subject, r.stderr.decode()))


item("10.1.2, 10.2.1, 10.2.3: the request has what a good one has")
same(Desk().get("/api/v1/ways")["oidc"], {"name": "localhost"}, "ways")
d = Visitor().go()
same({k: d.asked[k] for k in ("tenant", "response_type", "scope", "client_id", "redirect_uri", "code_challenge_method", "acr_values")},
     {"tenant": "1", "response_type": "code", "scope": "openid", "client_id": "the console", "redirect_uri": os.environ["CONSOLE_URL"] + "/oidc",
      "code_challenge_method": "S256", "acr_values": "urn:two"}, "the request")
other = Visitor().go()
true(all(d.asked[k] != other.asked[k] and len(d.asked[k]) >= 43 for k in ("state", "nonce", "code_challenge")), "random, each time")

item("no account is made, and none is anybody's that is not bound")
same(Visitor().go().back(401)["error"], "unbound", "nobody's")
refused("unbound", "subject hanako-1")
hanako, tanaka = Person("hanako", "auditor", source="127.0.5.250"), Person("tanaka", "administrator", source="127.0.5.251")
bind("hanako", "hanako-1")
bind("hanako", "hanako-2", 1)
bind("tanaka", "hanako-1", 1)
bind("tanaka", "hanako-1 ", 1)
user("add", "blank", "--role", "auditor")
bind("blank", "a b")
bind("tanaka", "tanaka-1")
until(lambda: [r for r in told("console-account", target_user="hanako") if "OpenID subject bound: hanako-1 at " + ISSUER in r.get("text", "")], "in the log")

item("6.8.4: two factors at the provider are a whole sign-in; by acr or amr, with each algorithm")
for alg, claims in (("RS256", {"acr": "urn:two"}), ("ES256", {"amr": ["pwd", "mfa"]}), ("PS256", {"acr": "urn:two", "aud": ["the console"], "azp": "the console"})):
    d = Visitor().go()
    d.back(alg=alg, claims=claims)
    same((d.told["account"], d.told["must"]), ("hanako", []), alg)
    d.get("/api/v1/records")
until(lambda: told("console-sign-in", user="hanako", service="OpenID Connect, two factors"), "in the log")

item("RP-Initiated Logout: whoever came by the provider is sent there when they sign out; the session here is over all the same")
d.ask("DELETE", SIGN, status=403, headers={"Sekisho-Csrf": None})
d.ask("DELETE", SIGN, status=403, headers={"Sec-Fetch-Site": "cross-site"})
out = d.ask("DELETE", SIGN, status=200).json
there = urlsplit(out["location"])
same((there.scheme + "://" + there.netloc + there.path, {k: v[0] for k, v in parse_qs(there.query).items()}),
     (ISSUER + "/end", {"tenant": "1", "client_id": "the console", "post_logout_redirect_uri": os.environ["CONSOLE_URL"] + "/", "state": out["state"]}), "where to")
d.get(SIGN, 401)
until(lambda: [r for r in told("console-sign-out", user="hanako") if "sent to the provider" in r.get("text", "")], "in the log")
other = Visitor().go()
other.back(claims={"acr": "urn:two"})
true(other.ask("DELETE", SIGN, status=200).json["state"] != out["state"], "random")
local = Person("local", "auditor", source="127.0.5.252")
local.ask("DELETE", SIGN, status=204)

item("one subject, one account: whoever else has the same name or address is nobody here, nor is one that looks alike")
for sub in ("hanako-2", "Hanako-1", "hanako-1 ", "hanako-1x", "hanako"):
    d = Visitor().go()
    same(d.back(401, sub=sub, claims={"acr": "urn:two", "name": "hanako", "preferred_username": "hanako", "email": "hanako@office.example",
                                      "email_verified": True})["error"], "token" if sub.endswith(" ") else "unbound", sub)
    d.get(SIGN, 401)
refused("unbound", "subject hanako-2")
refused("unbound", "subject Hanako-1")

item("6.3.3: one factor there: the account's own second factor is asked for, once the provider has said who it is")
d = Visitor().go()
same(d.back(claims={"acr": "urn:one"}), {"account": "hanako", "factors": ["code"]}, "what is left")
d.get(SIGN, 401)
thief = Visitor()
thief.post(SIGN, {"second": True, "code": "000000"}, 401)
d.post(SIGN, {"second": True}, 401)
d.post(SIGN, {"second": True, "code": "000000"}, 401)
d.post(SIGN, {"second": True, "account": "tanaka", "password": "x", "code": "000000"}, 400)
d.post(SIGN, {"second": False, "code": "000000"}, 400)
kept = dict(d.kept)
d.post(SIGN, {"second": True, "code": hanako.next_code()})
same((d.told["account"], d.told["must"]), ("hanako", []), "in")
until(lambda: told("console-sign-in", user="hanako", service="OpenID Connect and code"), "in the log")
d = Visitor()
d.kept = kept
same(d.post(SIGN, {"second": True, "code": "000000"}, 401)["error"], "session", "once")

item("who has neither password nor factor of their own yet sets up a factor, and nothing else before that")
user("add", "suzuki", "--role", "auditor")
bind("suzuki", "suzuki-1")
d = Visitor().go()
d.back(sub="suzuki-1")
same(d.told["must"], ["factor"], "what is left")
same(d.get("/api/v1/records", 403)["error"], "must", "not before")
secret = d.post("/api/v1/session/totp")["secret"]
d.post("/api/v1/session/totp", {"code": totp(secret)})
d.get("/api/v1/records")

item("6.8.2, 9.1.1 to 9.2.3, 10.5.1, 10.5.2, 10.5.4: ID tokens that are not good: refused, each for its reason, whoever is named")
two = {"acr": "urn:two"}
for words, how in (("signature is not", {"key": "other"}), ("signature is not", {"key": "other", "alg": "ES256"}), ("signature is not", {"changed": True}),
                   ("no key of the kind", {"key": "small"}), ("no key of the kind", {"head": {"kid": "unheard of"}}), ("no key of the kind", {"head": {"kid": "enc"}}),
                   ("signature is not", {"alg": "RS256", "by": "PS256"}), ("not taken", {"alg": "none"}), ("not taken", {"alg": "NONE"}), ("not taken", {"head": {"alg": None}}),
                   ("not taken", {"alg": "HS256"}), ("not taken", {"alg": "HS256", "key": "public"}), ("extension", {"head": {"crit": ["x"]}}),
                   ("cannot be read", {"twice": True}), ("of another issuer", {"claims": {"iss": "https://elsewhere.example"}}), ("of another issuer", {"without": ["iss"]}),
                   ("another client", {"claims": {"aud": "another"}}), ("another client", {"claims": {"aud": ["the console", "another"]}}),
                   ("another client", {"claims": {"azp": "another"}}), ("another client", {"without": ["aud"]}), ("nonce", {"claims": {"nonce": "another"}}),
                   ("nonce", {"without": ["nonce"]}), ("expired", {"claims": {"exp": 1000000000}}), ("its time", {"without": ["exp"]}),
                   ("future", {"claims": {"iat": 9000000000, "exp": 9000000300}}), ("too long ago", {"claims": {"iat": 1000000000}}), ("at_hash", {"claims": {"at_hash": "AAAA"}}),
                   ("who signed in", {"without": ["sub"]}), ("who signed in", {"claims": {"sub": ""}}), ("who signed in", {"claims": {"sub": "a\u0000b"}}),
                   ("who signed in", {"sub": "x" * 256}), ("no signed JSON", {"raw": "x"}), ("cannot be read", {"raw": "AA.AA.AA"}), ("no signed JSON", {"raw": "a.b.c.d.e"})):
    how.setdefault("claims", {}).setdefault("acr", "urn:two")
    d = Visitor().go()
    same(d.back(401, **how)["error"], "token", how)
    d.get(SIGN, 401)
    refused("provider", words)

item("7.1.3, 10.5.5: the provider signs somebody out: what began by that session of its, or all of that person's, and nothing else")
a, b, c = Visitor().go(), Visitor().go(), Visitor().go()
a.back(claims={**two, "sid": "s-1"})
b.back(claims={**two, "sid": "s-2"})
c.back(sub="tanaka-1", claims={**two, "sid": "s-3"})
half, other = Visitor().go(), Visitor().go()
half.back(claims={"sid": "s-1"})
other.back(claims={"sid": "s-2"})
asked, wanted = json.loads(provider("/count"))["keys"], {"brought before"}
person, none = {"sub": "hanako-1"}, {"sub": "hanako-1", "sid": "s-1"}
for words, how in (("tells of no sign-out", {"without": ["events"]}), ("tells of no sign-out", {"without": ["events"], "claims": {**none, "nonce": "n"}}),
                   ("tells of no sign-out", {"claims": {**person, "events": {}}}), ("has a nonce", {"claims": {**person, "nonce": "n"}}),
                   ("tells of no sign-out", {"claims": {**person, "events": {"http://schemas.openid.net/event/backchannel-logout": True}}}),
                   ("of another issuer", {"claims": {**person, "iss": "https://elsewhere.example"}}), ("another client", {"claims": {**person, "aud": "another"}}),
                   ("another client", {"claims": {**person, "aud": ["the console", "another"]}}), ("expired", {"claims": {**person, "exp": 1000000000}}),
                   ("its time", {"without": ["exp"]}), ("its time", {"without": ["iat"]}), ("too long ago", {"claims": {**person, "iat": 1000000000}}),
                   ("future", {"claims": {**person, "iat": 9000000000, "exp": 9000000300}}), ("(jti)", {"without": ["jti"]}), ("neither a person", {"claims": {}}),
                   ("neither a person", {"claims": {**person, "sid": 1}}), ("who signed out", {"claims": {"sub": "", "sid": "s-1"}}), ("not taken", {"alg": "none"}),
                   ("not taken", {"alg": "HS256", "key": "public"}), ("another kind", {"head": {"typ": "at+jwt"}}),
                   ("not said to be", {"head": {"typ": "JWT"}}), ("not said to be", {"head": {"typ": None}}), ("extension", {"head": {"crit": ["x"]}}),
                   ("cannot be read", {"twice": True}), ("no signed JSON", {"raw": "x"}), ("no signed JSON", {"claims": {**person, "more": "x" * 8192}})):
    leave(400, logout_token(**{"claims": person, **how}))
    wanted.add(words)
for bad, more in (("logout_token=a&logout_token=b", {}), ("logout_token=", {}), ("logout_token=%6", {}), ("token=a", {}), ("x=" + "y" * 16384, {}),
                  (logout_token(claims=none), {"mime": "application/json"}), (logout_token(claims=none), {"mime": FORM + "2"})):
    leave(400, bad, **more)
leave(403, logout_token(claims=none), **{"Sec-Fetch-Site": "cross-site"})
leave(403, logout_token(claims=none), Origin="https://elsewhere.example")
Desk(next(machines)).get(DOOR, 405)
same(json.loads(provider("/count"))["keys"], asked, "nobody was asked about any of that")
for words, how in (("signature is not", {"key": "other"}), ("signature is not", {"key": "other", "alg": "ES256"}), ("signature is not", {"changed": True}),
                   ("signature is not", {"by": "PS256"}), ("no key of the kind", {"key": "small"}), ("no key of the kind", {"head": {"kid": "unheard of"}}),
                   ("no key of the kind", {"head": {"kid": "enc"}})):
    leave(400, logout_token(**{"claims": none, **how}))
    wanted.add(words)
same(json.loads(provider("/count"))["keys"], asked + 1, "keys were fetched once, and kept")
a.get(SIGN)
token = logout_token(claims=none)
leave(200, "more=1&logout_token=" + token.replace(".", "%2E"))
a.get(SIGN, 401)
same(half.post(SIGN, {"second": True, "code": "000000"}, 401)["error"], "session", "half done, of that session")
same(other.post(SIGN, {"second": True, "code": "000000"}, 401)["error"], "credentials", "half done, of another")
for who in (b, c, hanako):
    who.get(SIGN)
until(lambda: told("console-sign-out", user="hanako", cause="provider-logout", service="OpenID Connect", text="signed out by the provider; it began at " + a.source), "in the log")
refused("provider-logout", "before the second factor was shown", user="hanako")
leave(400, token)
leave(200, logout_token(claims={"sub": "hanako-1", "sid": "s-9"}))
leave(200, logout_token(claims={"sub": "nobody's"}, alg="ES256"))
leave(200, logout_token(claims={"sub": "tanaka-1", "sid": "s-2"}, alg="PS256"))
for who in (b, c):
    who.get(SIGN)
leave(200, logout_token(claims=person, head={"typ": "application/Logout+JWT"}))
b.get(SIGN, 401)
same(other.post(SIGN, {"second": True, "code": "000000"}, 401)["error"], "session", "half done, of the person")
for who in (c, hanako):
    who.get(SIGN)
leave(200, logout_token(claims={"sid": "s-3"}))
c.get(SIGN, 401)
tanaka.get(SIGN)
same(json.loads(provider("/count"))["keys"], asked + 1, "by the keys that were kept")


def not_told():
    texts = [r["text"] for r in told("console-refused", cause="provider", operation=DOOR, service="OpenID Connect")]
    return {words for words in wanted if not any(words in t for t in texts)}


until(lambda: not not_told(), "each in the log, with its reason")

item("a logout token is no ID token; who is signed out while they sign in is not in; the provider is not too often there, a stranger is")
for how in ({"claims": {**two, "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}}, {"claims": two, "head": {"typ": "logout+jwt"}}):
    same(Visitor().go().back(401, **how)["error"], "token", how)
refused("provider", "it is no ID token")
late, heard = Visitor().go(), []
coming = threading.Thread(target=lambda: heard.append(late.back(None, end="wait", claims={**two, "sid": "s-4"})))
coming.start()
until(lambda: json.loads(provider("/count"))["waiting"], "the code is being changed")
leave(200, logout_token(claims={"sid": "s-4"}))
provider("/go")
coming.join()
same(heard[0].get("error"), "declined", "not in")
late.get(SIGN, 401)
refused("provider-logout", "signed out by the provider meanwhile", user="hanako")
d = Visitor().go()
d.back(claims={**two, "sid": "s-5"})
hangs_up = tls().wrap_socket(socket.create_connection((HOST, PORT), source_address=(next(machines), 0)), server_hostname=HOST)
body = "logout_token=" + logout_token(claims={"sid": "s-5"})
hangs_up.sendall(("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (DOOR, FORM, len(body), body)).encode())
hangs_up.shutdown(socket.SHUT_WR)
until(lambda: d.ask("GET", SIGN).status == 401, "over, although nobody waits for the answer")
for _ in range(12):
    leave(200, logout_token(claims={"sub": "nobody's"}), source="127.0.6.250")
for _ in range(10):
    leave(400, "logout_token=x", source="127.0.6.251")
a = leave(429, "logout_token=x", source="127.0.6.251")
true(int(a.headers["Retry-After"]) > 0 and a.json["error"] == "temporarily_unavailable", "has to wait")
until(lambda: told("console-refused", cause="too-often", operation=DOOR), "in the log")

item("10.1.2, 10.2.1, 10.2.2: an answer is one browser's, to one question, once; and of the provider that was asked")
d = Visitor().go()
d.back(claims=two)
again = d.asked
d.cookie = None
same(d.back(401, claims=two)["error"], "state", "a second time")
refused("challenge", "brought before")
d, other = Visitor().go(), Visitor().go()
same(d.back(401, state=other.asked["state"], claims=two)["error"], "state", "another's state")
refused("challenge", "another question")
d = Visitor()
d.asked = again
same(d.back(401, claims=two)["error"], "state", "no cookie")
refused("challenge", "was not sent")
d.kept["__Host-sekisho-oidc"] = os.urandom(40).hex()
same(d.back(401, claims=two)["error"], "state", "a cookie that was made up")
same(Visitor().go().back(401, iss="https://elsewhere.example", claims=two)["error"], "token", "mixed up")
same(Visitor().go().back(401, iss=None, claims=two)["error"], "token", "does not say")
refused("provider", "of another issuer, or does not say")
d, other = Visitor().go(), Visitor().go()
other.asked["code_challenge"], theirs = d.asked["code_challenge"], other.asked["code_challenge"]
same(other.back(502, claims=two)["error"], "provider", "a code of another's (PKCE)")
d = Visitor().go()
same(d.post(RETURN, {"state": d.asked["state"], "error": "access_denied", "iss": ISSUER}, 401)["error"], "declined", "declined")
refused("provider", "access_denied")
Visitor().post(RETURN, {"state": "x", "code": "y"}, 403, headers={"Sec-Fetch-Site": "cross-site"})
for bad in ({}, {"state": "x"}, {"state": "x", "code": ""}, {"state": "x", "code": "y" * 2049}, {"state": 1, "code": "y"}, {"state": "x", "code": "y", "more": 1}):
    Visitor().post(RETURN, bad, 400)

item("a provider that does not answer as it should: told in words, and the console goes on")
for end in ("error", "none", "hang up"):
    same(Visitor().go().back(502, end=end, claims=two)["error"], "provider", end)
for name, words in (("broken", "answered 500"), ("garbage", "no JSON object"), ("large", "configuration: "), ("moved", "answered 302"), ("mixed", "of another issuer"),
                    ("plain", "no https address")):
    mode(name)
    same(Visitor().go().back(502, claims=two)["error"], "provider", name)
    refused("provider", words)
mode("good")
Visitor().go().back(claims=two)

item("disabled, unbound, reset: no more; people and their owners see what is bound")
same([p["oidc"]["subject"] for p in tanaka.get("/api/v1/people")["people"] if p["account"] == "hanako"], ["hanako-1"], "an administrator's list")
same(hanako.get("/api/v1/session/passkeys")["oidc"]["issuer"], ISSUER, "one's own")
true("OpenID: hanako-1" in user("list"), "sekishoctl")
d = Visitor().go()
d.back(sub="tanaka-1", claims=two)
bind("tanaka", "other-1", 1, "unbind")
half = Visitor().go()
same(half.back(sub="tanaka-1")["account"], "tanaka", "half done")
bind("tanaka", "tanaka-1", 0, "unbind")
d.get(SIGN, 401)
bind("tanaka", "tanaka-2")
same(half.post(SIGN, {"second": True, "code": "000000"}, 401)["error"], "session", "of the subject of before")
same(Visitor().go().back(401, sub="tanaka-1", claims=two)["error"], "unbound", "unbound")
user("disable", "suzuki")
same(Visitor().go().back(401, sub="suzuki-1", claims=two)["error"], "unbound", "disabled")
refused("disabled", "suzuki-1", user="suzuki")
user("reset", "hanako")
same(Visitor().go().back(401, claims=two)["error"], "unbound", "reset")

item("a provider that has changed its keys: they are fetched again, once in half a minute")
provider("/rotate")
mode("good")
until(lambda: Desk(next(machines)).ask("POST", DOOR, "logout_token=" + logout_token(claims=person, key="new"), None, {"Origin": None, "Sec-Fetch-Site": None},
                                       mime=FORM).status == 200, "by the new key")
