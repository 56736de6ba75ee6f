"""One right record of each act: acts_check.py RECORDS WORK URING BOXED KILLED. KILLED: the process that killed itself. See tests/flow/acts.c for what each act does."""
import json
import sys

lines = [json.loads(line) for line in open(sys.argv[1])]
work, uring, boxed, killed = sys.argv[2], sys.argv[3] == "yes", sys.argv[4] == "yes", int(sys.argv[5])
records = [r for r in lines if "header" not in r]
acts = [r for r in records if r.get("program", "").endswith("/acts")]
BYTES = 5000
wrong = []


def flags(r):
    return set(r.get("flags", []))


def find(kind, path=None, among=acts, **facts):
    want = {"kind": kind, **facts}
    if path is not None:
        want["path"] = f"{work}/{path}"
    return [r for r in among if all(r.get(k) == v for k, v in want.items())]


def one(what, got, test=lambda r: True):
    good = [r for r in got if test(r)]
    if len(good) != 1 or len(got) != 1:
        wrong.append(f"{what}: {len(got)} records, {len(good)} right: {json.dumps(got)[:1500]}")
        return {}
    return good[0]


def used(path, *has, **facts):
    return one(f"file {path} {has} {facts}", [r for r in find("file", path) if set(has) <= flags(r)],
               lambda r: all(r.get(k) == v for k, v in facts.items()))


# create is done twice: under the first filter, and again after a bad one was refused
created = [r for r in find("file", "create") if "wrote" in flags(r)]
if len(created) != 2:
    wrong.append(f"create: {created}")
for r in created:
    if r["written"] != BYTES or r["size"] != BYTES or r["class"] not in ("fixed", "memory") or not r["inode"]:
        wrong.append(f"create: {r}")
    for fact in ("pid", "start", "uid", "user", "program", "parents", "device", "fs", "time", "boot_time", "duration"):
        if fact not in r:
            wrong.append(f"create lacks {fact}: {r}")
if created and "created" not in flags(created[0]):
    wrong.append(f"create: {created[0]}")

used("read", "created", written=BYTES)
one("read", [r for r in find("file", "read") if r["read"]], lambda r: r["read"] == 1234 and "read" in flags(r) and not r["written"])
used("append", "created", written=BYTES)
one("append", [r for r in find("file", "append") if "created" not in flags(r)], lambda r: r["written"] == 1000 and r["size"] == 6000)
used("writev", "created", written=650)
used("mmap", "created", "mmap-write")
used("sendfile", "created", "splice", written=BYTES)
used("copy_file_range", "created", written=BYTES)
used("splice", "created", "splice", written=BYTES)
one("inherited", find("file", "inherited"), lambda r: r["written"] == 100 and "created" in flags(r))
one("tmpfile", [r for r in acts if r["kind"] == "file" and "tmpfile" in flags(r)], lambda r: r["written"] == BYTES)
one("tmpfile's name", [r for r in acts if r["kind"] == "link" and f"{work}/tmpfile" in (r.get("path"), r.get("path2"))])
if uring:
    one("io_uring", find("file", "io_uring"), lambda r: "io-uring" in flags(r) and r.get("size") == BYTES)

# tracepoints see a name as the caller wrote it, not the inode behind it
tracepoints = any(r["kind"] == "recorder-start" and r["probe_set"] == "tracepoint" for r in records)
one("rename", find("rename", "rename"),
    lambda r: r["path2"] == f"{work}/rename-new" and (tracepoints or r.get("inode")))
one("exchange", find("rename", "exchange"), lambda r: r["path2"] == f"{work}/exchange-other" and "exchange" in flags(r))
one("link", find("link", "link"), lambda r: r["path2"] == f"{work}/link-new")
one("symlink", find("symlink", "symlink"), lambda r: r["path2"] == "symlink-target")
one("unlink", find("unlink", "unlink"))
one("unlink by its whole path", find("unlink", "by-path", records), lambda r: r.get("class") in ("fixed", "memory") and r.get("fs"))
one("mkdir", find("mkdir", "mkdir"))
one("rmdir", find("rmdir", "rmdir"))
one("truncate", find("truncate", "truncate"), lambda r: r.get("size") == 10)
one("chmod", find("chmod", "chmod"), lambda r: r["mode"] == "0600")
one("chown", find("chown", "chown"), lambda r: r["new_uid"] == 12 and r["new_gid"] == 34)
one("mount", find("mount", "mount"), lambda r: r.get("fs") == "tmpfs" and r.get("class") == "memory")
one("inside", find("file", "mount/inside"), lambda r: r["class"] == "memory" and r["written"] == BYTES)
one("umount", find("umount", "mount"))

exits = [r for r in acts if r["kind"] == "exit" and r.get("exit_code") == 42]
one("exit", exits, lambda r: r["duration"] > 0)
execs = [r for r in records if r["kind"] == "exec"]
for act in ("rename", "exit"):
    one(f"exec {act}", [r for r in execs if r.get("args", "").split("\n")[1:] == [work, act]],
        lambda r: r["program"].endswith("/acts") and r.get("cwd") and "/bash" in r.get("parents", ""))
one("script", [r for r in execs if r.get("script", "").endswith("script") and "an argument" in r.get("args", "")],
    lambda r: r["program"].endswith(("/sh", "/dash", "/bash")) and r["args"].split("\n")[-2:] == ["an argument", "two\\nlines"]
    and r["cwd"] == work and r["script"] == f"{work}/script")
one("by a program that is gone", find("file", "by-vanished", records),
    lambda r: r["program"] == f"{work}/vanished" and r["written"] == 17 and "/bash" in r["parents"])
if boxed:
    # named as on the PC, and whose it is there; what is nowhere there as in the container, told apart from a file of that name outside
    shell = ("/usr/bin/sh", "/usr/bin/dash")
    one("in a container", [r for r in records if r["kind"] == "file" and r["path"] == f"{work}/box/file"],
        lambda r: r["written"] == 6 and r.get("mnt_ns") and r["uid"] == 0 and r["pid"] > 2 and r["program"] in shell and "container-name" not in flags(r))
    one("a container's own", [r for r in records if r["kind"] == "file" and r["path"] == "/sekisho-box/own"],
        lambda r: r["written"] == 4 and r.get("mnt_ns") and r["uid"] == 0 and r["pid"] > 2 and r["program"] in shell and "container-name" in flags(r))
one("user change", [r for r in records if r["kind"] == "user-change" and r["target_uid"] == 12345],
    lambda r: r["uid"] == 0 and r["service"] == "setpriv")
one("killed", [r for r in records if r["kind"] == "exit" and r["pid"] == killed], lambda r: r.get("signal") == 9 and "python3" in r["program"])

for kind in ("login", "logout"):
    one(kind, [r for r in records if r["kind"] == kind], lambda r: r["user"] == "ann" and r["seat"] == "tty9" and r["pid"] == 4711)

one("start", [r for r in records if r["kind"] == "recorder-start"], lambda r: r["enforce"] == ("none" if tracepoints else "full"))
one("stop", [r for r in records if r["kind"] == "recorder-stop"])
if not any(r["kind"] == "mounted" and r["path"] == "/" for r in records):
    wrong.append("no record of the root file system, which was mounted before")
if not any(r["kind"] == "running" and r["program"].endswith("/bash") for r in records):
    wrong.append("no record of the shell that runs this test, which ran before")
elsewhere = [r for r in records if r["kind"] == "file" and not r["path"].startswith((work, "/sekisho-box/"))]
if elsewhere:
    wrong.append(f"files that the filter leaves out: {elsewhere[:3]}")
lost = [h["header"]["lost"] for h in lines if "header" in h and h["header"]["lost"]]
if lost:
    wrong.append(f"losses: {lost}")

for w in wrong:
    print(w)
print(f"{len(records)} records, {len(wrong)} wrong")
sys.exit(bool(wrong))
