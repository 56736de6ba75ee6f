"""A policy tried against the records, at the console: which cases, who sees what of them, what is told of the trial, and its bounds."""
import json
import socket
import struct
import sys
import threading
import time

from collector_pc import GUARD, Member, PRINT
from console_desk import HOST, PORT, Person, same, tls, told, true, until
from sekisho_verify import sha256
import sekisho_write

REPLAY = "/api/v1/policy/replay"
NOW = int(time.time() * 1000000)
HOUR = 3600 * 1000000
# Two hours ago; the time of a record counts from there.
sekisho_write.START_US = NOW - 2 * HOUR

DENY, READ_ONLY, READ_WRITE = 1, 2, 3
ALLOW, MARK, HOLD, PDENY = 1, 2, 3, 4
ENFORCE, NOTE = 1, 2


def item(text):
    print("  " + text, flush=True)


def stick(serial, user, access, rule, mode=ENFORCE, after=0, **more):
    return {1: 82, 2: after, 13: user, 101: "0951:1666", 103: "DataTraveler", 104: serial, 106: "08:06:50", 107: 1, 108: access,
            109: rule, 114: mode, **more}


def job(printer, user, title, pages, action, rule="print-default", mode=ENFORCE, after=0):
    return {1: 100, 2: after, 13: user, 109: rule, 114: mode, 119: printer, 122: title, 124: pages, 125: 1, 133: action}


SECRET = "解雇通知<b>"
one, two = Member("keiri-1"), Member("soumu-2")
one.enrol()
two.enrol()
one.post(one.sealed(producer=GUARD, carry=one.begin(GUARD), records=[
    stick("AAA", "花子", READ_WRITE, "ledger:2"),
    stick("AAA", "花子", READ_WRITE, "ledger:2", after=1000),
    stick("BBB", "花子", READ_ONLY, "default:storage", after=1000),
    stick("CCC", "花子", DENY, "rule:watched", NOTE, after=1000),
    stick("CCC", "花子", READ_WRITE, "release:0011", after=1000)]))
one.post(one.sealed(producer=PRINT, carry=one.begin(PRINT), records=[
    job("laser", "花子", SECRET, 3, ALLOW),
    job("laser", "花子", SECRET + " 2", 4, ALLOW, after=1000),
    job("lobby", "花子", "menu", 1, PDENY, "print:lobby", after=1000),
    job("laser", "花子", "x", 9, HOLD, "print-unavailable", after=1000)]))
two.post(two.sealed(producer=GUARD, carry=two.begin(GUARD), records=[
    stick("AAA", "次郎", READ_WRITE, "ledger:2", after=5000),
    {1: 82, 2: 1000, 13: "次郎", 101: "046d:c31c", 103: "Keyboard", 106: "03:01:01", 107: 8, 108: READ_WRITE, 109: "default:hid",
     114: ENFORCE}]))
two.post(two.sealed(producer=PRINT, carry=two.begin(PRINT), records=[job("laser", "次郎", SECRET, 5, ALLOW, after=9000)]))

auditor = Person("sachiko", "auditor", source="127.0.3.1")
administrator = Person("tanaka", "administrator", source="127.0.3.2")
both = Person("both", "administrator", "auditor", source="127.0.3.3")
viewer = Person("mori", "viewer", scope=["keiri-*"], source="127.0.3.4")
local = Person("local", "administrator", scope=["soumu-*"], source="127.0.3.5")
until(lambda: auditor.get("/api/v1/facets?kind=decision,print")["matched"] == 12, "all is indexed")

YAML = """version: 2
rules:
  - {name: watched, match: {serial: CCC}, access: deny}
print:
  rules:
    - {name: letters, match: {titles: "*解雇*"}, action: hold}
"""
CSV = "vendor,product,serial,access\n0951,1666,AAA,read-only\n"
TEXTS = {"policy_yaml": YAML, "devices_csv": CSV}


def known(answer):
    """The cases by what makes them: device or printer, decided, now."""
    out = {}
    for c in answer["cases"]:
        name = c["device"]["serial"] or c["device"]["kind"] if c["device"] else c["print"]["printer"]
        key = (name, c["decided"], c["noted"], c["was"], c["now"], c["rule"], c["effect"], c["times"])
        true(key not in out, "%s twice" % (key,))
        out[key] = c
    return out


CASES = {
    ("AAA", "read-write", False, "read-write", "read-only", "ledger:2", "stricter", 3),
    ("CCC", "deny", True, "read-write", "deny", "rule:watched", "stricter", 1),
    ("laser", "allow", False, "allow", "hold", "print:letters", "stricter", 3),
    ("lobby", "deny", False, "deny", "allow", "print-default", "looser", 1),
    ("BBB", "read-only", False, "read-only", "read-only", "default:storage", "same", 1),
    ("hid", "read-write", False, "read-write", "read-write", "default:hid", "same", 1),
}

item("an auditor: what would change, what stays; titles, people, and the records behind it")
a = auditor.post(REPLAY, TEXTS)
same({k: a[k] for k in ("version", "reads", "looked_at", "of", "of_more", "cut", "stricter", "looser", "same", "not_compared", "left_out",
                        "cases_found")},
     {"version": 2, "reads": True, "looked_at": 12, "of": 12, "of_more": False, "cut": [], "stricter": 7, "looser": 1, "same": 2,
      "not_compared": 2, "left_out": 0, "cases_found": 6}, "the whole")
cases = known(a)
same(set(cases), CASES, "the cases")
same([c["effect"] for c in a["cases"]], ["stricter"] * 3 + ["looser"] + ["same"] * 2, "their order")
held = cases[("laser", "allow", False, "allow", "hold", "print:letters", "stricter", 3)]
same((held["print"]["title"], held["print"]["pages"], sorted(held["users"]["names"]), sorted(held["hosts"]["names"])),
     (SECRET, 12, ["次郎", "花子"], ["keiri-1", "soumu-2"]), "titles and people")
same((held["reason"], held["reason_ja"]), ("policy.yaml:6: the title", "policy.yaml:6: 文書名"), "why, in both languages")
same(len(held["records"]), 3, "records")
for r in held["records"]:
    facts = auditor.get("/api/v1/records/" + r["row"])["record"]["facts"]
    same((facts["kind"], facts["printer"], facts["time"]), ("print", "laser", r["time"]), "the record behind it")
same(held["last"], held["records"][0]["time"], "the last one")
found = auditor.get("/api/v1/records?since=%s&until=%s&kind=decision&fact=serial:CCC&fact=access:deny&fact=policy_mode:note" %
                    (a["since"], a["until"]))["records"]
same([r["row"] for r in found],
     [r["row"] for r in cases[("CCC", "deny", True, "read-write", "deny", "rule:watched", "stricter", 1)]["records"]], "the same by a search")

item("an administrator: cases of devices and printers; no title, no person, no record, of print jobs no PC and no time either")
b = administrator.post(REPLAY, TEXTS)
# The rule that names a title fits nothing: what it held for the auditor is what it was.
same(set(known(b)), {c for c in CASES if c[5] != "print:letters"} | {("laser", "allow", False, "allow", "allow", "print-default", "same", 3)}, "the cases")
same((b["reads"], b["stricter"], b["looser"], b["same"]), (False, 4, 1, 5), "the counts")
text = json.dumps(b, ensure_ascii=False)
for secret in ("解雇", "花子", "次郎", "menu"):
    true(secret not in text, "an administrator is told %s" % secret)
for c in b["cases"]:
    same((c["users"]["names"], c["records"]), ([], []), "people and records")
    if c["print"]:
        same((c["print"]["title"], c["hosts"]["names"], c["last"]), (None, [], None), "a print case")
    else:
        true(c["hosts"]["names"] and c["last"], "a device")
held = known(b)[("laser", "allow", False, "allow", "allow", "print-default", "same", 3)]
same((held["users"]["count"], held["hosts"]["count"], held["print"]["pages"]), (2, 2, 12), "counts by printer and rule")

item("a rule that names a person, a title or a job's PC is no question for an administrator: the answer is the same for any name")


def without_version(answer):
    return {k: v for k, v in answer.items() if k not in ("version", "since", "until")}


def asking(user, title, host):
    return {"policy_yaml": """version: 2
rules:
  - {name: person, match: {users: "%s"}, access: deny}
print:
  rules:
    - {name: person, match: {users: "%s"}, action: deny}
    - {name: title, match: {titles: "%s"}, action: deny}
    - {name: host, match: {hosts: "%s"}, action: deny}
""" % (user, user, title, host), "devices_csv": "vendor,product,serial,access,users\n0951,1666,AAA,read-only,%s\n" % user,
            "since": "-3h", "until": "-1h"}


there, nowhere = asking("花子", "*解雇*", "keiri-1"), asking("nobody", "*nothing*", "none")
same(without_version(administrator.post(REPLAY, there)), without_version(administrator.post(REPLAY, nowhere)), "an administrator")
true(auditor.post(REPLAY, there)["stricter"] > auditor.post(REPLAY, nowhere)["stricter"], "an auditor is told")
grouped = {"policy_yaml": "version: 3\nrules: [{name: f, match: {kind: storage, groups: finance}, access: deny}]\n", "devices_csv": ""}
same(administrator.post(REPLAY, {**grouped, "groups": ["finance"]})["stricter"], 5, "groups that the trial names")

item("with both roles everything; a viewer nothing; within a scope only its PCs are there, and counted")
same(both.post(REPLAY, TEXTS)["reads"], True, "both roles")
same(viewer.post(REPLAY, TEXTS, status=403)["error"], "role", "a viewer")
c = local.post(REPLAY, TEXTS)
same((c["looked_at"], c["of"], c["stricter"], c["same"]), (3, 3, 1, 2), "of one department")
true("keiri-1" not in json.dumps(c), "a PC outside the scope")

item("a period; groups that everybody is said to be in")
same(auditor.post(REPLAY, {**TEXTS, "since": "-1h"})["looked_at"], 0, "the last hour")
same(auditor.post(REPLAY, {**TEXTS, "since": "-3h", "until": "-1h"})["looked_at"], 12, "before it")
same(auditor.post(REPLAY, {**grouped, "groups": ["finance"]})["stricter"], 5, "in the group")
same([x["rule"] for x in auditor.post(REPLAY, grouped)["cases"] if x["rule"].startswith("rule:")], [], "in no group")

item("what is asked wrongly is refused with the reason, and nothing of it is told")
for body, word in (({"policy_yaml": YAML}, "request"), ({**TEXTS, "since": "yesterday?"}, "request"),
                   ({**TEXTS, "since": "-1h", "until": "-2h"}, "request"), ({**TEXTS, "since": 1}, "request"),
                   ({**TEXTS, "groups": "x"}, "request"), ({**TEXTS, "groups": [""]}, "request"),
                   ({**TEXTS, "groups": ["a\0b"]}, "request"), ({**TEXTS, "groups": ["x"] * 33}, "request"),
                   ({**TEXTS, "groups": [1]}, "request"), ({**TEXTS, "days": 7}, "request"), ({**TEXTS, "policy_yaml": 1}, "request")):
    same(auditor.post(REPLAY, body, status=400)["error"], word, str(body)[:200])
bad = auditor.post(REPLAY, {**TEXTS, "policy_yaml": "version: 2\nrules:\n  - {name: x, access: maybe}\n"}, status=400)
same((bad["error"], "policy.yaml:3" in bad["reason"]), ("policy", True), bad["reason"])
same(auditor.post(REPLAY, TEXTS, status=403, headers={"Sekisho-Csrf": None})["error"], "csrf", "without the token")
same(auditor.post(REPLAY, TEXTS, status=403, headers={"Origin": "https://evil.example"})["error"], "csrf", "from elsewhere")

item("each trial is in the access log: who, which version, which period, the hash of its texts; none of what was refused")
y, c = YAML.encode(), CSV.encode()
texts = sha256(struct.pack(">Q", len(y)) + y + struct.pack(">Q", len(c)) + c).hex()
until(lambda: told("console-view", operation=REPLAY, user="local"), "it is indexed")
until(lambda: len(told("console-view", operation=REPLAY, user="sachiko")) == 7, "all of them are")
ours = told("console-view", operation=REPLAY, user="tanaka")
same([(r["hash"], r["text"].split("=")[0]) for r in ours if r["hash"] == texts], [(texts, "policy 2 tried: since")], "the administrator's")
same((len(ours), len(told("console-view", operation=REPLAY))), (4, 13), "none of those that were refused")
same(told("console-view", operation=REPLAY, user="mori"), [], "the viewer's")
true(told("console-refused", operation=REPLAY, user="mori"), "that the viewer was refused")

item("more records and more cases than there is room for: the newest ones, and it says of how many")
many = Member("many-1")
many.enrol()
carry = many.begin(GUARD)
for part in range(4):
    many.post(many.sealed(producer=GUARD, carry=carry, records=[
        stick("S%05d" % n, "u%d" % (n % 7), READ_WRITE, "rule:x", after=1000) for n in range(part * 1500, part * 1500 + 1500)]))
    carry = None
until(lambda: auditor.get("/api/v1/facets?host=many-1")["matched"] >= 6000, "all is indexed")
# The flow sets trial_records = 5500; of what changes 5,000 cases are kept, and 1,000 cases told.
d = auditor.post(REPLAY, TEXTS)
same((len(d["cases"]), d["cases_found"], d["left_out"], d["cut"]), (1000, 5000, 500, ["records", "cases", "answer"]), "cases")
same((d["looked_at"], d["of"], d["of_more"], d["stricter"]), (5500, 6012, False, 5500), "records")
same({c["device"]["serial"] < "S00500" for c in d["cases"]}, {False}, "the newest ones")
far = Person("far", "administrator", scope=["many-*"], source="127.0.3.6")
d = far.post(REPLAY, TEXTS)
same((d["looked_at"], d["of"], d["of_more"], d["reads"]), (5500, 6000, False, False), "of a scope")

item("one at a time for a session; a client that goes away, a sign-out; others are answered meanwhile")
body = json.dumps(TEXTS).encode()
head = ("POST %s HTTP/1.1\r\nHost: %s:%d\r\nOrigin: https://%s:%d\r\nCookie: __Host-sekisho=%s\r\nSekisho-Csrf: %s\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" %
        (REPLAY, HOST, PORT, HOST, PORT, auditor.cookie, auditor.csrf, len(body))).encode()


def begin():
    s = tls().wrap_socket(socket.create_connection((HOST, PORT), 60, source_address=("127.0.3.1", 0)), server_hostname=HOST)
    s.sendall(head + body)
    return s


statuses = []
held = begin()
for _ in range(3):
    statuses.append(auditor.ask("POST", REPLAY, TEXTS).status)
held.close()
true(set(statuses) <= {200, 429}, statuses)
for _ in range(5):
    begin().close()
until(lambda: auditor.ask("POST", REPLAY, TEXTS).status == 200, "what went away is let go")
threads = [threading.Thread(target=lambda p=p: p.ask("POST", REPLAY, TEXTS)) for p in (both, administrator)]
for t in threads:
    t.start()
for _ in range(20):
    auditor.get("/api/v1/session")
for t in threads:
    t.join()
held = begin()
auditor.ask("DELETE", "/api/v1/session")
answer = held.recv(20).decode()
true(answer.startswith(("HTTP/1.1 401", "HTTP/1.1 200")), answer)
sys.stdout.flush()
