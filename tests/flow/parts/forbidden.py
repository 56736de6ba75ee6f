"""What each program of ours must not be able to do once it runs, tried from inside of it (tests/flow/inject.c): a table.

forbidden.py CTL INJECT ROOM PROGRAM=PID... prints the table as Markdown. ROOM is a folder of root's, for everybody to see, with a file in
it. The last act of each is to start a program, for which it is ended; before, what was refused has to be known by its name: in the
program's log, and in the log of records of those that seal. Ends with 1 where something was done that is not meant, or is not told.
"""
import json
import os
import subprocess
import sys
import time

CTL, INJECT, ROOM = sys.argv[1:4]
PROGRAMS = dict(a.split("=") for a in sys.argv[4:])
HERE = "-100"  # AT_FDCWD

# In words, and as system calls of x86-64.
ACTS = {
    "set all user ids to 0": ["117", "0", "0", "0"],
    "make a file in a folder of root's": ["257", HERE, f"s:{ROOM}/made", "0x41", "0600"],
    "remove a file of root's": ["263", HERE, f"s:{ROOM}/file", "0"],
    "read /etc/shadow": ["257", HERE, "s:/etc/shadow", "0"],
    "read the key that certifies sealing keys": ["257", HERE, "s:/var/lib/sekisho/device/device.key", "0"],
    "read the key that signs the log": ["257", HERE, "s:/var/lib/sekisho-collector/log.key", "0"],
    "read another's memory": ["257", HERE, "s:/proc/1/mem", "0"],
    "signal another program": ["62", "1", "0"],
    "make a socket to the network": ["41", "2", "1", "0"],
    "make a raw socket": ["41", "17", "3", "0x0300"],
    "set the clock": ["227", "0", "0"],
    "change the PC's name": ["170", f"s:{ROOM}", "4"],
    "measure other programs (perf_event_open)": ["298", "0", "0", "-1", "-1", "0"],
    "use keys in the kernel (keyctl)": ["250", "0", "-3", "1"],
    "take another's descriptor (pidfd_getfd)": ["438", "0", "0", "0"],
    "use io_uring": ["425", "1", "0"],
    "start a program": ["59", "s:/bin/true", "0", "0"],
}
NETWORK, ROOT = "its work", "is root, with few capabilities"
MEANT = {(p, "make a socket to the network"): NETWORK for p in ("uplink", "collector", "console", "herald")}
MEANT[("recorder", "read the key that certifies sealing keys")] = "seals"
MEANT[("collector", "read the key that signs the log")] = NETWORK
for gate in ("guard", "print"):
    for act in ("set all user ids to 0", "make a file in a folder of root's", "remove a file of root's", "read /etc/shadow",
                "read the key that certifies sealing keys", "read the key that signs the log", "read another's memory",
                "signal another program"):
        MEANT[(gate, act)] = ROOT


def attempt(program, act):
    if not os.path.exists(f"{ROOM}/file"):
        open(f"{ROOM}/file", "w").close()
    out = subprocess.run([INJECT, PROGRAMS[program], *ACTS[act]], check=True, capture_output=True, text=True).stdout.strip()
    if os.path.exists(f"{ROOM}/made"):
        os.unlink(f"{ROOM}/made")
    return out


def not_told():
    """Programs of which nobody knows yet that they tried to set the clock."""
    out = subprocess.run([CTL, "log", "--json", "--kind", "call-refused"], check=True, capture_output=True, text=True).stdout
    told = {r["program"] for r in map(json.loads, out.splitlines()) if r["operation"] == "clock_settime"}
    left = {f"sekisho-{p}" for p in PROGRAMS if p != "uplink"} - told  # the uplink seals nothing
    for p in PROGRAMS:
        with open(f"/var/log/sekisho/sekisho-{p}.log") as f:
            if "refused the system call clock_settime" not in f.read():
                left.add(f"the log of sekisho-{p}")
    return left


bad = 0
print("| | " + " | ".join(PROGRAMS) + " |")
print("| --- |" + " --- |" * len(PROGRAMS))
for act in ACTS:
    row = []
    end = time.monotonic() + 180
    while act == "start a program" and not_told():
        if time.monotonic() > end:
            print(f"not told: {not_told()}", file=sys.stderr)
            bad = 1
            break
        time.sleep(0.2)
    for program in PROGRAMS:
        said = attempt(program, act)
        if said == "done" and (program, act) not in MEANT:
            print(f"sekisho-{program} could: {act}", file=sys.stderr)
            bad = 1
        if act == "start a program" and said != "killed":
            bad = 1
        row.append(f"done: {MEANT.get((program, act), 'NOT MEANT')}" if said == "done" else said)
    print(f"| {act} | " + " | ".join(row) + " |", flush=True)
sys.exit(bad)
