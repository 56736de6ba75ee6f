#!/usr/bin/python3
"""Private keys that lie on a PC's disk in the clear, told from outside: of every byte that it wrote, whichever file it belongs to, or none any more.

usage: private_keys.py DISK.qcow2     (an overlay that is not compressed: what was written lies in there as the PC wrote it)

A line for each: "pem" or "der", and the SHA-256 of its public half (SubjectPublicKeyInfo): PEM of any private key that can be read without
a password, and P-256 in DER (RFC 5915, also within PKCS#8). What a TPM wrapped (TSS2 PRIVATE KEY) is none.
"""
import hashlib
import mmap
import re
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PEM = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----\r?\n[A-Za-z0-9+/=:,\- \r\n]{16,8192}?-----END \1-----")
# ECPrivateKey: version 1, and 32 bytes. Its curve stands behind them, or before, in PKCS#8; the point decides whose key it is.
DER = re.compile(rb"\x02\x01\x01\x04\x20(.{32})", re.S)


def public(key):
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def found(disk):
    for m in PEM.finditer(disk):
        if m.group(1) != b"TSS2 PRIVATE KEY":
            try:
                yield "pem", public(serialization.load_pem_private_key(m.group(0), None))
            except (ValueError, TypeError):
                yield "pem", "unread-" + hashlib.sha256(m.group(0)).hexdigest()
    for m in DER.finditer(disk):
        try:
            yield "der", public(ec.derive_private_key(int.from_bytes(m.group(1), "big"), ec.SECP256R1()))
        except ValueError:
            pass  # zero, or above the order: no key


def main(path):
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as disk:
        for kind, key in sorted(set(found(disk))):
            print(kind, key)


main(sys.argv[1])
