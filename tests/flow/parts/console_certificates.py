"""Signing in with client certificates: whose, behind what, and each way in which one is refused, with its reason in the access log. The
numbers are requirements of OWASP ASVS 5.0.0."""
import http.client
import os
import shutil
import subprocess

import console_desk
from console_desk import HOST, PORT, Answer, Desk, Person, same, told, true, until, user

CERTS = os.environ["CERTS"]
ETC = os.environ["SEKISHO_ROOT"] + "/etc/"
SIGN = "/api/v1/session"
PASSWORD = "Kumo no Mine 1694 Basho"
addresses = iter("127.0.4.%d" % i for i in range(1, 250))


def item(text):
    print("  " + text, flush=True)


class Bearer(Desk):
    """A browser with a certificate, or with none."""

    def __init__(self, certificate=None):
        super().__init__(next(addresses))
        self.certificate = certificate

    def raw(self, method, path, body=None, headers=None):
        context = console_desk.tls()
        if self.certificate:
            context.load_cert_chain("%s/%s.crt" % (CERTS, self.certificate), "%s/%s.key" % (CERTS, self.certificate))
        # Where what decides about certificates is read anew, connections that show one end: browsers ask again.
        for last in (False, True):
            c = http.client.HTTPSConnection(HOST, PORT, context=context, timeout=60, source_address=(self.source, 0))
            try:
                c.request(method, path, body, headers or {})
                return Answer(c.getresponse())
            except (http.client.RemoteDisconnected, ConnectionResetError):
                if last or method != "GET":
                    raise
            finally:
                c.close()

    def show(self, name, password=PASSWORD, status=200):
        return self.post(SIGN, {"account": name, "password": password, "certificate": True}, status)


def refused(words, **want):
    until(lambda: any(words in r.get("text", "") for r in told("console-sign-in-refused", cause="certificate", **want)), "in the log: " + words)


def bind(name, certificate, status=0):
    args = ["sekishoctl", "console", "user", "bind", name, "--certificate", "%s/%s.crt" % (CERTS, certificate)]
    r = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    same(r.returncode, status, "%s: %s" % (args, r.stderr.decode()))
    return r


item("what a browser shows is told to it, whoever it is; the handshake ends well")
same(Bearer().get("/api/v1/ways")["certificates"], True, "asked for")
same(Bearer().get("/api/v1/ways")["certificate"], None, "none is shown")
same(Bearer("hanako").get("/api/v1/ways")["certificate"], {"name": "山田 花子", "refused": None}, "a good one")
for file, word in (("gone", "revoked"), ("old", "expired"), ("early", "early"), ("server", "purpose"), ("foreign", "foreign"),
                   ("forged", "foreign"), ("self", "foreign")):
    got = Bearer(file).get("/api/v1/ways")["certificate"]
    true(got["refused"] == word or (file == "forged" and got["refused"] == "bad"), "%s: %r" % (file, got))

item("bound by an administrator of the machine, to one account; then it is the second factor, from the first sign-in on")
first = user("add", "hanako", "--role", "auditor")
bind("hanako", "hanako")
bind("hanako", "hanako", 1)
true(b"expired" in bind("hanako", "old", 1).stderr, "an expired one is not bound")
tanaka = Person("tanaka", "administrator", source="127.0.4.251")
bind("tanaka", "hanako", 1)
bind("tanaka", "tanaka")
until(lambda: [r for r in told("console-account", target_user="hanako") if "certificate bound" in r.get("text", "")], "in the log")
same(Bearer().sign_in("hanako", first).json["factors"], ["certificate"], "what is left behind the password")
hanako = Bearer("hanako")
hanako.show("hanako", first)
same(hanako.told["must"], ["password"], "what is left")
hanako.post("/api/v1/session/password", {"old": first, "new": PASSWORD})
same(hanako.told["must"], [], "all is done")
hanako.get("/api/v1/records")
until(lambda: told("console-sign-in", user="hanako", service="password and certificate", text="山田 花子"), "the method in the log")

item("6.3.3: alone it is nothing: not without the password, not with a wrong one, not beside a code")
d = Bearer("hanako")
d.post(SIGN, {"certificate": True}, 400)
d.post(SIGN, {"account": "hanako", "certificate": True}, 400)
d.post(SIGN, {"account": "hanako", "password": PASSWORD, "certificate": True, "code": "123456"}, 400)
d.post(SIGN, {"account": "hanako", "password": PASSWORD, "certificate": 1}, 400)
d.show("hanako", "not the password at all", 401)
d.show("nobody", PASSWORD, 401)
d.sign_in("hanako", PASSWORD)
d.get(SIGN, 401)

item("each that is not good is refused, with the reason in the log: to the right password, too")
for file, words in (("gone", "revoked: "), ("old", "expired: "), ("early", "early: "), ("server", "purpose: "), ("foreign", "foreign: "),
                    ("forged", ": "), ("self", "foreign: "), (None, "no certificate was shown"), ("tanaka", "not bound to this account"), ("later", "not bound to this account")):
    name = "with-%s" % (file or "none")
    Bearer(file).show(name, user("add", name, "--role", "auditor"), 401)
    refused(words, user=name)

item("7.x: a session that began with a certificate goes on with that one only")
for file in (None, "tanaka", "foreign"):
    thief = Bearer(file)
    thief.cookie, thief.csrf = hanako.cookie, hanako.csrf
    same(thief.get("/api/v1/session", 401)["error"], "certificate", file)
until(lambda: told("console-refused", user="hanako", cause="certificate"), "in the log")
hanako.get("/api/v1/session")
tanaka.get("/api/v1/session")

item("people and their owners see what is bound")
same([c["name"] for c in hanako.get("/api/v1/session/passkeys")["certificates"]], ["山田 花子"], "one's own")
people = {p["account"]: p for p in tanaka.get("/api/v1/people")["people"]}
same([c["name"] for c in people["hanako"]["certificates"]], ["山田 花子"], "an administrator's list")
true(people["hanako"]["certificates"][0]["used"], "used")
true("certificates: 1" in user("list"), "sekishoctl")

item("a list of revoked ones that is not good changes nothing; a new one counts within seconds, for sessions too")
hanako.get("/api/v1/session")
with open(ETC + "revoked.crl", "w") as f:
    f.write("nothing of the kind")
with open(os.environ["FLOW_TMP"] + "/console.log") as f:
    until(lambda: "what was read before still counts" in f.read(), "the console says so")
hanako.get("/api/v1/session")
shutil.copy(CERTS + "/more.crl", ETC + "revoked.crl")
until(lambda: hanako.ask("GET", "/api/v1/session").status == 401, "the session is over")
same(Bearer("hanako").get("/api/v1/ways")["certificate"]["refused"], "revoked", "revoked now")
Bearer("hanako").show("hanako", status=401)
bind("hanako", "later")
hanako = Bearer("later")
hanako.show("hanako")
hanako.get("/api/v1/records")

item("a list that ran out lets nobody in by a certificate, and others as before")
shutil.copy(CERTS + "/old.crl", ETC + "revoked.crl")
until(lambda: Bearer("tanaka").get("/api/v1/ways")["certificate"]["refused"] == "list", "too old")
Bearer("tanaka").show("tanaka", status=401)
refused("list: ", user="tanaka")
tanaka.get("/api/v1/session")
shutil.copy(CERTS + "/revoked.crl", ETC + "revoked.crl")
until(lambda: Bearer("tanaka").get("/api/v1/ways")["certificate"]["refused"] is None, "as before")

item("unbinding ends its sessions; the last factor takes the account along; a reset takes all")
for file, more in (("hanako", False), ("later", True)):
    fingerprint = [c["fingerprint"] for p in tanaka.get("/api/v1/people")["people"] if p["account"] == "hanako"
                   for c in p["certificates"]][0]
    out = user("unbind", "hanako", "--certificate", fingerprint if more else "%s/%s.crt" % (CERTS, file))
    same("disabled" in out, more, out)
hanako.get("/api/v1/session", 401)
Bearer("later").show("hanako", status=401)
bind("hanako", "hanako")
again = user("reset", "hanako")
same([p["certificates"] for p in tanaka.get("/api/v1/people")["people"] if p["account"] == "hanako"], [[]], "none")
hanako = Bearer("hanako")
hanako.show("hanako", again, 401)
hanako.sign_in("hanako", again)
same(hanako.told["must"], ["password", "factor"], "as new")
