#!/usr/bin/python3
"""Do two readers see the same facts? Compares `sekishoctl decode FILE...` (standard input) with the outside verifier's reading.

  sekishoctl decode FILE... | compare_records.py FILE...

The flow of the console's logs takes the reading of one record from here.
"""
import datetime
import json
import os
import re
import sys

import sekisho_verify as v

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def moment(us):
    """The text of a time; years without four digits have a sign and six. 400 years of the calendar are always as long."""
    cycle = 146097 * 86400 * 1000000
    n, rest = divmod(us + 719468 * 86400 * 1000000, cycle)
    # Days from 2000-03-01: datetime knows that cycle.
    when = datetime.datetime(2000, 3, 1) + datetime.timedelta(microseconds=rest)
    year = when.year + 400 * (n - 5)
    return ("%04d" % year if 0 <= year <= 9999 else "%+07d" % year) + when.strftime("-%m-%dT%H:%M:%S.%fZ")


def table():
    with open(os.path.join(ROOT, "policy/wire/fields.def"), encoding="utf-8") as f:
        fields = {int(n): (big, name, t) for n, big, name, t in
                  re.findall(r"^FIELD\(\s*(\d+),\s*(\w+),\s*(\w+),\s*(\w+),", f.read(), re.M)}
    with open(os.path.join(ROOT, "policy/wire/enums.def"), encoding="utf-8") as f:
        enums = {(field, int(n)): name for field, n, name in
                 re.findall(r'^ENUM_VALUE\((\w+), (\d+), \w+, "([^"]+)"', f.read(), re.M)}
    return fields, enums


def shown(fields, enums, record):
    out = {}
    for n, x in record.items():
        if n not in fields:
            continue
        big, name, t = fields[n]
        if name == "flags":
            continue  # words of a list that record.h keeps
        if name == "mode":
            x = "%04o" % x
        elif t == "ENUM":
            x = enums.get((big, x), x)
        elif t == "TIME":
            x = moment(x)
        elif t == "BYTES":
            x = x.hex()
        elif isinstance(x, bytes):
            try:
                x = x.decode()
            except UnicodeDecodeError:
                x = {"hex": x.hex()}
        out[name] = x
    return out


def main(paths):
    fields, enums = table()
    lines = iter(sys.stdin)
    records = 0
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        for s in v.split(data, path):
            h = json.loads(next(lines))["header"]
            assert (h["seq"], h["hash"], h["count"]) == (s.seq, s.hash.hex(), s.h[10]), (path, h)
            for r in s.records():
                theirs = json.loads(next(lines))
                theirs.pop("flags", None)
                mine = shown(fields, enums, r)
                assert mine == theirs, "%s: sequence %d:\n%r\n%r" % (path, s.seq, mine, theirs)
                records += 1
    assert next(lines, None) is None, "more lines than records"
    print("%d records, the same to both" % records)


if __name__ == "__main__":
    main(sys.argv[1:])
