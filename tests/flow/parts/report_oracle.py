"""A month's figures, counted once more: from `sekishoctl log --json`, by rules that collector/report/README.md gives, in another
language. Compares them with what `sekishoctl report --json` says.

  report_oracle.py compare LOG.jsonl REPORT.json DEPARTMENTS     DEPARTMENTS: "NAME:PREFIX,..."
  report_oracle.py csv REPORT.json DIR                           the files say what the JSON says, opened by the csv module
"""
import collections
import csv
import datetime
import json
import re
import sys

DAY = datetime.timedelta(days=1)


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def prints_of(records):
    """Counts by person, printer and PC, and the day's pages."""
    new = lambda: collections.Counter()  # noqa: E731
    by = {k: collections.defaultdict(new) for k in ("person", "printer", "pc")}
    total, days, told = new(), collections.Counter(), set()
    for r in records:
        one = collections.Counter()
        user = r.get("user") or r.get("job_user", "")
        if r["kind"] == "print":
            note = r.get("policy_mode") == "note"
            stopping = r.get("action") in ("deny", "hold")
            first = r.get("attempt", 1) <= 1
            one["jobs"] = first
            one["numbers"] = first and r.get("my_numbers", 0) > 0
            one["denied"] = stopping and not note and r["action"] == "deny"
            one["held"] = stopping and not note and r["action"] == "hold"
            one["noted"] = stopping and note
            job = (r["host_id"], r.get("job"), r.get("created"))
            if not (stopping and not note) and job not in told:
                told.add(job)
                one["pages"] = r.get("pages", 0) * r.get("copies", 1)
                one["sheets"] = r.get("sheets", 0)
                one["colour"] = r.get("colour") == "colour"
        elif r["kind"] == "print-missed":
            one["jobs"] = one["missed"] = 1
        elif r["kind"] == "print-release":
            user = r.get("job_user", "")
            one["released"] = 1
        else:
            continue
        for key, name in (("person", user), ("printer", r.get("printer", "")), ("pc", r["host"])):
            by[key][name] += one
        total += one
        days[r["at"].date()] += one["pages"]
    return by, total, days


def drives_of(records, earlier):
    spells, drives, persons, total = [], {}, collections.defaultdict(collections.Counter), collections.Counter()
    unknown = collections.Counter()

    def drive(r):
        key = (r.get("usb_id", ""), r["serial"])
        d = drives.setdefault(key, collections.Counter(first=r["at"].timestamp()))
        return key, d

    for r in records:
        kind = r["kind"]
        if kind == "plug":
            key, d = drive(r)
            for s in spells:
                if s[0] == r["host_id"] and s[1] == key and s[3] is None:
                    s[3] = r["at"]
            spells.append([r["host_id"], key, r["at"], None])
            d["plugs"] += 1
            total["plugs"] += 1
            persons[r.get("user", "")]["plugs"] += 1
        elif kind == "unplug":
            key, d = drive(r)
            for s in spells:
                if s[0] == r["host_id"] and s[1] == key and s[3] is None:
                    s[3] = r["at"]
        elif kind == "decision":
            key, d = drive(r)
            if not any(s[0] == r["host_id"] and s[1] == key and s[3] is None for s in spells):
                spells.append([r["host_id"], key, r["at"], None])
        elif kind == "denied":
            key, d = drive(r)
            n = r.get("count", 1)
            if r.get("policy_mode") != "note":
                d["denied"] += n
                total["denied"] += n
                persons[r.get("user", "")]["denied"] += n
        elif kind == "release":
            total["codes"] += 1
            persons[r.get("user", "")]["codes"] += 1
        elif kind == "release-refused":
            total["codes_refused"] += 1
    for r in records:
        if r["kind"] != "file" or r.get("class") not in ("usb", "removable") or not r.get("written"):
            continue
        late = datetime.timedelta(seconds=10)
        there = {s[1] for s in spells if s[0] == r["host_id"] and s[2] <= r["at"] and (s[3] is None or r["at"] <= s[3] + late)}
        into = drives[there.pop()] if len(there) == 1 else unknown
        for c in (into, total, persons[r.get("user", "")]):
            c["bytes"] += r["written"]
            c["files"] += 1
    before = {(r.get("usb_id", ""), r["serial"]) for r in earlier if r["kind"] == "plug"}
    total["drives"] = len(drives)
    total["new"] = len([k for k in drives if k not in before])
    return drives, persons, total, unknown, before


def known_of(records):
    """By document: jobs, files, the most percent; and jobs and files that had any."""
    jobs, files, most = collections.defaultdict(set), collections.Counter(), collections.Counter()
    any_job, any_file = set(), 0
    for r in records:
        if r["kind"] not in ("print", "print-result", "drive-file") or not r.get("known_documents"):
            continue
        job = (r["host_id"], r.get("job"), r.get("created"))
        for one in r["known_documents"].split("; "):
            name, percent = re.fullmatch(r"(.*) (\d+) %", one).groups()
            most[name] = max(most[name], int(percent))
            if r["kind"] == "drive-file":
                files[name] += 1
            else:
                jobs[name].add(job)
        if r["kind"] == "drive-file":
            any_file += 1
        else:
            any_job.add(job)
    return {name: [len(jobs[name]), files[name], most[name]] for name in most}, (len(any_job), any_file)


def readers_of(records):
    kinds = {"console-sign-in": "sign_ins", "console-sign-in-refused": "refused", "console-view": "views",
             "console-search": "searches", "console-refused": "refused", "console-change": "changes",
             "alert-acknowledged": "changes"}
    out = collections.defaultdict(collections.Counter)
    for r in records:
        name = r.get("user") or (f"uid {r['uid']}" if "uid" in r else "")
        if r["kind"] == "console-export":
            if "hash" in r and "count" in r:
                continue
            op = r.get("operation", "")
            out[name]["bundles" if op == "/api/v1/bundle" else
                      "reports" if op in ("/api/v1/reports", "/desk/reports") else "exports"] += 1
        elif r["kind"] in kinds:
            out[name][kinds[r["kind"]]] += 1
    return out


def fleet_of(records, every, until):
    out, last, causes, total = collections.defaultdict(collections.Counter), {}, {}, collections.Counter()
    weak = {}
    for r in records:
        peer = r.get("peer_name")
        if r["kind"] == "gap":
            n = r["to_seq"] - r["from_seq"] + 1
            out[peer].update(gaps=1, missing=n)
            total.update(gaps=1, missing=n)
        elif r["kind"] == "forked":
            out[peer]["forks"] += 1
            total["forks"] += 1
        elif r["kind"] == "loss":
            c = causes.setdefault(r["cause"], collections.Counter())
            c.update(events=1, lost=r.get("lost", 0), unknown=not r.get("lost"))
            out[r["host"]]["lost"] += r.get("lost", 0)
            total["lost"] += r.get("lost", 0)
        elif r["kind"] in ("guard-start", "proof") and "enforce" in r:
            weak[r["host"]] = r["enforce"] == "none"
        if r["kind"] == "policy":
            out[r["host"]]["policy"] = r["policy"]
        last[r["host"]] = r["at"]
    pcs = {r["peer_name"] for r in every if r["kind"] == "enrol" and r["at"] < until} - {"collector", "console"}
    total["pcs"] = len(pcs)
    total["weak"] = sum(weak.values())
    total["silent"] = len([p for p in pcs if p not in last or last[p] < until - 7 * DAY])
    return pcs, out, last, causes, total


wrong = []


def same(what, got, want):
    if got != want:
        wrong.append(f"{what}: the report says {got!r}, counted {want!r}")


def table(report, name):
    for t in report["tables"]:
        if t["name"] == name:
            columns = [c["name"] for c in t["columns"]]
            return [dict(zip(columns, row)) for row in t["rows"]]
    raise SystemExit(f"no table {name}")


PRINTS = ("jobs", "pages", "sheets", "colour", "denied", "held", "released", "noted", "numbers", "missed")


def same_prints(name, rows, want):
    want = {k: v for k, v in want.items() if any(v[c] for c in PRINTS)}
    same(name + " names", sorted(r["name"] for r in rows), sorted(want))
    for r in rows:
        for c in PRINTS:
            same(f"{name} {r['name']} {c}", r[c], int(want[r["name"]][c]))


def compare(log, path, departments):
    report = json.load(open(path, encoding="utf-8"))
    every = [json.loads(line) for line in open(log, encoding="utf-8")]
    zone = datetime.timezone(datetime.timedelta(hours=9))
    for r in every:
        r["at"] = when(r["time"]).astimezone(zone)
    since, until, before = (when(report[k]).astimezone(zone) for k in ("since", "until", "before"))
    now = [r for r in every if since <= r["at"] < until]
    was = [r for r in every if before <= r["at"] < since]
    figures = {f["name"]: f for f in report["figures"]}

    by, total, days = prints_of(now)
    _, total_was, _ = prints_of(was)
    same_prints("prints-by-person", table(report, "prints-by-person"), by["person"])
    same_prints("prints-by-printer", table(report, "prints-by-printer"), by["printer"])
    depts = collections.defaultdict(collections.Counter)
    for pc, c in by["pc"].items():
        depts[next((n for n, p in departments if pc.startswith(p)), "(unknown)")] += c
    same_prints("prints-by-department", table(report, "prints-by-department"), depts)
    for figure, name in (("pages", "pages"), ("jobs", "jobs"), ("sheets", "sheets"), ("prints_denied", "denied"),
                         ("prints_held", "held"), ("prints_released", "released"), ("prints_noted", "noted"),
                         ("prints_missed", "missed"), ("personal_numbers", "numbers"), ("colour", "colour")):
        same(figure, figures[figure]["now"], int(total[name]))
        same(figure + " before", figures[figure]["before"], int(total_was[name]))
    chart = next(c for c in report["charts"] if c["name"] == "pages")
    n = len(chart["values"])
    same("days", n, (until - since) // DAY)
    same("pages by day", chart["values"], [days[(since + i * DAY).date()] for i in range(n)])

    drives, persons, d_total, unknown, seen = drives_of(now, [r for r in every if since - 366 * DAY <= r["at"] < since])
    _, _, d_was, _, _ = drives_of(was, [])
    rows = table(report, "drives")
    known = {(r["usb_id"], r["serial"]): r for r in rows if r["usb_id"] is not None}
    same("drives", sorted(known), sorted(drives))
    for key, r in known.items():
        for c in ("plugs", "files", "bytes", "denied"):
            same(f"drive {key} {c}", r[c], drives[key][c])
        same(f"drive {key} before", r["seen"] in ("yes", "あり"), key in seen)
        same(f"drive {key} first", int(when(r["first"]).timestamp()), int(drives[key]["first"]))
    rest = [r for r in rows if r["usb_id"] is None]
    same("bytes of no known drive", sum(r["bytes"] for r in rest), unknown["bytes"])
    rows = table(report, "drives-by-person")
    same("persons with drives", sorted(r["name"] for r in rows), sorted(k for k, v in persons.items() if sum(v.values())))
    for r in rows:
        for c in ("plugs", "files", "bytes", "denied", "codes"):
            same(f"drives of {r['name']} {c}", r[c], persons[r["name"]][c])
    for figure, name in (("drives", "drives"), ("bytes", "bytes"), ("files", "files"), ("writes_denied", "denied"),
                         ("codes", "codes"), ("codes_refused", "codes_refused"), ("plugs", "plugs")):
        same(figure, figures[figure]["now"], d_total[name])
        same(figure + " before", figures[figure]["before"], d_was[name])
    same("drives_new", figures["drives_new"]["now"], d_total["new"])

    kinds = {"print": lambda r: r.get("action") in ("note", "alert", "deny", "hold"), "print-missed": lambda r: True,
             "print-release": lambda r: True, "denied": lambda r: True, "release": lambda r: True,
             "release-refused": lambda r: True, "write-seen": lambda r: True, "printer-connect": lambda r: True,
             "drive-file": lambda r: r.get("action") in ("alert", "quarantine"), "drive-sealed": lambda r: "cause" in r,
             "drive-opened": lambda r: True}
    same("exceptions", sum(r["count"] for r in table(report, "exceptions")),
         sum(r.get("count", 1) for r in now if r["kind"] in kinds and kinds[r["kind"]](r)))

    want, kinds = known_of(now)
    same("known documents", {r["name"]: [r["jobs"], r["files"], r["most"]] for r in table(report, "known-documents")}, want)
    for figure, i in (("known_jobs", 0), ("known_files", 1)):
        same(figure, figures[figure]["now"], kinds[i])
        same(figure + " before", figures[figure]["before"], known_of(was)[1][i])

    readers = readers_of(now)
    rows = table(report, "log-readers")
    same("readers", sorted(r["name"] for r in rows), sorted(readers))
    for r in rows:
        for c in ("sign_ins", "refused", "views", "searches", "exports", "bundles", "reports", "changes"):
            same(f"reader {r['name']} {c}", r[c], readers[r["name"]][c])

    pcs, told, last, causes, f_total = fleet_of(now, every, until)
    rows = table(report, "pcs")
    same("PCs", sorted(r["name"] for r in rows), sorted(pcs))
    for r in rows:
        for c in ("gaps", "missing", "forks", "lost"):
            same(f"PC {r['name']} {c}", r[c], told[r["name"]][c])
        same(f"PC {r['name']} policy", r["policy"] or 0, told[r["name"]]["policy"])
        same(f"PC {r['name']} last", r["last"] and when(r["last"]), last.get(r["name"]))
    losses = table(report, "losses")
    same("losses", sorted((r["events"], r["lost"], r["unknown"]) for r in losses),
         sorted((c["events"], c["lost"], c["unknown"]) for c in causes.values()))
    for c in ("pcs", "gaps", "missing", "forks", "lost", "weak", "silent"):
        same(c, figures[c]["now"], f_total[c])
    pushes = [r for r in now if r["kind"] == "admin" and "pushed" in r.get("text", "")]
    same("policies pushed", figures["policies_pushed"]["now"], len(pushes))
    same("acts", len(table(report, "administrators-acts")),
         len([r for r in now if r["kind"] in ("admin", "console-change", "console-account")]))
    if not total["pages"] or not d_total["bytes"] or not readers or not f_total["gaps"] or not f_total["lost"]:
        wrong.append("the month has too little in it to say anything")


def files(path, folder):
    """What the csv module reads of each file is what the JSON says; nothing that a spreadsheet would run."""
    report = json.load(open(path, encoding="utf-8"))
    hot = 0
    for t in report["tables"]:
        name = f"{folder}/{t['name']}.csv"
        raw = open(name, "rb").read()
        same(name + " BOM", raw[:3], b"\xef\xbb\xbf")
        rows = list(csv.reader(open(name, encoding="utf-8-sig", newline="")))
        same(name + " head", rows[0], [c["title"] for c in t["columns"]])
        same(name + " rows", len(rows) - 1, len(t["rows"]))
        for got, want in zip(rows[1:], t["rows"]):
            for cell, value, column in zip(got, want, t["columns"]):
                if value is None:
                    same(name, cell, "")
                elif column["type"] == "time":
                    same(name, when(cell + "+09:00"), when(value).replace(microsecond=0))
                elif column["type"] == "text":
                    same(name, cell.lstrip("'"), value.lstrip("'"))
                    if value[:1] in "=+-@" and value:
                        hot += 1
                        same(name + " guarded", cell[0], "'")
                else:
                    same(name, cell, str(value))
    if not hot:
        wrong.append("no cell would have been run by a spreadsheet: nothing was tried")


if __name__ == "__main__":
    if sys.argv[1] == "compare":
        compare(sys.argv[2], sys.argv[3], [p.split(":") for p in sys.argv[4].split(",")])
    else:
        files(sys.argv[2], sys.argv[3])
    for w in wrong[:20]:
        print(w, file=sys.stderr)
    sys.exit(1 if wrong else 0)
