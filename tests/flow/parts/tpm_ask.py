#!/usr/bin/python3
"""Asks the keeper, by policy/trust/keeper.h and nothing of ours.

  tpm_ask.py SOCKET sign|agree KEYFILE HEX     the answer in hexadecimal, or its words and 1
  tpm_ask.py SOCKET make                       a new key's file, or the words and 1
  tpm_ask.py der HEX                           r || s as DER (RFC 3279), to standard output
"""
import socket
import sys


def head(kind, n):
    return bytes([kind << 5 | n]) if n < 24 else bytes([kind << 5 | 24, n]) if n < 256 else bytes([kind << 5 | 25]) + n.to_bytes(2, "big")


def item(b, at):
    kind, n = b[at] >> 5, b[at] & 31
    at += 1
    if n >= 24:
        size = 1 << n - 24
        n, at = int.from_bytes(b[at:at + size], "big"), at + size
    return (b[at:at + n], at + n) if kind in (2, 3) else (n, at)


def integer(b):
    b = b.lstrip(b"\0")
    b = b"\0" + b if not b or b[0] & 128 else b
    return b"\2" + bytes([len(b)]) + b


def main(argv):
    if argv[1] == "der":
        raw = bytes.fromhex(argv[2])
        body = integer(raw[:32]) + integer(raw[32:])
        sys.stdout.buffer.write(b"\x30" + bytes([len(body)]) + body)
        return 0
    key = data = b""
    if argv[2] != "make":
        with open(argv[3], "rb") as f:
            key = f.read()
        data = bytes.fromhex(argv[4])
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(argv[1])
    s.sendall(head(4, 4) + head(0, 1) + head(0, {"make": 1, "sign": 2, "agree": 3}[argv[2]]) + head(2, len(key)) + key + head(2, len(data)) + data)
    s.shutdown(socket.SHUT_WR)
    answer = b""
    while more := s.recv(4096):
        answer += more
    _, at = item(answer, 0)
    verdict, at = item(answer, at)
    made, at = item(answer, at)
    words, _ = item(answer, at)
    print(words.decode() if verdict else made.decode().rstrip() if argv[2] == "make" else made.hex())
    return 1 if verdict else 0


sys.exit(main(sys.argv))
