"""Counts what a spool tells (spool-json on standard input): records in all, records of the work folder by kind, losses."""
import collections, json, sys

work = sys.argv[1] + "/"
lost, seen, records, segments = collections.Counter(), collections.Counter(), 0, 0
for line in sys.stdin:
    r = json.loads(line)
    if "header" in r:
        segments += 1
        lost.update(r["header"]["lost"])
        continue
    records += 1
    if r.get("path", "").startswith(work):
        seen[r["kind"]] += 1
print(json.dumps({"records": records, "segments": segments, "seen": seen, "lost": lost}))
