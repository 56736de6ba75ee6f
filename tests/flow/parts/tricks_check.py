"""One right event of each trick: tricks_check.py EVENTS WORK DONE SET. See tests/flow/tricks.c for what each trick does."""
import json
import os
import sys

events = [json.loads(line) for line in open(sys.argv[1])]
work, probe_set = sys.argv[2], sys.argv[4]
done = set(open(sys.argv[3]).read().split())
lost = events.pop()["lost"]
wrong = []


def tidy(e, which):
    path = e.get(which, "")
    return os.path.normpath(path) if e.get("relative") and path else path


def of(kind, name):
    return [e for e in events if e["kind"] == kind and tidy(e, "path") == f"{work}/{name}"]


def files(name, *wanted, has=()):
    """Exactly these uses of a file, by the bytes that were written, and no more."""
    got = [e for e in of("file", name) if "held-open" not in e["flags"]]
    if sorted(e["written"] for e in got) != sorted(wanted) or not all(set(has) <= set(e["flags"]) for e in got):
        wrong.append(f"{name}: wanted {wanted} {has}, got {json.dumps(got)[:900]}")
    for e in got:
        if "not-last-close" in e["flags"] and "mmap-write" not in e["flags"]:
            wrong.append(f"{name}: its end was not seen: {e}")


def names(kind, *wanted):
    for name in wanted:
        if len(of(kind, name)) != 1:
            wrong.append(f"{kind} {name}: {of(kind, name)}")


def trick(name):
    return name in done


files("open-before", 5, has=["open-at-start"])
if trick("dup"):
    files("dup", 30, has=["created", "wrote"])
if trick("dup2"):
    files("dup2-gone", 30)
    files("dup2-stays", 41)
if trick("range"):
    files("range-a", 5)
    files("range-b", 6)
files("left-open", 50)
files("killed", 60)
if trick("exec-closes"):
    got = of("file", "exec-closes")
    if [e["written"] for e in got] != [70]:
        wrong.append(f"exec-closes: {got}")
files("exec-keeps", 88)
files("exec-fails", 99)
files("passed", 300)
got = of("file", "mapped")
if not any("mmap-write" in e["flags"] for e in got) or sum("created" in e["flags"] for e in got) != 1:
    wrong.append(f"mapped: {got}")
if trick("handle"):
    got = [e["written"] for e in of("file", "handle")]
    if got != [11, 12]:
        wrong.append(f"handle: {got}")
if trick("openat2"):
    files("openat2", 3, 13)
    if "truncated" not in of("file", "openat2")[-1]["flags"]:
        wrong.append(f"openat2 does not say that the file was cut: {of('file', 'openat2')}")
files("creat", 7, 0)
if "truncated" not in of("file", "creat")[-1]["flags"]:
    wrong.append(f"creat does not say that the file was cut: {of('file', 'creat')}")
if trick("clone") and not any("clone" in e["flags"] for e in of("file", "clone")):
    wrong.append(f"clone: {of('file', 'clone')}")
files("new\\nline", 1)
files("\\xff\\xfe", 2)
files("n" * 255, 3)
end = [e for e in events if e["kind"] == "file" and e["path"].endswith("/at-the-end")]
if len(end) != 1 or "path-cut" not in end[0]["flags"] or not 3800 < len(end[0]["path"]) <= 4096 or end[0]["written"] != 14:
    wrong.append(f"deep: {[(len(e['path']), e['flags']) for e in end]}")
files("moved-a/in/before", 15)
files("moved-b/in/after", 16)
files("moved-a/in/again", 17)
files("moved-c/in/third", 18)
names("unlink", "round/a", "round/b", "round/c")
if trick("bound"):
    files("bound-to/file", 19)
    files("bound-place", 2, 21)
    names("mount", "bound-to", "bound-place")
    names("umount", "bound-to", "bound-place")
    inside = of("file", "bound-to/file")
    if inside and inside[0]["mnt_ns"] == events[0]["mnt_ns"]:
        wrong.append(f"bound: the mount namespace is not told: {inside}")
if trick("jailed"):
    files("jail/usr/file", 22)
    names("unlink", "jail/usr/file")
memory = [e for e in events if e["kind"] == "exec" and e.get("args", "").startswith("tricks-from-memory")]
if len(memory) != 1 or "memfd" not in memory[0]["flags"] or "memfd:trick" not in memory[0]["program"]:
    wrong.append(f"memory: {memory}")
if trick("compat"):
    if probe_set == "tracepoint" and lost.get("compat") != 1:
        wrong.append(f"compat: {lost}")
    if probe_set == "trampoline":
        files("compat", 0, has=["created"])
if probe_set == "tracepoint" and os.uname().release.startswith("5.1"):
    if lost.pop("read-failed", 0) < 2 * trick("ring-direct") + 6 * trick("ring-names"):
        wrong.append(f"what rings did is not counted: {lost}")
    done -= {"ring-direct", "ring-names"}
if trick("ring-names"):
    names("mkdir", "ring-dir")
    names("link", "ring-a")
    names("symlink", "ring-s")
    names("rename", "ring-b")
    names("unlink", "ring-dir/c")
    names("rmdir", "ring-dir")
    if of("unlink", "ring-nothing"):
        wrong.append(f"ring-nothing was not there: {of('unlink', 'ring-nothing')}")
if trick("ring-direct"):
    got = of("file", "ring-direct")
    if [e["size"] for e in got if "size" in e] not in ([23], []) or len(got) != 1 or "wrote" not in got[0]["flags"]:
        wrong.append(f"ring-direct: {got}")
lost.pop("compat", None)
if lost:
    wrong.append(f"losses: {lost}")

for w in wrong:
    print(w)
print(f"{len(events)} events, {len(done)} tricks, {len(wrong)} wrong")
sys.exit(bool(wrong))
