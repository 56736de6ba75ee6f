"""Copies made in every way, and what must be told of them.

copies.py act WORK DISK      makes them with real programs, and prints what was done: a line of JSON for each file made
copies.py check DONE RECORDS holds the recorder's records against that
copies.py life WORK STORE    asks sekishoctl for the life of a file that was copied, renamed, and copied again

DISK is a mounted btrfs, or "-". Each act is a process of its own.
"""
import json
import os
import shutil
import subprocess
import sys
import time

EXACT, STRONG, LIKELY = "exact", "strong", "likely"
done = []


def fill(path, size, seed=1):
    with open(path, "wb") as f:
        f.write((b"%08d" % seed * (size // 8 + 1))[:size])
    return path


def copied(name, source, copy, certainty, *reasons, whole=True):
    """`copy` was made from `source`: sizes and file ids are looked at now, by the file system's own word."""
    to = os.stat(copy)
    done.append({"act": name, "source": source, "copy": copy, "certainty": certainty, "reasons": reasons, "size": to.st_size,
                 "inode": to.st_ino, "whole": whole})


def nothing(name, *copies):
    for copy in copies:
        done.append({"act": name, "copy": copy})


def run(*argv, **more):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, **more)


def python(program, *argv):
    """A process of its own, so that no act's reads are another's sources."""
    run(sys.executable, "-c", "import os, sys\n" + program, *argv)


READ_WRITE = """
a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
while data := os.read(a, 10000):
    os.write(b, data)
"""


def exact(at):
    for name, call in (("sendfile", "os.sendfile(b, a, None, 7000)"), ("copy-file-range", "os.copy_file_range(a, b, 7000)")):
        a, b = fill(f"{at}/{name}-a", 60000), f"{at}/{name}-b"
        offset = "0" if name == "sendfile" else ""
        if name == "sendfile":
            program = "n = 0\nwhile k := os.sendfile(b, a, n, 7000):\n    n += k\n"
        else:
            program = f"while {call}:\n    pass\n"
        python("a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\n" + program, a, b)
        copied(name, a, b, EXACT, name)
    a, b = fill(f"{at}/splice-a", 60000), f"{at}/splice-b"
    python("a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\n"
           "r, w = os.pipe()\nwhile n := os.splice(a, w, 7000):\n    assert os.splice(r, b, n) == n\n", a, b)
    copied("splice", a, b, EXACT, "splice")
    # two sources, one copy
    a, a2, b = fill(f"{at}/two-a", 5000), fill(f"{at}/two-a2", 6000), f"{at}/two-b"
    python("b = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT)\nfor p, n in ((sys.argv[1], 5000), (sys.argv[2], 6000)):\n"
           "    assert os.copy_file_range(os.open(p, os.O_RDONLY), b, n) == n\n", a, a2, b)
    copied("two sources", a, b, EXACT, "copy-file-range", whole=False)
    copied("two sources", a2, b, EXACT, "copy-file-range", whole=False)
    # begun under another name
    a, b = fill(f"{at}/renamed-a", 9000), f"{at}/renamed-b"
    python("a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2] + '.part', os.O_WRONLY | os.O_CREAT)\n"
           "os.sendfile(b, a, 0, 9000)\nos.close(b)\nos.rename(sys.argv[2] + '.part', sys.argv[2])\n", a, b)
    copied("renamed", a, b, EXACT, "sendfile")
    # what somebody writes into the pipe beside is no file's
    a, b = fill(f"{at}/mixed-a", 9001), f"{at}/mixed-b"
    python("a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\nr, w = os.pipe()\n"
           "os.write(w, b'x' * 500)\nos.splice(a, w, 100)\nassert os.splice(r, b, 700) == 600\n", a, b)
    nothing("mixed pipe", b)


def programs(at, disk):
    a = fill(f"{at}/plain-a", 70000)
    run("cp", a, f"{at}/cp-b")
    copied("cp", a, f"{at}/cp-b", None, "copy-file-range", "reflink", "same-size")
    with open(f"{at}/sparse-a", "wb") as f:
        f.truncate(300000)
        f.seek(100000)
        f.write(b"data" * 5000)
    run("cp", "--sparse=always", f"{at}/sparse-a", f"{at}/sparse-b")
    copied("cp --sparse", f"{at}/sparse-a", f"{at}/sparse-b", None, "same-size", "copy-file-range", whole=False)
    a = fill(f"{at}/cat-a", 50123)
    run("sh", "-c", 'exec cat "$1" >"$2"', "sh", a, f"{at}/cat-b")
    copied("cat", a, f"{at}/cat-b", None, "same-size", "copy-file-range")
    a = fill(f"{at}/dd-a", 50124)
    run("dd", f"if={a}", f"of={at}/dd-b", "bs=4096", stderr=subprocess.DEVNULL)
    copied("dd", a, f"{at}/dd-b", STRONG, "same-size")
    if shutil.which("gio"):
        a = fill(f"{at}/gio-a", 80001)
        run("gio", "copy", a, f"{at}/gio-b")
        copied("gio copy", a, f"{at}/gio-b", EXACT, "splice", "copy-file-range", "reflink")
    if shutil.which("rsync"):
        os.mkdir(f"{at}/rsync-to")
        a = fill(f"{at}/rsync-report.xlsx", 80002)
        run("rsync", "-a", a, f"{at}/rsync-to/")
        copied("rsync", a, f"{at}/rsync-to/rsync-report.xlsx", LIKELY, "same-size-family")
    if disk != "-":
        a = fill(f"{disk}/reflink-a", 90000)
        run("cp", "--reflink=always", a, f"{disk}/reflink-b")
        copied("cp --reflink", a, f"{disk}/reflink-b", EXACT, "reflink")
        a = fill(f"{at}/moved-a", 90001)
        run("mv", a, f"{disk}/moved-b")
        copied("mv", a, f"{disk}/moved-b", None, "same-size", "copy-file-range")


def inferred(at):
    a, b = fill(f"{at}/inferred-a", 40001), f"{at}/inferred-b"
    python(READ_WRITE, a, b)
    copied("read, write", a, b, STRONG, "same-size")
    for first in ("a", "b"):
        a, b = fill(f"{at}/{first}-first-a", 40002 + ord(first)), f"{at}/{first}-first-b"
        python(READ_WRITE + f"os.close({first})\n", a, b)
        copied(f"{first} closed first", a, b, STRONG, "same-size")
    # many of one size, one behind the other: each has its own source
    for i in range(20):
        fill(f"{at}/many-{i}", 8192, i)
    python("for i in range(20):\n    sys.argv[1:] = [f'{sys.argv[-1]}', f'{sys.argv[-1]}']\n"
           "    a, b = os.open(f'{sys.argv[-1]}{i}', os.O_RDONLY), os.open(f'{sys.argv[-1]}{i}-copy', os.O_WRONLY | os.O_CREAT)\n"
           "    os.write(b, os.read(a, 10000))\n    os.close(b)\n    os.read(a, 1)\n    os.close(a)\n", f"{at}/many-")
    for i in range(20):
        copied("many", f"{at}/many-{i}", f"{at}/many-{i}-copy", STRONG, "same-size")
    # a name for the while, by a program that saves with care
    a, b = fill(f"{at}/careful-a", 40003), f"{at}/careful-b"
    python(READ_WRITE.replace("sys.argv[2]", "sys.argv[2] + '~new'") + "os.fsync(b)\nos.close(b)\n"
           "os.rename(sys.argv[2] + '~new', sys.argv[2])\n", a, b)
    copied("careful", a, b, STRONG, "same-size")
    # few bytes, and another name: as may be
    a, b = fill(f"{at}/small-a", 41), f"{at}/small-b"
    python(READ_WRITE, a, b)
    copied("small", a, b, LIKELY, "same-size")
    # which of two it was nobody can say
    a, a2, b = fill(f"{at}/either-a", 40005), fill(f"{at}/either-a2", 40005, 2), f"{at}/either-b"
    python("x = [os.open(p, os.O_RDONLY) for p in sys.argv[1:3]]\ny = [os.read(f, 50000) for f in x]\n"
           "os.write(os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT), y[0])\n", a, a2, b)
    done.append({"act": "either", "copy": b, "sources": [a, a2], "certainty": LIKELY, "reasons": ["same-size"],
                 "size": 40005, "inode": os.stat(b).st_ino, "count": 2})
    # the same size, and not the same bytes: as sure as a size can be, and never exact
    a, b = fill(f"{at}/other-a", 40006), f"{at}/other-b"
    python("d = os.read(os.open(sys.argv[1], os.O_RDONLY), 50000)\n"
           "os.write(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), bytes(len(d)))\n", a, b)
    copied("other content", a, b, STRONG, "same-size")


def packed(at):
    folder = f"{at}/papers"
    os.mkdir(folder)
    names = [fill(f"{folder}/{i}.dat", 1000 + i, i) for i in range(30)]
    for name, argv in (("tar", ["tar", "cf"]), ("tar.gz", ["tar", "czf"]), ("zip", ["zip", "-qr"])):
        if not shutil.which(argv[0]):
            continue
        run(*argv, f"{at}/packed.{name}", "papers", cwd=at)
        for source in names:
            copied(name, source, f"{at}/packed.{name}", LIKELY, "archive", whole=False)


def saved(at):
    save = ("d = os.read(os.open(sys.argv[1], os.O_RDONLY), 90000)\n"
            "f = os.open(sys.argv[2] + '.lu7k.tmp', os.O_WRONLY | os.O_CREAT)\nos.write(f, d[:20000])\nos.close(f)\n"
            "os.rename(sys.argv[2] + '.lu7k.tmp', sys.argv[2])\n")
    a = fill(f"{at}/save.ods", 30000)
    python(save, a, f"{at}/saved.xlsx")
    copied("save as", a, f"{at}/saved.xlsx", LIKELY, "save-as", whole=False)
    python(save, a, f"{at}/saved.pdf")
    copied("export", a, f"{at}/saved.pdf", LIKELY, "export", whole=False)
    # saved again under its own name
    python(save, a, a)
    nothing("saved again", a)


def unrelated(at):
    a, b = fill(f"{at}/unrelated-a", 50001), f"{at}/unrelated-b"
    python("os.read(os.open(sys.argv[1], os.O_RDONLY), 60000)\n"
           "os.write(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), b'y' * 40000)\n", a, b)
    nothing("unrelated", b)
    os.mkdir(f"{at}/grep")
    for i in range(1000):
        fill(f"{at}/grep/{i}", 500 + i, i)
    run("sh", "-c", 'cd "$1" && exec grep -rl 00000017 grep >grep-log', "sh", at)
    nothing("grep", f"{at}/grep-log")
    # written first, read later
    a, b = fill(f"{at}/later-a", 50002), f"{at}/later-b"
    python("f = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\nos.write(f, b'z' * 50002)\nos.close(f)\n"
           "os.read(os.open(sys.argv[1], os.O_RDONLY), 60000)\n", a, b)
    nothing("read later", b)
    a = fill(f"{at}/sed", 50003)
    run("sed", "-i", "s/1/2/g", a)
    nothing("sed -i", a)


def life(at):
    """a -> b, b becomes c, c -> d; another b; another copy of a."""
    a, b, c, d = (f"{at}/life-{x}" for x in "abcd")
    fill(a, 60001)
    python(READ_WRITE, a, b)
    copied("life", a, b, None, "same-size", whole=False)
    # the record waits for a second for a name for the while: this one is not that
    time.sleep(4)
    os.rename(b, c)
    python("a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\nos.sendfile(b, a, 0, 99999)\n", c, d)
    copied("life", c, d, EXACT, "sendfile")
    time.sleep(4)
    run("sh", "-c", 'echo other >"$1"', "sh", b)
    run("cp", a, f"{at}/life-e")
    copied("life", a, f"{at}/life-e", None, "copy-file-range", "reflink", "same-size")
    # f is another file before it is copied to g; h is another one once it was deleted.
    f, g, h = (f"{at}/life-{x}" for x in "fgh")
    run("sh", "-c", 'echo former >"$1"; rm "$1"', "sh", f)
    time.sleep(4)
    fill(f, 60002)
    python("a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\nos.sendfile(b, a, 0, 99999)\n", f, g)
    copied("life", f, g, EXACT, "sendfile")
    time.sleep(4)
    os.rename(g, h)
    time.sleep(4)
    os.unlink(h)
    time.sleep(1)
    run("sh", "-c", 'echo later >"$1"', "sh", h)


def trail(at, store, what):
    out = subprocess.run(["sekishoctl", "trail", "--json", "--store", store, what], check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]


def check_life(at, store):
    a, b, c, d, e = (f"{at}/life-{x}" for x in "abcde")
    inode = str(os.stat(c).st_ino)
    wrong = []
    d_rows = trail(at, store, d)
    device = next(r["device"] for r in d_rows if r["kind"] == "copy")
    for what in (c, d, f"{device}/{inode}"):
        rows = trail(at, store, what)
        told = [(r["kind"], r["path"], r.get("path2")) for r in rows]
        for need in (("copy", b, a), ("rename", b, c), ("copy", d, c), ("file", d, None), ("file", b, None)):
            if need not in told:
                wrong.append(f"{what}: {need} is missing: {told}")
        if any(e in t for t in told):
            wrong.append(f"{what}: another copy of what it was made from: {told}")
        if sum(r["kind"] == "file" and r["path"] == b and "created" in r.get("flags", []) for r in rows) != 1:
            wrong.append(f"{what}: another file of that name: {told}")
        if [r["time"] for r in rows] != sorted(r["time"] for r in rows) or len({r["row"] for r in rows}) != len(rows):
            wrong.append(f"{what}: not in order, each once: {told}")
    told = [(r["kind"], r["path"], r.get("path2")) for r in trail(at, store, a)]
    for need in (("copy", b, a), ("rename", b, c), ("copy", d, c), ("copy", e, a)):
        if need not in told:
            wrong.append(f"{a}: {need} is missing: {told}")
    f, g, h = (f"{at}/life-{x}" for x in "fgh")
    rows = trail(at, store, g)
    told = [(r["kind"], r["path"], r.get("path2")) for r in rows]
    for need in (("copy", g, f), ("rename", g, h), ("unlink", h, None)):
        if need not in told:
            wrong.append(f"{g}: {need} is missing: {told}")
    for name in (f, h):
        if sum(r["kind"] == "file" and r["path"] == name and "created" in r.get("flags", []) for r in rows) > (name == f):
            wrong.append(f"{g}: another file of the name {name}: {told}")
    if ("unlink", f, None) in told:
        wrong.append(f"{g}: what happened to another file: {told}")
    if trail(at, store, "1:1/1") or trail(at, store, "0" * 64) or trail(at, store, f"{at}/no-such"):
        wrong.append("the life of nothing")
    if wrong:
        sys.exit("\n".join(wrong))


def act(at, disk):
    exact(at)
    programs(at, disk)
    inferred(at)
    packed(at)
    saved(at)
    unrelated(at)
    life(at)
    for d in done:
        print(json.dumps(d))


def check(done_path, records_path):
    wanted = [json.loads(line) for line in open(done_path)]
    records = [r for r in map(json.loads, open(records_path)) if "header" not in r]
    copies = [r for r in records if r["kind"] == "copy"]
    wrong = []
    left = list(copies)
    for w in wanted:
        got = [r for r in copies if r["path"] == w["copy"]]
        if "certainty" not in w:
            if got:
                wrong.append(f"{w['act']}: nothing was copied, and told is {got}")
            continue
        sources = w.get("sources", [w.get("source")])
        got = [r for r in got if r["path2"] in sources]
        if len(got) != 1:
            wrong.append(f"{w['act']}: {len(got)} records of {w}: {[r for r in copies if r['path'] == w['copy']]}")
            continue
        r = got[0]
        left.remove(r)
        kernel = r["reason"] in ("copy-file-range", "sendfile", "splice", "reflink")
        if r["reason"] not in w["reasons"] or (w["certainty"] or r["certainty"]) != r["certainty"] or \
                kernel != (r["certainty"] == EXACT):
            wrong.append(f"{w['act']}: wanted {w['certainty']} by {w['reasons']}, told is {r['certainty']} by {r['reason']}")
        if r["size"] != w["size"] or r["inode"] != w["inode"] or not r["from_inode"] or not r["from_device"] or \
                not r["from_class"] or r.get("count") != w.get("count"):
            wrong.append(f"{w['act']}: {r} is not {w}")
        if w.get("whole") and kernel and r["written"] != w["size"]:
            wrong.append(f"{w['act']}: {r['written']} bytes of {w['size']}")
        if not r["program"] or "user" not in r or "time" not in r:
            wrong.append(f"{w['act']}: nobody did it: {r}")
    folder = os.path.dirname(next(w["copy"] for w in wanted if w["act"] == "sendfile"))
    for r in left:
        if r["certainty"] != LIKELY and r["path"].startswith(folder):
            wrong.append(f"nobody copied this: {r}")
    if wrong:
        sys.exit("\n".join(wrong))
    by = {}
    for r in copies:
        key = f"{r['certainty']} {r['reason']}"
        by[key] = by.get(key, 0) + 1
    print(", ".join(f"{n} {key}" for key, n in sorted(by.items())))


if __name__ == "__main__":
    {"act": act, "check": check, "life": check_life}[sys.argv[1]](*sys.argv[2:])
