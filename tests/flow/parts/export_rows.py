"""Rows of an export, as a reader outside gives them, against `sekishoctl log --json` over the same records, fact by fact.

    export_rows.py LOG ROWS [LEAVES]

LEAVES: a JSON object of leaf and the SHA-256 of its header, by whoever sealed it.
"""
import json
import re
import sys
from datetime import datetime, timezone

REPLACED = "\ufffd"


def lines(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f.read().split("\n")[:-1]]


def micros(text):
    m = re.fullmatch(r"([+-]\d{6}|\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z", text)
    if not m:
        return None
    # A year that Python has, four hundred years being always as long.
    year, cycles = int(m.group(1)), 0
    cycles, year = (year - 2000) // 400, (year - 2000) % 400 + 2000
    t = datetime(year, *(int(m.group(i)) for i in range(2, 7)), tzinfo=timezone.utc)
    return (int(t.timestamp()) + cycles * 146097 * 86400) * 1000000 + int(m.group(7))


def replaced(raw):
    """Each byte that is no UTF-8 by itself: what begins a character stays or goes with all of it."""
    out, at = "", 0
    while at < len(raw):
        for n in range(1, 5):
            try:
                out += raw[at:at + n].decode("utf-8") if at + n <= len(raw) else 1 / 0
                at += n
                break
            except (UnicodeDecodeError, ZeroDivisionError):
                continue
        else:
            out, at = out + REPLACED, at + 1
    return out


def wanted(name, v, got):
    """What stands in the column of a fact that the log tells so; `got` says of which type the column is."""
    if isinstance(v, list):
        return ",".join(v)
    if isinstance(v, dict):
        return replaced(bytes.fromhex(v["hex"]))
    if isinstance(got, dict) and "us" in got:
        return {"us": int(micros(v))}
    if isinstance(got, dict):
        return {"hex": v}
    return str(v) if isinstance(got, str) else v


def compare(log, rows, leaves):
    if len(log) != len(rows):
        raise SystemExit("%d records in the log, %d in the files" % (len(log), len(rows)))
    log = {r["row"]: r for r in log}
    if len(log) != len(rows):
        raise SystemExit("rows of the log are there twice")
    for row in rows:
        want, what = log.pop(row.get("row"), None), "row %s" % row.get("row")
        if want is None:
            raise SystemExit(what + ": not in the log, or twice in the files")
        odd = json.loads(row.pop("not_utf8", "{}"))
        if odd != {k: v["hex"] for k, v in want.items() if isinstance(v, dict)}:
            raise SystemExit("%s: bytes that are no UTF-8: %s" % (what, odd))
        segment, producer, taken = (row.pop(k) for k in ("segment", "producer", "taken"))
        if leaves.get(str(row["leaf"]), segment["hex"]) != segment["hex"]:
            raise SystemExit("%s: segment %s" % (what, segment))
        if not re.fullmatch(r"[a-z]+", producer) or not re.fullmatch(r"\d{4}-\d\d", taken):
            raise SystemExit("%s: %r, %r" % (what, producer, taken))
        if set(want) != set(row):
            raise SystemExit("%s: columns %s" % (what, sorted(set(want) ^ set(row))))
        for name, v in want.items():
            if wanted(name, v, row[name]) != row[name]:
                raise SystemExit("%s: %s is %r instead of %r" % (what, name, row[name], v))
    return len(rows)


if __name__ == "__main__":
    known = json.load(open(sys.argv[3])) if len(sys.argv) > 3 else {}
    print("%d rows are as the log has them" % compare(lines(sys.argv[1]), lines(sys.argv[2]), known))
