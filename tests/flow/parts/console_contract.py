"""openapi.yaml against the running server: every operation, as every role, and each at least once with what it is there for; every answer by
its schema (python3-jsonschema, JSON Schema 2020-12, which OpenAPI 3.1 stands on), and by a public tool that stands between
(openapi_gate.mjs); what the document does not know is refused. Then what the access log has of each operation."""
import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse

import console_desk
import yaml
from collector_pc import PRINT, RECORDER, Member
from console_authenticator import Passkey
from console_desk import HOST, PORT, Desk, Person, same, tls, told, true, until
from jsonschema import Draft202012Validator, RefResolver

with open(sys.argv[1]) as f:
    DOC = yaml.safe_load(f)
RESOLVER = RefResolver("", DOC)
LATER = {("delete", "/api/v1/session")}
HERE = os.path.dirname(os.path.abspath(__file__))


class Gate:
    """express-openapi-validator between who asks and the console."""

    def __init__(self, doc):
        self.process = subprocess.Popen(["node", HERE + "/openapi_gate.mjs", doc], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, "CONSOLE_CA": console_desk.CA})
        self.port = int(self.process.stdout.readline())

    def verdict(self):
        """What it found wrong, and what it counted."""
        lines = self.process.communicate()[0].decode().splitlines()
        same(self.process.returncode, 0, "the tool's end")
        return lines[:-1], json.loads(lines[-1])


# Paths without a hole in them first: /records.csv is no {row}.
SHAPES = sorted(((re.compile(re.sub(r"\\{[a-z]+\\}", "[^/]+", re.escape(path)) + "$"), path) for path in DOC["paths"]), key=lambda x: "{" in x[1])
answered = {}  # operationId: paths that it was answered 2xx for


def operation(method, path):
    path = path.split("?")[0]
    found = [p for shape, p in SHAPES if shape.match(path)]
    return DOC["paths"][found[0]].get(method.lower()) if found else None


def through(self, method, path, body=None, headers=None):
    c = http.client.HTTPConnection(HOST, gate.port, timeout=60, source_address=(self.source, 0) if self.source else None)
    c.request(method, path, body, headers or {})
    a = console_desk.Answer(c.getresponse())
    c.close()
    op = operation(method, path)
    if op and 200 <= a.status < 300:
        answered.setdefault(op["operationId"], []).append(path.split("?")[0])
    return a


gate = Gate(sys.argv[1])
direct, Desk.raw = Desk.raw, through


def deref(x):
    return RESOLVER.resolve(x["$ref"])[1] if "$ref" in x else x


def validate(schema, value, what):
    errors = list(Draft202012Validator(schema, resolver=RESOLVER).iter_errors(value))
    true(not errors, "%s: %s" % (what, errors[:1]))


def check(answer, op, what):
    """Is this one of the answers that the document knows?"""
    known = op["responses"].get(str(answer.status))
    true(known is not None, "%s: answered %d, which is not documented: %s" % (what, answer.status, answer.body[:200]))
    content = deref(known).get("content")
    if content is None:
        same(answer.body, b"", what + ": no body")
        return
    kind = answer.type.split(";")[0]
    true(kind in content, "%s: %s is not documented" % (what, kind))
    if kind == "application/json":
        validate(content[kind]["schema"], answer.json, what)


pc, other_pc, old_pc = Member("pc-1"), Member("pc-2"), Member("pc-0")
for member in (pc, other_pc, old_pc):
    member.enrol()
carry = pc.begin(RECORDER)
pc.post(pc.sealed(n=1, carry=carry))
# What a trial has cases of.
pc.post(pc.sealed(records=[{1: 82, 2: 1000, 13: "花子", 101: "0951:1666", 104: "S", 106: "08:06:50", 107: 1, 108: 3, 109: "default:storage"},
                           {1: 100, 2: 1000, 13: "花子", 109: "print-default", 119: "laser", 122: "給与明細", 133: 1}]))
# A file that got another name and was copied, each as the recorder tells it.
pc.post(pc.sealed(records=[{1: 5, 2: 3000000, 13: "花子", 30: "/home/表.xlsx", 31: "/home/名簿.xlsx", 35: 1},
                           {1: 16, 2: 4000000, 13: "花子", 30: "/media/x.xlsx", 31: "/home/名簿.xlsx", 35: 2, 185: 1, 181: 2, 182: 5}]))
# And what the herald has a rule for.
pc.post(pc.sealed(1, PRINT, [{1: 100, 2: 1000, 13: "花子", 119: "laser", 122: "名簿", 133: 1, 148: 2}]))
people = {r: Person(r, r, scope=["*"] if r == "viewer" else (), source="127.0.2.%d" % (i + 1))
          for i, r in enumerate(("administrator", "auditor", "viewer"))}
auditor = people["auditor"]
until(lambda: auditor.get("/api/v1/records?host=pc-1")["records"], "records")
row = auditor.get("/api/v1/records?host=pc-1")["records"][0]["row"]
FILL = {"{row}": row, "{id}": pc.host.hex()}
BODIES = {
    "tokensPost": {"name": None, "valid": 600},
    "policyReplay": {"policy_yaml": "version: 1\nrules: [{name: x, match: {kind: storage}, access: deny}]\n", "devices_csv": ""},
    "policyCheck": {"policy_yaml": "version: 1\n", "devices_csv": ""},
    "hostRevoke": {"reason": ""},
    "hostRetire": {"reason": ""},
    "alertAcknowledge": {"comment": "looked at"},
    "searchesPut": {"version": 0, "searches": [{"name": "週次", "query": "since=-7d"}]},
    "proofsPost": {"contractor": "溶解処理", "what": "書類 12箱", "name": "証明書.pdf", "content": "JVBERi0xLjc="},
    "reportsPost": {"since": "-2d", "until": "-1m", "lang": "ja"},
    "passwordPost": {"old": "wrong wrong wrong", "new": "another wrong one"},
    "totpPost": {},
    "sessionPost": {"account": "nobody", "password": "nothing at all"},
    "othersEnd": {"proof": {"password": "wrong wrong wrong", "code": "000000"}},
    "totpRemove": {"proof": {"password": "wrong wrong wrong", "code": "000000"}},
    "recoveryPost": {"proof": {"password": "wrong wrong wrong", "recovery": "x"}},
    "passkeysAsk": {"proof": {"password": "wrong wrong wrong", "code": "000000"}},
    "passkeysPost": {"name": "a key", "client_data": "e30=", "attestation": "oA=="},
    "passkeyRemove": {"proof": {"password": "wrong wrong wrong", "code": "000000"}},
    "peoplePasskeyRemove": {"account": "nobody", "passkey": "0011223344556677"},
    "challengePost": {},
    "oidcPost": {},
    "oidcReturnPost": {"state": "0", "code": "0"},
    "oidcBackchannelPost": "logout_token=a.b.c",
}
seen = set()
for path, item in DOC["paths"].items():
    for method, op in item.items():
        name = op["operationId"]
        target = path
        for k, v in FILL.items():
            target = target.replace(k, v)
        seen.add(name)
        if op.get("security") == [{"metrics": []}] or name == "liveGet":
            check(Desk().ask(method.upper(), target), op, name + " as nobody")
            continue
        body = BODIES.get(name, "" if method in ("post", "put") else None)
        a = Desk("127.0.2.9").ask(method.upper(), target, body)
        check(a, op, name + " as nobody")
        true(op.get("security") == [] or a.status in (401, 403), "%s: %d for nobody" % (name, a.status))
        if (method, path) in LATER or op.get("security") == []:
            continue
        for role, who in people.items():
            what = "%s as %s" % (name, role)
            a = who.ask(method.upper(), target, body)
            check(a, op, what)
            if role in op["x-roles"]:
                true(a.status != 403, "%s: %s" % (what, a.body[:200]))
            else:
                same((a.status, a.json["error"]), (403, "role"), what)
            if method == "get" and role in op["x-roles"] and "segment" not in path:
                # A parameter that the document does not know, and each that it does.
                queries = [p for p in map(deref, op.get("parameters", [])) if p["in"] == "query"]
                if queries or path.endswith(("{row}", "{id}")):
                    same(who.ask("GET", target + "?unheard=of").status, 400, what + " with another parameter")
                for p in queries:
                    s = deref(p["schema"])
                    good = {"since": "-1h", "until": "-1m", "kind": "exec", "class": "usb", "fact": "access:deny",
                            "cursor": "1.1", "host": "pc-1"}.get(p["name"])
                    good = urllib.parse.quote(good or str(s.get("default") or s.get("minimum") or "x"), safe="")
                    check(who.ask("GET", "%s?%s=%s" % (target, p["name"], good)), op, "%s with %s" % (what, p["name"]))
                    check(who.ask("GET", "%s?%s=%%00" % (target, p["name"])), op, "%s with a bad %s" % (what, p["name"]))
print("%d operations" % len(seen))

# Reports, as far as each role may have them; what is on the screen, on paper and in the files.
SECTIONS = {"administrator": {"drives", "policy-versions", "policy-changes", "administrators-acts", "pcs", "losses", "completeness"},
            "viewer": {"prints-by-person", "prints-by-printer", "drives", "drives-by-person", "exceptions", "pcs", "losses",
                       "completeness"}}
SECTIONS["auditor"] = SECTIONS["administrator"] | SECTIONS["viewer"] | {"log-readers"}
for role, who in people.items():
    for bad in ({}, {"month": "2026-13"}, {"month": "2026-10", "since": "-1d", "until": "-1h"}, {"since": "-1h", "until": "-2h"},
                {"month": 3}, {"since": "-1d", "until": "-1m", "lang": "fr"}, {"since": "2020-01-01", "until": "2026-01-01"}):
        check(who.ask("POST", "/api/v1/reports", bad, 400), DOC["paths"]["/api/v1/reports"]["post"], "a bad report")
    made = who.ask("POST", "/api/v1/reports", BODIES["reportsPost"], 200).json["id"]
    for _ in range(600):
        a = who.ask("GET", "/api/v1/reports/" + made, status=200)
        check(a, DOC["paths"]["/api/v1/reports/{id}"]["get"], "a report for " + role)
        if a.json["report"]:
            break
        time.sleep(0.05)
    report = a.json["report"]
    same({t["name"] for t in report["tables"]}, SECTIONS[role], "tables of " + role)
    true(report["log"]["verified"] and report["log"]["included"], "the log is verified")
    columns = {c["name"] for t in report["tables"] for c in t["columns"]}
    true(role != "administrator" or "person" not in columns, "no names of people for an administrator")
    for form, first in (("pdf", b"%PDF-"), ("zip", b"PK")):
        a = who.ask("GET", "/api/v1/reports/%s/%s" % (made, form), status=200)
        check(a, DOC["paths"]["/api/v1/reports/{id}/" + form]["get"], form)
        true(a.body.startswith(first), form)
    for other in people.values():
        if other is not who:
            other.ask("GET", "/api/v1/reports/" + made, status=404)
            other.ask("GET", "/api/v1/reports/%s/pdf" % made, status=404)

for body, status in (('{"account": "a"', 400), ("[]", 400), ('{"account": "a", "password": "b", "more": 1}', 400),
                     ('{"account": "a", "account": "b", "password": "c"}', 400), ('{"account": 1, "password": "b"}', 400),
                     ('{"account": "a", "password": "b\\u0000c"}', 400), ("x" * 5000, 400), ("", 400),
                     (json.dumps({"account": "a" * 65, "password": "b"}), 400)):
    a = Desk("127.0.2.10").ask("POST", "/api/v1/session", body, status)
    check(a, DOC["paths"]["/api/v1/session"]["post"], "a bad body")
people["administrator"].ask("POST", "/api/v1/tokens", {"name": "a" * 101, "valid": 600}, 400)
people["administrator"].ask("POST", "/api/v1/policy", b"\x00" * 100, 400, mime="application/vnd.sekisho.policy")

# What none of the above could be answered well for.
ORIGIN = os.environ["CONSOLE_ORIGIN"]
admin, viewer = people["administrator"], people["viewer"]


def well(who, method, path, body=None, **more):
    """Done, and answered as the document says."""
    a = who.ask(method, path, body, **more)
    op = operation(method, path)
    check(a, op, op["operationId"])
    true(200 <= a.status < 300, "%s: %d %s" % (op["operationId"], a.status, a.body[:300]))
    return a


def passkey(key, name, proof):
    asked = well(auditor, "POST", "/api/v1/session/passkeys/challenge", proof).json
    well(auditor, "POST", "/api/v1/session/passkeys", {"name": name, **key.make(asked, ORIGIN)})


def proof():
    """Who it is, once more, by the first of the passkeys."""
    asked = well(auditor, "POST", "/api/v1/session/challenge", {}).json
    return {"proof": {"passkey": keys[0].show(asked, ORIGIN)}}


keys = [Passkey() for _ in range(3)]
passkey(keys[0], "first", {"proof": {"password": auditor.password, "code": auditor.next_code()}})
passkey(keys[1], "second", proof())
passkey(keys[2], "third", proof())
elsewhere = Desk("127.0.2.8")
elsewhere.post("/api/v1/session", {"passkey": keys[0].show(elsewhere.post("/api/v1/session/challenge", {}), ORIGIN)})
same(len(well(auditor, "GET", "/api/v1/session/others").json["others"]), 1, "other sessions")
well(auditor, "POST", "/api/v1/session/others/end", proof())
ids = {k["name"]: k["id"] for k in well(auditor, "GET", "/api/v1/session/passkeys").json["passkeys"]}
well(auditor, "POST", "/api/v1/session/passkeys/%s/remove" % ids["second"], proof())
well(auditor, "POST", "/api/v1/session/recovery", proof())
well(auditor, "POST", "/api/v1/session/totp/remove", proof())

until(lambda: auditor.get("/api/v1/alerts?days=7")["alerts"], "the herald's alert")
alert = auditor.get("/api/v1/alerts?days=7")["alerts"][0]["row"]
well(viewer, "POST", "/api/v1/alerts/%s/acknowledge" % alert, {"comment": "looked at"})
OF = "?of=" + urllib.parse.quote("/home/表.xlsx", safe="")
life = well(auditor, "GET", "/api/v1/trail" + OF).json
same([(r["facts"]["kind"], r["facts"]["path"], r["facts"]["path2"], r["facts"].get("certainty")) for r in life["records"]],
     [("rename", "/home/表.xlsx", "/home/名簿.xlsx", None), ("copy", "/media/x.xlsx", "/home/名簿.xlsx", "strong")], "a file's life")
same((life["complete"], viewer.get("/api/v1/trail" + OF + "&host=pc-1")["records"]), (True, life["records"]), "all of it, for who sees that PC")
same(auditor.get("/api/v1/trail" + OF + "&host=pc-2")["records"], [], "another PC")
same(auditor.get("/api/v1/trail" + OF + "&since=" + urllib.parse.quote(life["records"][1]["facts"]["time"], safe=""))["records"], [], "from later on its first name has nothing")
lines = well(auditor, "GET", "/api/v1/trail.csv" + OF + "&lang=ja").body.decode("utf-8-sig").split("\r\n")
true(len(lines) == 4 and lines[0].startswith('"PC名",') and "/media/x.xlsx" in lines[2] and not lines[3], "as a file: %s" % lines)
for of in ("x", "8:1/", "0" * 63, "../x"):
    auditor.ask("GET", "/api/v1/trail?of=" + urllib.parse.quote(of, safe=""), status=400)
filed = well(admin, "POST", "/api/v1/proofs", BODIES["proofsPost"]).json["hash"]
well(auditor, "GET", "/api/v1/proofs/" + filed)
for form in ("pdf", "csv", "zip"):
    well(auditor, "GET", "/api/v1/register.%s?since=-2d&until=-1m&path=%%2Fhome" % form)
well(admin, "POST", "/api/v1/tokens", {"name": "pc-3", "valid": 600})
well(admin, "POST", "/api/v1/hosts/%s/revoke" % other_pc.host.hex(), {"reason": "lost"})
well(admin, "POST", "/api/v1/hosts/%s/retire" % old_pc.host.hex(), {"reason": "its lease ended", "unheard": True})
with open(os.environ["SIGNED"], "rb") as f:
    well(admin, "POST", "/api/v1/policy", f.read(), mime="application/vnd.sekisho.policy")
check(Desk().ask("GET", "/metrics", headers={"Authorization": "Bearer " + os.environ["METRICS_TOKEN"]}), DOC["paths"]["/metrics"]["get"], "metrics")
# A stream has no end: it goes past the tool.
c = http.client.HTTPSConnection(HOST, PORT, context=tls(), timeout=60)
c.request("GET", "/api/v1/live", headers={"Cookie": "__Host-sekisho=" + auditor.cookie})
r = c.getresponse()
same((r.status, r.getheader("Content-Type")), (200, "text/event-stream"), "the stream")
c.close()
answered["liveGet"] = ["/api/v1/live"]
well(admin, "POST", "/api/v1/people/passkeys/remove", {"account": "auditor", "passkey": ids["third"]})
# That ended the sessions of whom it was.
auditor.get("/api/v1/session", 401)
for person in people.values():
    check(person.ask("DELETE", "/api/v1/session"), DOC["paths"]["/api/v1/session"]["delete"], "signing out")

# Without the setting there is no such door.
same(Desk("127.0.2.10").ask("POST", "/api/v1/session/oidc/backchannel", "logout_token=a", mime="application/x-www-form-urlencoded").status, 404, "switched off")

# Each operation has done once what it is there for.
ELSEWHERE = {"oidcPost": "there is no provider here: 99-console-oidc", "oidcReturnPost": "there is no provider here: 99-console-oidc",
             "oidcBackchannelPost": "there is no provider here: 99-console-oidc"}
missing = {op["operationId"] for item in DOC["paths"].values() for op in item.values()} - set(answered)
same(missing, set(ELSEWHERE), "operations that were never answered 2xx")

# The access log has each of them; those that it does not have are listed with their reasons in collector/console/README.md.
UNTOLD = {"waysGet", "sessionGet", "challengePost", "passkeysGet", "passkeysAsk", "vocabularyGet", "policyCheck", "metricsGet"}
TOLD = {  # by other words than the path
    "sessionPost": ("console-sign-in", ""),
    "sessionDelete": ("console-sign-out", "signed out"),
    "othersEnd": ("console-sign-out", "ended from another session; it began at 127.0.2.8"),
    "passwordPost": ("console-account", "another password"),
    "totpPost": ("console-account", "a second factor: codes"),
    "totpRemove": ("console-account", "second factor removed: codes"),
    "recoveryPost": ("console-account", "recovery codes made"),
    "passkeysPost": ("console-account", "passkey added: first"),
    "passkeyRemove": ("console-account", "passkey removed: second"),
    "peoplePasskeyRemove": ("console-account", "passkey removed: third"),
    "alertAcknowledge": ("alert-acknowledged", "looked at"),
}


def rows():
    kinds = ("sign-in", "sign-out", "account", "view", "search", "export", "change")
    return [r for kind in ["console-" + k for k in kinds] + ["alert-acknowledged"] for r in told(kind)]


def untold():
    """Operations that did something, of which the log has nothing."""
    log = rows()
    paths = {r.get("operation") for r in log}
    words = {(r["kind"], r.get("text", "")) for r in log} | {(r["kind"], "") for r in log}
    return {op for op, asked in answered.items() if not (TOLD[op] in words if op in TOLD else paths & set(asked))}


end = time.monotonic() + 60
while not untold() <= UNTOLD and time.monotonic() < end:
    time.sleep(0.2)
same(untold(), UNTOLD, "operations that leave no record")
with open(HERE + "/../../../collector/console/README.md") as f:
    listed = re.findall(r"^\| `([A-Za-z]+)` \|", f.read().split("**No record of**")[1].split("\n\n## ")[0], re.M)
same(sorted(listed), sorted(UNTOLD), "the list in README.md")

wrong, count = gate.verdict()
same(wrong, [], "what the public tool found")
true(count["passed"] > 300 and count["judged"] > 150 and count["refused"] > 100, "the tool saw them all: %s" % count)
# It can find something: of a document that asks for more than there is, and of one that allows less.
for change in (lambda d: d["components"]["schemas"]["FactorDue"]["required"].append("never"),
               lambda d: d["paths"]["/api/v1/ways"]["get"].update(parameters=[{"name": "x", "in": "query", "required": True, "schema": {"type": "string"}}])):
    other = json.loads(json.dumps(DOC))
    change(other)
    with open(os.environ["FLOW_TMP"] + "/other.json", "w") as f:
        json.dump(other, f)
    gate = Gate(f.name)
    Desk("127.0.2.1").get("/api/v1/ways")
    Desk("127.0.2.1").sign_in("administrator", admin.password)
    wrong, _ = gate.verdict()
    print("\n".join(wrong))
    same(len(wrong), 1, "a document that is not this server's")
