#!/usr/bin/env python3
"""Release codes by policy/wire/RELEASE.md alone, in another language: what the administrator's sekishoctl answers to challenges that are made
here, for keys that are made here, is compared with what this computes; and so is what it says to slips.

usage: release_codes.py SEKISHOCTL [HOW-MANY]"""

import base64
import hashlib
import hmac
import json
import random
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def times(a, b):
    """In GF(32) by x^5 + x^2 + 1."""
    out = 0
    for bit in range(5):
        if b >> bit & 1:
            out ^= a << bit
    for bit in range(9, 4, -1):
        if out >> bit & 1:
            out ^= 0x25 << (bit - 5)
    return out


def check(values, group):
    x = 2
    out = group + 1
    power = 1
    for v in reversed(values):
        power = times(power, x)
        out ^= times(v, power)
    return out


def text(data, groups):
    bits = "".join(f"{b:08b}" for b in data).ljust(groups * 20, "0")[: groups * 20]
    values = [int(bits[i : i + 5], 2) for i in range(0, groups * 20, 5)]
    out = []
    for g in range(groups):
        four = values[4 * g : 4 * g + 4]
        out.append("".join(SYMBOLS[v] for v in four + [check(four, g)]))
    return " ".join(out)


def answer(secret, host_id, challenge, write, units):
    terms = bytes([(0x80 if write else 0) | units])
    mac = hmac.new(secret, host_id + challenge + terms, hashlib.sha256).digest()
    return text(terms + mac[:6] + bytes([mac[6] & 0xF0]), 3)


def public(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def ask(program, place, challenge, *options):
    done = subprocess.run(
        [program, "release", "answer", "--lang", "en", "--key", place + "/release.key", "--roster", place + "/roster", *options, *challenge.split()],
        capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40
    rng = random.Random(20261125)
    wrong = 0

    def differs(what, ours, theirs):
        nonlocal wrong
        wrong += 1
        print(f"{what}: computed {ours!r}, sekishoctl says {theirs!r}")

    pcs = [ec.generate_private_key(ec.SECP256R1()) for _ in range(5)]
    office = ec.generate_private_key(ec.SECP256R1())
    with tempfile.TemporaryDirectory() as place:
        with open(place + "/release.key", "wb") as f:
            f.write(office.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with open(place + "/roster", "w", encoding="utf-8") as f:
            json.dump({"hosts": [{"id": hashlib.sha256(public(k)).hexdigest(), "name": f"pc-{i}",
                                  "device_key": base64.b64encode(public(k)).decode()} for i, k in enumerate(pcs)]}, f)
        for i in range(rounds):
            pc = pcs[i % len(pcs)]
            host_id = hashlib.sha256(public(pc)).digest()
            # Both ways: the PC computes its secret with its own key.
            shared = pc.exchange(ec.ECDH(), office.public_key())
            secret = hmac.new(shared, b"sekisho release 1", hashlib.sha256).digest()
            challenge = host_id[:5] + rng.randbytes(7)
            units, write = rng.randint(1, 96), rng.random() < 0.5
            shown = text(challenge, 5)
            # As people say and type it.
            said = rng.choice([shown, shown.lower(), shown.replace("0", "O").replace("1", "l"), shown.replace(" ", "-")])
            want = answer(secret, host_id, challenge, write, units)
            code, got, err = ask(program, place, said, "--for", f"{units * 15}m", "--access", "read-write" if write else "read-only")
            if code or got != want:
                differs(f"{said} for {units * 15}m", want, got or err)
            at = rng.choice([k for k, c in enumerate(shown) if c != " "])
            slip = shown[:at] + rng.choice(SYMBOLS.replace(shown[at], "")) + shown[at + 1 :]
            code, got, err = ask(program, place, slip)
            if code != 1 or f"group {at // 6 + 1} " not in err:
                differs(f"slip {slip}", f"group {at // 6 + 1}", got or err)
        stranger = text(bytes(5) + rng.randbytes(7), 5)
        code, got, err = ask(program, place, stranger)
        if code != 1 or "no PC of the roster" not in err:
            differs("a PC that is not in the roster", "no PC", got or err)
    print(f"{rounds} challenges, {rounds} slips, {wrong} differ")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
