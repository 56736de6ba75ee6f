"""The list of forgeries: each is a set of files that every verifier must refuse, and most look right at first sight.

FORGERIES holds functions by name; each writes a little evidence directory and says nothing else. `lay` makes the
honest one that they start from: two PCs, two epochs of a recorder and another producer's chain, proofs in the log.
"""
import os

import cbor2
import zstandard

from sekisho_verify import HANDOVER_AAD, SEGMENT_AAD, sha256, spki
from sekisho_write import GUARD, RECORDER, Log, Pc, body, dumps, ed, example_records, p256, seeded, sign1


class World:
    """What the honest machines made. A forger has every file of it, and the keys that the test says."""

    def __init__(self):
        self.pc, self.other, self.log = Pc("pc-17"), Pc("pc-18"), Log()
        records = example_records()
        self.segs = [self.pc.seal(records=records) for _ in range(3)]
        self.old_epoch = self.pc.chains[RECORDER][2]
        carry = self.pc.begin(RECORDER)
        self.new_epoch = self.pc.chains[RECORDER][2]
        self.segs.append(self.pc.seal(records=records, carry=carry, lost={1: 5, 4: 2}))
        self.segs += [self.pc.seal(records=records[:n], flags=2 if not n else 0) for n in (0, 2)]
        self.guard = [self.pc.seal(GUARD, records[:1]) for _ in range(2)]
        self.foreign = [self.other.seal(records=records[:2]) for _ in range(2)]
        self.files = {"%020d.seg" % i: s.bytes() for i, s in enumerate(self.segs)}
        self.files.update({"guard-%d.seg" % i: s.bytes() for i, s in enumerate(self.guard)})
        self.proofs = True
        self.extra = {}

    def name(self, i):
        return "%020d.seg" % i

    def write(self, top):
        os.makedirs(top, exist_ok=True)
        files = dict(self.files)
        if self.proofs:
            names = sorted(files)
            self.log.leaves = [leaf_of(files[n]) for n in names]
            for i, n in enumerate(names):
                files[n[:-4] + ".tlog-proof"] = self.log.tlog_proof(i)
            files["checkpoint"] = self.log.checkpoint()
        files.update({"device.pub": self.pc.device_pub, "log.vkey": self.log.vkey.encode(), **self.extra})
        for n, b in files.items():
            with open(os.path.join(top, n), "wb") as f:
                f.write(b)


def leaf_of(seg):
    return seg[8:8 + int.from_bytes(seg[4:8], "big")]


def lay(top):
    World().write(top)


FORGERIES = {}


def forgery(f):
    """Registers a function that changes a World; it is then written with proofs made for what is there."""
    def make(top):
        w = World()
        f(w)
        w.write(top)
    FORGERIES[f.__name__.replace("_", "-")] = make
    return f


def flip(b, bit):
    out = bytearray(b)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def again(w, i, change=None, **cose):
    """Segment i, changed and signed anew by the key of its own epoch (what a thief of that key can do)."""
    s = w.segs[i]
    if change:
        change(s)
    s.cose.update(cose)
    w.files[w.name(i)] = s.bytes()
    return s


# --- bytes changed by somebody without any key ---

@forgery
def header_bit_flipped(w):
    w.files[w.name(1)] = flip(w.files[w.name(1)], 8 * (8 + 60) + 3)


@forgery
def signature_bit_flipped(w):
    s = w.files[w.name(1)]
    w.files[w.name(1)] = flip(s, 8 * (8 + len(leaf_of(s)) - 5))


@forgery
def body_bit_flipped(w):
    s = w.files[w.name(1)]
    w.files[w.name(1)] = flip(s, 8 * (len(s) - 9))


@forgery
def salt_bit_flipped(w):
    s = w.files[w.name(1)]
    w.files[w.name(1)] = flip(s, 8 * (8 + len(leaf_of(s))))


@forgery
def body_of_another_segment(w):
    a, b = w.segs[1], w.segs[2]
    w.files[w.name(1)] = a.bytes()[:8 + len(a.leaf())] + b.body


@forgery
def truncated(w):
    w.files[w.name(5)] = w.files[w.name(5)][:-1]


@forgery
def truncated_in_header(w):
    w.proofs = False
    w.files[w.name(5)] = w.files[w.name(5)][:100]


@forgery
def bytes_behind(w):
    w.files[w.name(1)] += b"SKS1 and more"


@forgery
def emptied(w):
    w.proofs = False
    w.files[w.name(1)] = b""


@forgery
def unsigned(w):
    s = w.segs[5]
    s.leaf = lambda: dumps(cbor2.CBORTag(18, [dumps({1: -8, 4: s_kid(s), -70001: 1}), {}, dumps(s.h), b""]))
    w.files[w.name(5)] = s.bytes()


@forgery
def zero_signature(w):
    s = w.segs[5]
    s.leaf = lambda: dumps(cbor2.CBORTag(18, [dumps({1: -8, 4: s_kid(s), -70001: 1}), {}, dumps(s.h), bytes(64)]))
    w.files[w.name(5)] = s.bytes()


@forgery
def bare_payload(w):
    s = w.segs[5]
    s.leaf = lambda: dumps(s.h)
    w.files[w.name(5)] = s.bytes()


def s_kid(s):
    return sha256(spki(s.key.public_key()))[:8]


# --- a wrong key ---

@forgery
def wrong_key(w):
    w.segs[5].key = ed("a stranger")
    again(w, 5)


@forgery
def wrong_key_under_the_right_kid(w):
    kid = s_kid(w.segs[5])
    w.segs[5].key = ed("a stranger")
    again(w, 5, kid=kid)


@forgery
def kid_swapped(w):
    again(w, 5, kid=s_kid(w.segs[0]))


@forgery
def key_certified_by_a_stranger(w):
    """A whole epoch that another device key certified."""
    stranger = p256("a stranger's device")
    cert = w.pc.certify(w.old_epoch, key=stranger)
    again(w, 0, lambda s: s.h.update({18: cert}))


@forgery
def certificate_unsigned(w):
    m = cbor2.loads(w.old_epoch.cert)
    cert = dumps(cbor2.CBORTag(18, [m.value[0], {}, m.value[2], bytes(64)]))
    again(w, 0, lambda s: s.h.update({18: cert}))


@forgery
def certificate_missing(w):
    again(w, 0, lambda s: s.h.pop(18))


@forgery
def certificate_of_another_producer(w):
    """An epoch key of the guard, used for the recorder's chain."""
    guard = w.pc.chains[GUARD][2]
    w.segs[0].key = guard.key
    again(w, 0, lambda s: s.h.update({18: guard.cert}))


@forgery
def certificate_of_another_boot(w):
    cert = w.pc.certify(w.old_epoch, change={5: seeded("another boot", 16)})
    again(w, 0, lambda s: s.h.update({18: cert}))


@forgery
def other_hosts_key(w):
    """Another PC's honest key seals in this PC's name."""
    e = w.other.chains[RECORDER][2]
    w.segs[5].key = e.key
    again(w, 5)


@forgery
def other_hosts_segment(w):
    w.files["other.seg"] = w.foreign[0].bytes()


# --- a thief of an epoch key ---

@forgery
def old_segment_signed_by_newer_key(w):
    """CVE-2023-31439's pattern: today's key seals what an older one had sealed."""
    w.segs[1].key = w.new_epoch.key
    again(w, 1)


@forgery
def old_segment_moved_into_newer_epoch(w):
    w.segs[1].key = w.new_epoch.key
    again(w, 1, lambda s: s.h.update({4: w.new_epoch.number}))


@forgery
def new_segment_signed_by_older_key(w):
    w.segs[4].key = w.old_epoch.key
    again(w, 4, lambda s: s.h.update({4: w.old_epoch.number}))


@forgery
def sealed_after_its_key_ended(w):
    """A key that was stolen goes on sealing when its time is over; the wall clock is set back for it."""
    again(w, 2, lambda s: s.h.update({13: 3600000000 + 86400000001}))


@forgery
def sealed_before_its_key_began(w):
    again(w, 2, lambda s: s.h.update({13: 3599999999}))


@forgery
def tail_dropped_then_next_epoch(w):
    """CVE-2023-31438's pattern: the end of an epoch is cut off and the next goes on."""
    del w.files[w.name(2)]


@forgery
def tail_dropped_and_renumbered(w):
    """The same, with the later ones numbered so that no number is missing; their key is the thief's."""
    del w.files[w.name(2)]
    for i in (3, 4, 5):
        again(w, i, lambda s: s.h.update({5: s.h[5] - 1}))


@forgery
def middle_dropped(w):
    del w.files[w.name(4)]


@forgery
def two_swapped(w):
    """Two segments change places, with their numbers; each is signed well."""
    a, b = w.segs[1], w.segs[2]
    a.h[5], b.h[5], a.h[6], b.h[6] = b.h[5], a.h[5], b.h[6], a.h[6]
    w.files[w.name(1)], w.files[w.name(2)] = a.bytes(), b.bytes()


@forgery
def same_number_other_bytes(w):
    s = w.segs[2]
    raw = body(example_records()[:1], s.h[11], s.h[13])
    s.set_body(s.salt + zstandard.compress(raw), len(raw))
    s.h.update({10: 1, 12: s.h[11]})
    w.files["twin.seg"] = s.bytes()


@forgery
def replayed_into_another_producer(w):
    again(w, 1, lambda s: s.h.update({2: GUARD}))


@forgery
def begun_anew_without_saying_so(w):
    """A second segment 0 of the chain."""
    again(w, 0, lambda s: s.h.update({13: s.h[13] + 1}))
    w.files["second.seg"] = World().segs[0].bytes()


@forgery
def handover_by_a_stranger(w):
    again(w, 3, lambda s: s.h.update({19: sign1(ed("a stranger"), HANDOVER_AAD, sha256(w.new_epoch.cert))}))


@forgery
def handover_of_another_certificate(w):
    again(w, 3, lambda s: s.h.update({19: sign1(w.old_epoch.key, HANDOVER_AAD, sha256(b"another"))}))


# --- confusion ---

@forgery
def purpose_swapped(w):
    """The epoch key's signature over these very bytes, but made as a handover."""
    again(w, 5, aad=HANDOVER_AAD)


@forgery
def purpose_empty(w):
    again(w, 5, aad=b"")


@forgery
def certificate_with_purpose_of_segment(w):
    cert = w.pc.certify(w.old_epoch, aad=SEGMENT_AAD)
    again(w, 0, lambda s: s.h.update({18: cert}))


@forgery
def sealed_by_the_device_key(w):
    w.segs[5].key = w.pc.device
    again(w, 5)


@forgery
def alg_swapped_to_es256(w):
    again(w, 5, alg=-7)


@forgery
def alg_swapped_to_none(w):
    again(w, 5, alg=0)


@forgery
def alg_swapped_to_hmac(w):
    again(w, 5, alg=5)


@forgery
def alg_unprotected(w):
    again(w, 5, unprotected={1: -8})


@forgery
def tag_swapped(w):
    again(w, 5, tag=98)


@forgery
def format_unknown(w):
    again(w, 5, fmt=2)


@forgery
def format_missing(w):
    again(w, 5, fmt=None)


@forgery
def key_doubled_in_header(w):
    """Two sequence numbers: a reader that takes the first and one that takes the last would disagree."""
    s = w.segs[5]
    good = dumps(s.h)
    at = good.index(b"\x05\x05\x06")
    s.leaf = lambda: sign1(s.key, SEGMENT_AAD, bytes([good[0] + 1]) + good[1:at] + b"\x05\x05" + good[at:])
    w.files[w.name(5)] = s.bytes()


@forgery
def longer_head_than_needed(w):
    s = w.segs[5]
    good = dumps(s.h)
    s.leaf = lambda: sign1(s.key, SEGMENT_AAD, good.replace(b"\x05\x05\x06", b"\x05\x18\x05\x06", 1))
    w.files[w.name(5)] = s.bytes()


@forgery
def header_too_large(w):
    again(w, 5, lambda s: s.h.update({40: bytes(5000)}))


# --- what the signed header says of the body is not so (a hostile PC) ---

@forgery
def raw_len_too_small(w):
    again(w, 5, lambda s: s.h.update({9: s.h[9] - 1}))


@forgery
def raw_len_too_large(w):
    again(w, 5, lambda s: s.h.update({9: s.h[9] + 1}))


@forgery
def raw_len_over_the_bound(w):
    again(w, 5, lambda s: s.h.update({9: (8 << 20) + 1}))


@forgery
def body_len_over_the_bound(w):
    again(w, 5, lambda s: s.h.update({8: (1 << 20) + 1}))


@forgery
def count_wrong(w):
    again(w, 5, lambda s: s.h.update({10: s.h[10] + 1}))


@forgery
def zstd_bomb(w):
    """256 MiB of zeros in 8 KiB, under a modest length."""
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 28))
    again(w, 5, lambda s: s.set_body(s.salt + bomb, 1000))


@forgery
def zstd_bomb_without_size(w):
    c = zstandard.ZstdCompressor(level=3).compressobj()
    bomb = b"".join(c.compress(bytes(1 << 20)) for _ in range(64)) + c.flush()
    again(w, 5, lambda s: s.set_body(s.salt + bomb, 8 << 20))


@forgery
def zstd_window_too_large(w):
    p = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1, write_content_size=False)
    raw = body(example_records()[:2], w.segs[5].h[11], w.segs[5].h[13])
    c = zstandard.ZstdCompressor(compression_params=p).compressobj()
    frame = c.compress(raw) + c.flush()
    again(w, 5, lambda s: s.set_body(s.salt + frame, len(raw)))


@forgery
def two_frames(w):
    again(w, 5, lambda s: s.set_body(s.body + zstandard.compress(b"")))


@forgery
def skippable_frame(w):
    again(w, 5, lambda s: (s.set_body(s.salt + b"\x50\x2a\x4d\x18\x04\0\0\0abcd", 0), s.h.update({10: 0})))


@forgery
def body_without_salt(w):
    again(w, 5, lambda s: s.set_body(s.body[16:][:8]))


def garbled(name, raw, count=2):
    """A body that is signed and counted well, and yet is none. Its times are those of CLOCK."""
    def f(w):
        s = w.segs[5]
        s.set_body(s.salt + zstandard.compress(raw), len(raw))
        s.h.update({10: count, 11: 0, 12: 0})
        w.files[w.name(5)] = s.bytes()
    f.__name__ = name
    forgery(f)


CLOCK = dumps({0: 1, 1: 0, 2: 0})
garbled("body_no_cbor", b"\xff\xff\xff")
garbled("body_cbor_bomb", CLOCK + b"\x9b" + b"\xff" * 8)
garbled("body_record_before_clock", dumps({1: 4, 2: 0}) * 2)
garbled("body_record_without_time", CLOCK + dumps({1: 4}) * 2)
garbled("body_unknown_subject", CLOCK + dumps({1: 4, 2: 0, 9: 0}) * 2)
garbled("body_wrong_type", CLOCK + dumps({1: 4, 2: 0, 30: 5}) * 2)
garbled("body_subject_fact_in_record", CLOCK + dumps({1: 4, 2: 0, 10: 5}) * 2)
garbled("body_keys_unsorted", CLOCK + b"\xa2\x02\x00\x01\x04" * 2)
garbled("body_indefinite", CLOCK + b"\xbf\x01\x04\x02\x00\xff" * 2)
garbled("body_text_no_utf8", CLOCK + b"\xa3\x01\x04\x02\x00\x18\x1e\x61\xff" * 2)
garbled("body_nested_deep", CLOCK + b"\xa3\x01\x04\x02\x00\x18\x7f" + b"\x81" * 2000 + b"\x00", 1)


# --- the log ---

@forgery
def proof_of_another_leaf(w):
    w.log.leaves = [leaf_of(w.files[n]) for n in sorted(w.files)]
    w.extra[w.name(1)[:-4] + ".tlog-proof"] = w.log.tlog_proof(2)


@forgery
def proof_with_a_bit_flipped(w):
    w.log.leaves = [leaf_of(w.files[n]) for n in sorted(w.files)]
    lines = w.log.tlog_proof(1).split(b"\n")
    lines[2] = (b"A" if lines[2][:1] != b"A" else b"B") + lines[2][1:]
    w.extra[w.name(1)[:-4] + ".tlog-proof"] = b"\n".join(lines)


@forgery
def proof_by_another_log_key(w):
    liar = Log(seed="another log's key")
    liar.leaves = [leaf_of(w.files[n]) for n in sorted(w.files)]
    w.extra[w.name(1)[:-4] + ".tlog-proof"] = liar.tlog_proof(1)


@forgery
def proof_in_a_second_log_of_the_same_size(w):
    """The log's own key signed two trees: each proof is good alone."""
    split = Log()
    split.leaves = [leaf_of(w.files[n]) for n in sorted(w.files)]
    split.leaves[0] = b"something else"
    w.extra[w.name(1)[:-4] + ".tlog-proof"] = split.tlog_proof(1)


@forgery
def checkpoint_bit_flipped(w):
    w.log.leaves = [leaf_of(w.files[n]) for n in sorted(w.files)]
    w.extra["checkpoint"] = w.log.checkpoint().replace(b"\n8\n", b"\n9\n")


@forgery
def checkpoint_of_another_root(w):
    w.log.leaves = [leaf_of(w.files[n]) for n in sorted(w.files)]
    w.extra["checkpoint"] = w.log.checkpoint(root=bytes(32))


@forgery
def log_that_the_pc_did_not_see(w):
    """The PC's own signed header names another log of the same size as the checkpoint that is shown."""
    again(w, 5, lambda s: s.h.update({16: [8, bytes(32)]}))



if __name__ == "__main__":
    # forgeries.py DIR: the honest evidence as DIR/honest, each forgery as DIR/<name>.
    import sys
    lay(os.path.join(sys.argv[1], "honest"))
    for forged, make_it in FORGERIES.items():
        make_it(os.path.join(sys.argv[1], forged))
