"""What somebody without root tries against the agent on this PC: a table of what came of it.

staff.py INJECT PROGRAM=PID... is started by root and tries as nobody. Ends with 1 where something worked, or a program is gone.
"""
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys

INJECT = sys.argv[1]
PROGRAMS = {name: int(pid) for name, pid in (a.split("=") for a in sys.argv[2:])}
LIBC = ctypes.CDLL(None, use_errno=True)
NOBODY, BPF, UNSHARE, CLOCK_SETTIME, NEWUSER, NEWNS = 65534, 321, 272, 227, 0x10000000, 0x20000


def call(number, *args):
    if LIBC.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "")


def remove_below(folder):
    entries = os.listdir(folder)
    assert entries, f"{folder}: nothing to try it on"
    for entry in entries:
        os.unlink(f"{folder}/{entry}")


def be_root_in_a_namespace(then):
    """Where the kernel lets people make namespaces of their own."""
    call(UNSHARE, NEWUSER | NEWNS)
    then()


def inject(pid):
    if subprocess.run([INJECT, str(pid), "39"], capture_output=True).returncode:
        raise PermissionError(1, "")


def listen_instead(path):
    with socket.socket(socket.AF_UNIX) as s:
        os.unlink(path)
        s.bind(path)


EACH = {
    "end it (SIGKILL)": lambda pid: os.kill(pid, signal.SIGKILL),
    "stop it (SIGSTOP)": lambda pid: os.kill(pid, signal.SIGSTOP),
    "make calls in it (ptrace)": inject,
    "read its memory": lambda pid: open(f"/proc/{pid}/mem", "rb").close(),
    "see its descriptors": lambda pid: os.listdir(f"/proc/{pid}/fd"),
    "take its memory and files away (prlimit)": lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0)),
    "make it wait for everybody (setpriority)": lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
    "bind it to one processor": lambda pid: os.sched_setaffinity(pid, {0}),
    "have it ended first (oom_score_adj)": lambda pid: open(f"/proc/{pid}/oom_score_adj", "w").write("1000"),
    "end it from a user namespace": lambda pid: be_root_in_a_namespace(lambda: os.kill(pid, signal.SIGKILL)),
}
ONCE = {
    "remove records that wait": lambda: remove_below("/var/spool/sekisho/recorder"),
    "remove kernel programs": lambda: remove_below("/sys/fs/bpf/sekisho"),
    "remove the gate": lambda: remove_below("/sys/fs/bpf/sekisho-gate"),
    "load a kernel program": lambda: call(BPF, 5, ctypes.create_string_buffer(128), 128),
    "change what a program says of itself": lambda: open("/run/sekisho/guard.json", "w").close(),
    "remove what a program says of itself": lambda: os.unlink("/run/sekisho/guard.json"),
    "answer in the guard's place": lambda: listen_instead("/run/sekisho/guard.sock"),
    "change the settings": lambda: open("/etc/sekisho/agent.conf", "a").close(),
    "lay a policy into the inbox": lambda: open("/var/lib/sekisho/inbox/policy.new", "w").close(),
    "read the PC's key": lambda: open("/var/lib/sekisho/device/device.key", "rb").close(),
    "read the guard's state": lambda: os.listdir("/var/lib/sekisho/guard"),
    "set the clock": lambda: call(CLOCK_SETTIME, 0, ctypes.byref((ctypes.c_long * 2)(1, 0))),
    "start all anew, or stop it (sekisho-load --unload-gate)": lambda: subprocess.run(
        ["/usr/local/sbin/sekisho-load", "--unload-gate"], check=True, capture_output=True),
}


def tried(act, *args):
    """In a child that is nobody: what refused it, or "done"."""
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            act(*args)
            said = "done"
        except OSError as e:
            said = os.strerror(e.errno)
        except (subprocess.CalledProcessError, ValueError) as e:
            said = f"refused ({type(e).__name__})"
        except BaseException as e:  # the test's own mistake
            said = f"BROKEN {e}"
        os.write(here, said.encode())
        os._exit(0)
    os.close(here)
    os.waitpid(child, 0)
    with os.fdopen(there) as f:
        return f.read()


bad = False
print("| | " + " | ".join(PROGRAMS) + " |")
print("| --- |" + " --- |" * len(PROGRAMS))
for words, act in EACH.items():
    said = [tried(act, pid) for pid in PROGRAMS.values()]
    bad |= any(s == "done" or s.startswith("BROKEN") or not s for s in said)
    print(f"| {words} | " + " | ".join(said) + " |")
print("\n| | |\n| --- | --- |")
for words, act in ONCE.items():
    said = tried(act)
    bad |= said == "done" or said.startswith("BROKEN") or not said
    print(f"| {words} | {said} |", flush=True)
bad |= not all(os.path.exists(f"/proc/{pid}") for pid in PROGRAMS.values())
sys.exit(bad)
