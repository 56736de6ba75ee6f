#!/usr/bin/python3
"""The outside verifier: judges segments, chains, checkpoints and whole stores by the published formats alone.

Written from policy/wire/FORMAT.md, segment.cddl and the C2SP specifications, in another language and upon other
libraries than the programs that it judges; it must never call, link or copy them. Anyone may use it on evidence:

  sekisho_verify.py --device device.pub [--log-key log.vkey] [--checkpoint FILE]... SEGMENT|DIRECTORY...
  sekisho_verify.py --store DIR [--log-key log.vkey]

Beside a segment NAME.seg, a NAME.tlog-proof (c2sp.org/tlog-proof@v1) is checked where --log-key is given.
Ends with 0 where all is good, 1 where something is not, 2 for a wrong command line.
"""
import argparse
import base64
import binascii
import hashlib
import io
import os
import re
import sys

import cbor2
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cddl  # noqa: E402

GRAMMAR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../policy/wire/segment.cddl")
MAGIC = b"SKS1"
HEADER_MAX = 4096
SALT = 16
SUBJECTS_MAX = 8192
WINDOW_MAX = 1 << 23
SEGMENT_AAD, EPOCH_AAD, HANDOVER_AAD = b"sekisho segment 1", b"sekisho epoch 1", b"sekisho handover 1"
RECOVERED, HEARTBEAT, URGENT, LAST, REJOIN = 1, 2, 4, 8, 16


class Refused(Exception):
    """Not what it claims to be."""


def sha256(b):
    return hashlib.sha256(b).digest()


# --- CBOR and COSE ---

def plain(v):
    """Only what the format knows: cbor2 would turn other tags into dates, fractions and the like."""
    if isinstance(v, dict):
        return all(plain(k) and plain(x) for k, x in v.items())
    if isinstance(v, (list, tuple)):
        return all(plain(x) for x in v)
    if isinstance(v, cbor2.CBORTag):
        return plain(v.value)
    return v is None or isinstance(v, (bool, bytes, str)) or (isinstance(v, int) and -(1 << 64) <= v < 1 << 64)


def decode(b, what="CBOR"):
    """One item, the whole of `b`, in deterministic encoding."""
    try:
        v = cbor2.loads(b)
        again = cbor2.dumps(v, canonical=True)
    except Exception as e:  # the decoder meets hostile bytes and has many ways to complain
        raise Refused("%s: not CBOR: %s" % (what, e))
    if again != b:
        raise Refused("%s: not deterministic CBOR, or bytes behind its end" % what)
    if not plain(v):
        raise Refused("%s: an item of an unknown type" % what)
    return v


with open(GRAMMAR, encoding="utf-8") as f:
    grammar = cddl.Grammar(f.read(), decode)


def conforms(rule, value):
    try:
        grammar.check(rule, value)
    except cddl.Mismatch as e:
        raise Refused(str(e))


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def cose_check(message, key, aad):
    """The payload of a COSE_Sign1 (already conforming) whose signature by `key` holds."""
    protected, _, payload, signature = message.value
    head = decode(protected)
    if head[4] != sha256(spki(key))[:8]:
        raise Refused("signature: key id is of another key")
    tbs = cbor2.dumps(["Signature1", protected, aad, payload])
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            if head[1] not in (-8, -19):
                raise Refused("signature: algorithm is not the key's")
            key.verify(signature, tbs)
        else:
            if head[1] not in (-7, -9):
                raise Refused("signature: algorithm is not the key's")
            r, s = (int.from_bytes(signature[i:i + 32], "big") for i in (0, 32))
            key.verify(encode_dss_signature(r, s), tbs, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused("signature does not match")
    return payload


def device_key(der):
    try:
        key = serialization.load_der_public_key(der)
    except Exception as e:
        raise Refused("device key: %s" % e)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Refused("device key: not P-256")
    return key


# --- segments ---

class Segment:
    """One segment, taken apart: form and bounds were checked, nothing else yet."""

    def __init__(self, leaf, body, where):
        self.leaf, self.body, self.where = leaf, body, where
        if len(leaf) > HEADER_MAX:
            raise Refused("header of %d bytes" % len(leaf))
        self.message = decode(leaf, "header")
        conforms("segment-header", self.message)
        self.h = decode(self.message.value[2], "header")
        self.kid = decode(self.message.value[0])[4]
        self.hash = sha256(leaf)
        self.host, self.producer, self.boot, self.epoch, self.seq = (self.h[i] for i in range(1, 6))
        self.prev = self.h.get(6)
        self.flags = self.h.get(15, 0)
        if (self.prev is None) != (self.seq == 0):
            raise Refused("sequence %d %s a predecessor" % (self.seq, "without" if self.seq else "with"))
        if body is not None and len(body) != self.h[8]:
            raise Refused("body of %d bytes where %d were signed" % (len(body), self.h[8]))

    def records(self):
        """The body's records as dictionaries by field number. Only after the signature was checked."""
        if self.body is None:
            return None
        if sha256(self.body) != self.h[7]:
            raise Refused("body is not the signed one")
        raw = decompress(self.body[SALT:], self.h[9])
        out = list(body_records(raw))
        if len(out) != self.h[10]:
            raise Refused("body holds %d records where %d were signed" % (len(out), self.h[10]))
        return out


def decompress(frame, raw_len):
    if frame[:4] != b"\x28\xb5\x2f\xfd":
        raise Refused("body is not one zstd frame")
    try:
        if zstandard.get_frame_parameters(frame).window_size > max(WINDOW_MAX, 1024):
            raise Refused("body: zstd window larger than allowed")
        d = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX).decompressobj()
        raw = b""
        # In small pieces: a bomb is noticed while it unfolds, not afterwards.
        for i in range(0, len(frame), 512):
            raw += d.decompress(frame[i:i + 512])
            if len(raw) > raw_len:
                raise Refused("body holds more than the %d bytes that were signed" % raw_len)
            if d.unused_data or (d.eof and i + 512 < len(frame)):
                raise Refused("body is not one zstd frame")
    except zstandard.ZstdError as e:
        raise Refused("body cannot be decompressed: %s" % e)
    if not d.eof:
        raise Refused("body: zstd frame is cut off")
    if len(raw) != raw_len:
        raise Refused("body holds %d bytes where %d were signed" % (len(raw), raw_len))
    return raw


def body_records(raw):
    fp = io.BytesIO(raw)
    decoder = cbor2.CBORDecoder(fp)
    base, subjects = None, []
    while fp.tell() < len(raw):
        start = fp.tell()
        try:
            decoder.decode()
        except Exception as e:
            raise Refused("body: offset %d: %s" % (start, e))
        item = decode(raw[start:fp.tell()], "body: offset %d" % start)
        conforms("body-item", item)
        if item.get(0) == 1:
            base = item[1], item[2]
        elif item.get(0) == 2:
            if len(subjects) == SUBJECTS_MAX:
                raise Refused("body: too many subjects")
            subjects.append({k: v for k, v in item.items() if 10 <= k < 30})
        else:
            if base is None:
                raise Refused("body: record before any clock, at offset %d" % start)
            record = dict(item)
            if 9 in record:
                number = record.pop(9)
                if number >= len(subjects):
                    raise Refused("body: subject %d is not there" % number)
                record.update(subjects[number])
            delta = record[2]
            record[2], record[3] = base[0] + delta, base[1] + delta
            yield record


def split(data, where):
    """The segments that lie one behind the other in `data`."""
    at = 0
    while at < len(data):
        place = "%s:%d" % (where, at)
        if data[at:at + 4] != MAGIC or len(data) - at < 8:
            raise Refused("%s: not a segment" % place)
        n = int.from_bytes(data[at + 4:at + 8], "big")
        if n > HEADER_MAX:
            raise Refused("%s: header of %d bytes" % (place, n))
        leaf = data[at + 8:at + 8 + n]
        if len(leaf) < n:
            raise Refused("%s: cut off in its header" % place)
        try:
            s = Segment(leaf, None, place)
            end = at + 8 + n + s.h[8]
            if end > len(data):
                raise Refused("cut off in its body")
            yield Segment(leaf, data[at + 8 + n:end], place)
        except Refused as e:
            raise Refused("%s: %s" % (place, e))
        at = end


# --- many segments: epochs and chains ---

class Evidence:
    def __init__(self):
        self.devices = {}  # host id -> key
        self.epochs = {}  # host, producer, number, kid -> (epoch, certificate)
        self.segments = []
        self.problems = []

    def problem(self, where, text):
        self.problems.append("%s: %s" % (where, text))

    def add_device(self, der):
        self.devices[sha256(der)] = device_key(der)

    def add_file(self, path):
        with open(path, "rb") as f:
            data = f.read()
        if not data:
            self.problem(path, "empty")
        try:
            for s in split(data, path):
                self.segments.append(s)
        except Refused as e:
            self.problems.append(str(e))

    def learn_epoch(self, s):
        if 18 not in s.h:
            return
        message = decode(s.h[18], "epoch certificate")
        e = decode(cose_check(message, self.devices[s.host], EPOCH_AAD), "epoch")
        if e[1] != s.host:
            raise Refused("epoch certificate: of another PC")
        if (e[2], e[3]) != (s.producer, s.epoch):
            raise Refused("epoch certificate: of another producer or epoch")
        key = ed25519.Ed25519PublicKey.from_public_bytes(e[4])
        self.epochs[s.host, s.producer, s.epoch, sha256(spki(key))[:8]] = (e, key, s.h[18])

    def judge_segment(self, s):
        if s.host not in self.devices:
            raise Refused("belongs to a PC whose device key was not given")
        known = self.epochs.get((s.host, s.producer, s.epoch, s.kid))
        if not known:
            raise Refused("no certificate of the sealing key (epoch %d of producer %d)" % (s.epoch, s.producer))
        e, key, _ = known
        if e[5] != s.boot:
            raise Refused("sealing key was certified for another boot")
        if 8 in e and not e[8] <= s.h[13] <= e[8] + e[7] - e[6]:
            raise Refused("sealed outside of its key's time")
        cose_check(s.message, key, SEGMENT_AAD)
        s.found = s.records()
        if s.found:
            times = [r[2] for r in s.found]
            if (min(times), max(times)) != (s.h[11], s.h[12]):
                raise Refused("first and last time are not those of the records")

    def judge(self):
        good = []
        for s in self.segments:
            try:
                if s.host in self.devices:
                    self.learn_epoch(s)
            except Refused as e:
                self.problem(s.where, e)
        for s in self.segments:
            try:
                self.judge_segment(s)
                good.append(s)
            except Refused as e:
                self.problem(s.where, "sequence %d: %s" % (s.seq, e))
        chains = {}
        for s in good:
            chains.setdefault((s.host, s.producer), {}).setdefault(s.hash, s)
        for chain in chains.values():
            self.judge_chain(sorted(chain.values(), key=lambda s: s.seq))
        return good

    def judge_chain(self, chain):
        by_hash = {s.hash: s for s in chain}
        followed = {}
        first = chain[0].seq
        for s in chain:
            if s.prev is None:
                if s.flags & REJOIN:
                    self.problem(s.where, "the chain was begun anew")
                elif any(o is not s and o.prev is None and not o.flags & REJOIN for o in chain):
                    self.problem(s.where, "two beginnings of one chain")
                continue
            if s.prev in followed:
                self.problem(s.where, "sequence %d: history forked: %s has another successor" % (s.seq, s.prev.hex()))
            followed[s.prev] = s
            before = by_hash.get(s.prev)
            if not before:
                if s.seq != first:
                    self.problem(s.where, "sequence %d: its predecessor is missing or another" % s.seq)
                continue
            if before.seq + 1 != s.seq:
                self.problem(s.where, "sequence %d follows %d" % (s.seq, before.seq))
            self.judge_epochs(before, s)

    def judge_epochs(self, before, s):
        mine, last = (self.epochs[x.host, x.producer, x.epoch, x.kid] for x in (s, before))
        if s.epoch < before.epoch or (s.epoch == before.epoch and s.kid != before.kid):
            self.problem(s.where, "sequence %d: sealed by the key of an earlier epoch, or by another" % s.seq)
        if s.epoch > before.epoch and 18 not in s.h:
            self.problem(s.where, "sequence %d: an epoch begins without its certificate" % s.seq)
        if 19 in s.h:
            try:
                if cose_check(decode(s.h[19]), last[1], HANDOVER_AAD) != sha256(s.h.get(18, mine[2])):
                    raise Refused("of another certificate")
            except Refused as e:
                self.problem(s.where, "sequence %d: handover: %s" % (s.seq, e))


# --- the log: C2SP notes, checkpoints, tiles, proofs; RFC 6962 trees ---

def leaf_hash(b):
    return sha256(b"\0" + b)


def node_hash(a, b):
    return sha256(b"\1" + a + b)


def tree_root(hashes_):
    """The root by the definition of RFC 6962 section 2.1, without recursion."""
    stack = []
    for i, h in enumerate(hashes_):
        stack.append(h)
        while i & 1:
            right, left = stack.pop(), stack.pop()
            stack.append(node_hash(left, right))
            i >>= 1
    if not stack:
        return sha256(b"")
    root = stack.pop()
    while stack:
        root = node_hash(stack.pop(), root)
    return root


def check_inclusion(index, size, leaf, proof, root):
    """RFC 9162 section 2.1.3.2."""
    if index >= size:
        raise Refused("inclusion: index %d is not in a log of %d" % (index, size))
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise Refused("inclusion: proof too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or r != root:
        raise Refused("inclusion: proof does not lead to the root")


def check_consistency(old_size, old_root, new_size, new_root, proof):
    """RFC 9162 section 2.1.4.2."""
    if old_size > new_size:
        raise Refused("consistency: the log shrank")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise Refused("consistency: one size, two roots")
        return
    if old_size == 0:
        if proof:
            raise Refused("consistency: proof too long")
        return
    proof = list(proof)
    if old_size & (old_size - 1) == 0:
        proof.insert(0, old_root)
    if not proof:
        raise Refused("consistency: no proof")
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            raise Refused("consistency: proof too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn or fr != old_root or sr != new_root:
        raise Refused("consistency: proof does not lead from the old root to the new one")


def b64(s, size=None):
    try:
        b = base64.b64decode(s, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("not base64")
    if base64.b64encode(b) != (s if isinstance(s, bytes) else s.encode()) or size not in (None, len(b)):
        raise Refused("not base64 of the right size")
    return b


class Verifier:
    """A log's public key: name+hash+base64(0x01 || key); a witness's: 0x04."""

    def __init__(self, text, kind=1):
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise Refused("log key: not name+hash+key")
        self.name, key = parts[0], b64(parts[2], 33)
        if key[0] != kind:
            raise Refused("log key: not Ed25519 of that kind")
        self.hash = sha256(self.name.encode() + b"\n" + key)[:4]
        if parts[1] != self.hash.hex():
            raise Refused("log key: hash does not match")
        self.text = text.strip()
        self.key = ed25519.Ed25519PublicKey.from_public_bytes(key[1:])


def note_parts(note):
    """The text of a note and its signatures: (name, bytes)."""
    try:
        text, _, signatures = note.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise Refused("checkpoint: not UTF-8")
    text += "\n"
    out = []
    lines = signatures.split("\n")
    if lines.pop() != "" or not 0 < len(lines) <= 16:
        raise Refused("checkpoint: no signatures, or too many")
    for line in lines:
        m = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line)
        if not m:
            raise Refused("checkpoint: malformed signature line")
        out.append((m.group(1), b64(m.group(2))))
    return text, out


class Witness:
    """A PC's witness key, by the PC's own word: vkey, device key, the device key's signature."""

    def __init__(self, line):
        parts = line.split(" ")
        if len(parts) != 3:
            raise Refused("witness: not a key, a PC's key and a proof")
        spki_, proof = b64(parts[1]), b64(parts[2], 64)
        device = device_key(spki_)
        self.host = sha256(spki_)
        r, s = int.from_bytes(proof[:32], "big"), int.from_bytes(proof[32:], "big")
        try:
            device.verify(encode_dss_signature(r, s), b"sekisho witness 1\0" + parts[0].encode(),
                          ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Refused("witness: the PC's key did not sign this")
        self.verifier = Verifier(parts[0], 4)
        if self.verifier.text != parts[0] or self.verifier.name != "sekisho/pc/" + self.host.hex():
            raise Refused("witness: its name is not the PC's")


def cosigners(note, witnesses):
    """{name: time} of those witnesses (Verifier of kind 4) that have cosigned a checkpoint. Strangers are passed over."""
    text, signatures = note_parts(note)
    known = {(w.name, w.hash): w for w in witnesses}
    out = {}
    for name, sig in signatures:
        w = known.get((name, sig[:4]))
        if not w:
            continue
        when = int.from_bytes(sig[4:12], "big")
        if len(sig) != 4 + 8 + 64 or when >= 1 << 63:
            raise Refused("cosignature of %s: not a time and a signature" % name)
        try:
            w.key.verify(sig[12:], b"cosignature/v1\ntime %d\n" % when + text.encode())
        except InvalidSignature:
            raise Refused("cosignature of %s: does not match this checkpoint" % name)
        out.setdefault(name, when)
    return out


def checkpoint(note, verifier):
    """(size, root) of a signed checkpoint."""
    text, signatures = note_parts(note)
    good = 0
    for name, sig in signatures:
        if name != verifier.name or sig[:4] != verifier.hash:
            continue
        try:
            verifier.key.verify(sig[4:], text.encode())
            good += 1
        except InvalidSignature:
            raise Refused("checkpoint: signature does not match")
    if not good:
        raise Refused("checkpoint: not signed by the log's key")
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != verifier.name or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
        raise Refused("checkpoint: of another log, or malformed")
    return int(lines[1]), b64(lines[2], 32)


def tlog_proof(data, verifier):
    """(index, proof, size, root) of a c2sp.org/tlog-proof@v1."""
    head, sep, note = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not sep or lines.pop(0) != b"c2sp.org/tlog-proof@v1":
        raise Refused("proof: not a tlog-proof")
    if lines and lines[0].startswith(b"extra "):
        lines.pop(0)
    if not lines or not re.fullmatch(b"index (0|[1-9][0-9]{0,18})", lines[0]):
        raise Refused("proof: no index")
    return (int(lines[0][6:]), [b64(x, 32) for x in lines[1:]]) + checkpoint(note, verifier)


def tile_path(n):
    out = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        out = "x%03d/%s" % (n % 1000, out)
    return out


def check_tiles(log, leaves):
    """Every hash tile and entry bundle of a log of these leaves is there and says the same."""
    level, row = 0, [leaf_hash(x) for x in leaves]
    while row:
        for n in range(0, len(row), 256):
            part = row[n:n + 256]
            path = os.path.join(log, "tile", str(level), tile_path(n // 256))
            same_file(path, len(part), b"".join(part), "hash tile")
            if level == 0:
                path = os.path.join(log, "tile/entries", tile_path(n // 256))
                bundle = b"".join(len(x).to_bytes(2, "big") + x for x in leaves[n:n + 256])
                same_file(path, len(part), bundle, "entry bundle")
        row = [tree_root(row[n:n + 256]) for n in range(0, len(row) - 255, 256)]
        level += 1


def same_file(path, width, want, what):
    """A partial tile goes when the whole one is there, of which the leaves that were signed later are not judged."""
    named = path if width == 256 else "%s.p/%d" % (path, width)
    try:
        try:
            with open(named, "rb") as f:
                have = f.read()
        except FileNotFoundError:
            if named == path:
                raise
            with open(path, "rb") as f:
                have = f.read(len(want))
    except OSError as e:
        raise Refused("%s: %s" % (named, e.strerror))
    path = named
    if have != want:
        at = next((i for i, (a, b) in enumerate(zip(have, want)) if a != b), min(len(have), len(want)))
        raise Refused("%s:%d: %s differs from the leaves" % (path, at, what))


# --- the command ---

def judge_proofs(evidence, good, verifier, notes, need):
    seen = []
    for path in notes:
        with open(path, "rb") as f:
            seen.append(checkpoint(f.read(), verifier))
    proven = 0
    for s in good:
        path = s.where.rsplit(":", 1)[0]
        path = (path[:-4] if path.endswith(".seg") else path) + ".tlog-proof"
        if not os.path.exists(path):
            if need:
                evidence.problem(s.where, "sequence %d: no proof of inclusion beside it" % s.seq)
            continue
        try:
            with open(path, "rb") as f:
                index, proof, size, root = tlog_proof(f.read(), verifier)
            check_inclusion(index, size, leaf_hash(s.leaf), proof, root)
            if any(size == n and root != r for n, r in seen):
                raise Refused("two logs of one size")
            seen.append((size, root))
            proven += 1
        except Refused as e:
            evidence.problem(path, e)
    for s in good:
        told = s.h.get(16)
        if told and any(told[0] == n and told[1] != r for n, r in seen):
            evidence.problem(s.where, "the PC saw another log of size %d" % told[0])
    return proven


def files_below(paths):
    for p in paths:
        if not os.path.isdir(p):
            yield p
        for top, dirs, names in os.walk(p):
            dirs.sort()
            for n in sorted(names):
                if n.endswith(".seg"):
                    yield os.path.join(top, n)


def main(argv):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--device", action="append", default=[], help="a PC's device.pub (repeatable)")
    ap.add_argument("--log-key", help="the log's verifier key: a file")
    ap.add_argument("--checkpoint", action="append", default=[], help="a checkpoint that must be of the same log")
    ap.add_argument("--store", help="a collector's store: everything in it is judged")
    ap.add_argument("--witnesses", type=int, default=0, help="of a store: that so many PCs have cosigned the log")
    ap.add_argument("--quiet", action="store_true")
    ap.add_argument("paths", nargs="*")
    a = ap.parse_args(argv)
    if not a.paths and not a.store:
        ap.error("nothing to verify")
    evidence = Evidence()
    try:
        verifier = None
        if a.log_key:
            with open(a.log_key, encoding="utf-8") as f:
                verifier = Verifier(f.read())
        for path in a.device:
            with open(path, "rb") as f:
                evidence.add_device(f.read())
        if a.store:
            import sekisho_store
            cosigned = sekisho_store.judge(a.store, verifier, evidence)
            if cosigned < a.witnesses:
                raise Refused("cosigned by %d, %d are asked for" % (cosigned, a.witnesses))
        for path in files_below(a.paths):
            evidence.add_file(path)
        good = evidence.judge()
        proven = 0
        if verifier and not a.store:
            proven = judge_proofs(evidence, good, verifier, a.checkpoint, False)
    except Refused as e:
        evidence.problems.append(str(e))
        good, proven = [], 0
    for p in evidence.problems:
        print("problem: %s" % p)
    if not a.quiet:
        print("%d segments, %d good, %d proven to be in the log, %d problems" % (
            len(evidence.segments), len(good), proven, len(evidence.problems)))
    return 1 if evidence.problems or not good else 0


if __name__ == "__main__":
    # By its name, so that sekisho_store.py means the same Refused.
    import sekisho_verify
    sys.exit(sekisho_verify.main(sys.argv[1:]))
