"""What a ClickHouse has of the log, against `sekishoctl log --json`.

    herald_clickhouse.py schema FILE | compare LEAVES | count N | twice before|after | drop
"""
import collections
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

from export_rows import compare, micros

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
CONTEXT = ssl.create_default_context(cafile=os.environ["CLICKHOUSE_CA"])
KEPT = os.path.join(os.environ["FLOW_TMP"], "twice")


def ask(query):
    password = open(os.environ["CLICKHOUSE_PASSWORD"]).read().rstrip("\n")
    request = urllib.request.Request(os.environ["CLICKHOUSE_URL"], query.encode(), {"X-ClickHouse-User": "sekisho", "X-ClickHouse-Key": password})
    try:
        return urllib.request.urlopen(request, context=CONTEXT).read().decode()
    except urllib.error.HTTPError as e:
        raise SystemExit("FAILED: %s: %s" % (query[:200], e.read().decode()[:500]))


def rows_of(query):
    return [json.loads(line) for line in ask(query + " FORMAT JSONEachRow").splitlines()]


def schema(path):
    """The statements, with what this server does not have replaced by what is the same bytes in RowBinary."""
    text = open(path).read()
    for new, old in (("DateTime64(6, 'UTC')", "Int64"), ("toStartOfHour(time)", "intDiv(time, 3600000000)"),
                     ("toDate(time)", "toDate(intDiv(time, 1000000))")):
        if new not in text:
            raise SystemExit("FAILED: no %s in the statements" % new)
        text = text.replace(new, old)
    statements = [s for s in text.split(";\n") if s.strip()]
    later = [s for s in statements if s.strip().startswith("ALTER")]
    if len(statements) != 6 or len(later) != 1:
        raise SystemExit("FAILED: %d statements" % len(statements))
    for s in statements:
        # ADD COLUMN IF NOT EXISTS is of a later version.
        if s not in later:
            ask(s)
    for column, kind in re.findall(r"ADD COLUMN IF NOT EXISTS `(\w+)` (.*?),?\n", later[0] + "\n"):
        if ask("SELECT type FROM system.columns WHERE database = 'sekisho' AND table = 'records' AND name = '%s'" % column).strip() != kind:
            raise SystemExit("FAILED: %s is no %s" % (column, kind))


def log():
    out = subprocess.run(["sekishoctl", "log", "--json"], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.decode().split("\n")[:-1]]


def fields(kind):
    return set(re.findall(r"^FIELD\(\s*\d+,\s*\w+,\s*(\w+),\s*%s," % kind, open(ROOT + "/policy/wire/fields.def").read(), re.M))


BYTES, TIMES = fields("BYTES") | {"segment", "host_id"}, fields("TIME")


def row(r):
    """As rows.mjs prints a row: text and bytes are hex here, numbers of 64 bits strings of digits."""
    out, odd = {}, {}
    for name, v in r.items():
        if v is None:
            continue
        if name.startswith("x_"):
            name, raw = name[2:], bytes.fromhex(v)
            if name in BYTES:
                out[name] = {"hex": raw.hex()}
                continue
            try:
                out[name] = raw.decode("utf-8")
            except UnicodeDecodeError:
                odd[name] = raw.hex()
                out[name] = raw
        else:
            out[name] = {"us": int(v)} if name in TIMES else int(v)
    return out, odd


def table():
    columns = rows_of("SELECT name, type FROM system.columns WHERE database = 'sekisho' AND table = 'records'")
    what = ", ".join("hex(CAST(`%s` AS Nullable(String))) AS x_%s" % (c["name"], c["name"]) if "String" in c["type"] else "`%s`" % c["name"]
                     for c in columns)
    from export_rows import replaced
    for r in rows_of("SELECT %s FROM sekisho.records FINAL" % what):
        out, odd = row(r)
        for name in odd:
            out[name] = replaced(out[name])
        yield {**out, "not_utf8": json.dumps(odd)} if odd else out


def compare_all(leaves):
    records = log()
    print("%d rows are as the log has them" % compare(records, list(table()), json.load(open(leaves))))
    want = collections.Counter()
    for r in records:
        text = [r.get(k, "") for k in ("user", "kind", "class")]
        if all(isinstance(t, (str, int)) for t in text) and r["host"].startswith(("pc-", "turn-")):
            key = (r["host"], str(micros(r["time"]) // 86400000000), *map(str, text))
            for name, n in (("n", 1), ("read", r.get("read", 0)), ("written", r.get("written", 0))):
                want[key + (name,)] += n
    got = collections.Counter()
    for r in rows_of("SELECT host, toInt32(day) AS d, hex(user) AS u, kind, class, n, read, written FROM sekisho.traffic"):
        try:
            user = bytes.fromhex(r["u"]).decode("utf-8")
        except UnicodeDecodeError:
            continue
        if r["host"].startswith(("pc-", "turn-")):
            for name in "n", "read", "written":
                got[(r["host"], str(r["d"]), user, r["kind"], r["class"], name)] += int(r[name])
    wrong = {k: (got.get(k, 0), v % 2 ** 64) for k, v in want.items() if got.get(k, 0) != v % 2 ** 64}
    if wrong or sum(v for k, v in got.items() if k[-1] == "n") != sum(v for k, v in want.items() if k[-1] == "n"):
        raise SystemExit("FAILED: the summary: %s" % list(wrong.items())[:5])
    print("%d sums are those of the log" % len(want))


def twice(when):
    """After: the server was given as many rows once more as the log has."""
    given = int(rows_of("SELECT value AS n FROM system.events WHERE event = 'InsertedRows'")[0]["n"])
    if when == "before":
        with open(KEPT, "w") as f:
            f.write(str(given))
        return
    with open(KEPT) as f:
        more = given - int(f.read())
    there = int(rows_of("SELECT count() AS n FROM sekisho.records")[0]["n"])
    print("%d rows were given once more; %d are there, merged or not" % (more, there))
    if more < len(log()):
        raise SystemExit("FAILED: the log did not go out again")


def count(want):
    """FINAL: what was taken twice is one row."""
    there = int(rows_of("SELECT count() AS n FROM sekisho.records FINAL")[0]["n"])
    if there != want:
        raise SystemExit("FAILED: %d rows, and the store has %d records" % (there, want))


if sys.argv[1] == "schema":
    schema(sys.argv[2])
elif sys.argv[1] == "count":
    count(int(sys.argv[2]))
elif sys.argv[1] == "drop":
    ask("DROP DATABASE sekisho")
elif sys.argv[1] == "compare":
    compare_all(sys.argv[2])
else:
    twice(sys.argv[2])
