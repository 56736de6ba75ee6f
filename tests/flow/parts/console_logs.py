"""The logs at the console: filters, pages, proofs, neighbours, exports, who sees what; hostile names all the way."""
import csv
import datetime
import glob
import html
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import zipfile

from collector_pc import Member, RECORDER, door, until as pc_until  # noqa: F401
from console_desk import HOST, PORT, Person, same, tls, told, true, until, user
from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: F401
from sekisho_verify import Verifier, check_inclusion, checkpoint, leaf_hash, sha256
import base64
import compare_records
import sekisho_bundle
import sekisho_write

BASE = "/api/v1/records"
KEY = os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-collector/log.vkey"
NOW = int(time.time() * 1000000)
# Records of this very hour, so that the overview has them.
sekisho_write.START_US = NOW - 1800 * 1000000

WHO = {10: 4711, 11: 3500000000, 12: 1000, 13: "花子", 14: 1000, 16: "/usr/bin/vim.basic", 17: "vim"}
STICK = {101: "0951:1666", 102: "Kingston", 103: "=HYPERLINK(\"http://evil\")", 104: "60A44C<script>", 105: b"\xab" * 32,
         106: "08:06:50"}


def item(text):
    print("  " + text, flush=True)


def pages(desk, query):
    """All pages of a question; none has a record twice."""
    rows, cursor, n = [], "", 0
    while True:
        a = desk.get(BASE + "?" + query + cursor)
        rows += a["records"]
        n += 1
        true(n < 1000, "paging ends")
        if a["next"] is None:
            return rows
        cursor = "&cursor=" + a["next"]


def bundle(query, listed):
    """An evidence bundle of a question: both verifiers judge it, with the log's key alone. Its claim."""
    a = auditor.ask("GET", "/api/v1/bundle?" + query, status=200)
    same(a.type, "application/zip", "type")
    path = os.environ["SEKISHO_ROOT"] + "/bundle.zip"
    with open(path, "wb") as f:
        f.write(a.body)
    ours = subprocess.run(["sekishoctl", "verify", "bundle", "--json", "--log-key", KEY, path], stdout=subprocess.PIPE)
    same(ours.returncode, 0, ours.stdout.decode())
    claim = sekisho_bundle.judge(path, log)
    same(claim["records"], listed, "records in the list")
    with zipfile.ZipFile(path) as z:
        page = z.read("index.html").decode()
        lines = [json.loads(x) for x in z.read("records.jsonl").decode().splitlines()]
    true("<script" not in page, "a script in the page")
    asked = ", ".join("%s: %s" % kv for kv in urllib.parse.parse_qsl(claim["search"]))
    true(asked and "<dd>%s</dd>" % html.escape(asked) in page, "what was asked, for people: " + asked)
    same(len(lines), listed, "lines")
    return claim, lines, a


auditor = Person("auditor", "auditor", source="127.0.1.1")
viewer = Person("viewer", "viewer", scope=["pc-1"], source="127.0.1.2")
both = Person("both", "administrator", source="127.0.1.3")

item("two PCs send; what they sent is found, newest first, each record once, however small the pages")
one, two = Member("pc-1"), Member("会計-2")
one.enrol()
two.enrol()
sent = 0
for pc in (one, two):
    # So that no two PCs have records of the same moment by accident, and some have by intent.
    recs = [{1: 4, 2: k * 1000 if k % 10 else 0, **WHO, 30: "/home/hanako/給与-%d.txt" % k, 35: 1, 50: k} for k in range(40)]
    recs += [{1: 8, 2: 50000, **WHO, 30: b"/home/hanako/\xff\xfe\n.swp", 35: 1},
             {1: 80, 2: 51000, 13: "花子", **STICK, 107: 1}, {1: 82, 2: 52000, 13: "花子", **STICK, 107: 1, 108: 1, 109: "ledger:17"},
             {1: 42, 2: 53000, 90: 1, 91: 17, 94: "=1+1"}]
    carry = pc.begin(RECORDER)
    for _ in range(3):
        pc.post(pc.sealed(records=recs, carry=carry))
        carry = None
        sent += len(recs)
mine = "host=pc-1&"
until(lambda: len(pages(auditor, "limit=500&text=hanako")) == 2 * 3 * 41, "all is indexed")
rows = pages(auditor, "limit=7&host=pc-1")
same(len(rows), 3 * 44, "records of one PC")
same(len({r["row"] for r in rows}), len(rows), "each once")
times = [r["facts"]["time"] for r in rows]
same(times, sorted(times, reverse=True), "newest first")
oldest = pages(auditor, "limit=13&host=pc-1&order=oldest")
same([r["facts"]["time"] for r in oldest], sorted(times), "oldest first")
same({r["row"] for r in oldest}, {r["row"] for r in rows}, "the same ones")

item("filters, each and together; what the store does not index, too")
ask = lambda q: len(pages(auditor, "limit=500&" + q))  # noqa: E731
same(ask("host=pc-1&kind=unlink"), 3, "kind")
same(ask("host=pc-1&kind=unlink,file"), 123, "kinds")
same(ask("host=pc-1&user=%E8%8A%B1%E5%AD%90&path=*%E7%B5%A6%E4%B8%8E-7.txt"), 3, "user and path")
same(ask("host=pc-1&program=vim.basic&kind=unlink"), 3, "program")
same(ask("host=pc-1&device=60a44c"), 6, "device")
same(ask("host=pc-1&device=abababab"), 6, "fingerprint")
same(ask("host=pc-1&fact=access:deny"), 3, "decision")
same(ask("host=pc-1&fact=access:deny&fact=rule:ledger:*"), 3, "decision and rule")
same(ask("fact=access:read-write"), 0, "another decision")
same(ask("host=pc-1&fact=lost:17"), 3, "a number")
same(ask("host=pc-1&since=-1h"), 132, "since")
same(ask("host=pc-1&until=-2h"), 0, "until")
same(ask("host=" + one.host.hex()[:12]), 132, "a PC by its id")
for bad in ("kind=nothing", "limit=0", "limit=501", "cursor=x", "nonsense=1", "since=yesterday", "fact=access:x", "user=%ff",
            "host=", "user=a&user=b"):
    same(auditor.get(BASE + "?" + bad, 400)["error"], "filter", bad)

item("names that are no text, and those that would like to be something else, stay what they are")
odd = pages(auditor, "host=pc-1&kind=unlink&limit=1")[0]["facts"]
same(odd["path"], {"hex": b"/home/hanako/\xff\xfe\n.swp".hex()}, "bytes")
stick = pages(auditor, "host=pc-1&kind=plug&limit=1")[0]["facts"]
same((stick["serial"], stick["product"]), ("60A44C<script>", "=HYPERLINK(\"http://evil\")"), "text")

item("one record: all its facts, and a proof that holds by other code than ours")
row = rows[5]
a = auditor.get(BASE + "/" + row["row"])
same(a["record"], row, "the same record")
same(a["verified"], {"signature": True, "inclusion": True, "why": None}, "verified")
log = Verifier(open(os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-collector/log.vkey").read())
size, root = checkpoint(a["log"]["checkpoint"].encode(), log)
same((size, root.hex()), (a["log"]["size"], a["log"]["root"]), "checkpoint")
seg = auditor.ask("GET", BASE + "/" + row["row"] + "/segment", status=200)
same(seg.type, "application/vnd.sekisho.segment", "type")
n = int.from_bytes(seg.body[4:8], "big")
leaf = seg.body[8:8 + n]
same(sha256(leaf).hex(), a["segment"]["hash"], "hash of the header")
lines = a["tlog_proof"].split("\n")
proof = [base64.b64decode(x) for x in lines[2:lines.index("")]]
check_inclusion(a["log"]["index"], size, leaf_hash(leaf), proof, root)
same(a["segment"]["producer"], "recorder", "producer")
for bad, status in (("0", 404), ("18446744073709551615", 400), ("x", 400), ("-1", 400), ("999999999999", 404), ("1.5", 400)):
    same(auditor.ask("GET", BASE + "/" + bad).status, status, "record " + bad)

item("its neighbours in time, on its PC alone")
a = auditor.get(BASE + "/" + row["row"] + "/neighbours?each=3")
at = [r["row"] for r in rows].index(row["row"])
same([r["row"] for r in a["before"]], [r["row"] for r in reversed(rows[at + 1:at + 4])], "before")
same([r["row"] for r in a["after"]], [r["row"] for r in reversed(rows[at - 3:at])], "after")

item("facets")
a = auditor.get("/api/v1/facets?host=pc-1")
same((a["matched"], a["complete"]), (132, True), "matched")
same(a["kind"][0], {"value": "file", "count": 120}, "kinds")
same(a["user"], [{"value": "花子", "count": 129}], "users")
same(a["host"], [{"value": "pc-1", "count": 132}], "PCs")

item("searches that people save: by account, over sign-out and restart, each change in the log; nobody's are another's")
SAVED = "/api/v1/searches"
same(auditor.get(SAVED), {"version": 0, "searches": []}, "none yet")
usb = {"name": "<b>USB</b>", "query": "since=all&c=usb&user=t*&fact=access%3Adeny"}
week = {"name": "週次", "query": "since=-7d"}
auditor.ask("PUT", SAVED, {"version": 0, "searches": [usb]}, 200)
same(auditor.ask("PUT", SAVED, {"version": 0, "searches": [week]}, 409).json["error"], "version", "a slower browser")
auditor.ask("PUT", SAVED, {"version": 1, "searches": [week, usb]}, 200)
auditor.ask("PUT", SAVED, {"version": 2, "searches": [week]}, 200)
same(auditor.get(SAVED), {"version": 3, "searches": [week]}, "what is saved")
same(viewer.get(SAVED), {"version": 0, "searches": []}, "another account's")
for bad in ([{**usb, "query": "nonsense=1"}], [usb, usb], [{**usb, "more": 1}], [{"name": "n%d" % n, "query": ""} for n in range(51)], {}):
    same(auditor.ask("PUT", SAVED, {"version": 3, "searches": bad}, 400).json["error"], "searches", bad)
auditor.ask("DELETE", "/api/v1/session", status=204)
auditor.csrf = None
auditor.sign_in("auditor", auditor.password, auditor.next_code())
same(auditor.get(SAVED), {"version": 3, "searches": [week]}, "after another sign-in")
until(lambda: len(told("console-change", user="auditor", operation=SAVED)) >= 3, "the changes")
same(sorted((r["count"], r["text"]) for r in told("console-change", user="auditor", operation=SAVED)),
     [(1, "+ <b>USB</b>: " + usb["query"]), (1, "- <b>USB</b>: " + usb["query"]), (2, "+ 週次: since=-7d")], "what changed")
# What is not as it was written is no list of searches.
kept_in = glob.glob(os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-console/searches/*")
same(len(kept_in), 1, "files")
was = open(kept_in[0]).read()
with open(kept_in[0], "w") as f:
    f.write(was[:-9])
same((auditor.ask("GET", SAVED).status, auditor.ask("PUT", SAVED, {"version": 0, "searches": []}).status), (503, 503), "a damaged file")
with open(kept_in[0], "w") as f:
    f.write(was)

item("a viewer sees the PCs of the scope: in lists, by number, in counts and files")
theirs = pages(viewer, "limit=500")
same(len([r for r in theirs if r["host"] == "pc-1"]), 132, "records")
same({(r["facts"]["kind"], r["facts"]["peer_name"]) for r in theirs if r["host"] != "pc-1"}, {("enrol", "pc-1")},
     "what the collector tells of that PC")
same(viewer.get("/api/v1/facets")["host"][0], {"value": "pc-1", "count": 132}, "facets")
foreign = pages(auditor, "host=%E4%BC%9A%E8%A8%88-2&limit=1")[0]["row"]
same(viewer.ask("GET", BASE + "/" + foreign).status, 404, "a record of another PC")
same(viewer.ask("GET", BASE + "/" + foreign + "/neighbours").status, 404, "its neighbours")
same(viewer.ask("GET", BASE + "/" + row["row"]).status, 200, "one of theirs")
same(viewer.get("/api/v1/hosts/" + two.host.hex(), 404)["error"], "host", "another PC")
true("会計" not in viewer.ask("GET", BASE + ".csv").body.decode(), "the file")
OF = "?of=" + urllib.parse.quote("/home/hanako/給与-7.txt", safe="")
same([sorted(r["host"] for r in who.get("/api/v1/trail" + OF)["records"]) for who in (viewer, auditor)], [["pc-1"] * 3, ["pc-1"] * 3 + ["会計-2"] * 3], "a file's life")
same((viewer.get("/api/v1/trail" + OF + "&host=%E4%BC%9A%E8%A8%88-2")["records"], auditor.get("/api/v1/trail" + OF)["complete"]), ([], True), "on another PC")
true("会計" not in viewer.ask("GET", "/api/v1/trail.csv" + OF).body.decode(), "as a file")
true("会計" not in json.dumps(viewer.get("/api/v1/overview"), ensure_ascii=False), "the overview")
until(lambda: viewer.get("/api/v1/traffic?hours=2")["complete"], "the traffic is counted")
traffic = {s["kind"]: sum(s["counts"]) for s in viewer.get("/api/v1/traffic?hours=2")["series"]}
same((traffic.pop("enrol"), sum(traffic.values())), (1, 132), "the traffic")

item("CSV: BOM, every row once, nothing that a spreadsheet runs")
a = auditor.ask("GET", BASE + ".csv?host=pc-1&lang=ja", status=200)
same(a.type, "text/csv; charset=utf-8", "type")
true("attachment" in a.headers["Content-Disposition"], "as a file")
true(a.body.startswith(b"\xef\xbb\xbf\"PC"), a.body[:40])
table = list(csv.reader(io.StringIO(a.body.decode("utf-8-sig"), newline="")))
same(len(table), 133, "rows")
same({len(r) for r in table}, {len(table[0])}, "columns")
same([c for r in table for c in r if c[:1] in ("=", "+", "@", "\t", "\r")], [], "cells that run")
true(any(c.startswith("'=HYPERLINK") for r in table for c in r), "the hostile one is there")

item("an evidence bundle of any search: it proves by itself, to both verifiers, that nothing is changed or left out")
claim, lines, a = bundle("kind=unlink", 6)
same((claim["all"], claim["by"], claim["search"], claim["run"]), (True, "auditor", "kind=unlink", 0), "what it says of itself")
same(sorted(h["name"] for h in claim["hosts"]), ["collector", "console", "pc-1", "会計-2"], "of all PCs")
same({tuple(x["record"]["path"].items()) for x in lines}, {(("hex", b"/home/hanako/\xff\xfe\n.swp".hex()),)}, "its records")
until(lambda: told("console-export", user="auditor", operation="/api/v1/bundle", text="whole", count=6, hash=sha256(a.body).hex()),
      "what went out is told, with its SHA-256")
same([r["text"] for r in told("console-export", operation="/api/v1/bundle") if r["text"] != "whole"], ["kind=unlink"], "and that it began")
claim, lines, a = bundle("host=pc-1&device=60a44c", 6)
same((claim["all"], [h["name"] for h in claim["hosts"]]), (False, ["pc-1"]), "of one PC")
middle = sekisho_write.START_US + 22 * 1000000
moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle // 1000000)) + ".%06dZ" % (middle % 1000000)
claim, lines, a = bundle("host=pc-1&until=" + moment, 2 * 44)
same([(k["before"] is None, k["after"] is None) for k in claim["chains"]], [(True, False)], "up to a neighbour behind the range")
claim, lines, a = bundle("host=pc-1&since=" + moment, 44)
same([(k["before"] is None, k["after"] is None) for k in claim["chains"]], [(False, True)], "from a neighbour before the range")
same(auditor.get("/api/v1/bundle?until=-5d", 404)["error"], "empty", "nothing there")
same(auditor.get("/api/v1/bundle?kind=nothing", 400)["error"], "filter", "no such kind")
same(auditor.get("/api/v1/bundle?order=newest", 400)["error"], "filter", "no order belongs there")
aside = [os.path.join(d, f) for d, _, fs in os.walk(os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-collector/store") for f in fs if f.endswith("recorder.bodies")]
same(len(aside) > 0, True, "bodies of the recorder")
for f in aside:
    os.rename(f, f + ".aside")
a = auditor.ask("GET", "/api/v1/bundle?host=pc-1", status=200)
with open(os.environ["SEKISHO_ROOT"] + "/gone.zip", "wb") as z:
    z.write(a.body)
out = subprocess.run(["sekishoctl", "verify", "bundle", "--json", "--log-key", KEY, z.name], stdout=subprocess.PIPE)
same((out.returncode, {json.loads(x).get("problem") for x in out.stdout.splitlines()}), (1, {"removed", None}), "bodies that nobody says expired")
for f in aside:
    os.rename(f + ".aside", f)
bundle("host=pc-1&device=60a44c&user=%E8%8A%B1%E5%AD%90", 6)
same(viewer.ask("GET", "/api/v1/bundle").status, 403, "a viewer")
same(both.ask("GET", "/api/v1/bundle").status, 403, "an administrator")

item("the handling register: five records of a period, for a folder; a contractor's proof; to sign, and for spreadsheets")
proof = "%PDF-1.7 溶解証明".encode()
filed = {"contractor": "溶解処理", "what": "書類 12箱", "name": "証明.pdf", "content": base64.b64encode(proof).decode()}
same(both.post("/api/v1/proofs", filed), {"hash": sha256(proof).hex()}, "filed")
same(auditor.ask("GET", "/api/v1/proofs/" + sha256(proof).hex()).body, proof, "as it was filed")
same(both.ask("POST", "/api/v1/proofs", {**filed, "what": "a\nb"}).status, 400, "lines")
same(both.ask("POST", "/api/v1/proofs", {**filed, "content": "x"}).status, 400, "no base64")
# 5.2.2: what it is, by its bytes and by its name alike; file(1), where it is there, says the same of them.
PAPERS = {"a.pdf": (proof, "application/pdf"), "b.PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"), "c.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
          "d.Jpeg": (b"\xff\xd8\xff\xe1\0\x10Exif", "image/jpeg"), "e.tif": (b"II*\0\x08\0\0\0", "image/tiff"), "f.tiff": (b"MM\0*\0\0\0\x08", "image/tiff")}
NO_PAPERS = (b"<!doctype html><script>alert(1)</script>", b"\x7fELF\x02\x01\x01", b"MZ\x90\0", b"PK\x03\x04", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
             b"%PDF", b" %PDF-1.7", b"GIF89a", b"\x89PNG\n", b"\xff\xd8", b"II*", b"II\0*\0", b"\0")


def type_of(b):
    return subprocess.run(["file", "--brief", "--mime-type", "-"], input=b, stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def file_as(name, b):
    return both.ask("POST", "/api/v1/proofs", {**filed, "name": name, "content": base64.b64encode(b).decode()})


kept_before = os.listdir(os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-console/proofs")
for name, (_, mime) in PAPERS.items():
    for other, (b, its) in PAPERS.items():
        if shutil.which("file"):
            same(type_of(b), its, other)
        if its != mime:
            a = file_as(name, b)
            same((a.status, a.json["error"]), (400, "type"), "%s as %s" % (other, name))
    for b in NO_PAPERS:
        same((file_as(name, b).status, file_as(name, b).json["error"]), (400, "type"), "%r as %s" % (b, name))
for name in ("a", "pdf", "a.pdf.html", "a.pdf.", "a.html", "a.svg", ".", "a.pdfx", "a.pd"):
    same(file_as(name, proof).json.get("error"), "type", name)
same(os.listdir(os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-console/proofs"), kept_before, "nothing of them is kept")
same(auditor.ask("POST", "/api/v1/proofs", filed).status, 403, "an auditor changes nothing")
same(auditor.ask("GET", "/api/v1/proofs/" + "../" * 3 + "accounts.json").status, 404, "a path")
until(lambda: told("console-change", operation="/api/v1/proofs"), "the proof is in the log")
# Files with numbers on a drive are media that were carried out; those without are not.
written = {2: 54000, 1: 94, 13: "花子", **STICK, 133: 5, 109: "drives:people"}
job = {1: 100, 2: 56000, 13: "花子", 119: "Office", 133: 1, 148: 3}
HELD = 3
more = [{**written, 30: "/media/鍵/名簿.csv", 148: 30}, {**written, 30: "/media/鍵/読書.txt"},
        # Copies: out of the folder to a drive, within it, and of another folder.
        {1: 16, 2: 55000, **WHO, 30: "/media/鍵/給与-1.txt", 31: "/home/hanako/給与-1.txt", 35: 2},
        {1: 16, 2: 55001, **WHO, 30: "/home/hanako/写し.txt", 31: "/home/hanako/給与-2.txt", 35: 1},
        {1: 16, 2: 55002, **WHO, 30: "/media/鍵/私用.txt", 31: "/home/taro/私用.txt", 35: 2},
        {1: 4, 2: 55003, **WHO, 30: "/media/鍵/集計.csv", 35: 2, 51: 4096},
        {1: 5, 2: 55004, **WHO, 30: "/home/hanako/給与-3.txt", 31: "/home/hanako/給与-3-旧.txt", 35: 1},
        # Papers: one that came out, one that was held, one without numbers.
        {**job, 122: "個人番号届"}, {**job, 122: "番号一覧", 133: HELD}, {1: 100, 2: 56001, 13: "花子", 119: "Office", 122: "案内", 133: 1},
        {1: 10, 2: 57000, **WHO, 30: "/home/hanako/古い", 35: 1}, {1: 11, 2: 57001, **WHO, 30: "/home/hanako/帳簿.txt", 35: 1},
        # In an area: what is used there, and one of another area.
        {1: 4, 2: 57010, **WHO, 30: "/srv/給与/一覧.xlsx", 35: 3, 240: "payroll"}, {1: 4, 2: 57011, **WHO, 30: "/srv/人事.ods", 35: 3, 240: "hr"},
        {1: 8, 2: 57012, **WHO, 30: "/srv/給与/一覧.xlsx", 35: 3, 240: "payroll"},
        {1: 20, 2: 58000, 13: "花子"}, {1: 21, 2: 58001, 13: "花子"}, {1: 24, 2: 58002, 13: "花子"}]
two.post(two.sealed(records=more))
of_hanako = 5
until(lambda: len(pages(auditor, "limit=500&kind=drive-file")) == 2, "files on a drive")
same([r["facts"]["my_numbers"] for r in pages(auditor, "limit=500&kind=drive-file&fact=my_numbers:30")], [30], "numbers in them")
period = "since=-1h&until=%s&path=/home/hanako&lang=" % time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
a = auditor.ask("GET", "/api/v1/register.csv?" + period + "ja", status=200)
table = list(csv.reader(io.StringIO(a.body.decode("utf-8-sig"), newline="")))
same(table[0], ["記録の区分", "番号", "日時", "PC", "取扱者", "種別", "対象", "詳細"], "headings")
same({len(r) for r in table}, {8}, "columns")
parts = [[r for r in table if r[0].startswith("%d." % n)] for n in range(1, 6)]
same([len(x) for x in parts[:4]], [245, 10, 8, 1], "use, carried out, deleted, proven")
same({(r[4], r[6]) for r in parts[0] if r[5] == "ファイル操作"}, {("花子", "/home/hanako/給与-%d.txt" % k) for k in range(40)}, "who used what")
same([(r[5], r[6]) for r in parts[0] if r[5] != "ファイル操作"],
     [("ファイルのコピー", "/media/鍵/給与-1.txt"), ("ファイルのコピー", "/home/hanako/写し.txt"), ("名前変更", "/home/hanako/給与-3.txt"),
      ("印刷ジョブ", "個人番号届"), ("印刷ジョブ", "番号一覧")], "copies, another name, and what was printed of it")
true("/home/hanako/給与-2.txt" in [r for r in parts[0] if r[6] == "/home/hanako/写し.txt"][0][7], "what the copy was made of")
same([(r[5], r[6]) for r in parts[1]],
     [("印刷ジョブ", "個人番号届"), ("ファイルのコピー", "/media/鍵/給与-1.txt"), ("ファイル操作", "/media/鍵/集計.csv"),
      ("ドライブ・クラウドフォルダーへの書き込み内容", "/media/鍵/名簿.csv")] + [("機器の接続", "'" + stick["product"])] * 6, "papers and media")
true("個人番号の件数: 30" in parts[1][3][7] and stick["serial"] in parts[1][4][7], parts[1])
same([(r[5], r[6]) for r in parts[2] if "swp" not in r[6]], [("フォルダー削除", "/home/hanako/古い"), ("ファイル切り詰め", "/home/hanako/帳簿.txt")], "disposal")
same([(r[5], r[4], r[3]) for r in parts[4] if r[3] != "console"], [(k, "花子", "会計-2") for k in ("サインイン", "サインアウト", "ユーザー切替")], "who was at a PC")
true(parts[3][0][6] == "溶解処理 / 書類 12箱 / 証明.pdf" and sha256(proof).hex() in parts[3][0][7], parts[3])
true({r[4] for r in parts[4]} >= {"auditor", "viewer", "both"}, "who signed in")
same([c for r in table for c in r if c[:1] in ("=", "+", "@", "\t", "\r")], [], "cells that run")
# Of an area instead: the uses of its files by what the PC said then, wherever they lie; the rest as before.
of_area = period.replace("path=/home/hanako", "fact=area:%s")
table = list(csv.reader(io.StringIO(auditor.ask("GET", "/api/v1/register.csv?" + of_area % "payroll" + "ja", status=200)
                                    .body.decode("utf-8-sig"), newline="")))
mine = [[r for r in table if r[0].startswith("%d." % n)] for n in range(1, 6)]
same([(r[5], r[6]) for r in mine[0]], [("ファイル操作", "/srv/給与/一覧.xlsx"), ("印刷ジョブ", "個人番号届"), ("印刷ジョブ", "番号一覧")], "used")
same([(r[5], r[6]) for r in mine[2]], [("ファイル削除", "/srv/給与/一覧.xlsx")], "deleted")
same((mine[1][0], len(mine[3])), (parts[1][0], 1), "papers, proof")
true("payroll" in mine[0][0][7], mine[0][0])
same([len([r for r in csv.reader(io.StringIO(auditor.ask("GET", "/api/v1/register.csv?" + of_area % "no-such" + "ja", status=200)
                                            .body.decode("utf-8-sig"), newline="")) if r[0].startswith("%d." % n)]) for n in (1, 3)], [2, 0], "of none")
text = subprocess.run(["pdftotext", "-raw", "-", "-"], input=auditor.ask("GET", "/api/v1/register.pdf?" + of_area % "payroll" + "ja", status=200).body,
                      stdout=subprocess.PIPE, check=True).stdout.decode()
true("取扱区域" in text and "payroll" in text and "/srv/給与/一覧.xlsx" in text and "対象フォルダー" not in text, text)
a = auditor.ask("GET", "/api/v1/register.pdf?" + period + "ja&host=pc-1", status=200)
with open(os.environ["FLOW_TMP"] + "/register.pdf", "wb") as f:
    f.write(a.body)
text = subprocess.run(["pdftotext", "-layout", os.environ["FLOW_TMP"] + "/register.pdf", "-"], stdout=subprocess.PIPE,
                      check=True).stdout.decode()
for words in ("特定個人情報取扱記録簿", "/home/hanako/給与-39.txt", "書類 12箱", "責任者", "/home/hanako/\\xff\\xfe\\n.swp"):
    true(words in text, words)
true("会計" not in text, "another PC")
item("the register with its enclosures: each proof as it was filed, its hash for whoever has the file alone; who may fetch them")
a = auditor.ask("GET", "/api/v1/register.zip?" + period + "ja", status=200)
same(a.type, "application/zip", "type")
enclosed = "proofs/0001-%s.pdf" % sha256(proof).hex()[:16]
with zipfile.ZipFile(io.BytesIO(a.body)) as z:
    same(sorted(z.namelist()), sorted(["register.pdf", enclosed, "SHA256SUMS"]), "what is in it")
    same(z.read(enclosed), proof, "the proof")
    z.extractall(os.environ["FLOW_TMP"] + "/register")
subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=os.environ["FLOW_TMP"] + "/register", check=True)
text = subprocess.run(["pdftotext", "-raw", os.environ["FLOW_TMP"] + "/register/register.pdf", "-"], stdout=subprocess.PIPE, check=True).stdout.decode()
true(enclosed in text.replace("\n", ""), "the paper names its enclosure")
listed = auditor.get("/api/v1/proofs")
true(listed["proofs"][0].pop("time").endswith("Z"), "when")
same(listed, {"proofs": [{"hash": sha256(proof).hex(), "contractor": "溶解処理", "what": "書類 12箱", "name": "証明.pdf", "size": len(proof),
                          "by": "both", "kept": True}], "next": None}, "what was filed")
same(len(both.get("/api/v1/proofs")["proofs"]), 1, "as an administrator")
same(viewer.ask("GET", "/api/v1/proofs").status, 403, "as a viewer")
kept_proof = os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-console/proofs/" + sha256(proof).hex()
with open(kept_proof, "ab") as f:
    f.write(b".")
same(auditor.ask("GET", "/api/v1/proofs/" + sha256(proof).hex()).status, 503, "one that is another now")
with zipfile.ZipFile(io.BytesIO(auditor.ask("GET", "/api/v1/register.zip?" + period + "en", status=200).body)) as z:
    same(sorted(z.namelist()), ["MISSING.txt", "SHA256SUMS", "register.pdf"], "without it")
    true(z.read("MISSING.txt").decode().startswith(enclosed + "  damaged"), z.read("MISSING.txt"))
os.unlink(kept_proof)
same(auditor.get("/api/v1/proofs")["proofs"][0]["kept"], False, "one that is gone")
with open(kept_proof, "wb") as f:
    f.write(proof)
# An account that may not see the console's own records is told so, instead of that there are none.
some = Person("some", "auditor", scope=["pc-1"], source="127.0.1.4")
outside = "コンソール自体の記録は、作成したアカウントの閲覧範囲外のため記載していません。"
notes = [r[0] for r in csv.reader(io.StringIO(some.ask("GET", "/api/v1/register.csv?" + period + "ja", status=200)
                                              .body.decode("utf-8-sig"), newline="")) if len(r) == 1]
same(notes, [outside] * 2, "parts four and five")
with open(os.environ["FLOW_TMP"] + "/register.pdf", "wb") as f:
    f.write(some.ask("GET", "/api/v1/register.pdf?" + period + "en", status=200).body)
text = subprocess.run(["pdftotext", "-layout", os.environ["FLOW_TMP"] + "/register.pdf", "-"], stdout=subprocess.PIPE,
                      check=True).stdout.decode()
same((text.count("outside the scope"), text.count("None.")), (2, 0), text)
same(some.get("/api/v1/proofs"), {"proofs": [], "next": None}, "proofs outside of the scope")
for bad in ("", "since=-1h", "since=-1h&until=-1m", "since=-1h&until=-1m&path=/home&kind=file", "since=-1h&until=-1m&path=/home&order=newest",
            "since=-1h&until=-1m&path=/home&fact=area:x", "since=-1h&until=-1m&fact=user:x", "since=-1h&until=-1m&fact=area:x&fact=area:y"):
    same(auditor.get("/api/v1/register.pdf?" + bad, 400)["error"], "filter", bad)

item("overview: what needs a person, told as one where it is the same")
a = both.get("/api/v1/overview")
held = [x for x in a["attention"] if x["what"] == "held" and x["host"] == "pc-1"]
same([(x["count"], x["severity"]) for x in held], [(3, "note")], "held drives")
true("60A44C<script>" in held[0]["text"] and "花子" in held[0]["text"], held[0]["text"])
same([x["count"] for x in a["attention"] if x["what"] == "loss" and x["host"] == "会計-2"], [3], "losses")
same((a["fleet"]["known"], a["fleet"]["revoked"]), (2, 0), "the fleet")
true("給与" not in json.dumps(a, ensure_ascii=False), "an administrator sees paths")
until(lambda: both.get("/api/v1/traffic?hours=2")["complete"], "the traffic is counted")
series = {s["kind"]: s["counts"] for s in both.get("/api/v1/traffic?hours=2")["series"]}
same((sum(series["file"]), sum(series["loss"]), len(series["file"])), (243, 6, 2), "traffic")

item("PCs, a token, revoking; policy status")
hosts = both.get("/api/v1/hosts?limit=1")
rest = both.get("/api/v1/hosts?cursor=" + hosts["next"])
names = [h["name"] for h in hosts["hosts"] + rest["hosts"]]
same(names, ["collector", "console", "pc-1", "会計-2"], "PCs in order")
token = both.post("/api/v1/tokens", {"name": "pc-3", "valid": 600})["token"]
true(token.startswith("SEK1."), token)
same([t["name"] for t in both.get("/api/v1/tokens")["tokens"]], ["pc-3"], "tokens")
three = Member("pc-3")
three.enrol(token)
ident = three.host.hex()
more = both.get("/api/v1/hosts/" + ident)
same((more["host"]["name"], more["host"]["state"], more["recorder"]), ("pc-3", "active", None), "one PC")
item("what a PC says of itself: releases, how it records and holds, what its kernel was seen to refuse; when it was heard of last")
def starts(release):  # noqa: E302
    return [{1: 40, 2: 1000, 92: 1, 93: 1, 222: release}, {1: 90, 2: 1001, 93: 1, 118: "gate,flag", 222: release},
            {1: 92, 2: 1002, 93: 1, 118: "gate,flag", 94: "every means holds"}]
three.post(three.sealed(records=starts("0.0.9"), carry=three.begin(RECORDER)))  # noqa: E305
three.post(three.sealed(records=starts("0.1.0<b>")))
until(lambda: len(pages(auditor, "host=pc-3&kind=proof")) == 2, "they are indexed")
more = both.get("/api/v1/hosts/" + ident)
said = {k: more[k]["facts"] for k in ("recorder", "guard", "proof")}
same([said[k]["kind"] for k in said], ["recorder-start", "guard-start", "proof"], "kinds")
same((said["recorder"]["version"], said["guard"]["version"]), ("0.1.0<b>",) * 2, "the newest releases")
same((said["recorder"]["probe_set"], said["recorder"]["enforce"]), ("trampoline", "full"), "by which hooks, and whether it can enforce")
same((said["proof"]["enforce"], said["proof"]["layers"], said["proof"]["text"]), ("full", "gate,flag", "every means holds"), "what it tried")
by_name = {h["name"]: h for h in both.get("/api/v1/hosts")["hosts"]}
same((by_name["pc-3"]["version"], by_name["pc-1"]["version"], more["host"]["version"]), ("0.1.0<b>", None, "0.1.0<b>"), "in the list")
three.post(three.sealed(records=starts("0.2.0")))
until(lambda: [h["version"] for h in both.get("/api/v1/hosts")["hosts"] if h["name"] == "pc-3"] == ["0.2.0"], "the list is kept up")
late = starts("0.0.1")[:1]
late[0][2] = -60000000
three.post(three.sealed(records=late))
until(lambda: len(pages(auditor, "host=pc-3&kind=recorder-start")) == 4, "one that is told late is indexed")
same([h["version"] for h in both.get("/api/v1/hosts")["hosts"] if h["name"] == "pc-3"], ["0.2.0"], "and is not the newest")
heard = time.time() - datetime.datetime.fromisoformat(more["host"]["seen"].rstrip("Z").ljust(26, "0")[:26] + "+00:00").timestamp()
true(-5 < heard < 3600, "heard of %d s ago" % heard)

item("retired: by a person who says so, with what has not come; not silent, and still to be revoked")
five = Member("pc-5")
five.enrol()
way = "/api/v1/hosts/%s/retire" % five.host.hex()
both.post(way, {}, 400)
both.post(way, {"reason": "x", "unheard": 1}, 400)
same(auditor.ask("POST", way, {"reason": "x"}).status, 403, "an auditor changes nothing")
same(both.post(way, {"reason": "lease ended"}, 409)["error"], "away", "not connected")
both.ask("POST", way, {"reason": "lease ended", "unheard": True}, 204)
same([both.get("/api/v1/hosts/" + five.host.hex())["host"][k] for k in ("state", "silent")], ["retired", False], "retired")
same(five.post(five.sealed(1), status=403)["error"], "retired", "nothing is taken")
until(lambda: [r for r in told("console-change", user="both") if r.get("text") == "retire: lease ended"], "it is in the log")
until(lambda: pages(viewer, "kind=retire") == [] and [r["facts"]["text"] for r in pages(auditor, "kind=retire")] == ["lease ended (both, at the console)"], "as the collector's record")
both.ask("POST", "/api/v1/hosts/%s/revoke" % five.host.hex(), {"reason": "found elsewhere"}, 204)

both.post("/api/v1/hosts/%s/revoke" % ident, {}, 400)
both.ask("POST", "/api/v1/hosts/%s/revoke" % ident, {"reason": "lost on a train"}, 204)
same(both.get("/api/v1/hosts/" + ident)["host"]["state"], "revoked", "revoked")
same(both.ask("POST", "/api/v1/hosts/%s/revoke" % ("0" * 64), {"reason": "x"}).status, 404, "no such PC")
same(both.get("/api/v1/policy/status")["version"], 0, "no policy")
same(both.get("/api/v1/policy")["version"], 0, "no policy")
check = both.post("/api/v1/policy/check", {"policy_yaml": "version: 1\nrules: [{name: x}]\n", "devices_csv": ""})
true(not check["good"] and check["findings"][0]["fatal"], check)
good = both.post("/api/v1/policy/check", {"policy_yaml": "version: 3\n", "devices_csv": ""})
same((good["good"], good["version"]), (True, 3), "a good policy")
seen = both.get("/api/v1/devices/unlisted")
same([(d["usb_id"], d["serial"], d["times"], d["users"], sorted(d["hosts"])) for d in seen["devices"]],
     [("0951:1666", "60A44C<script>", 6, ["花子"], ["pc-1", "会計-2"])], "unlisted devices")
true(seen["devices"][0]["ledger"].startswith("0951,1666,"), seen["devices"][0]["ledger"])

item("a print job that was denied needs a person; its title is nobody's business there")
four = Member("pc-4")
four.enrol()
four.post(four.sealed(records=[{1: 100, 2: 0, 13: "花子", 109: "no-payroll", 119: "Office", 122: "給与明細", 133: 4},
                               {1: 100, 2: 1000, 13: "花子", 119: "Office", 122: "給与明細", 133: 1}], carry=four.begin(RECORDER)))
denied = lambda: [x for x in both.get("/api/v1/overview")["attention"] if x["what"] == "print-denied"]  # noqa: E731
until(denied, "a denied print job")
same([(x["host"], x["count"], x["severity"], x["text"]) for x in denied()], [("pc-4", 1, "warning", "Office: no-payroll, 花子")], "told")
until(lambda: len(pages(auditor, "host=pc-4&kind=print")) == 2, "both are indexed")
a = auditor.get("/api/v1/facets?host=pc-4&kind=print")
same((a["printer"], sorted(d["value"] for d in a["decision"])),
     ([{"value": "Office", "count": 2}], ["action:allow", "action:deny"]), "printers and decisions")
same([r["facts"]["action"] for r in pages(auditor, "host=pc-4&kind=print&fact=printer:Office&fact=action:deny")], ["deny"], "as the facet asks for it")

item("facts at the ends of their types, of a PC in foreign hands: every page answers, and tells them as they are")
AWKWARD = {"UINT": (0, 255, 65536, 2**32, 2**53 - 1, 2**53, 2**63, 2**64 - 1),
           "INT": (0, -1, -2**53 + 1, -2**53, -2**63, 2**53 - 1, 2**53, 2**63 - 1),
           "NAME": ("", "/home/花子/給与.txt", b"\xff\xfe/\x80", "a\nb\tc\"\\\x01", "=1+1", "a\0b", "\x7f", "\U0010ffff"),
           "TIME": (0, -1, -30610224000000001, 253402300800000000, -2**63, 2**63 - 1),
           "BYTES": (b"", b"\0", b"\xff" * 64)}
AWKWARD.update(ENUM=AWKWARD["UINT"], DURATION=AWKWARD["INT"])
fields, enums = compare_records.table()


def web(record):
    """A record as the console has to tell it: what not every reader of JSON holds exactly (RFC 7493) as its digits, enums as words."""
    names = {name for _, name, t in fields.values() if t == "ENUM"}
    return {k: str(v) if isinstance(v, int) and (k in names or abs(v) >= 2**53) else v
            for k, v in compare_records.shown(fields, enums, record).items()}


foe = Member("teki-1")
foe.enrol()
odd = [{f: AWKWARD[t][(n + f) % len(AWKWARD[t])] for f, (_, name, t) in fields.items() if name not in ("time", "boot_time")}
       for n in range(8)]
foe.post(foe.sealed(records=[{**r, 2: n * 1000} for n, r in enumerate(odd)], carry=foe.begin(RECORDER)))
until(lambda: auditor.get("/api/v1/facets?host=teki-1")["matched"] == 8, "all is indexed")
for limit in (1, 3, 500):
    got = pages(auditor, "host=teki-1&order=oldest&limit=%d" % limit)
    same([r["row"] for r in pages(auditor, "host=teki-1&limit=%d" % limit)], [r["row"] for r in reversed(got)], "both orders")
    same(len(got), 8, "records")
for sent, r in zip(odd, got):
    same({k: v for k, v in r["facts"].items() if k not in ("time", "boot_time", "flags")}, web(sent), "extreme values")
    same(auditor.get(BASE + "/" + r["row"])["record"], r, "alone")
    a = auditor.get(BASE + "/" + r["row"] + "/neighbours")
    same(len(a["before"]) + len(a["after"]), 7, "neighbours")
same(ask("host=teki-1&fact=inode:18446744073709551615"), 1, "asked for by the largest number")
same(len(pages(auditor, "limit=500&text=hanako")), 2 * 3 * 41 + of_hanako, "the others' records")
same(len(auditor.get(BASE + "?limit=500&host=teki-1")["records"]), 8, "one page")
same(auditor.ask("GET", BASE + ".csv?host=teki-1").status, 200, "as a file")
# What a PC says of another one is its own matter: only servers are believed.
liar = Member("uso-1")
liar.enrol()
liar.post(liar.sealed(records=[{1: 64, 2: 0, 95: two.host, 96: "会計-2"}], carry=liar.begin(RECORDER)))
until(lambda: auditor.get("/api/v1/facets?host=uso-1")["matched"] == 1, "all is indexed")
same([x["host"] for x in both.get("/api/v1/overview")["attention"] if x["what"] == "forked"], ["uso-1"], "who is meant")
for path in ("overview", "traffic?hours=2", "devices/unlisted", "hosts", "hosts/" + foe.host.hex()):
    both.get("/api/v1/" + path)

# Nor is it the console: what it says in its place is in no register.
liar.post(liar.sealed(records=[{1: kind, 2: 0, 13: "nisemono"} for kind in (74, 79)]))
until(lambda: auditor.get("/api/v1/facets?host=uso-1&user=nisemono")["matched"] == 2, "all is indexed")
a = auditor.ask("GET", "/api/v1/register.csv?since=-1h&until=%s&path=/home/hanako&lang=ja" %
                time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)), status=200).body.decode()
same(("viewer" in a, "nisemono" in a), (True, False), "who signed in at the console")

item("a file whose rows are long is whole; one ends when its account is disabled; one at a time")
wordy = Member("kuchi-1")
wordy.enrol()
deep = ("/home/hanako/" + "\x01" * 3900).encode()
carry = wordy.begin(RECORDER)
for _ in range(6):
    wordy.post(wordy.sealed(records=[{1: 4, 2: n * 1000, **WHO, 30: deep, 35: 1} for n in range(250)], carry=carry))
    carry = None
until(lambda: auditor.get("/api/v1/facets?host=kuchi-1")["matched"] == 1500, "all is indexed")
a = auditor.ask("GET", BASE + ".csv?host=kuchi-1", status=200)
same((a.body.count(b"\r\n"), len(a.body) > 20 << 20), (1501, True), "rows of a file of several full pieces")
leaver = Person("leaver", "auditor", source="127.0.1.5")
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
s.settimeout(60)
s.bind(("127.0.1.5", 0))
s.connect((HOST, PORT))
s = tls().wrap_socket(s, server_hostname=HOST)
s.sendall(("GET %s.csv HTTP/1.1\r\nHost: x\r\nCookie: __Host-sekisho=%s\r\n\r\n" % (BASE, leaver.cookie)).encode())
true(s.recv(15).startswith(b"HTTP/1.1 200"), "it begins")
same(leaver.ask("GET", BASE + ".csv").status, 429, "a second one of the same session")
same(auditor.ask("GET", BASE + ".csv?kind=unlink").status, 200, "another person's")
user("disable", "leaver")
until(lambda: told("console-export", user="leaver", text="broken off: the account is gone or disabled"), "how it ended")
s.close()

item("a file's life that has more records than a file holds says so, in the file and in the access log")
LONG = "?of=" + urllib.parse.quote("/home/hanako/長い.txt", safe="")
for _ in range(9):
    wordy.post(wordy.sealed(records=[{1: 4, 2: n * 1000, **WHO, 30: "/home/hanako/長い.txt".encode(), 35: 1} for n in range(250)]))
until(lambda: auditor.get("/api/v1/facets?host=kuchi-1")["matched"] == 1500 + 2250, "all is indexed")
a = auditor.get("/api/v1/trail" + LONG)
same((len(a["records"]), a["complete"]), (2000, False), "the answer")
for lang, begins in (("en", "Not all of it: "), ("ja", "一部のみ: ")):
    a = auditor.ask("GET", "/api/v1/trail.csv" + LONG + "&lang=" + lang, status=200)
    cells = list(csv.reader(io.StringIO(a.body.decode("utf-8-sig"), newline="")))
    same((len(cells), len(cells[-1]), cells[-1][0].startswith(begins)), (2002, 1, True), "the file's last line")
    until(lambda: told("console-export", user="auditor", operation="/api/v1/trail.csv", text="cut: more names or records than are followed",
                       count=2000, hash=sha256(a.body).hex()), "that it was cut")
same(len(told("console-export", operation="/api/v1/trail.csv", text="whole", user="auditor")), 0, "none was whole")
a = auditor.ask("GET", "/api/v1/trail.csv" + OF, status=200)
until(lambda: told("console-export", user="auditor", operation="/api/v1/trail.csv", text="whole", count=6, hash=sha256(a.body).hex()), "and a whole one")
true("may be more" not in a.body.decode(), "it says nothing of others")
auditor.ask("GET", "/api/v1/trail.csv?of=/*" + "x" * 300, status=400)
until(lambda: told("console-export", user="auditor", operation="/api/v1/trail.csv", text="broken off: it failed", count=0), "one that began and failed")

item("who looked at what is in the log: searches with their words, exports with their hash, changes with their reason")
until(lambda: told("console-search", user="auditor", text="host=pc-1&kind=nothing") == [] and
      told("console-search", user="auditor", text="limit=500&host=pc-1&device=60a44c", count=6), "a search")
exported = []
until(lambda: exported.extend(told("console-export", user="auditor", text="whole")) or exported, "an export")
body = auditor.ask("GET", BASE + ".csv?host=pc-1&lang=ja", status=200).body
true(any(r["hash"] == sha256(a_body).hex() and r["count"] == 132 for r in exported for a_body in (body,)), exported)
until(lambda: [r for r in told("console-change", user="both") if "lost on a train" in r.get("text", "")], "a change")
until(lambda: [r for r in told("console-view", user="viewer") if r["operation"].endswith(row["row"])], "a view")
until(lambda: sorted(r["operation"] for r in told("console-refused", user="viewer")) == ["/api/v1/bundle", "/api/v1/proofs"] and told("console-sign-in", user="auditor"), "a sign-in")
print(row["row"], file=open(os.path.join(os.environ["FLOW_TMP"], "row"), "w"))
sys.stdout.flush()

item("how a PC is kept: its newest word on each check")
def kept(at, *checks):  # noqa: E302
    return [{1: 180, 2: at + i, 230: check, 231: state, 94: words} for i, (check, state, words) in enumerate(checks)]
two.post(two.sealed(producer=5, records=kept(60000, (1, 2, "/=plain"), (5, 2, "security=3"), (6, 1, "ipv4=refuses")), carry=two.begin(5)))  # noqa: E305
two.post(two.sealed(producer=5, records=kept(70000, (1, 1, "/=luks2"))))
until(lambda: len(pages(auditor, "kind=posture")) == 4, "they are indexed")
weak = [x for x in both.get("/api/v1/overview")["attention"] if x["what"] == "posture"]
same([(x["host"], x["text"], x["severity"], x["count"]) for x in weak], [("会計-2", "updates", "note", 1)], "what is weak now")
more = both.get("/api/v1/hosts/" + two.host.hex())
same(sorted((r["facts"]["check"], r["facts"]["state"], r["facts"]["text"]) for r in more["posture"]),
     [("disk-encryption", "good", "/=luks2"), ("firewall", "good", "ipv4=refuses"), ("updates", "weak", "security=3")], "of the PC")
same(both.get("/api/v1/hosts/" + one.host.hex())["posture"], [], "one that has not said")

item("versions of the policy: kept, listed with who signed and when, each with its own texts")
OFFICE = os.environ["FLOW_TMP"] + "/office"
STORE = os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-collector"
os.makedirs(OFFICE)


def ctl(*words):
    return subprocess.run(["sekishoctl", *words], stdout=subprocess.PIPE, check=True).stdout.decode()


def known(text):
    with open(STORE + "/admin.keys", "w") as f:
        f.write(text)


office = ctl("policy", "keygen", "--name", "office", "--out", OFFICE + "/key")
known(office)
same(both.get("/api/v1/policy/versions"), {"versions": [], "next": None}, "none yet")
# What needs a person: a PC that obeys an older one, until it does not; one that has not said which is not known to.
old = lambda: [(x["host"], x["text"]) for x in both.get("/api/v1/overview")["attention"] if x["what"] == "policy-old"]  # noqa: E731
texts = {}
for v in (1, 2, 5):
    texts[v] = ("version: %d\n# 版 %d\n" % (v, v), "vendor,product,serial,access,label\n0951,1666,S%d,read-only,鍵\n" % v)
    for name, text in zip(("policy.yaml", "devices.csv"), texts[v]):
        with open("%s/%s" % (OFFICE, name), "w") as f:
            f.write(text)
    ctl("policy", "sign", OFFICE + "/policy.yaml", "--key", OFFICE + "/key", "--log-key", KEY, "--out", "%s/%d" % (OFFICE, v))
    ctl("policy", "push", "%s/%d" % (OFFICE, v))
for has, want in ((2, [("会計-2", "2 < 5")]), (5, [])):
    # The guard's word counts.
    two.post(two.sealed(producer=2, records=[], carry={**({} if 2 in two.chains else two.begin(2)), 14: has}))
    until(lambda: old() == want, "who obeys an older one: %s" % want)
for v in texts:
    p = both.get("/api/v1/policy?version=%d" % v)
    same((p["version"], p["signer"], p["policy_yaml"], p["devices_csv"]), (v, "office", *texts[v]), "version %d" % v)
same(both.get("/api/v1/policy"), both.get("/api/v1/policy?version=5"), "the newest")
versions = auditor.get("/api/v1/policy/versions")["versions"]
same([(x["version"], x["signer"]) for x in versions], [(5, "office"), (2, "office"), (1, "office")], "newest first")
same([x["to"] for x in versions], [None, versions[0]["from"], versions[1]["from"]], "each until the next came")
true(versions[2]["issued"] <= versions[2]["from"] < versions[1]["from"] < versions[0]["from"], "in the order in which they came")
same((p["from"], p["to"]), (versions[0]["from"], None), "as told with its texts")
page, rest = "", []
while page is not None:
    got = both.get("/api/v1/policy/versions?limit=1" + page)
    rest += got["versions"]
    page = got["next"] and "&cursor=" + got["next"]
same(rest, versions, "page by page")
for bad, status in (("version=3", 404), ("version=0", 400), ("version=x", 400), ("version=1&version=2", 400), ("nonsense=1", 400)):
    same(both.ask("GET", "/api/v1/policy?" + bad).status, status, bad)
same(viewer.ask("GET", "/api/v1/policy/versions").status, 403, "a viewer")
# Nobody is shown texts by whom nobody vouches today.
known(ctl("policy", "keygen", "--name", "next", "--out", OFFICE + "/next"))
same({x["signer"] for x in both.get("/api/v1/policy/versions")["versions"]}, {None}, "signed by nobody of today")
same(both.get("/api/v1/policy?version=1", 409)["error"], "policy", "nor are its texts shown")
known(office)
