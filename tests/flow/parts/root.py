"""What root does to the agent of this PC, and how it is seen: a table of acts, records and alerts.

root.py CTL BEAT PROGRAM=PID... is started by root where quickstart has set up a collector and an agent without systemd, whose heartbeat is
BEAT seconds and whose rules of silence wait for less than three of them. Every act is one that works; what is asked of the agent is that the
collector has a signed record of it, or misses somebody and says so, within three heartbeats: by the time that stands in the alert, which the
collector's herald has signed, and not by when this program came to look. Prints the table as Markdown, what it measured to standard error,
and ends with 1 where something was done unseen or told later. What the acts broke is put right again.
"""
import ctypes
import datetime
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

CTL, BEAT = sys.argv[1], int(sys.argv[2])
PIDS = {name: int(pid) for name, pid in (a.split("=") for a in sys.argv[3:])}
# What the sentence says; and how long this waits for an alert that comes later, to say when.
BEATS, PATIENCE = 3, 3 * BEAT + 60
SPOOL, GUARD = "/var/spool/sekisho/recorder", "/var/lib/sekisho/guard"
LIBC = ctypes.CDLL(None, use_errno=True)
BPF_LINK_DETACH, BPF_OBJ_GET = 34, 7


def log(*options):
    out = subprocess.run([CTL, "log", "--json", *options], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(what, found, patience=PATIENCE):
    end = time.monotonic() + patience
    while True:
        got = found()
        if got:
            return got
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.3)


def start(name, *options):
    """As quickstart does."""
    path = f"/usr/local/sbin/sekisho-{name}"
    with open(f"/var/log/sekisho/sekisho-{name}.log", "ab") as out:
        p = subprocess.Popen([path, *options], stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    PIDS[name] = p.pid
    until(f"{name} runs", lambda: status(name).get("pid") == p.pid)
    with open(f"/run/sekisho/sekisho-{name}.pid", "w") as f:
        f.write(f"{p.pid}\n")


def end(name, how=signal.SIGTERM):
    pid = PIDS[name]
    os.kill(pid, how)
    until(f"{name} ends", lambda: not alive(pid))


def status(name):
    try:
        with open(f"/run/sekisho/{name}.json") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def looked():
    """The guard has looked at what is ours, and its word is in the log: a beat later."""
    os.kill(PIDS["guard"], signal.SIGHUP)


def bpf(command, attributes):
    room = ctypes.create_string_buffer(attributes, 128)
    return LIBC.syscall(321, command, room, 128)


def detach(path):
    where = ctypes.create_string_buffer(path.encode())
    fd = bpf(BPF_OBJ_GET, ctypes.addressof(where).to_bytes(8, "little"))
    if fd < 0 or bpf(BPF_LINK_DETACH, fd.to_bytes(4, "little")) < 0:
        raise OSError(ctypes.get_errno(), path)
    os.close(fd)


def at(record, field="time"):
    """A time of a record, as it was signed: seconds."""
    return datetime.datetime.fromisoformat(record[field].replace("Z", "+00:00")).timestamp()


class Act:
    """What is done, and the record and the alert that have to tell of it. What is done may say when it was, where it began with a wait."""

    def __init__(self, words, do, record, alert, undo=None, check=None):
        self.words, self.do, self.record, self.alert, self.undo, self.check = words, do, record, alert, undo, check
        self.seen, self.in_log, self.late = "", None, False

    def begin(self, alerts):
        self.before, self.alerts = {json.dumps(r, sort_keys=True) for r in self.found()}, alerts
        began = time.time()
        done = self.do()
        self.at = done if isinstance(done, float) else began

    def found(self):
        kind, facts = self.record
        return [r for r in log("--kind", kind) if all(f(r.get(k)) if callable(f) else r.get(k) == f for k, f in facts.items())]

    def told(self):
        """Alerts of its rule that were not there before its round: one may stand for several acts of a second."""
        return [a for a in log("--kind", "alert") if a.get("rule") == self.alert and json.dumps(a, sort_keys=True) not in self.alerts]

    def fresh(self):
        return [r for r in self.found() if json.dumps(r, sort_keys=True) not in self.before]

    def look(self):
        """Is it in the log by now, and told? When, by the collector."""
        if self.seen or not (fresh := self.fresh()):
            return
        self.in_log = self.in_log or time.time()
        if not (told := self.told()):
            return
        if self.check:
            self.check(fresh[0])
        # The alert of this very record; else another's, and that this one was in the log by then is known from looking.
        own = [a for a in told if a in fresh or a.get("created") == fresh[0]["time"]]
        took = min(at(a) for a in own) if own else max(min(at(a) for a in told), self.in_log)
        beats = (took - self.at) / BEAT
        self.seen, self.late = self.record[0], beats > BEATS
        print(f"{self.words}: {took - self.at:.1f} s, {beats:.2f} heartbeats{'' if own else ', with others'}", file=sys.stderr)


def ends_with(what):
    return lambda v: isinstance(v, str) and v.endswith(what)


# --- acts ---

AGENT_CONF, INSPECT, DEVICE_KEY = "/etc/sekisho/agent.conf", "/usr/local/sbin/sekisho-inspect", "/var/lib/sekisho/device/device.key"


def edit_settings():
    with open(AGENT_CONF, "a") as f:
        f.write("debug = no\n")


def replace_program():
    shutil.copy2(INSPECT, "/root/sekisho-inspect.was")
    with open("/root/sekisho-inspect.other", "wb") as f:
        f.write(open(INSPECT, "rb").read() + b"\0")
    os.chmod("/root/sekisho-inspect.other", 0o755)
    os.rename("/root/sekisho-inspect.other", INSPECT)


def put_program_back():
    shutil.move("/root/sekisho-inspect.was", INSPECT)


def same_hash(record):
    assert record["hash"] == hashlib.sha256(open(INSPECT, "rb").read()).hexdigest(), record


def unpin():
    pins = sorted(glob.glob("/sys/fs/bpf/sekisho-egress/*"))
    assert pins
    os.unlink(pins[0])


def parent(pid):
    try:
        return int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def door():
    """Who answers for protected files: the guard's child's child that hears of opens."""
    kept = [int(p) for p in os.listdir("/proc") if p.isdigit() and parent(parent(p)) == PIDS["guard"]]
    doors = [p for p in kept if any("fanotify" in os.path.realpath(fd) for fd in glob.glob(f"/proc/{p}/fd/*"))]
    assert len(doors) == 1, (kept, doors)
    return doors[0]


def refused_again():
    until("protected files are refused again", lambda: (status("guard").get("protected_files") or {}).get("refused_by") == "fanotify")


def waiting():
    return sorted(glob.glob(f"{SPOOL}/*.seg"))


def remove_waiting():
    """While the uplink is held: what it has not sent is taken away."""
    os.kill(PIDS["uplink"], signal.SIGSTOP)
    # What was there may be with the collector already, and only its answer was not taken.
    before = set(waiting())
    until("segments wait", lambda: len(set(waiting()) - before) >= 2)
    os.unlink(next(s for s in waiting() if s not in before))
    done = time.time()
    os.kill(PIDS["uplink"], signal.SIGCONT)
    return done


def end_door():
    refused_again()
    done = time.time()
    os.kill(door(), signal.SIGKILL)
    return done


def forget_list():
    end("guard", signal.SIGKILL)
    os.unlink(f"{GUARD}/own.json")
    start("guard")


def signalled(name):
    return lambda: end(name)


def sent_by_us(record):
    assert record["pid"] == os.getpid() and record["operation"] == "signal", record


SILENT = lambda name: ("alert", {"rule": "silent-program", "text": ends_with(f": {name}")})
OPEN = ("posture", {"check": "protected-files", "state": "weak"})
OWN = lambda path, operation: ("own-file", {"path": path, "operation": operation})


def rounds():
    """Acts of a round do not touch each other."""
    yield [
        Act("hold the recorder (SIGSTOP)", lambda: os.kill(PIDS["recorder"], signal.SIGSTOP), SILENT("recorder"), "silent-program",
            lambda: os.kill(PIDS["recorder"], signal.SIGCONT)),
        Act("hold who refuses protected files to others (SIGSTOP)", lambda: os.kill(door(), signal.SIGSTOP), OPEN, "protected-files-open",
            refused_again),
        Act("end the print gate (SIGKILL)", lambda: end("print", signal.SIGKILL), SILENT("print"), "silent-program", lambda: start("print")),
        Act("write to the settings", lambda: (edit_settings(), looked()), OWN(AGENT_CONF, "changed"), "agent-changed"),
        Act("put another program in the place of one", lambda: (replace_program(), looked()), OWN(INSPECT, "changed"), "agent-changed",
            put_program_back, same_hash),
        Act("remove an object from the kernel's file system", lambda: (unpin(), looked()), OWN("/sys/fs/bpf/sekisho-egress", "gone"),
            "agent-changed"),
        Act("take the PC's key away", lambda: (os.rename(DEVICE_KEY, "/root/device.key"), looked()), OWN(DEVICE_KEY, "gone"), "agent-changed",
            lambda: shutil.move("/root/device.key", DEVICE_KEY)),
        Act("detach the gate from the kernel", lambda: detach(glob.glob("/sys/fs/bpf/sekisho-gate/*open_e*")[0]), ("proof", {"text": lambda t: "not hold" in (t or "")}),
            "enforcement-lost", lambda: subprocess.run(["/usr/local/sbin/sekisho-load", "--only", "gate"], check=True, capture_output=True)),
    ]
    yield [
        Act("end the recorder (SIGTERM)", signalled("recorder"), ("recorder-stop", {}), "agent-stopped", lambda: start("recorder"), sent_by_us),
        Act("end the guard (SIGTERM)", signalled("guard"), ("guard-stop", {}), "agent-stopped", lambda: start("guard"), sent_by_us),
        Act("end the print gate (SIGTERM)", signalled("print"), ("print-stop", {}), "agent-stopped", lambda: start("print"), sent_by_us),
    ]
    yield [
        Act("remove a segment that waits to be sent", remove_waiting, ("gap", {}), "records-missing"),
        Act("end who refuses protected files to others (SIGKILL)", end_door, OPEN,
            "protected-files-open", refused_again),
    ]
    yield [Act("forget what the guard knows of our files, while it does not run", forget_list, ("own-files", {"operation": "begun"}),
               "agent-list-lost")]
    yield [Act("hold the uplink (SIGSTOP): the network is cut", lambda: os.kill(PIDS["uplink"], signal.SIGSTOP),
               ("alert", {"rule": "vanished-pc"}), "vanished-pc", lambda: os.kill(PIDS["uplink"], signal.SIGCONT))]


bad = False
print("| root | seen by | alert |\n| --- | --- | --- |")
for acts in rounds():
    alerts = {json.dumps(a, sort_keys=True) for a in log("--kind", "alert")}
    for act in acts:
        act.begin(alerts)
    end_by = time.monotonic() + PATIENCE
    while not all(act.seen for act in acts) and time.monotonic() < end_by:
        for act in acts:
            act.look()
        time.sleep(0.2)
    for act in reversed(acts):
        if act.undo:
            act.undo()
    for act in acts:
        bad |= not act.seen or act.late
        print(f"| {act.words} | {act.seen or 'NOT SEEN'} | {act.alert}{' LATE' if act.late else ''} |", flush=True)
sys.exit(bad)
