"""openapi.yaml against the running server: every operation, as every role; every answer by its schema (python3-jsonschema, JSON
Schema 2020-12, which OpenAPI 3.1 stands on); what the document does not know is refused."""
import json
import os
import sys
import time

import yaml
from collector_pc import Member, RECORDER
from console_desk import Desk, Person, same, true, until
from jsonschema import Draft202012Validator, RefResolver

with open(sys.argv[1]) as f:
    DOC = yaml.safe_load(f)
RESOLVER = RefResolver("", DOC)
LATER = {("delete", "/api/v1/session")}


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


pc = Member("pc-1")
pc.enrol()
carry = pc.begin(RECORDER)
pc.post(pc.sealed(n=1, carry=carry))
# What a trial has cases of.
pc.post(pc.sealed(records=[{1: 82, 2: 1000, 13: "花子", 101: "0951:1666", 104: "S", 106: "08:06:50", 107: 1, 108: 3, 109: "default:storage"},
                           {1: 100, 2: 1000, 13: "花子", 109: "print-default", 119: "laser", 122: "給与明細", 133: 1}]))
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
    "alertAcknowledge": {"comment": "looked at"},
    "proofsPost": {"contractor": "溶解処理", "what": "書類 12箱", "name": "証明書.pdf", "content": "JVBERg=="},
    "reportsPost": {"since": "-2d", "until": "-1m", "lang": "ja"},
    "passwordPost": {"old": "wrong wrong wrong", "new": "another wrong one"},
    "totpPost": {},
    "sessionPost": {"account": "nobody", "password": "nothing at all"},
    "totpRemove": {"proof": {"password": "wrong wrong wrong", "code": "000000"}},
    "recoveryPost": {"proof": {"password": "wrong wrong wrong", "recovery": "x"}},
    "passkeysAsk": {"proof": {"password": "wrong wrong wrong", "code": "000000"}},
    "passkeysPost": {"name": "a key", "client_data": "e30=", "attestation": "oA=="},
    "passkeyRemove": {"proof": {"password": "wrong wrong wrong", "code": "000000"}},
    "peoplePasskeyRemove": {"account": "nobody", "passkey": "0011223344556677"},
    "challengePost": {},
    "oidcPost": {},
    "oidcReturnPost": {"state": "0", "code": "0"},
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
        body = BODIES.get(name, "" if method == "post" else None)
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
                    good = good or str(s.get("default") or s.get("minimum") or "x")
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
for person in people.values():
    check(person.ask("DELETE", "/api/v1/session"), DOC["paths"]["/api/v1/session"]["delete"], "signing out")
