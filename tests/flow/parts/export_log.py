"""A log with hostile names and numbers, by two PCs.

    export_log.py first|second LEAVES     what was stored is added to LEAVES: leaf and SHA-256 of its header
    export_log.py more LEAVES TURN        five bursts of another PC, and of the fourth one that fills an INSERT
"""
import json
import os
import sys

from collector_pc import GUARD, PRINT, RECORDER, Member, sha256
import sekisho_write

START = 1795428000000000
sekisho_write.START_US = START
LEAVES = sys.argv[2]
known = json.load(open(LEAVES)) if os.path.exists(LEAVES) else {}


def used(path, at=0, **more):
    return {1: 4, 2: at, 5: 2, 10: 4711, 11: 3500000000, 12: 1000, 13: "花子", 16: "/usr/bin/cp", 17: "cp", 30: path, 35: 1, 51: 10,
            **{int(k[1:]): v for k, v in more.items()}}


def post(member, rows, producer=RECORDER, **more):
    for seg in (sealed := member.sealed(1, producer, rows, **more)):
        seg.hash = sha256(seg.sent).hex()
    for seg, r in zip(sealed, member.post(sealed)):
        known[str(r["index"])] = seg.hash


# Not at the start of a name: the BOM would be lost in the JavaScript of DuckDB, behind what it reads.
NAMES = ["/\ufeffBOM", "", "a", "'; DROP TABLE records; --", 'a"b\\c', "\x00", "a\x00b", "\n\r\t", "\ufffd", "é\u202e\u0007", "\U0001f512", "x" * 16000,
         b"\xff\xfe", b"/\xff\n\xe3\x81", "/é".encode("latin-1"), b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80\xe8\xaa\x9e", "NULL", "{}", "PAR1"]
NUMBERS = [0, 1, 255, 2 ** 31, 2 ** 53 + 1, 2 ** 63 - 1, 2 ** 63, 2 ** 64 - 1]

if sys.argv[1] == "more":
    turn = Member("turn-" + sys.argv[3])
    turn.enrol()
    for burst in range(5):
        post(turn, [used("/turn/%d" % i, i, _50=i) for i in range(300)])
    if sys.argv[3] == "4":
        post(turn, [used("/turn/%d/%s" % (i, "x" * 200), i, _50=i) for i in range(12000)])
    json.dump(known, open(LEAVES, "w"))
    sys.exit()
pc, other = [Member(name) for name in (("pc-1", "pc-二") if sys.argv[1] == "first" else ("pc-3", "pc-四"))]
pc.enrol()
other.enrol()
if sys.argv[1] == "first":
    post(pc, [used(n, i) for i, n in enumerate(NAMES)])
    post(other, [used("/n", i, _33=n, _39=n, _50=NUMBERS[-1 - i]) for i, n in enumerate(NUMBERS)])
    post(other, [{1: 4, 2: 1000000 * i, 4: -n, 5: 2 ** i, 36: n % 2 ** 16, 52: n} for i, n in enumerate(NUMBERS[:6])])
    # Kinds and classes that this version has no word for; none of the facts that most records have; bytes.
    post(pc, [{1: 60000, 2: 0}, {1: 4, 2: 0, 35: 99}, {1: 151, 2: 5, 201: bytes(16), 200: 1, 94: "x"}])
    post(pc, [{1: 84, 2: 1, 13: "taro", 101: "0951:1666", 104: "S", 105: b"\x00\xff" * 16}], GUARD)
    post(other, [{1: 100, 2: 0, 13: "花子", 119: "複合機", 122: "給与\n一覧", 144: -62135596800000000, 115: 253402300800000000}], PRINT)
    post(pc, [used("/r/%d" % (i % 40), i) for i in range(1500)])
    post(pc, [])
else:
    post(pc, [used("/second/%d" % i, i) for i in range(20)])
    post(other, [{1: 84, 2: 1, 13: "jiro", 101: "0951:1666"}], GUARD)
    post(other, [{1: 100, 2: 0, 13: "jiro", 119: "複合機"}], PRINT)
json.dump(known, open(LEAVES, "w"))
