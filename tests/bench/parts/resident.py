"""resident.py SECONDS PID...: memory of programs, each page counted once; what they do while they are looked at."""
import glob, json, struct, sys, time

PAGE = 4096
HERE, NUMBER = 1 << 63, (1 << 55) - 1  # of an entry of /proc/PID/pagemap


def pages(pid):
    """Page frames that the program has mapped, and of what: a file, [heap], a map of the kernel's."""
    out = {}
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            fields = line.split()
            begin, end = (int(x, 16) for x in fields[0].split("-"))
            if begin >> 47:
                continue  # the kernel's
            pagemap.seek(begin // PAGE * 8)
            what = fields[5] if len(fields) > 5 else ""
            for (entry,) in struct.iter_unpack("Q", pagemap.read((end - begin) // PAGE * 8)):
                if entry & HERE and entry & NUMBER:
                    out.setdefault(entry & NUMBER, what)
    return out


def did(pid):
    """Nanoseconds of a processor, and how often it began to wait."""
    ns = waits = 0
    for task in glob.glob(f"/proc/{pid}/task/*"):
        ns += int(open(task + "/schedstat").read().split()[0])
        waits += next(int(x.split()[1]) for x in open(task + "/status") if x.startswith("voluntary"))
    return ns, waits


def rollup(pid, what):
    return next(int(x.split()[1]) for x in open(f"/proc/{pid}/smaps_rollup") if x.startswith(what + ":"))


seconds, pids = float(sys.argv[1]), [int(x) for x in sys.argv[2:]]
before = {pid: did(pid) for pid in pids}
time.sleep(seconds)
after = {pid: did(pid) for pid in pids}
has = {pid: pages(pid) for pid in pids}
mib = lambda n: round(n * PAGE / (1 << 20), 1)
for pid in pids:
    rest = set().union(*(has[other] for other in pids if other != pid))
    print(json.dumps({
        "program": open(f"/proc/{pid}/comm").read().strip(),
        "mib": mib(len(has[pid])), "mib_no_other_has": mib(len(has[pid].keys() - rest)),
        "mib_private": round(rollup(pid, "Private_Dirty") / 1024, 1), "mib_pss": round(rollup(pid, "Pss") / 1024, 1),
        "processor_percent": round((after[pid][0] - before[pid][0]) / seconds / 1e7, 3),
        "waits_a_minute": round((after[pid][1] - before[pid][1]) * 60 / seconds, 1)}))
together = {}
for of in has.values():
    together.update(of)
print(json.dumps({"program": "all", "mib": mib(len(together)),
                  "mib_of_libraries": mib(sum(".so" in x for x in together.values())),
                  "mib_of_ring_buffer": mib(sum("bpf-map" in x for x in together.values()))}))
