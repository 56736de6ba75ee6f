"""The power goes while a producer seals: spool_power.py TMP STATES SEED.

One producer runs under strace. Of its system calls come disks as a power cut may leave them (power_disk.py), the open segment's
pages of any age among them. On each a producer starts again, in another boot. What was sealed is there, byte for byte; no record
is there twice; where a record that was taken is missing, the segment behind the hole says that something may be (flag `cut`).

Then the same where the key is away: nothing is sealed, and what the producer was to seal at once is there nevertheless when the
key is back, boots later, in segments that name the boot it is of.
"""
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys

from power_disk import STRACE, Disk, choose

TMP, WANTED, SEED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
SPOOL, KEY, PUBLIC = (os.path.join(TMP, x) for x in ("spool", "device.key", "device.pub"))
FIRST, AGAIN = 400, 60
CUT = 32
PAGE = 4096


def in_boot(boot, argv):
    """In a boot of its own: its number is another's."""
    path = os.path.join(TMP, "boot_id")
    with open(path, "w") as f:
        f.write("%08x-0000-4000-8000-000000000000\n" % boot)
    script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, path] + argv


def produce(boot, first, count, trace=None, away=False):
    """What it told. The lines go through a socket: so the trace has their places among the calls."""
    ours, theirs = socket.socketpair()
    argv = in_boot(boot, (STRACE + [trace] if trace else []) + ["spool-power", SPOOL, KEY, str(first), str(count)] +
                   (["away"] if away else []))
    p = subprocess.Popen(argv, stdout=theirs, stderr=subprocess.PIPE)
    theirs.close()
    with ours.makefile("r") as f:
        lines = f.read().splitlines()
    ours.close()
    said = p.stderr.read().decode()
    if p.wait():
        raise SystemExit("FAILED: the producer ended with %d: %s" % (p.returncode, said))
    return lines


def segments():
    folder = os.path.join(SPOOL, "recorder")
    out = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".seg"):
            with open(os.path.join(folder, name), "rb") as f:
                out[int(name[:20])] = f.read()
    return out


def judged():
    """Headers and the numbers of their records; signatures and chain are checked on the way."""
    p = subprocess.run(["spool-json", os.path.join(SPOOL, "recorder"), PUBLIC], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        raise SystemExit("FAILED: the spool is not in order: " + p.stderr.decode())
    out = []
    for line in p.stdout.splitlines():
        r = json.loads(line)
        if "header" in r:
            out.append((r["header"], []))
        else:
            out[-1][1].append(r["count"])
    return out


class Facts:
    """The lines that were on their way before a call."""

    def __init__(self, disk, lines):
        self.at = [i for i, op in enumerate(disk.log) if op[1] == "sent"]
        if len(self.at) != len(lines):
            raise SystemExit("FAILED: %d lines, %d writes of them were seen" % (len(lines), len(self.at)))
        self.lines = [line.split() for line in lines]

    def before(self, point):
        known = [line for at, line in zip(self.at, self.lines) if at < point]
        sealed = [int(x[1]) for x in known if x[0] == "sealed"]
        put = [int(x[1]) for x in known if x[0] == "put"]
        pages = [bytes.fromhex(x[2]) for x in known if x[0] == "put"]
        return sealed[-1] if sealed else -1, put[-1] if put else -1, pages


def age_pages(path, pages, dice, held=False):
    """The mapped file as the disk may have it: each page as it was at some time; `held`: since it was written through."""
    if not os.path.exists(path) or not pages:
        return
    with open(path, "r+b") as f:
        size = os.fstat(f.fileno()).st_size
        for at in range(0, min(size, max(map(len, pages))), PAGE):
            if not held and dice.random() < 0.3:
                continue
            of = pages[-1] if dice.random() < 0.5 else dice.choice(pages)
            f.seek(at)
            f.write(of[at:at + PAGE].ljust(min(PAGE, size - at), b"\0"))


def check(sealed, put, made):
    got = judged()
    if got[0][0]["seq"] != 0:
        raise SystemExit("FAILED: the chain does not begin with its first segment")
    here = segments()
    for seq, data in made.items():
        numbers = made_numbers[seq]
        if numbers and max(numbers) <= sealed and here.get(seq) != data:
            raise SystemExit("FAILED: segment %d was sealed, and is not there" % seq)
    numbers = [n for _, ns in got for n in ns]
    if len(numbers) != len(set(numbers)) or numbers != sorted(numbers):
        raise SystemExit("FAILED: twice, or out of order: %s" % numbers)
    old = [n for n in numbers if n < 100000]
    if old != list(range(len(old))):
        raise SystemExit("FAILED: a hole among the old ones: %s" % old)
    if max(old, default=-1) < sealed:
        raise SystemExit("FAILED: %d was sealed, the last one there is %d" % (sealed, max(old, default=-1)))
    first_new = next(h for h, ns in got if any(n >= 100000 for n in ns))
    if max(old, default=-1) < put and not first_new["flags"] & CUT:
        raise SystemExit("FAILED: %d was taken, %d is the last one there, and nothing says so: flags %d"
                         % (put, max(old, default=-1), first_new["flags"]))
    return max(old, default=-1) < put


subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", KEY], check=True,
               stderr=subprocess.DEVNULL)
with open(PUBLIC, "wb") as f:
    f.write(subprocess.run(["openssl", "pkey", "-in", KEY, "-pubout", "-outform", "DER"], check=True,
                           stdout=subprocess.PIPE).stdout)
os.mkdir(SPOOL)
disk = Disk(SPOOL)
trace = os.path.join(TMP, "trace")
lines = produce(1, 0, FIRST, trace)
disk.read(trace)
facts = Facts(disk, lines)
made = segments()
made_numbers = {h["seq"]: ns for h, ns in judged()}
if len(made) < 30 or len(disk.points()) < 300:
    raise SystemExit("FAILED: too little was seen of the run: %d segments, %d calls" % (len(made), len(disk.log)))
dice = random.Random(SEED)
lost = 0
for n, (point, way) in enumerate(choose(disk, WANTED, SEED)):
    shutil.rmtree(SPOOL)
    disk.lay_out(disk.after_cut(point, way, dice), SPOOL)
    sealed, put, pages = facts.before(point)
    age_pages(os.path.join(SPOOL, "recorder.own", "open"), pages, dice)
    try:
        produce(2 + n, 100000, AGAIN)
        lost += check(sealed, put, made)
    except SystemExit as e:
        print("disk %d: before call %d of %d, %s; sealed up to %d, taken up to %d" % (n, point, len(disk.log), way, sealed, put))
        raise e
if not lost:
    raise SystemExit("FAILED: nothing was ever lost: the cuts are too kind to test anything")
print("  - %d calls, %d disks; on %d of them what was open was lost, and said so" % (len(disk.log), WANTED, lost))


def held_pages(pages, put):
    """The open segment as it was since it was written through last, and the last record of then: none of before is on the disk."""
    says = [struct.unpack_from("<I", p, 4)[0] for p in pages]
    used = [struct.unpack_from("<I", p, 16)[0] for p in pages]
    if not says or not says[-1]:
        return -1, []
    held = max(n for n, u in zip(put, used) if u <= says[-1])
    if held < max(n for n in put if n % 11 == 7):
        raise SystemExit("FAILED: %d is held, of %s" % (held, put))
    return held, pages[says.index(says[-1]):]


shutil.rmtree(SPOOL)
os.mkdir(SPOOL)
produce(1000, 0, AGAIN)
disk = Disk(SPOOL)
lines = produce(1001, AGAIN, FIRST, trace, away=True)
disk.read(trace)
facts = Facts(disk, lines)
made, made_numbers, lost, middle = {}, {}, 0, 0
for n, (point, way) in enumerate(choose(disk, WANTED, SEED)):
    shutil.rmtree(SPOOL)
    disk.lay_out(disk.after_cut(point, way, dice), SPOOL)
    _, put, pages = facts.before(point)
    told = [int(x[1]) for x in facts.lines if x[0] == "put" and int(x[1]) <= put]
    held, since = held_pages(pages, told)
    age_pages(os.path.join(SPOOL, "recorder.own", "open"), since or pages, dice, held=bool(since))
    boots = 2000 + 10 * n
    try:
        # Every other time it is away for two more boots, the first of which ends in order.
        more = n % 2 * [100000, 200000]
        for i, first in enumerate(more):
            produce(boots + i, first, AGAIN, away=True)
        produce(boots + 5, 300000, AGAIN)
        got = judged()
        numbers = [x for _, ns in got for x in ns]
        if numbers != sorted(set(numbers)):
            raise SystemExit("FAILED: twice, or out of order: %s" % numbers)
        old = [x for x in numbers if x < 100000]
        if old != list(range(len(old))) or old[-1] < max(held, AGAIN - 1):
            raise SystemExit("FAILED: %d was held, the last one there is %d" % (held, old[-1]))
        for first in more + [300000]:
            if [x for x in numbers if first <= x < first + 100000] != list(range(first, first + AGAIN)):
                raise SystemExit("FAILED: of those from %d on some are not there: %s" % (first, numbers))
        of = {x: h for h, ns in got for x in ns}
        boot_of = [of[x]["boot"] for x in [0] + old[AGAIN:AGAIN + 1] + more + [300000]]
        if len(set(boot_of)) != len(boot_of):
            raise SystemExit("FAILED: boots %s" % boot_of)
        behind = of[(more + [300000])[0]]
        first_sealed = next(h for h, ns in got if any(x >= 300000 for x in ns))
        if old[-1] < put and not any(h["flags"] & CUT for h in (behind, first_sealed)):
            raise SystemExit("FAILED: %d was taken, %d is the last one there, and nothing says so" % (put, old[-1]))
        lost += old[-1] < put
        middle += bool(more)
    except SystemExit as e:
        print("disk %d, the key away: before call %d of %d, %s; held up to %d, taken up to %d" % (n, point, len(disk.log), way, held, put))
        raise e
if not lost:
    raise SystemExit("FAILED: nothing that was not held was ever lost: the cuts are too kind to test anything")
print("  - the key away: %d calls, %d disks; what was to be sealed at once was there on all, on %d after two more boots without it; "
      "on %d of them later records were lost, and said so" % (len(disk.log), WANTED, middle, lost))
