"""Signing in, one by one as OWASP ASVS 5.0.0 (level 2, and some of level 3) asks; the numbers are its requirements."""
import http.client
import os
import re
import socket
import subprocess
import sys
import time

from console_authenticator import Passkey
from console_desk import CA, HOST, ORIGIN, PORT, Desk, Person, same, step_before, tls, told, totp, true, until, user  # noqa: F401

KEY_ORIGIN = "https://localhost:%d" % PORT


def item(text):
    print("  " + text, flush=True)


item("6.3.2: there is no account before one is made")
nobody = Desk()
for name in ("admin", "administrator", "root", "sekisho", "console"):
    nobody.sign_in(name, name, status=401)

item("6.4.1: a first password is random, good for one thing, and has to be changed")
first = user("add", "hanako", "--role", "auditor")
true(re.fullmatch(r"([a-z2-9]{4}-){4}[a-z2-9]{4}", first), "a one-time password: " + first)
desk = Desk()
a = desk.sign_in("hanako", first)
same(desk.told["must"], ["password", "factor"], "what comes first")
for path in ("/api/v1/records", "/api/v1/overview", "/api/v1/hosts", "/api/v1/vocabulary", "/api/v1/log"):
    same(desk.get(path, 403)["error"], "must", path)

item("3.3.1 to 3.3.4: the cookie has its prefix, Secure, HttpOnly, SameSite, no Domain")
cookie = a.headers["Set-Cookie"]
for part in ("Path=/", "Secure", "HttpOnly", "SameSite=Strict"):
    true(part in cookie.split("; "), part)
true(cookie.startswith("__Host-sekisho=") and "Domain" not in cookie, cookie)

item("7.2.3: a session id has 256 bits, and no two are alike")
true(re.fullmatch("[0-9a-f]{64}", desk.cookie), desk.cookie)
ids = {desk.cookie}
for _ in range(3):
    again = Desk()
    again.sign_in("hanako", first)
    ids.add(again.cookie)
same(len(ids), 4, "different ids")

item("6.2.1, 6.2.3, 6.2.4, 6.2.9, 6.2.11: what a password may be")
refused = lambda new, status=400: desk.post("/api/v1/session/password", {"old": first, "new": new}, status)["error"]
for bad, word in (("short", "size"), ("elevenchars", "size"), ("aaaaaaaaaaaaaaaaaa", "guessed"), ("abcdefghijklmnop", "guessed"),
                  ("passwordpassword", "known"), ("hanako is my name 1", "named"), ("abcabcabcabcabc", "guessed"), ("x" * 257, "size"),
                  (first, "same")):
    same(refused(bad), "request" if len(bad) > 256 else "password-" + word, bad)

item("6.2.12: none that was made public, by the office's list")
same(refused("Samidare wo atsumete hayashi"), "password-known", "on the list")
os.rename(sys.argv[1], sys.argv[1] + ".away")
same(refused("Samidare wo atsumete hayashi", 503), "failed", "nothing is taken unjudged")
os.rename(sys.argv[1] + ".away", sys.argv[1])
desk.post("/api/v1/session/password", {"old": "not the old one at all", "new": "Kumo no Mine 1694 Basho"}, 401)
long = "古池や In the old pond a frog jumps into the sound of water, and nobody wrote it down."
desk.post("/api/v1/session/password", {"old": first, "new": long})
true(len(long) >= 64, "64 and more are allowed")

item("7.2.4, 7.4.3: another password ends all other sessions, and makes a new id")
true(desk.cookie not in ids, "the same id")
again.get("/api/v1/session", 401)
desk.get("/api/v1/session")
Desk().sign_in("hanako", first, status=401)

item("6.3.3, 6.5.1: the second factor: proven before it holds, each code once")
shown = desk.post("/api/v1/session/totp")
true(shown["uri"] == "otpauth://totp/Sekisho:hanako?secret=%s&issuer=Sekisho" % shown["secret"], shown["uri"])
wrong = "%06d" % ((int(totp(shown["secret"])) + 1) % 1000000)
desk.post("/api/v1/session/totp", {"code": wrong}, 400)
now = step_before(15)
code = totp(shown["secret"], now)
desk.post("/api/v1/session/totp", {"code": code})
same(desk.told["must"], [], "all is done")
same(desk.post("/api/v1/session/totp", None, 400)["error"], "request", "a second one is not made over the first")
desk.get("/api/v1/records")
half = Desk()
same(half.sign_in("hanako", long).json, {"account": "hanako", "factors": ["code"]}, "what is left behind the password")
half.get("/api/v1/session", 401)
Desk().sign_in("hanako", long, code, status=401)
step = totp(shown["secret"])
other = Desk()
other.sign_in("hanako", long, step)
Desk().sign_in("hanako", long, step, status=401)

item("6.3.8: a name that is not there is answered as a wrong password is")
a, b = Desk("127.0.0.3"), Desk("127.0.0.3")
x, y = a.sign_in("hanako", "some other password", status=401), b.sign_in("nobody", "some other password", status=401)
same(x.body, y.body, "answers")
same([k for k in x.headers if k != "Date"], [k for k in y.headers if k != "Date"], "headers")

item("3.5.1 to 3.5.3: nothing is changed for another site, or without the token")
for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                {"Sekisho-Csrf": None}, {"Sekisho-Csrf": other.csrf}, {"Origin": "null"}):
    same(desk.ask("DELETE", "/api/v1/session", status=403, headers=headers).json["error"], "csrf", headers)
same(Desk().sign_in("hanako", long, headers={"Origin": "https://evil.example"}, status=403).json["error"], "csrf", "sign-in")
desk.ask("POST", "/api/v1/session/password", "old=a&new=b", 400, mime="application/x-www-form-urlencoded")
desk.ask("POST", "/api/v1/session/password", '{"old": "a", "new": "b"}', 400, mime="text/plain")
desk.get("/api/v1/session")

item("7.5.2: everybody sees their other sessions and ends them, with a fresh proof; nobody else's")
OTHERS = "/api/v1/session/others"
three = [Person("saburo", "auditor", source="127.0.0.21")] + [Desk("127.0.0.%d" % i) for i in (22, 23)]
key = Passkey()
asked = three[0].post("/api/v1/session/passkeys/challenge", {"proof": {"password": three[0].password, "code": three[0].next_code()}})
three[0].post("/api/v1/session/passkeys", {"name": "key", **key.make(asked, KEY_ORIGIN)})


def shown_again(who):
    return {"passkey": key.show(who.post("/api/v1/session/challenge", {}), KEY_ORIGIN)}


for who in three[1:]:
    who.post("/api/v1/session", shown_again(who))
seen = three[0].get(OTHERS)["others"]
same(sorted(s["address"] for s in seen), ["127.0.0.22", "127.0.0.23"], "where")
true(all(s["began"] <= s["seen"] and re.fullmatch("[0-9a-f]{32}", s["id"]) for s in seen), seen)
true(not any(s["id"] in d.cookie for s in seen for d in three), "an id that is a cookie")
first_of = [s["id"] for s in seen if s["address"] == "127.0.0.22"][0]
end = OTHERS + "/end"
same(three[0].post(end, {"id": first_of}, 400)["error"], "request", "without a proof")
three[0].post(end, {"id": first_of, "proof": {"password": "not the password at all", "code": "000000"}}, 401)
true(not {s["id"] for s in desk.get(OTHERS)["others"]} & {s["id"] for s in seen}, "saburo's are not hanako's")
three[0].post(end, {"id": "0" * 32, "proof": shown_again(three[0])}, 404)
left = three[0].post(end, {"id": first_of, "proof": shown_again(three[0])})["others"]
same([s["address"] for s in left], ["127.0.0.23"], "one is left")
three[1].get("/api/v1/session", 401)
three[2].get("/api/v1/session")
same(three[0].post(end, {"proof": shown_again(three[0])})["others"], [], "all of them")
three[2].get("/api/v1/session", 401)
three[0].get("/api/v1/session")
desk.get("/api/v1/session")
until(lambda: len([r for r in told("console-sign-out", user="saburo") if "ended from another session" in r["text"]]) == 2, "both in the log")

item("6.2.8: a password is what was typed: no other case, no part of it, nothing around it")
for n, other_word in enumerate((three[0].password.upper(), three[0].password[:-1], three[0].password + " ")):
    Desk("127.0.0.%d" % (41 + n)).sign_in("saburo", other_word, status=401)

item("7.4.1: signing out ends it, for the server too")
kept = other.cookie
# 14.3.1: and what the browser has of it goes.
same(other.ask("DELETE", "/api/v1/session", status=204).headers["Clear-Site-Data"], '"cache", "storage"', "what the browser throws away")
same(other.cookie, None, "the cookie is taken away")
other.cookie = kept
other.get("/api/v1/session", 401)

item("7.4.2: disabling ends what is signed in; only a reset opens it again")
user("disable", "hanako")
desk.get("/api/v1/session", 401)
Desk("127.0.0.4").sign_in("hanako", long, status=401)
again = user("reset", "hanako")
fresh = Desk("127.0.0.4")
fresh.sign_in("hanako", again)
same(fresh.told["must"], ["password", "factor"], "as new")

item("8.2.1, 8.2.2, 8.3.1: rights are the server's, by role; what is outside a scope is not there")
taro = Person("taro", "viewer", scope=["pc-1*"], source="127.0.0.5")
jiro = Person("jiro", "administrator", source="127.0.0.6")
for path in ("/api/v1/tokens", "/api/v1/policy", "/api/v1/policy/status", "/api/v1/devices/unlisted"):
    same(taro.get(path, 403)["error"], "role", path)
for path in ("/api/v1/records", "/api/v1/records.csv", "/api/v1/records/1", "/api/v1/facets", "/api/v1/records/1/segment",
             "/api/v1/records/1/neighbours"):
    same(jiro.get(path, 403)["error"], "role", path)
same(taro.post("/api/v1/tokens", {"name": None, "valid": 600}, 403)["error"], "role", "a token for a viewer")
names = [h["name"] for h in taro.get("/api/v1/hosts")["hosts"]]
true(all(n.startswith("pc-1") for n in names), names)
same(taro.get("/api/v1/records")["records"], [], "records of no PC of theirs")

item("3.4.1 to 3.4.6, 3.4.8, 3.5.8: headers of every answer, refusals too")
for path in ("/", "/api/v1/session", "/no/such/path", "/api/v1/records?nonsense=1"):
    h = taro.ask("GET", path).headers
    csp = h["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
                 "form-action 'none'", "require-trusted-types-for 'script'"):
        true(part in csp.split("; "), part)
    true("unsafe" not in csp and "http" not in csp, csp)
    true(int(h["Strict-Transport-Security"].split("=")[1]) >= 31536000, "HSTS")
    same(h["X-Content-Type-Options"], "nosniff", "nosniff")
    same(h["Referrer-Policy"], "no-referrer", "referrer")
    same(h["Cross-Origin-Opener-Policy"], "same-origin", "COOP")
    same(h["Cross-Origin-Resource-Policy"], "same-origin", "CORP")
    same(h.get("Access-Control-Allow-Origin"), None, "no CORS")
    same(h.get("Server"), None, "says nothing of itself")
    if path.startswith("/api/"):
        same(h["Cache-Control"], "no-store", path)

item("12.1.1, 12.2.1: TLS 1.3, and nothing in the clear")
c = tls()
import ssl  # noqa: E402
c.minimum_version, c.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
try:
    c.wrap_socket(socket.create_connection((HOST, PORT)), server_hostname=HOST)
    raise SystemExit("FAILED: TLS 1.2 was taken")
except (ssl.SSLError, OSError):
    pass
plain = http.client.HTTPConnection(HOST, PORT, timeout=30)
try:
    plain.request("GET", "/")
    plain.getresponse()
    raise SystemExit("FAILED: answered in the clear")
except (http.client.HTTPException, OSError):
    pass

item("12.1.2: ciphers: AES-GCM and ChaCha20, and none that is cut short")
for suite, good in (("TLS_AES_256_GCM_SHA384", True), ("TLS_CHACHA20_POLY1305_SHA256", True), ("TLS_AES_128_CCM_8_SHA256", False),
                    ("TLS_AES_128_CCM_SHA256", False)):
    r = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % (HOST, PORT), "-ciphersuites", suite, "-tls1_3"], stdin=subprocess.DEVNULL,
                       capture_output=True)
    same(b"Cipher is " + suite.encode() in r.stdout, good, suite)

item("4.1.3, 15.3.4: who asks is who connected: no header says otherwise")
for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"):
    Desk("127.0.0.51").sign_in("jiro", "some other password", status=401, headers={name: "203.0.113.7"})
until(lambda: len(told("console-sign-in-refused", remote="127.0.0.51")) >= 4, "from where it was tried")
same(told("console-sign-in-refused", remote="203.0.113.7"), [], "what a header said")

item("4.2.1, 4.1.4: what two readers could understand differently is refused")
for lines in ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
              "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"):
    s = tls().wrap_socket(socket.create_connection((HOST, PORT), timeout=30), server_hostname=HOST)
    s.sendall(("POST /api/v1/session HTTP/1.1\r\nHost: x\r\n" + lines).encode())
    true(s.recv(4096).startswith(b"HTTP/1.1 400"), lines)
    s.close()
for method in ("PUT", "PATCH", "TRACE", "CONNECT", "OPTIONS"):
    try:
        true(Desk().raw(method, "/api/v1/session").status in (400, 405, 501), method)
    except (http.client.HTTPException, OSError):
        pass

item("5.3.2: no path leads out of the page's folder")
for path in ("/../etc/passwd", "/..%2fetc/passwd", "/assets/../../accounts.json", "//etc/passwd", "/%2e%2e/", "/.hidden",
             "/secret.key"):
    true(taro.ask("GET", path).status in (400, 404), path)

item("6.3.1, 6.1.1: attempts are slowed down; who signed in before is not locked out by others")
strangers = Desk("127.0.0.9")
waits = [strangers.sign_in("taro", "guess number %d ..." % i, status=None).status for i in range(14)]
true(429 in waits and waits.index(429) <= 10, waits)
true(int(strangers.sign_in("taro", "guess", status=429).headers["Retry-After"]) >= 1, "how long to wait")
back = Desk("127.0.0.5")
back.sign_in("taro", taro.password, taro.next_code())
same(back.told["account"], "taro", "its owner, from where they were")

item("16.3.1 to 16.3.3: each sign-in, good or bad, and each refusal is in the log")
until(lambda: told("console-sign-in", user="taro"), "a sign-in in the log")
until(lambda: told("console-sign-in-refused", cause="too-often"), "attempts in the log")
until(lambda: told("console-sign-in-refused", user="hanako", cause="credentials"), "wrong ones in the log")
until(lambda: told("console-refused", user="taro", cause="role"), "what is not for a role in the log")
until(lambda: told("console-refused", user="hanako", cause="cross-site"), "other sites in the log")
until(lambda: told("console-account", target_user="taro"), "accounts in the log")
until(lambda: told("console-sign-out", user="hanako"), "ends in the log")
true(not any("nobody" in str(r) or "guess" in str(r) for r in told("console-sign-in-refused")), "what was typed is told")
