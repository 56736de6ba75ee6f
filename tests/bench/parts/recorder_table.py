"""Puts together what tests/bench/recorder measured: a table, or JSON. Ends with 1 where records are missing uncounted."""
import collections, json, os, statistics, sys

tmp, form = sys.argv[1], sys.argv[2]
runs = [json.loads(line) for line in open(f"{tmp}/runs")]
median = statistics.median
by = {(r["round"], r["with"], r["load"]): r for r in runs}
rounds = sorted({r["round"] for r in runs})
loads = list(dict.fromkeys(r["load"] for r in runs))
silent = 0


def hooks(what):
    """Runs and nanoseconds of each BPF program while one workload ran."""
    def read(when):
        return {p["id"]: p for p in json.load(open(f"{tmp}/hooks-{what}.{when}")) if "run_cnt" in p}
    before, out = read("before"), {}
    for i, p in read("after").items():
        n = p["run_cnt"] - before.get(i, {}).get("run_cnt", 0)
        ns = p["run_time_ns"] - before.get(i, {}).get("run_time_ns", 0)
        if n:
            out[p["name"]] = {"runs": n, "ns": round(ns / n, 1), "total_ns": ns}
    return out


def one(load):
    global silent
    of = {w: [by[r, w, load] for r in rounds] for w in ("bare", "recorder", "auditd")}
    out = {"load": load}
    for w, rs in of.items():
        out[f"{w}_ms"] = round(median(r["us"] for r in rs) / 1000, 1)
        if w != "bare":
            out[f"{w}_cost_pct"] = round(median(100 * (r["us"] / b["us"] - 1) for r, b in zip(rs, of["bare"])), 1)
            out[f"{w}_busy_pct"] = round(median(100 * (r["busy_us"] / max(b["busy_us"], 1) - 1)
                                                for r, b in zip(rs, of["bare"])), 1)
            out[f"{w}_cpu_pct"] = round(median(100 * r["cpu_us"] / r["us"] for r in rs), 1)
            out[f"{w}_peak_mib"] = round(max(r["rss_kib"] for r in rs) / 1024, 1)
    spools = [json.load(open(f"{tmp}/spools/{r}-{load}.json")) for r in rounds]
    size = [int(open(f"{tmp}/spools/{r}-{load}.bytes").read()) for r in rounds]
    out["records"] = round(median(s["records"] for s in spools))
    out["records_of_workload"] = round(median(sum(s["seen"].values()) for s in spools))
    out["records_per_s"] = round(median(s["records"] / (r["us"] / 1e6) for s, r in zip(spools, of["recorder"])))
    out["bytes_per_record"] = round(median(n / s["records"] for n, s in zip(size, spools) if s["records"]), 1)
    out["lost"] = sum(sum(s["lost"].values()) for s in spools)
    out["lost_by_cause"] = dict(sum((collections.Counter(s["lost"]) for s in spools), collections.Counter()))
    out["due"] = out["missing"] = 0
    for s, r in zip(spools, of["recorder"]):
        due = {k: n for k, n in r["did"].items() if k != "calls"}
        missing = sum(due.values()) - sum(s["seen"].get(k, 0) for k in due)
        out["due"] += sum(due.values())
        out["missing"] += missing
        silent += max(0, missing - sum(s["lost"].values())) + max(0, -missing)
    out["auditd_events"] = round(median(r["events"] for r in of["auditd"]))
    out["auditd_lost"] = sum(r["lost"] for r in of["auditd"])
    out["auditd_bytes_per_event"] = round(median(r["bytes"] / max(r["events"], 1) for r in of["auditd"]))
    return out


rest = json.load(open(f"{tmp}/rest"))
ours = [m for m in json.load(open(f"{tmp}/maps")) if m.get("name") in
        ("ring", "control", "losses", "files", "decisions", "prefixes", "skip_pids", "scratches", "parcels", "calls",
         "on_enter", "on_leave")]
result = {
    "kernel": os.uname().release, "processors": os.cpu_count(), "rounds": len(rounds),
    "loads": [one(load) for load in loads],
    "rest": {"cpu_pct": round(rest["cpu_ns"] / rest["us"] / 10, 3), "resident_mib": round(rest["rss_kib"] / 1024, 1),
             "share_mib": round(rest["pss_kib"] / 1024, 1),
             "maps_mib": round(sum(m.get("bytes_memlock", 0) for m in ours) / 1048576, 1)},
    "hooks": {what: hooks(what) for what in ["calls", "filtered", "reads"] + loads},
}
per = {}
for what in ("calls", "filtered", "reads", "storm", "mail", "loop"):
    did = json.load(open(f"{tmp}/hooks-{what}.did"))
    total = sum(h["total_ns"] for h in result["hooks"][what].values())
    count = sum(h["runs"] for h in result["hooks"][what].values())
    records = did["file"] + did["rename"] + did["unlink"]
    per[what] = {"ns_per_hook": round(total / count, 1), "ns_per_call": round(total / did["calls"], 1),
                 "ns_per_operation": round(total / records) if records > 1 else None}
result["bpf"] = per
result["missing_uncounted"] = silent

if form == "json":
    print(json.dumps(result))
    sys.exit(1 if silent else 0)
print(f"kernel {result['kernel']}, {result['processors']} processors, {len(rounds)} paired rounds, medians\n")
print(f"{'':8}{'bare':>9}{'recorder':>29}{'auditd':>29}  {'cost':>6}  {'daemon':>12}")
print(f"{'':8}{'ms':>9}{'ms':>9}{'+ %':>10}{'+ % busy':>10}{'ms':>9}{'+ %':>10}{'+ % busy':>10}"
      f"  {'ratio':>6}  {'ours':>6}{'auditd':>8}")
for o in result["loads"]:
    a, b = o["recorder_cost_pct"], o["auditd_cost_pct"]
    ratio = f"{b / a:.1f}" if a > 0 else "-"
    print(f"{o['load']:8}{o['bare_ms']:9.0f}{o['recorder_ms']:9.0f}{a:+10.1f}{o['recorder_busy_pct']:+10.1f}"
          f"{o['auditd_ms']:9.0f}{b:+10.1f}{o['auditd_busy_pct']:+10.1f}  "
          f"{ratio:>6}  {o['recorder_cpu_pct']:5.0f}%{o['auditd_cpu_pct']:7.0f}%")
print("+ %: of the time that passed; + % busy: of processor time that the workload used, whoever else works here")
print(f"\n{'':8}{'records':>9}{'of these':>10}{'a second':>10}{'bytes each':>12}{'due':>10}{'missing':>9}{'counted lost':>14}"
      f"{'auditd:':>10}{'events':>9}{'lost':>8}{'bytes each':>12}")
for o in result["loads"]:
    print(f"{o['load']:8}{o['records']:9}{o['records_of_workload']:10}{o['records_per_s']:10}{o['bytes_per_record']:12}{o['due']:10}{o['missing']:9}"
          f"{o['lost']:14}{'':10}{o['auditd_events']:9}{o['auditd_lost']:8}{o['auditd_bytes_per_event']:12}")
r = result["rest"]
print(f"\nmemory: recorder {r['resident_mib']} MiB at rest, {r['share_mib']} with each page once, {max(o['recorder_peak_mib'] for o in result['loads'])} at most; "
      f"kernel maps {r['maps_mib']} MiB; auditd {max(o['auditd_peak_mib'] for o in result['loads'])}. "
      f"Processor at rest {r['cpu_pct']} % (of whoever else works here, too).")
print("\nBPF, nanoseconds" + " " * 14 + "a hook    a call    an operation")
for what, text in (("calls", "calls of no interest"), ("loop", "bytes counted"), ("filtered", "open-read-close, filtered"),
                   ("reads", "open-read-close, a record"), ("storm", "storm, a record"), ("mail", "mail mix, a record")):
    p = per[what]
    print(f"{text:27}{p['ns_per_hook']:9.0f} {p['ns_per_call']:9.0f}    {p['ns_per_operation'] or '-':>12}")
total = collections.Counter()
for h in result["hooks"].values():
    for name, x in h.items():
        total[name, "n"] += x["runs"]
        total[name, "ns"] += x["total_ns"]
print("\nby program, all of these and the workloads:")
for name in sorted({n for n, _ in total}, key=lambda n: -total[n, "ns"]):
    print(f"  {name:22}{total[name, 'n']:10} runs{total[name, 'ns'] / total[name, 'n']:9.0f} ns")
if silent:
    print(f"\nFAILED: {silent} records missing or too many, uncounted")
sys.exit(1 if silent else 0)
