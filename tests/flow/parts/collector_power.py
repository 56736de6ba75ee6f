"""The power goes while a collector works: collector_power.py STATES SEED.

One collector runs under strace while PCs enrol, post, renew and are revoked. Of its system calls come disks as a power cut may
leave them (power_disk.py). On each a collector is started again: what was answered before that moment must be so still.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import collector_pc as pc_of
from collector_pc import DOOR, STATE, GUARD, Member, ask, door, ec, same, token, true, until
from power_disk import STRACE, Disk, choose

TMP = os.environ["FLOW_TMP"]
CONF = os.environ["COLLECTOR_CONF"]


class Collector:
    def __init__(self, trace=None):
        self.log = open(os.path.join(TMP, "collector.log"), "ab")
        argv = ["sekisho-collector", "--config", CONF]
        # A group of its own: strace ends when what it traces does.
        self.process = subprocess.Popen((STRACE + [trace] if trace else []) + argv, stdout=self.log, stderr=self.log,
                                        start_new_session=True)

    def answers(self):
        if self.process.poll() is not None:
            raise SystemExit("FAILED: the collector ended with %d" % self.process.returncode)
        try:
            return door("/admin/status")
        except (OSError, ValueError):
            return None

    def end(self, how=signal.SIGKILL):
        try:
            os.killpg(self.process.pid, how)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()
        if os.path.exists(DOOR):
            os.unlink(DOOR)


class Facts:
    """What was answered, and when the answer was there."""

    def __init__(self):
        self.all = []

    def add(self, what, *facts):
        self.all.append((time.time(), what) + facts)

    def before(self, disk, point):
        """Those whose answers were on their way before call `point`."""
        out = []
        for fact in self.all:
            sent = [i for i, op in enumerate(disk.log) if op[1] == "sent" and op[0] <= fact[0]]
            if sent and sent[-1] < point:
                out.append(fact[1:])
        return out


def post(facts, pc, n, **more):
    sealed = pc.sealed(n, **more)
    for r, s in zip(pc.post(sealed), sealed):
        same(r["status"], "stored", "post")
        facts.add("stored", pc, s, r["index"])
    facts.add("seen", pc.seen)


def act(facts):
    """Some of everything that the collector promises something about."""
    first, second, third = Member("pc-1"), Member("pc-2"), Member("pc-3")
    line = token("pc-1")
    first.enrol(line)
    facts.add("enrolled", first)
    facts.add("used", line)
    post(facts, first, 3)
    open_line = token(valid=86400)
    facts.add("token", open_line)
    second.enrol()
    facts.add("enrolled", second)
    third.enrol()
    facts.add("enrolled", third)
    for n in range(4):
        post(facts, first, 1 + n)
        post(facts, second, 2)
        post(facts, third, 1, producer=GUARD)
    # The tree's first full tile: its partial forms go.
    for n in range(5):
        post(facts, second, 60, records=[])
    door("/admin/revoke", {"host": "pc-3", "reason": "lost"})
    facts.add("revoked", third)
    key = ec.generate_private_key(ec.SECP256R1())
    code, answer, _ = ask("/v1/renew", second.renewal(key), second.context)
    same(code, 200, "renewal: %s" % answer)
    before = second.context
    second.use(answer["certificate"], key)
    post(facts, second, 1)
    facts.add("renewed", second, before)
    post(facts, first, 2)
    until(lambda: door("/admin/status")["log"]["index_lag"] == 0, "the index")


def check(facts, all_facts):
    """Each promise that was made is kept, and what was not answered can be asked again."""
    seen = max((f[1] for f in facts if f[0] == "seen"), default=(0, None), key=lambda s: s[0])
    revoked = [f[1] for f in facts if f[0] == "revoked"]
    renewed = any(f[0] == "renewed" for f in facts)
    stored = [f for f in facts if f[0] == "stored"]
    for kind, pc in [f[:2] for f in facts if f[0] in ("enrolled", "revoked")]:
        pc.close()
        code, answer, _ = pc_of.ask("/v1/wait?follow=1&checkpoint=0", None, context_of(pc, renewed, all_facts))
        if kind == "enrolled" and pc not in revoked and code == 403 and answer["error"] == "revoked":
            continue  # was on its way when the power went
        same(code, 403 if pc in revoked else 200, "%s is %s: %s" % (pc.name, kind, answer))
    for f in facts:
        if f[0] == "used":
            same(Member("thief").enrol(f[1], status=403)["error"], "token", "a token that was used")
        if f[0] == "token":
            same(sum(t["id"] == f[1].split(".")[1] for t in door("/admin/tokens")["tokens"]), 1, "a token that was made")
    for pc in {f[1].name: f[1] for f in stored}.values():
        if pc in revoked or any(f[1] is pc for f in all_facts if f[1:2] == (pc,) and f[0] == "revoked"):
            continue
        again(pc, [f for f in stored if f[1] is pc], [f for f in all_facts if f[0] == "stored" and f[1] is pc], seen,
              context_of(pc, renewed, all_facts))


def context_of(pc, renewed, all_facts):
    """The PC's certificate; while its renewal was not over, it has two, and the one before is good until the other was used."""
    before = [f[2] for f in all_facts if f[0] == "renewed" and f[1] is pc]
    if not before or renewed:
        return pc.context
    code, answer, _ = pc_of.ask("/v1/wait?follow=1&checkpoint=0", None, before[0])
    return pc.context if code == 403 and answer["error"] == "unknown" else before[0]


def again(pc, stored, made, seen, context):
    """All that this PC ever sent, once more: known with the same place where it was answered so; each proof holds, and the log
    goes on from what was seen."""
    was, context_was, pc.seen = pc.seen, pc.context, seen
    pc.context = context
    pc.close()
    for i in range(0, len(made), 60):
        part = made[i:i + 60]
        for f, r in zip(part, pc.post([x[2] for x in part])):
            if any(f is x for x in stored):
                same((r["status"], r["index"]), ("known", f[3]), "%s: a segment that was acknowledged" % pc.name)
            else:
                true(r["status"] in ("known", "stored"), "%s: a segment that was not: %s" % (pc.name, r))
    pc.close()
    pc.seen, pc.context = was, context_was


def verified():
    """The auditor's command finds nothing."""
    out = subprocess.run(["sekishoctl", "verify", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    same(out.returncode, 0, "sekishoctl verify: %s" % out.stdout.decode())


def main(argv):
    wanted, seed = int(argv[1]), int(argv[2])
    disk, facts = Disk(STATE), Facts()
    trace = os.path.join(TMP, "trace")
    collector = Collector(trace)
    until(collector.answers, "the collector starts under strace", 120)
    act(facts)
    collector.end(signal.SIGTERM)
    disk.read(trace)
    true(len(disk.points()) > 300, "too little was seen of the run: %d calls" % len(disk.log))
    all_facts = [f[1:] for f in facts.all]
    dice = random.Random(seed)
    kept = 0
    for n, (point, way) in enumerate(choose(disk, wanted, seed)):
        shutil.rmtree(STATE)
        disk.lay_out(disk.after_cut(point, way, dice), STATE)
        promised = facts.before(disk, point)
        kept += len(promised)
        collector = Collector()
        try:
            until(collector.answers, "a collector starts", 60)
            check(promised, all_facts)
        except BaseException as e:
            print("state %d: before call %d of %d, %s; %d answers were given" % (n, point, len(disk.log), way, len(promised)))
            with open(os.path.join(TMP, "collector.log"), errors="replace") as f:
                print("".join(f.readlines()[-5:]))
            shutil.copytree(STATE, os.path.join(TMP, "left"), dirs_exist_ok=True)
            raise e
        finally:
            collector.end()
        if n % 8 == 7:
            verified()
    true(kept > wanted, "hardly anything was promised")
    print("  - %d calls, %d disks, %d promises kept" % (len(disk.log), wanted, kept))


main(sys.argv)
