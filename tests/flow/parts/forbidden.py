"""What each program of ours must not be able to do once it runs, tried from inside of it (tests/flow/inject.c): a table.

forbidden.py CTL INJECT ROOM PROGRAM=PID... prints the table as Markdown; with --once before CTL that of those that live for one thing
only: those of STARTED are started, and stopped where they have filtered their system calls; the wrapper of CUPS' backends is
started as CUPS has it wait; with --keeper SOCKET, and without
programs, that of the keeper in its unit, which has no filter of its own. With --units, alone or before --once, programs are those that
systemd runs: what lives for one thing is started in its unit, by a drop-in that has it wait, and logs are the journal's. ROOM is a folder of root's, for everybody to see, with a file in
it. The last act of each is to start a program, for which it is ended; before, what was refused has to be known by its name: in the
program's log, and in the log of records of those that seal. Ends with 1 where something was done that is not meant, or is not told.
"""
import contextlib
import json
import os
import socket
import subprocess
import sys
import time

UNITS = sys.argv[1] == "--units"
if UNITS:
    del sys.argv[1]
ONCE = sys.argv[1] == "--once"
KEEPER = sys.argv[2] if sys.argv[1] == "--keeper" else None
FIRST = 1 + ONCE + 2 * bool(KEEPER)
CTL, INJECT, ROOM = sys.argv[FIRST:FIRST + 3]
PROGRAMS = dict(a.split("=") for a in sys.argv[FIRST + 3:])
BIN = os.path.dirname(CTL)
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

# What is started for the table of those that live for one thing.
TOKEN = (subprocess.run([CTL, "token", "create"], check=True, capture_output=True, text=True).stdout.split() if ONCE else [""])[-1]
STARTED = {
    "inspect": [f"{BIN}/../sbin/sekisho-inspect", "show", f"{ROOM}/file"],
    "posture": [f"{BIN}/../sbin/sekisho-posture", "--print"],
    "report": ["/usr/bin/setpriv", "--reuid=sekisho-console", "--regid=sekisho-console", "--init-groups", f"{BIN}/sekishoctl-report", "report",
               "--scheduled"],
    # Nobody answers there, and none gets as far.
    "enrol": [f"{BIN}/sekishoctl", "enrol", "https://localhost:1", TOKEN],
    "uplink-enrol": [f"{BIN}/../sbin/sekisho-uplink", "enrol", "--collector", "https://localhost:1", TOKEN],
    "timestamp": ["/usr/bin/setpriv", "--reuid=sekisho-herald", "--regid=sekisho-herald", "--init-groups", f"{BIN}/sekishoctl", "timestamp"],
    "load": [f"{BIN}/../sbin/sekisho-load", "--only", "gate"],
    "sleep": [f"{BIN}/../sbin/sekisho-guard", "sleep"],
}
# In which unit each of them is; by which user, the unit says.
UNIT_OF = {"posture": "posture", "report": "report", "enrol": "enrol", "uplink-enrol": "enrol", "timestamp": "timestamp", "load": "load", "sleep": "sleep"}
if UNITS:
    STARTED = {p: words[words[0].endswith("setpriv") and 4:] for p, words in STARTED.items() if p in UNIT_OF}
MEANT[("oidc", "make a socket to the network")] = NETWORK
MEANT[("posture", "read the key that certifies sealing keys")] = "seals"
for once in ("enrol", "uplink-enrol", "timestamp"):
    MEANT[(once, "make a socket to the network")] = NETWORK
# The first writes nothing, and starts the second, under its own filter, with all that this may: root's files.
MEANT[("enrol", "start a program")] = NETWORK
for once in ("enrol", "uplink-enrol", "load"):
    for act in ("make a file in a folder of root's", "remove a file of root's", "read /etc/shadow", "read the key that certifies sealing keys",
                "read the key that signs the log", "signal another program"):
        MEANT[(once, act)] = ROOT
MEANT[("load", "read another's memory")] = ROOT
for once in ("enrol", "uplink-enrol"):
    MEANT[(once, "set all user ids to 0")] = ROOT
# Root without any capability: what is root's own by its owner.
for act in ("make a file in a folder of root's", "remove a file of root's", "read /etc/shadow", "read the key that certifies sealing keys",
            "signal another program"):
    MEANT[("sleep", act)] = ROOT
# Without an address of what is asked for, it is let through and comes back.
MEANT[("load", "measure other programs (perf_event_open)")] = NETWORK
# The wrapper has no filter of ours, since it becomes CUPS's backend, which would have it too: what any program of CUPS may is not asked.
CUPS, CUPS_MAY = "CUPS backend", "as CUPS's own"
WRAPPER = ["/usr/bin/setpriv", "--reuid=lp", "--regid=lp", "--clear-groups", "/opt/sekisho/cups/notifier/sekisho"]
OF_CUPS = ("make a socket to the network", "set the clock", "measure other programs (perf_event_open)", "use keys in the kernel (keyctl)",
           "take another's descriptor (pidfd_getfd)", "use io_uring", "start a program")


def make_file():
    with open(f"{ROOM}/file", "w", encoding="utf-8"):
        pass


def systemctl(*words):
    return subprocess.run(["systemctl", *words], check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def held_in_unit(program):
    """The process of this unit that becomes the program as soon as it is let go; its unit has time until this ends."""
    unit = f"sekisho-{UNIT_OF[program]}.service"
    part = f"/run/systemd/system/{unit}.d"
    os.makedirs(part, exist_ok=True)
    with open(f"{part}/held.conf", "w", encoding="utf-8") as f:
        f.write("[Unit]\nConditionPathExists=\n[Service]\nRestart=no\nTimeoutStartSec=infinity\nExecCondition=\nExecStart=\n"
                f"ExecStart=/bin/sh -c 'kill -STOP $$$$; exec {' '.join(STARTED[program])}'\n")
    try:
        systemctl("daemon-reload")
        systemctl("restart", "--no-block", unit)
        end = time.monotonic() + 180
        while True:
            pid = systemctl("show", "-P", "MainPID", unit)
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                    if pid != "0" and f.read().rpartition(")")[2].split()[0] == "T":
                        break
            except FileNotFoundError:
                pass
            if time.monotonic() > end:
                sys.exit(f"{unit} does not start: {systemctl('show', unit)}")
            time.sleep(0.1)
        yield pid
    finally:
        os.unlink(f"{part}/held.conf")
        os.rmdir(part)
        systemctl("daemon-reload")


def all_at_once(program):
    """Every act, by one process that is started for it."""
    make_file()
    lines = "".join(" ".join(words) + "\n" for words in ACTS.values())
    with held_in_unit(program) if UNITS else contextlib.nullcontext() as pid:
        how = ["follow", pid] if UNITS else ["after", *STARTED[program]]
        out = subprocess.run([INJECT, *how], input=lines, check=True, capture_output=True, text=True).stdout
    return dict(zip(ACTS, out.split(), strict=True))


def attempt(program, act):
    make_file()
    out = subprocess.run([INJECT, PROGRAMS[program], *ACTS[act]], check=True, capture_output=True, text=True).stdout.strip()
    if os.path.exists(f"{ROOM}/made"):
        os.unlink(f"{ROOM}/made")
    return out


def log_of(program):
    if UNITS:
        return subprocess.run(["journalctl", "-b", "-o", "cat", "-u", f"sekisho-{program}"], check=True, capture_output=True, text=True).stdout
    with open(f"/var/log/sekisho/sekisho-{program}.log", encoding="utf-8") as f:
        return f.read()


def not_told():
    """Programs of which nobody knows yet that they tried to set the clock."""
    out = subprocess.run([CTL, "log", "--json", "--kind", "call-refused"], check=True, capture_output=True, text=True).stdout
    told = {r["program"] for r in map(json.loads, out.splitlines()) if r["operation"] == "clock_settime"}
    left = {f"sekisho-{p}" for p in PROGRAMS if p != "uplink"} - told  # the uplink seals nothing
    for p in PROGRAMS:
        if "refused the system call clock_settime" not in log_of(p):
            left.add(f"the log of sekisho-{p}")
    return left


def table_of_all():
    """Long-lived programs; before the last act, what was refused has to be known."""
    ok = True
    for act in ACTS:
        end = time.monotonic() + 180
        while act == "start a program" and not_told():
            if time.monotonic() > end:
                print(f"not told: {not_told()}", file=sys.stderr)
                ok = False
                break
            time.sleep(0.2)
        ok &= line(act, {p: attempt(p, act) for p in PROGRAMS})
    return ok


def table_of_once():
    said = {p: all_at_once(p) for p in STARTED}
    if UNITS:
        said |= {p: {act: attempt(p, act) for act in ACTS} for p in PROGRAMS}
        return all([line(act, {p: said[p][act] for p in said}) for act in ACTS])
    wrapper = subprocess.Popen(WRAPPER, stdin=subprocess.PIPE)
    PROGRAMS[CUPS] = str(wrapper.pid)
    while os.readlink(f"/proc/{wrapper.pid}/exe") != WRAPPER[-1]:
        time.sleep(0.1)
    for p in PROGRAMS:
        said[p] = {act: CUPS_MAY if p == CUPS and act in OF_CUPS else attempt(p, act) for act in ACTS}
    wrapper.stdin.close()
    wrapper.wait()
    return all([line(act, {p: said[p][act] for p in said}) for act in ACTS])


MEANT[("keeper", "read the key that certifies sealing keys")] = NETWORK
for meant in ("read /etc/shadow", "read the key that signs the log", "signal another program"):
    MEANT[("keeper", meant)] = ROOT


def is_keeper(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("/sekisho-keeper")
    except OSError:
        return False


def table_of_keeper():
    """A keeper for each act, which waits for what it is to do."""
    ok = True
    for act in ACTS:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(KEEPER)
            while not (there := [p for p in os.listdir("/proc") if p.isdigit() and is_keeper(p)]):
                time.sleep(0.1)
            PROGRAMS["keeper"] = there[0]
            ok &= line(act, {"keeper": attempt("keeper", act)})
        while is_keeper(there[0]):
            time.sleep(0.1)
    return ok


def line(act, said):
    """One act of all programs, as a row. False where something was done that is not meant."""
    ok, row = True, []
    for program, came in said.items():
        came = "done" if came == "EFAULT" else came
        meant = (program, act) in MEANT
        if (came == "done" and not meant) or (act == "start a program" and not meant and came not in ("killed", CUPS_MAY, "EACCES")):
            print(f"sekisho-{program} could: {act}", file=sys.stderr)
            ok = False
        row.append(f"done: {MEANT.get((program, act), 'NOT MEANT')}" if came == "done" else came)
    print(f"| {act} | " + " | ".join(row) + " |", flush=True)
    return ok


columns = ["keeper"] if KEEPER else [*STARTED, *PROGRAMS, *([] if UNITS else [CUPS])] if ONCE else PROGRAMS
WORDS = "in its unit" if KEEPER else ", ".join(["once"] * ONCE + ["in their units"] * UNITS)
print("| " + (WORDS and WORDS + " ") + "| " + " | ".join(columns) + " |")
print("| --- |" + " --- |" * len(columns))
sys.exit(0 if (table_of_keeper() if KEEPER else table_of_once() if ONCE else table_of_all()) else 1)
