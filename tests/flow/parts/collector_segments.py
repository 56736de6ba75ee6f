"""Scenario of 41-collector-segments."""
import os
import pickle
import subprocess
import sys
import time

import cbor2
from collector_pc import (GUARD, PEM, RECORDER, Epoch, Member, ask, door, ec, example_records, records, same, serialization,
                          sha256, spki, status, statuses, true, until)
from sekisho_verify import HANDOVER_AAD, SEGMENT_AAD, EPOCH_AAD
from sekisho_write import dumps, sign1

TMP = os.environ["FLOW_TMP"]
REJOIN = 16


def fixed(seg):
    seg.sent = seg.leaf()
    return seg


def forged(pc, change):
    """A segment that would follow, changed by `change`, and the chain as it was."""
    chain = list(pc.chains[RECORDER])
    seg = pc.seal(RECORDER, example_records())
    pc.chains[RECORDER] = chain
    return change(seg) or fixed(seg)


def set_header(**kv):
    def change(seg):
        seg.h.update({int(k[1:]): v for k, v in kv.items()})
    return change


def refusals(pc, other):
    """Each with a good segment before and behind it, which must be taken."""
    def flip(at):
        def change(seg):
            b = bytearray(fixed(seg).bytes(seg.sent))
            b[at(b)] ^= 1
            return bytes(b)
        return change

    def leaf_end(b):
        return 8 + int.from_bytes(b[4:8], "big") - 10

    def by_other_key(seg):
        seg.key = other.chains[RECORDER][2].key

    def in_our_name(seg):
        seg.cose = {"aad": SEGMENT_AAD, "kid": sha256(spki(seg.key.public_key()))[:8]}
        seg.key = other.chains[RECORDER][2].key

    def as_epoch(seg):  # signed for another purpose
        seg.cose = {"aad": EPOCH_AAD}

    def other_alg(seg):
        seg.cose = {"aad": SEGMENT_AAD, "alg": -7}

    def other_kid(seg):
        seg.cose = {"aad": SEGMENT_AAD, "kid": b"12345678"}

    def unknown_epoch(seg):
        seg.h[4] += 1

    def own_certificate(seg):  # a key that another device certified
        e = Epoch(pc, RECORDER, seg.h[4] + 1)
        e.cert = pc.certify(e, key=other.device)
        seg.h.update({4: e.number, 18: e.cert})
        seg.key = e.key

    def no_handover(seg):  # the certificate is good, the handover is not the predecessor's key's
        e = Epoch(pc, RECORDER, seg.h[4] + 7)
        seg.h.update({4: e.number, 18: e.cert, 19: sign1(e.key, HANDOVER_AAD, sha256(e.cert))})
        seg.key = e.key

    def other_body(seg):
        seg.sent = seg.leaf()
        seg.body = seg.body[:16] + seg.body[16:][::-1]

    def whole_other_body(seg):
        good = fixed(seg)
        return good.bytes(good.sent)[:-1] + bytes([good.body[-1] ^ 255])

    cases = [
        ("bad-signature", flip(leaf_end)), ("bad-epoch", by_other_key), ("bad-signature", in_our_name),
        ("bad-signature", as_epoch), ("bad-epoch", other_kid), ("bad-signature", other_alg),
        ("foreign", set_header(_1=other.host)), ("foreign", set_header(_2=16)),
        ("bad-chain", set_header(_5=4711)), ("bad-chain", set_header(_2=GUARD)),
        ("bad-epoch", unknown_epoch), ("bad-epoch", own_certificate), ("bad-epoch", no_handover),
        ("bad-body", flip(lambda b: len(b) - 1)), ("bad-body", whole_other_body),
    ]
    begin = time.monotonic()
    for n, (cause, change) in enumerate(cases):
        bad = forged(pc, change)
        before, behind = pc.sealed(2)
        results = pc.post([before, bad, behind])
        got = [(r["status"], r.get("cause")) for r in results]
        if cause == "bad-chain" and change.__name__ == "change" and got[1] == ("refused", "bad-epoch"):
            got[1] = ("refused", "bad-chain")  # another producer has another key: whichever is seen first
        if cause == "bad-epoch" and change is unknown_epoch:
            true(got[1][0] == "refused", "case %d: %s" % (n, got))
            got[1] = ("refused", cause)
        same(got, [("stored", None), ("refused", cause), ("stored", None)], "case %d of %s: %s" % (n, cause, results[1]))
    # Of the other PC: its own, good segment, sent by this one.
    theirs = other.sealed(1)
    same([r.get("cause") for r in pc.post(theirs)], ["foreign"], "another PC's segment")
    same(statuses(other.post(theirs)), ["stored"], "sent by itself")
    # Counted, told, and not told again and again.
    until(lambda: records("refused", cause="foreign"), "records of refusal")
    told = records("refused", cause="bad-signature", peer_name=pc.name)
    true(1 <= len(told) <= 1 + (time.monotonic() - begin) // 60, "one record a minute of each cause: %s" % told)
    true(status()["refused"]["bad-signature"] >= 4, "all are counted")


def rows(pc):
    """Bodies that are no row of segments."""
    good = pc.sealed(1)[0]
    whole = good.bytes(good.sent)
    bad = [b"", b"x", whole[:-1], whole[:30], whole[:7], b"SKS1", b"SKS1\xff\xff\xff\xff", whole + b"SKS1", whole + b"\0",
           b"SKS1" + (4097).to_bytes(4, "big") + b"a" * 5000, b"SKS1" + (5).to_bytes(4, "big") + b"\xd2\x84\x40\xa0\x40",
           b"SKS1" + (5).to_bytes(4, "big") + b"\x9b\xff\xff\xff\xff" + b"\xff" * 8]
    for b in bad:
        same(pc.post(b, status=400)["error"], "segments", repr(b[:20]))
    same(pc.post(whole * 65, status=400)["error"], "segments", "too many")
    same(statuses(pc.post(whole * 64)), ["stored"] + ["known"] * 63, "as many as may be")
    for seen in ("x", "-1", "01", "18446744073709551616"):
        same(pc.post(whole, status=400, seen=seen)["error"], "request", seen)
    # Bombs and lies behind a good signature: evidence all the same, and told.
    seg = forged(pc, lambda s: s.set_body(s.salt + b"no frame at all"))
    pc.chains[RECORDER][0] += 1
    pc.chains[RECORDER][1] = sha256(seg.sent)
    same(statuses(pc.post([seg])), ["stored"], "a body that cannot be read")
    import zstandard
    seg = forged(pc, lambda s: s.set_body(s.salt + zstandard.ZstdCompressor().compress(b"\0" * (64 << 20)), raw_len=100))
    pc.chains[RECORDER][0] += 1
    pc.chains[RECORDER][1] = sha256(seg.sent)
    same(statuses(pc.post([seg])), ["stored"], "a bomb")
    until(lambda: len(records("refused", cause="bad-body", from_seq=seg.seq)) == 1, "the bad body is told")
    true("stored as evidence" in records("refused", cause="bad-body", from_seq=seg.seq)[0]["text"], "and that it is stored")
    # The largest header that there is.
    seg = forged(pc, lambda s: s.h.update({17: {c: 1 << 40 for c in range(1, 10)}}))
    same(statuses(pc.post([seg])), ["stored"], "losses")
    pc.chains[RECORDER][0] += 1
    pc.chains[RECORDER][1] = sha256(seg.sent)


def chains(pc):
    first = pc.sealed(3)
    same(statuses(pc.post(first[:1])), ["stored"], "first")
    same(statuses(pc.post(first)), ["known", "stored", "stored"], "again with more")
    # A gap: not taken, unless the PC says that it is lost; only the first gap of a request.
    a, b, c, d, e = pc.sealed(5)
    got = pc.post([c])
    same((got[0]["status"], got[0]["expected"]), ("gap", 3), "a gap")
    same([x["status"] for x in pc.post([c, e])], ["gap", "gap"], "all of it")
    same(statuses(pc.post([c, e], lost=True)), ["stored", "gap"], "lost: one gap")
    until(lambda: records("gap", peer_name=pc.name), "the gap is told")
    gap = records("gap", peer_name=pc.name)
    same((len(gap), gap[0]["from_seq"], gap[0]["to_seq"]), (1, 3, 4), "what is lost")
    same(statuses(pc.post([d, e])), ["stored"] * 2, "on")
    # Found again after all: stored, and told as a second history, since nothing ties its end to what came.
    same(statuses(pc.post([a, b])), ["stored"] * 2, "found again")
    # A new epoch, with certificate and handover; the certificate is needed.
    carry = pc.begin(RECORDER)
    same(statuses(pc.post(pc.sealed(2, carry=carry))), ["stored"] * 2, "a new epoch")
    # Producers have chains of their own.
    same(statuses(pc.post(pc.sealed(2, GUARD))), ["stored"] * 2, "guard")
    same([r["seq"] for r in pc.post(pc.sealed(1, GUARD))], [2], "guard's sequence")


def old_under_new_key(pc):
    """CVE-2023-31439 of journald: an old place taken again under a newer, good key."""
    seg1, seg2, seg3 = pc.sealed(3)
    same(statuses(pc.post([seg1, seg2, seg3])), ["stored"] * 3, "old")
    carry = pc.begin(RECORDER)
    same(statuses(pc.post(pc.sealed(1, carry=carry))), ["stored"], "newer key")
    new = pc.chains[RECORDER][2]

    def again(seg, **more):
        h = dict(seg.h)
        h.update({4: new.number})
        h.update(more.get("carry", {}))
        copy = object.__new__(type(seg))
        copy.__dict__.update(seg.__dict__)
        copy.h, copy.key = h, new.key
        return fixed(copy)
    plain, certified = again(seg2), again(seg2, carry=carry)
    for s in (plain, certified):
        r = pc.post([s])[0]
        same((r["status"], r["cause"]), ("refused", "bad-epoch"), "an old segment under a newer key: %s" % r)
    # And back: an old key behind the new one.
    old = pc.sealed(1)[0]
    old_key = Epoch(pc, RECORDER, new.number - 1)
    back = again(old)
    back.h.pop(18, None)
    back.h[4], back.key = new.number - 1, old_key.key
    r = pc.post([fixed(back)])[0]
    same((r["status"], r["cause"]), ("refused", "bad-epoch"), "an older key: %s" % r)
    same(statuses(pc.post([old])), ["stored"], "goes on")


def forks():
    """A cloned disk: two machines go on from the same state."""
    one = Member("cloned")
    one.enrol()
    same(statuses(one.post(one.sealed(3))), ["stored"] * 3, "before the copy")
    two = Member("cloned", device=one)
    two.chains = {k: list(v) for k, v in one.chains.items()}
    two.boot = os.urandom(16)
    two.use(one.cert, one.tls_key)
    e = Epoch(two, RECORDER, one.chains[RECORDER][2].number + 1)
    e.key = ec_ed()
    e.cert = two.certify(e)
    old = two.chains[RECORDER][2]
    two.chains[RECORDER][2] = e
    carry = {18: e.cert, 19: sign1(old.key, HANDOVER_AAD, sha256(e.cert))}
    same(statuses(one.post(one.sealed(2))), ["stored"] * 2, "the first goes on")
    same(statuses(two.post(two.sealed(1, carry=carry))), ["stored"], "the second, too: both are evidence")
    same(statuses(one.post(one.sealed(1))), ["stored"], "the first again")
    same(statuses(two.post(two.sealed(1))), ["stored"], "the second again")
    until(lambda: len(records("forked", peer_name="cloned")) >= 2, "forks are told")
    texts = [r["text"] for r in records("forked", peer_name="cloned")]
    same((sum("second history" in t for t in texts), sum("two machines" in t for t in texts)), (1, 1), "once each: %s" % texts)
    same([h["chains"][0]["heads"] for h in door("/admin/hosts")["hosts"] if h["name"] == "cloned"], [2], "two ends")

    # The chain's state was lost: begins anew, and says so. Without saying so it is a second history.
    lost = Member("rejoined")
    lost.enrol()
    same(statuses(lost.post(lost.sealed(2))), ["stored"] * 2, "before")
    again = Member("rejoined", device=lost)
    again.use(lost.cert, lost.tls_key)
    again.boot = os.urandom(16)
    e = Epoch(again, RECORDER, 1)
    e.key = ec_ed()
    e.cert = again.certify(e)
    again.chains[RECORDER] = [0, None, e]
    same(statuses(again.post(again.sealed(1, carry={18: e.cert}, flags=REJOIN))), ["stored"], "rejoin")
    until(lambda: records("rejoin", peer_name="rejoined"), "told")
    same(records("forked", peer_name="rejoined"), [], "no fork")
    silent = Member("rejoined", device=lost)
    silent.use(lost.cert, lost.tls_key)
    e = Epoch(silent, RECORDER, 1)
    e.key = ec_ed()
    e.cert = silent.certify(e)
    silent.chains[RECORDER] = [0, None, e]
    same(statuses(silent.post(silent.sealed(1, carry={18: e.cert}))), ["stored"], "silently")
    until(lambda: records("forked", peer_name="rejoined"), "told as a fork")


def clocks():
    """PCs whose wall clock is years off, and jumps: nothing is refused, all is found under the time that it claims, and who is
    ahead is told once a boot."""
    day = 86400000000
    ahead, behind = Member("ahead"), Member("behind")
    ahead.enrol()
    behind.enrol()
    for n, wall in enumerate((4102444800000000, 4102444800000000, 1, -5 * 365 * day, 9 * 10 ** 18)):
        same(statuses(ahead.post(ahead.sealed(1, wall=wall))), ["stored"], "wall clock %d" % wall)
        same(statuses(behind.post(behind.sealed(1, wall=day + n))), ["stored"], "1970")
    until(lambda: records("clock", peer_name="ahead"), "told")
    same(len(records("clock", peer_name="ahead")), 1, "once a boot")
    same(records("clock", peer_name="behind"), [], "not told: it may have been offline since then")
    old = ["sekishoctl", "log", "--json", "--host", "behind", "--until", "1970-02-01T00:00+00:00"]
    until(lambda: len(subprocess.run(old, stdout=subprocess.PIPE, check=True).stdout.splitlines()) == 5 * len(example_records()),
          "what claims to be of 1970 is found there")


def posing():
    """A PC says what only servers say: stored, as evidence, and told each time, by its kind."""
    servers = [*range(60, 71), *range(73, 80), *range(120, 123), *range(150, 154)]
    pc = Member("poser")
    pc.enrol()
    same(statuses(pc.post(pc.sealed(records=[{1: 1, 2: 0}, {1: 4, 2: 0}]))), ["stored"], "what a PC says")
    for kind in servers:
        same(statuses(pc.post(pc.sealed(records=[{1: 4, 2: 0}, {1: kind, 2: 1}]))), ["stored"], "kind %d" % kind)
    def told():
        return records("refused", peer_name="poser", cause="not-server")
    until(lambda: len(told()) == len(servers), "told")
    same(len({r["text"] for r in told()}), len(servers), "each kind by its name")
    true(any(r["text"].endswith("only servers say: console-sign-in") for r in told()), told())


def quota():
    """A share of one record a day: who is over it sends a request a minute, and keeps the rest; others do not notice."""
    many, few = Member("many"), Member("few")
    many.enrol()
    few.enrol()
    same(statuses(many.post(many.sealed())), ["stored"], "its share")
    begin = time.monotonic()
    same(statuses(many.post(many.sealed())), ["stored"], "a request a minute")
    late = b"".join(x.bytes(x.sent) for x in many.sealed(2))
    for _ in range(3):
        a = many.post(late, status=429)
        same(a["error"], "quota", "over it")
        true(58 - (time.monotonic() - begin) <= int(a["retry"]) <= 60, a)
    same(statuses(few.post(few.sealed())), ["stored"], "another PC")
    until(lambda: records("refused", peer_name="many", cause="quota"), "told")
    same(len(records("refused", cause="quota")), 1, "once, and who else")
    same(status()["connections"]["slowed"], 3, "counted")
    with open(os.environ["FLOW_TMP"] + "/late", "wb") as f:
        f.write(late)
    save(many)


def ec_ed():
    from cryptography.hazmat.primitives.asymmetric import ed25519
    return ed25519.Ed25519PrivateKey.generate()


def log(pc):
    """What everybody may read."""
    code, note, _ = ask("/v1/checkpoint")
    same(code, 200, "checkpoint")
    size = int(note.decode().split("\n")[1])
    same(ask("/checkpoint")[1], note, "where tlog-tiles has it")
    code, answer, _ = ask("/v1/consistency?from=1")
    same(code, 200, "consistency")
    pc.seen = (0, None)
    code, answer, _ = ask("/v1/consistency?from=%d" % (size + 1000))
    same((code, answer["error"]), (409, "behind"), "ahead of the log")
    for q in ("", "?from=", "?from=x", "?from=1&from=2", "?from=-1", "?from=01"):
        same(ask("/v1/consistency" + q)[0], 400, q)
    code, entries, _ = ask("/tile/entries/000.p/%d" % size if size < 256 else "/tile/entries/000")
    same(code, 200, "entry bundle")
    true(len(entries) > 300, "entries")
    for path in ("/tile/", "/tile/../checkpoint", "/tile/0/..", "/tile/0/000/", "/tile/0/%30%30%30", "/tile/0/999", "/tile/x",
                 "/tile/entries/000.p/", "/tile/0/000.p/9999", "/tile//etc/passwd"):
        code = ask(path)[0]
        true(code in (400, 404), "%s: %d" % (path, code))
    pc.close()
    same(pc.post(pc.sealed(1), seen=1 << 40, status=409)["error"], "behind", "has seen more than there is")
    pc.chains[RECORDER] = pc.chains[RECORDER]


def save(pc):
    seq, last, e = pc.chains[RECORDER]
    with open(os.path.join(TMP, "pc.pickle"), "wb") as f:
        pickle.dump((pc.cert, pc.tls_key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()), seq, last, e.number, pc.seen), f)


def load(name="pc-chain"):
    with open(os.path.join(TMP, "pc.pickle"), "rb") as f:
        cert, key, seq, last, number, seen = pickle.load(f)
    pc = Member(name)
    pc.chains[RECORDER] = [seq, last, Epoch(pc, RECORDER, number)]
    pc.use(cert, serialization.load_pem_private_key(key, None))
    pc.seen = seen
    return pc


def main(argv):
    if "more" in argv:
        pc = load()
        same(statuses(pc.post(pc.sealed(5))), ["stored"] * 5, "after the copy")
        return save(pc)
    if "behind" in argv:
        pc = load()
        same(pc.post(pc.sealed(1), status=409)["error"], "behind", "a restored copy")
        return None
    if "quota" in argv:
        return quota()
    if "quota-over" in argv:
        with open(os.environ["FLOW_TMP"] + "/late", "rb") as f:
            return same(statuses(load("many").post(f.read())), ["stored"] * 2, "nothing of it is lost")
    pc, other, chain = Member("pc-a"), Member("pc-b"), Member("pc-chain")
    for m in (pc, other, chain):
        m.enrol()
    same(statuses(pc.post(pc.sealed(2))), ["stored"] * 2, "two")
    same(statuses(other.post(other.sealed(1))), ["stored"], "one")
    refusals(pc, other)
    rows(pc)
    chains(chain)
    old_under_new_key(chain)
    forks()
    clocks()
    posing()
    log(pc)
    n = status()["segments"]
    true(n["refused"] > 20 and n["stored"] > 40, "counts: %s" % n)
    save(chain)
    return None


main(sys.argv)
