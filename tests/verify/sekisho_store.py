"""A collector's store, read from outside: the published log (C2SP tlog-tiles), the checkpoint, the packs.

Called by sekisho_verify.py --store. Headers are taken from the entry bundles of the log, as anybody would; bodies are looked
up by their hash in the packs, since that is all that binds them to a header.
"""
import glob
import os

import sekisho_retention
import sekisho_verify as v

KEY = 100  # field of a record that holds a device key: PCs when they enrol, the collector when it starts


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


CRC = crc32c_table()


def crc32c(b):
    c = 0xFFFFFFFF
    for x in b:
        c = c >> 8 ^ CRC[(c ^ x) & 255]
    return c ^ 0xFFFFFFFF


def leaves_of(log, size):
    leaves = []
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        path = os.path.join(log, "tile/entries", v.tile_path(n))
        data = b""
        for p in ([path] if width == 256 else [path, "%s.p/%d" % (path, width)]):
            if os.path.exists(p):
                with open(p, "rb") as f:
                    data = f.read()
        at = 0
        for _ in range(width):
            end = at + 2 + int.from_bytes(data[at:at + 2], "big")
            if at + 2 > len(data) or end > len(data):
                raise v.Refused("%s:%d: entry bundle is cut off" % (path, at))
            leaves.append(data[at + 2:end])
            at = end
    return leaves


def frames(path):
    """Frames of a pack: length and CRC-32C (4 bytes each, big-endian), then the bytes. What a running collector has not
    committed yet may end in the middle of one; whether something is missing is seen by whoever needs it."""
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        n = int.from_bytes(data[at:at + 4], "big")
        frame = data[at + 8:at + 8 + n]
        if len(frame) < n or at + 8 > len(data):
            return
        if crc32c(frame) != int.from_bytes(data[at + 4:at + 8], "big"):
            raise v.Refused("%s:%d: frame is damaged" % (path, at))
        yield at, frame
        at += 8 + n


def judge(top, verifier, evidence, admins=None):
    if not verifier:
        with open(os.path.join(top, "../log.vkey"), encoding="utf-8") as f:
            verifier = v.Verifier(f.read())
    with open(os.path.join(top, "log/checkpoint"), "rb") as f:
        size, root = v.checkpoint(f.read(), verifier)
    leaves = leaves_of(os.path.join(top, "log"), size)
    if v.tree_root([v.leaf_hash(x) for x in leaves]) != root:
        raise v.Refused("the checkpoint's root is not that of the entry bundles")
    v.check_tiles(os.path.join(top, "log"), leaves)
    month_of, bodies = {}, {}
    beside = os.path.join(top, "../admin.keys")
    if admins is None and os.path.exists(beside):
        admins = sekisho_retention.admins_of(beside)
    book = sekisho_retention.Book(verifier, admins)
    for path in sorted(glob.glob(os.path.join(top, "packs/*.headers"))):
        for _, frame in frames(path):
            month_of[frame] = os.path.basename(path)[:-len(".headers")]
    for path in sorted(glob.glob(os.path.join(top, "packs/*.bodies"))):
        for _, frame in frames(path):
            bodies[v.sha256(frame)] = frame
    for i, leaf in enumerate(leaves):
        where = "leaf %d:0" % i
        if leaf not in month_of:
            evidence.problem(where, "is in the log but not in a pack")
        try:
            s = v.Segment(leaf, None, where)
        except v.Refused as e:
            evidence.problem(where, e)
            continue
        s.body = bodies.get(s.h[7])
        evidence.segments.append(s)
        try:
            book.take(i, s)
        except v.Refused as e:
            evidence.problem(where, e)
    book.judge(evidence)
    learn_devices(evidence)
    own = os.path.join(top, "../device.pub")
    if os.path.exists(own):
        with open(own, "rb") as f:
            evidence.add_device(f.read())
    return judge_cosigned(os.path.join(top, "log"), verifier, leaves, evidence)


def judge_cosigned(log, verifier, leaves, evidence):
    """How many enrolled PCs have cosigned the newest checkpoint that any has."""
    path = os.path.join(log, "cosigned")
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as f:
        note = f.read()
    size, root = v.checkpoint(note, verifier)
    if size > len(leaves) or v.tree_root([v.leaf_hash(x) for x in leaves[:size]]) != root:
        raise v.Refused("log/cosigned: not of this log")
    signed = {(n, s[:4].hex()) for n, s in v.note_parts(note)[1]}
    keys = []
    with open(os.path.join(log, "witnesses"), encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if tuple(line.split("+")[:2]) in signed:
                w = v.Witness(line)
                if w.host not in evidence.devices:
                    raise v.Refused("log/witnesses: a witness that was never enrolled")
                keys.append(w.verifier)
    return len(v.cosigners(note, keys))


def learn_devices(evidence):
    """Device keys out of the collector's records: a key proves itself, since its hash is the PC's id. The collector's own
    may lie beside the store."""
    for s in evidence.segments:
        if s.producer != 16 or s.body is None:
            continue
        try:
            for record in s.records():
                if KEY in record:
                    evidence.add_device(record[KEY])
        except v.Refused as e:
            evidence.problem(s.where, e)
