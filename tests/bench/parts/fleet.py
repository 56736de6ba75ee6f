"""What a fleet takes of a collector (tests/bench/fleet, tests/bench/monday): runs build/bench/bench_fleet, looks at the collector's and the
database's processes at each slice, and says what the model of tests/bench/capacity says of the same. One line of JSON on standard output.

  fleet.py --pid PID [--database PID] --engine NAME --socket SOCK --store DIR [--costs FILE] -- BENCH replay|storm ...
  fleet.py --at-rest RESULT --engine NAME --store DIR [--database-bytes N] [--costs FILE]     when the collector has ended"""
import argparse
import importlib.machinery
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

HZ = os.sysconf("SC_CLK_TCK")


def capacity():
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "capacity")
    loader = importlib.machinery.SourceFileLoader("capacity", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("capacity", loader))
    loader.exec_module(module)
    return module


def ticks(pid, whole):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15 if whole else 13]))


def cpu_s(pid):
    """Of a process and those that it started, also those that have ended."""
    if not pid:
        return 0.0
    n = ticks(pid, True)
    for child in subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, encoding="utf-8", check=False).stdout.split():
        try:
            n += ticks(int(child), False)
        except FileNotFoundError:
            pass
    return n / HZ


def resident(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def status(sock):
    return json.loads(subprocess.run(["curl", "-sf", "--max-time", "30", "--unix-socket", sock, "http://localhost/admin/status"],
                                     stdout=subprocess.PIPE, check=True).stdout)


def tree_bytes(path):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(path) for f in files)


class Fleet:
    def __init__(self, a):
        self.a = a
        self.module = capacity()
        self.costs = None
        if a.costs:
            with open(a.costs, encoding="utf-8") as f:
                self.costs = self.module.costs_of(json.load(f))
        self.cpu = (cpu_s(a.pid), cpu_s(a.database))
        self.slices = []
        self.commits = status(a.socket)["store"]["commits"]

    def look(self):
        cpu = cpu_s(self.a.pid), cpu_s(self.a.database)
        took = cpu[0] - self.cpu[0], cpu[1] - self.cpu[1]
        self.cpu = cpu
        return took

    def predicted(self, row):
        """Processor seconds of the collector and of the database for what a row says was done."""
        return self.module.cpu_of_work(self.costs, self.a.engine, row["segments"], row["records"], row["requests"], row["commits"],
                                       row["handshakes"])

    def slice(self, row):
        row["cpu_s"], row["database_cpu_s"] = self.look()
        now = status(self.a.socket)
        row["commits"], self.commits = now["store"]["commits"] - self.commits, now["store"]["commits"]
        row["connections"], row["resident"], row["lag"] = now["connections"]["now"], resident(self.a.pid), now["log"]["index_lag"]
        self.slices.append(row)

    def median(self, what):
        """The median of measured/predicted over slices in which the fleet worked all the time."""
        values = [v for v in map(what, self.slices[:-1] or self.slices) if v is not None]
        return round(statistics.median(values), 2) if values else None

    def ratios(self, row):
        whole = self.predicted(row)

        def cpu(which):
            return lambda s: s[("cpu_s", "database_cpu_s")[which]] / self.predicted(s)[which] if self.predicted(s)[which] > 0.05 else None

        def memory(s):
            return s["resident"] / (self.costs["resident_mib"] * 2**20 + s["connections"] * self.costs["bytes_a_connection"])
        out = {"predicted_cpu_s": round(whole[0], 2), "cpu_ratio": round(row["cpu_s"] / whole[0], 2), "cpu_ratio_median": self.median(cpu(0)),
               "memory_ratio_median": self.median(memory)}
        if self.a.engine == "postgresql" and whole[1]:
            out.update(predicted_database_cpu_s=round(whole[1], 2), database_cpu_ratio=round(row["database_cpu_s"] / whole[1], 2),
                       database_cpu_ratio_median=self.median(cpu(1)))
        return out


    def run(self, command):
        seen = {}
        with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as p:
            try:
                for line in p.stdout:
                    row = json.loads(line)
                    if "slice" in row:
                        self.slice(row)
                        continue
                    row["cpu_s"], row["database_cpu_s"] = self.look()
                    now = status(self.a.socket)["store"]["commits"]
                    row["commits"], self.commits = now - self.commits, now
                    if self.slices and row["all"] == "acknowledged":
                        # What was done behind the last slice: the counts are of all.
                        row["cpu_s"] += sum(s["cpu_s"] for s in self.slices)
                        row["database_cpu_s"] += sum(s["database_cpu_s"] for s in self.slices)
                        row["commits"] += sum(s["commits"] for s in self.slices)
                    seen[row["all"]] = row
                    if row["all"] == "acknowledged":
                        return seen, self.lag(row)
            finally:
                p.terminate()
        sys.exit("bench_fleet ended by itself")

    def lag(self, row):
        """Until the index is whole."""
        began = time.monotonic()
        row["index_lag"] = status(self.a.socket)["log"]["index_lag"]
        while status(self.a.socket)["log"]["index_lag"]:
            time.sleep(0.05)
        row["index_whole_after_s"] = round(row["seconds"] + time.monotonic() - began, 2)
        took = self.look()
        row["cpu_s"] += took[0]
        row["database_cpu_s"] += took[1]
        return row


def at_rest(a):
    """Of a collector that has ended: what all that came takes, and what the model says of it."""
    with open(a.at_rest, encoding="utf-8") as f:
        row = json.load(f)
    if a.engine == "files":
        row["evidence_bytes"] = sum(tree_bytes(os.path.join(a.store, d)) for d in ("log", "packs"))
        row["index_bytes"] = tree_bytes(os.path.join(a.store, "index"))
    else:
        row["database_bytes"] = a.database_bytes
    if a.costs:
        module = capacity()
        with open(a.costs, encoding="utf-8") as f:
            costs = module.costs_of(json.load(f))
        p, own = module.predict_bytes(costs, row["segments_in_all"], row["records_in_all"]), costs["postgresql"]["bytes"]
        if a.engine == "files":
            row.update(evidence_ratio=round(row["evidence_bytes"] / p["evidence"], 2), index_ratio=round(row["index_bytes"] / p["index"], 2))
        else:
            row["database_bytes_ratio"] = round(row["database_bytes"] / (
                row["segments_in_all"] * own["segment"] + row["records_in_all"] * own["record"]), 2)
    print(json.dumps(row))


def since(done, before):
    """Counts run from the start; what belongs to the last phase alone."""
    if before:
        for k in ("segments", "records", "bytes", "requests", "handshakes", "known", "slowed", "broken"):
            done[k] -= before[k]
    return done


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--at-rest", metavar="RESULT")
    ap.add_argument("--database-bytes", type=int)
    ap.add_argument("--pid", type=int)
    ap.add_argument("--database", type=int)
    ap.add_argument("--engine", required=True)
    ap.add_argument("--socket")
    ap.add_argument("--store", required=True)
    ap.add_argument("--costs")
    ap.add_argument("command", nargs="*")
    a = ap.parse_args()
    if a.at_rest:
        at_rest(a)
        return
    fleet = Fleet(a)
    seen, done = fleet.run(a.command)
    in_all = {"segments_in_all": done["segments"], "records_in_all": done["records"]}
    done = since(done, seen.get("caught up"))
    out = {"engine": a.engine, "what": a.command[1], "pcs": int(a.command[5])}
    if "there" in seen:
        out["there_s"] = seen["there"]["seconds"]
    for k, v in done.items():
        if k != "all":
            out[k] = round(v, 2) if isinstance(v, float) else v
    out["segments_s"] = round(done["segments"] / done["seconds"], 1)
    out["memory_most_mib"] = round(max([s["resident"] for s in fleet.slices] or [resident(a.pid)]) / 2**20, 1)
    out["connections_most"] = max([s["connections"] for s in fleet.slices] or [0])
    if fleet.costs:
        out.update(fleet.ratios(done))
    out.update(in_all)
    out["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
