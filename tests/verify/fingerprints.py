#!/usr/bin/env python3
"""Fingerprints of USB devices from their raw descriptors, by the words of policy/rule/device.h alone, in another language.

usage: fingerprints.py --write-golden FILE    a file of devices and their fingerprints, for the unit test that reads it
       fingerprints.py --check FILE           is it (still) what this computes?

A line: descriptors, manufacturer, product, serial number (each in hexadecimal, "-" for none), and the fingerprint; or the word "malformed"."""

import hashlib
import random
import struct
import sys


def device(cls=(0, 0, 0), vendor=0x0951, product=0x1666, bcd=0x0110, configurations=1, usb=0x0200, packet=64):
    return struct.pack("<BBHBBBBHHHBBBB", 18, 1, usb, *cls, packet, vendor, product, bcd, 1, 2, 3, configurations)


def configuration(*parts, value=1):
    body = b"".join(parts)
    count = sum(1 for p in parts if p[1] == 4)
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), count, value, 0, 0x80, 50) + body


def interface(cls, number=0, alternate=0, endpoints=2):
    return struct.pack("<BBBBBBBBB", 9, 4, number, alternate, endpoints, *cls, 0)


def endpoint(address, packet=512):
    return struct.pack("<BBBBHB", 7, 5, address, 2, packet, 0)


def fingerprint(raw, maker, product, serial):
    """None where the descriptors are malformed."""
    if len(raw) < 18 or raw[0] != 18 or raw[1] != 1:
        return None
    classes, at, interfaces = set(), 18, 0
    while at < len(raw):
        if len(raw) - at < 2 or raw[at] < 2 or raw[at] > len(raw) - at:
            return None
        one = raw[at : at + raw[at]]
        if one[1] in (2, 4) and len(one) < 9:
            return None
        if one[1] == 4:
            interfaces += 1
            classes.add(bytes(one[5:8]))
        at += raw[at]
    if interfaces > 64:
        return None
    h = hashlib.sha256(b"sekisho device 1\0")
    h.update(raw[4:7] + raw[8:14] + raw[17:18])
    h.update(b"".join(sorted(classes)))
    for s in (maker, product, serial):
        h.update(s + b"\0")
    return h.hexdigest()


BULK, UAS, HID, CDC, DATA, VENDOR = (8, 6, 0x50), (8, 6, 0x62), (3, 1, 1), (2, 2, 1), (0x0A, 0, 0), (0xFF, 0x42, 1)


def cases():
    strings = (b"Kingston", b"DataTraveler 3.0", b"60A44C413E4FE4B0")
    stick = device() + configuration(interface(BULK), endpoint(0x81), endpoint(2))
    yield stick, *strings
    yield stick, b"", b"", b""
    yield stick, "日本".encode(), b"\xff\xfe", b" inner blank"
    # Another port, another speed: the same device.
    yield device(usb=0x0320, packet=9) + configuration(interface(BULK), endpoint(0x81, 1024), endpoint(2, 1024)), *strings
    # Alternate settings that say the same, in another order.
    yield device() + configuration(interface(UAS, alternate=1), interface(BULK), endpoint(0x81), interface(BULK, alternate=2)), *strings
    yield device() + configuration(interface(BULK), interface(UAS, alternate=1)), *strings
    yield device((0xEF, 2, 1)) + configuration(interface(CDC), interface(DATA, 1), interface(HID, 2)), *strings
    yield device(configurations=2) + configuration(interface(BULK)) + configuration(interface(VENDOR), value=2), *strings
    yield device((9, 0, 0)) + configuration(interface((9, 0, 0), endpoints=1), endpoint(0x81, 1)), b"Hub", b"", b""
    yield device(), b"no", b"configuration", b""
    yield device() + configuration(*(interface((i, i ^ 0x55, 1), i) for i in range(64))), *strings
    for raw in (b"", stick[:17], b"\x12\x02" + stick[2:], stick[:-1], stick + b"\x00\x05", stick + b"\x09",
                device() + b"\x08\x04" + bytes(6), device() + b"\x08\x02" + bytes(6),
                device() + configuration(*(interface(BULK, i) for i in range(65)))):
        yield raw, *strings
    rng = random.Random(951)
    for _ in range(200):
        kinds = [(rng.choice((1, 2, 3, 6, 7, 8, 9, 0x0E, 0xE0, 0xFF)), rng.randrange(4), rng.randrange(4)) for _ in range(rng.randint(1, 6))]
        parts = []
        for number, kind in enumerate(kinds):
            parts.append(interface(kind, number, rng.randrange(2)))
            parts += [endpoint(rng.randrange(256)) for _ in range(rng.randrange(3))]
            if rng.random() < 0.2:
                parts.append(bytes([rng.randint(2, 9), 0x24]).ljust(9, b"\1")[: 9])
                parts[-1] = bytes([len(parts[-1])]) + parts[-1][1:]
        raw = device((rng.choice((0, 0xEF, 0xFF)), 0, 0), rng.randrange(65536), rng.randrange(65536), rng.randrange(65536)) + configuration(*parts)
        if rng.random() < 0.1:
            raw = raw[: rng.randrange(len(raw))]
        yield raw, rng.randbytes(3).replace(b"\0", b"x"), b"p%d" % rng.randrange(9), rng.choice((b"", b"S%d" % rng.randrange(99)))


def lines():
    for raw, *strings in cases():
        yield " ".join([raw.hex() or "-"] + [s.hex() or "-" for s in strings] + [fingerprint(raw, *strings) or "malformed"]) + "\n"


def main():
    if sys.argv[1] == "--write-golden":
        with open(sys.argv[2], "w", encoding="ascii") as f:
            f.writelines(lines())
        return 0
    with open(sys.argv[2], encoding="ascii") as f:
        same = f.readlines() == list(lines())
    print("the same" if same else f"{sys.argv[2]} is not what is computed here")
    return not same


if __name__ == "__main__":
    sys.exit(main())
