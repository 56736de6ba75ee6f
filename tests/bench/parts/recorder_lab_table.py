"""Puts together what recorder-lab-inside measured. Ends with 1 where records are missing uncounted."""
import glob, json, os, statistics, sys

tmp, files, rounds, loads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
sets = ("trampoline", "tracepoint")


def ran(what):
    return [tuple(int(n) for n in line.split()) for line in open(f"{tmp}/{what}")]


def hooks(which, what):
    """Runs and nanoseconds of each program of ours."""
    def read(when):
        return {p["id"]: p for p in json.load(open(f"{tmp}/{which}-{what}.{when}"))}
    before, out = read("before"), {}
    for i, p in read("after").items():
        n = p.get("run_cnt", 0) - before.get(i, {}).get("run_cnt", 0)
        if n:
            out[p["name"]] = n, p["run_time_ns"] - before.get(i, {}).get("run_time_ns", 0)
    return out


print(f"kernel {os.uname().release}, instructions counted (1,000,000 are a ms); {files} files a storm, {rounds} paired rounds, medians")
print(f"{'':8}{'':12}{'ms':>8}{'+ %':>9}{'ms of a processor':>20}{'+ %':>9}")
for load in loads:
    bare = ran(f"bare.{load}")
    for what in ("bare", *sets, "auditd"):
        rs = ran(f"{what}.{load}")
        over = [statistics.median(100 * (r[i] / max(b[i], 1) - 1) for r, b in zip(rs, bare)) for i in (0, 1)]
        print(f"{load:8}{what:12}{statistics.median(r[0] for r in rs):8.0f}{over[0]:+9.1f}"
              f"{statistics.median(r[1] for r in rs):20.0f}{over[1]:+9.1f}")

silent = 0
for which in sets:
    due = seen = lost = 0
    for name in glob.glob(f"{tmp}/spools/{which}-*.json"):
        s = json.load(open(name))
        seen += s["seen"].get("file", 0)
        lost += sum(s["lost"].values())
    for line in open(f"{tmp}/did.{which}"):
        due += json.loads(line)["file"]
    silent += max(0, due - seen - lost) + max(0, seen - due)
    print(f"{which}: {due} records due, {seen} there, {lost} counted as lost")
print(f"auditd: counted as lost {[int(n) for n in open(f'{tmp}/auditd.lost')]}")

print(f"\nBPF, instructions{'':8}" + "".join(f"{w:>34}" for w in sets))
print(f"{'':40}" + f"{'hooks':>10}{'a hook':>10}{'in all':>14}" * 2 + "    (per file)")
for what, text in (("storm", "open, write, close: a record"), ("reads", "open, read, close: a record"),
                   ("filtered", "open, read, close: filtered"), ("calls", "a call of no interest")):
    line = f"{text:40}"
    for which in sets:
        h = hooks(which, what)
        n, ns = sum(x[0] for x in h.values()), sum(x[1] for x in h.values())
        line += f"{n / files:10.1f}{ns / max(n, 1):10.0f}{ns / files:14.0f}"
    print(line)
for which in sets:
    print(f"\n{which}, by program, in the storm:")
    for name, (n, ns) in sorted(hooks(which, "storm").items(), key=lambda x: -x[1][1])[:12]:
        print(f"  {name:22}{n:9} runs{ns / n:9.0f} instructions")
if silent:
    print(f"\nFAILED: {silent} records missing or too many, uncounted")
sys.exit(1 if silent else 0)
