#!/usr/bin/python3
"""A test double of a producer: seals segments into a spool by the published format, as the recorder would.

  producer.py DEVICE_KEY SPOOL COUNT [--producer NAME] [--every SECONDS] [--records N]

Goes on where the last call ended (SPOOL/NAME/double.json). Prints one line "NAME seq hash" for each segment, after its file
is in place: what was made, counted at the source.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../verify"))
from cryptography.hazmat.primitives import serialization  # noqa: E402
from sekisho_verify import sha256, spki  # noqa: E402
from sekisho_write import GUARD, RECORDER, Epoch, Pc, example_records  # noqa: E402

PRODUCERS = {"recorder": RECORDER, "guard": GUARD}


def option(argv, name, default):
    return argv[argv.index(name) + 1] if name in argv else default


def main(argv):
    name = option(argv, "--producer", "recorder")
    every, n = float(option(argv, "--every", "0")), int(option(argv, "--records", "6"))
    top, producer = os.path.join(argv[2], name), PRODUCERS[name]
    with open(argv[1], "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    for d in ("", "acked", "refused"):
        os.makedirs(os.path.join(top, d), exist_ok=True)
        os.chmod(os.path.join(top, d), 0o2777)
    pc = Pc("double")
    pc.device, pc.device_pub = key, spki(key.public_key())
    pc.host = sha256(pc.device_pub)
    state = os.path.join(top, "double.json")
    if os.path.exists(state):
        with open(state) as f:
            seq, last, epoch = json.load(f)
        pc.chains[producer] = [seq, bytes.fromhex(last), Epoch(pc, producer, epoch)]
    carry = pc.begin(producer)
    records = (example_records() * (n // 6 + 1))[:n]
    for _ in range(int(argv[3])):
        seg = pc.seal(producer, records, carry)
        carry = None
        leaf = seg.leaf()
        pc.chains[producer][1] = sha256(leaf)
        path = os.path.join(top, "%020d.seg" % seg.seq)
        with open(path + ".tmp", "wb") as f:
            f.write(seg.bytes(leaf))
        os.chmod(path + ".tmp", 0o644)
        os.rename(path + ".tmp", path)
        seq, last, epoch = pc.chains[producer]
        with open(state + ".tmp", "w") as f:
            json.dump([seq, last.hex(), epoch.number], f)
        os.rename(state + ".tmp", state)
        print(name, seg.seq, sha256(leaf).hex(), flush=True)
        if every:
            time.sleep(every)


if __name__ == "__main__":
    main(sys.argv)
