"""Makes segments, checkpoints and proofs by the published formats, for tests: golden bytes and forgeries.

An independent writer beside the one in C. Keys and salts come from seeds, so that the same bytes come out every time
(signatures of P-256 excepted, which OpenSSL draws at random).
"""
import base64
import hashlib

import cbor2
import zstandard
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from sekisho_verify import EPOCH_AAD, HANDOVER_AAD, MAGIC, SEGMENT_AAD, leaf_hash, sha256, spki, tree_root

RECORDER, GUARD, PRINT, COLLECTOR = 1, 2, 3, 16
FORMAT = -70001
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
START_US = 1795428000000000  # 2026-11-23T10:00:00Z


def dumps(v):
    return cbor2.dumps(v, canonical=True)


def seeded(seed, n=32):
    return hashlib.shake_256(seed.encode()).digest(n)


def p256(seed):
    return ec.derive_private_key(int.from_bytes(seeded(seed), "big") % (P256_ORDER - 1) + 1, ec.SECP256R1())


def ed(seed):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seeded(seed))


def sign1(key, aad, payload, alg=None, kid=None, tag=18, fmt=1, unprotected=None):
    """A COSE_Sign1; what a forger would change can be given."""
    is_ed = isinstance(key, ed25519.Ed25519PrivateKey)
    head = {1: alg if alg is not None else (-8 if is_ed else -7), 4: kid or sha256(spki(key.public_key()))[:8]}
    if fmt is not None:
        head[FORMAT] = fmt
    protected = dumps(head)
    tbs = dumps(["Signature1", protected, aad, payload])
    if is_ed:
        sig = key.sign(tbs)
    else:
        r, s = decode_dss_signature(key.sign(tbs, ec.ECDSA(hashes.SHA256())))
        sig = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return dumps(cbor2.CBORTag(tag, [protected, unprotected or {}, payload, sig]))


class Epoch:
    def __init__(self, pc, producer, number):
        self.producer, self.number, self.boot = producer, number, pc.boot
        self.key = ed("%s epoch %d of %d" % (pc.name, number, producer))
        self.cert = pc.certify(self)


class Pc:
    """A PC with its device key and one chain for each producer."""

    def __init__(self, name):
        self.name = name
        self.device = p256("device " + name)
        self.device_pub = spki(self.device.public_key())
        self.host = sha256(self.device_pub)
        self.boot = seeded("boot " + name, 16)
        self.chains = {}  # producer -> [seq, hash of the last header, epoch]

    def witness(self):
        """The key with which it cosigns, and the line in which its device key says so."""
        key = ed("witness " + self.name)
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        name = "sekisho/pc/" + self.host.hex()
        key_hash = sha256(name.encode() + b"\n\x04" + raw)[:4]
        vkey = "%s+%s+%s" % (name, key_hash.hex(), base64.b64encode(b"\x04" + raw).decode())
        r, s = decode_dss_signature(self.device.sign(b"sekisho witness 1\0" + vkey.encode(), ec.ECDSA(hashes.SHA256())))
        proof = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        line = "%s %s %s\n" % (vkey, base64.b64encode(self.device_pub).decode(), base64.b64encode(proof).decode())
        return name, key_hash, key, line

    def cosign(self, note, when=1795429000):
        """A cosignature/v1 line under a checkpoint."""
        name, key_hash, key, _ = self.witness()
        text = note.decode().rpartition("\n\n")[0] + "\n"
        sig = key_hash + when.to_bytes(8, "big") + key.sign(("cosignature/v1\ntime %d\n%s" % (when, text)).encode())
        return ("\u2014 %s %s\n" % (name, base64.b64encode(sig).decode())).encode()

    def certify(self, epoch, key=None, aad=EPOCH_AAD, **more):
        e = {1: self.host, 2: epoch.producer, 3: epoch.number,
             4: epoch.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw),
             5: epoch.boot, 6: START_US, 7: START_US + 86400000000, 8: 3600000000}
        e.update(more.pop("change", {}))
        return sign1(key or self.device, aad, dumps(e), **more)

    def begin(self, producer):
        """A new epoch; the next segment carries its certificate and the handover of the one before."""
        seq, last, old = self.chains.get(producer, (0, None, None))
        e = Epoch(self, producer, old.number + 1 if old else 1)
        self.chains[producer] = [seq, last, e]
        carry = {18: e.cert}
        if old:
            carry[19] = sign1(old.key, HANDOVER_AAD, sha256(e.cert))
        return carry

    def seal(self, producer=RECORDER, records=(), carry=None, **more):
        if producer not in self.chains:
            carry = self.begin(producer)
        chain = self.chains[producer]
        seg = Draft(self, producer, chain, records, carry or {}, **more)
        chain[0], chain[1] = seg.seq + 1, sha256(seg.leaf())
        return seg


def body(records, wall, boot):
    """Records are dictionaries of facts by field number; key 2 is the time since `boot`, subject facts are put apart."""
    out, subjects = [dumps({0: 1, 1: wall, 2: boot})] if records else [], {}
    for r in records:
        who = {k: v for k, v in r.items() if 10 <= k < 30}
        item = {k: v for k, v in r.items() if not 10 <= k < 30}
        if who:
            key = dumps({0: 2, **who})
            if key not in subjects:
                subjects[key] = len(subjects)
                out.append(key)
            item[9] = subjects[key]
        out.append(dumps(item))
    return b"".join(out)


class Draft:
    """A segment before it is put together, so that a test can change any part of it."""

    def __init__(self, pc, producer, chain, records, carry, flags=0, lost=None, seen=None, level=3, wall=None):
        self.seq, prev, epoch = chain
        self.key = epoch.key
        wall, boot = (wall or START_US) + self.seq * 15000000, 3600000000 + self.seq * 15000000
        raw = body(records, wall, boot)
        self.salt = seeded("salt %s %d %d" % (pc.name, producer, self.seq), 16)
        self.body = self.salt + zstandard.ZstdCompressor(level=level).compress(raw)
        times = [wall + r[2] for r in records] or [wall]
        self.h = {1: pc.host, 2: producer, 3: epoch.boot, 4: epoch.number, 5: self.seq, 7: sha256(self.body),
                  8: len(self.body), 9: len(raw), 10: len(records), 11: min(times), 12: max(times), 13: boot, **carry}
        if prev is not None:
            self.h[6] = prev
        for key, value in ((15, flags), (16, seen), (17, lost)):
            if value:
                self.h[key] = value
        self.cose = {"aad": SEGMENT_AAD}

    def leaf(self):
        return sign1(self.key, payload=dumps(self.h), **self.cose)

    def set_body(self, b, raw_len=None):
        """Another body, with its hash and length (and what is claimed of its contents) in the header."""
        self.body = b
        self.h.update({7: sha256(b), 8: len(b)})
        if raw_len is not None:
            self.h[9] = raw_len

    def bytes(self, leaf=None):
        leaf = leaf or self.leaf()
        return MAGIC + len(leaf).to_bytes(4, "big") + leaf + self.body


# --- the log ---

class Log:
    def __init__(self, name="sekisho.test/log/2026", seed="log"):
        self.name, self.key, self.leaves = name, ed(seed), []
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.hash = sha256(name.encode() + b"\n\x01" + raw)[:4]
        self.vkey = "%s+%s+%s\n" % (name, self.hash.hex(), base64.b64encode(b"\x01" + raw).decode())

    def checkpoint(self, size=None, root=None):
        size = len(self.leaves) if size is None else size
        root = root or tree_root([leaf_hash(x) for x in self.leaves[:size]])
        text = "%s\n%d\n%s\n" % (self.name, size, base64.b64encode(root).decode())
        sig = base64.b64encode(self.hash + self.key.sign(text.encode())).decode()
        return ("%s\n\u2014 %s %s\n" % (text, self.name, sig)).encode()

    def tlog_proof(self, index, size=None):
        size = len(self.leaves) if size is None else size
        rows = inclusion(index, [leaf_hash(x) for x in self.leaves[:size]])
        head = "c2sp.org/tlog-proof@v1\nindex %d\n" % index
        return (head + "".join(base64.b64encode(h).decode() + "\n" for h in rows) + "\n").encode() + self.checkpoint(size)


def split_at(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def inclusion(m, d):
    """PATH(m, D[n]) of RFC 6962 section 2.1.1, over leaf hashes."""
    if len(d) == 1:
        return []
    k = split_at(len(d))
    if m < k:
        return inclusion(m, d[:k]) + [tree_root(d[k:])]
    return inclusion(m - k, d[k:]) + [tree_root(d[:k])]


def consistency(m, d):
    """PROOF(m, D[n]) of RFC 6962 section 2.1.2, over leaf hashes."""
    def sub(m, d, whole):
        if m == len(d):
            return [] if whole else [tree_root(d)]
        k = split_at(len(d))
        if m <= k:
            return sub(m, d[:k], whole) + [tree_root(d[k:])]
        return sub(m - k, d[k:], False) + [tree_root(d[:k])]
    return sub(m, d, True)


def example_records():
    """One of each type, with names that are not UTF-8, newlines and Japanese."""
    who = {10: 4711, 11: 3500000000, 12: 1000, 13: "花子", 14: 1000, 15: 3, 16: "/usr/bin/vim.basic", 17: "vim",
           18: 4700, 19: "/usr/bin/bash\n/usr/sbin/sshd"}
    return [
        {1: 1, 2: 0, **who, 60: "vim\n給与.txt", 61: "/home/hanako"},
        {1: 4, 2: 1200345, 5: 3, **who, 30: "/home/hanako/給与.txt", 33: 131077, 34: "ext4", 35: 1, 39: 812, 51: 812,
         52: 900000},
        {1: 8, 2: 1300000, **who, 30: b"/home/hanako/\xff\xfe\n.swp", 35: 1},
        {1: 3, 2: 1500000, **who, 63: 1},
        {1: 42, 2: 1600000, 90: 1, 91: 17, 94: "=HYPERLINK(\"http://example\")"},
        {1: 4, 2: -1000, 4: -13, 10: 1, 16: "/sbin/init", 30: "/etc/shadow"},
    ]


