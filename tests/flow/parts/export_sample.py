"""The rows of parquet-sample by its formulas, as rows.mjs prints them; with "filters", how many each condition has.

    export_sample.py rows | filters
"""
import json
import sys

ROWS = 122880 + 1000


def row(i):
    r = {"id": i}
    if i % 3:
        r["wild"] = i * 0x9E3779B97F4A7C15 % 2 ** 64
    if i % 2:
        r["few"] = i % 7 - 3
    r["when"] = {"us": 1795428000000000 + i * 1000 - i % 5 * 700000}
    r["word"] = "語%d" % (i * i % 50)
    if i % 4 == 0:
        r["line"] = "line %d" % i
    if i + 10 >= ROWS:
        r["bytes"] = {"hex": i.to_bytes(3, "big").hex()}
    return r


# By the least and greatest of each row group a reader passes over groups: a wrong one is a record that is not found.
FILTERS = {
    "wild > 18446000000000000000": lambda r: r.get("wild", 0) > 18446000000000000000,
    "wild < 700000000000000": lambda r: r.get("wild", 2 ** 64) < 700000000000000,
    "few < 0": lambda r: r.get("few", 0) < 0,
    "few = 4": lambda r: r.get("few") == 4,
    "id >= 122880": lambda r: r["id"] >= 122880,
    "epoch_us(\"when\") < 1795428000000000": lambda r: r["when"]["us"] < 1795428000000000,
    "word = '語49'": lambda r: r["word"] == "語49",
    "word > '語6'": lambda r: r["word"] > "語6",
    "line = 'line 122880'": lambda r: r.get("line") == "line 122880",
    "hex(bytes) >= '01E3'": lambda r: r.get("bytes", {"hex": ""})["hex"] >= "01e3",
    "never IS NOT NULL": lambda r: False,
}

if sys.argv[1] == "rows":
    for i in range(ROWS):
        print(json.dumps(row(i), ensure_ascii=False, separators=(",", ":")))
else:
    rows = [row(i) for i in range(ROWS)]
    for text, f in FILTERS.items():
        print("%s\t%d" % (text, sum(map(f, rows))))
