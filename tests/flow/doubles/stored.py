#!/usr/bin/python3
"""What a collector's store holds of the PCs: one line "producer seq hash" for each leaf of its published log, collector's own
segments left out. Reads the log as anybody would, by the published format.

  stored.py STORE
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../verify"))
from sekisho_store import leaves_of  # noqa: E402
from sekisho_verify import decode, sha256  # noqa: E402

PRODUCERS = {1: "recorder", 2: "guard", 3: "print", 5: "posture"}


def main(argv):
    log = os.path.join(argv[1], "log")
    with open(os.path.join(log, "checkpoint"), encoding="utf-8") as f:
        size = int(f.read().split("\n")[1])
    for leaf in leaves_of(log, size):
        h = decode(decode(leaf).value[2])
        if h[2] in PRODUCERS:
            print(PRODUCERS[h[2]], h[5], sha256(leaf).hex())


if __name__ == "__main__":
    main(sys.argv)
