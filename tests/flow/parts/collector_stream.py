"""A PC that posts and does not give up: collector_stream.py NAME REQUESTS [big]; and what is stored in the end: check NAME...

Writes each acknowledged header's hash to acked-NAME, each made one's to made-NAME. Enrols where it has not. Where FLOW_UNTIL names a file, it
goes on until that is there, too."""
import http.client
import os
import subprocess
import random
import sys
import time

from collector_pc import STATE, Member, example_records, same, sha256, token, true
from sekisho_store import leaves_of

TMP = os.environ["FLOW_TMP"]
PATIENCE = 120


def write(name, line=""):
    with open(os.path.join(TMP, name), "a") as f:
        f.write(line)


def lines(name):
    with open(os.path.join(TMP, name)) as f:
        return f.read().split()


def enrol(pc):
    """Also this may be cut short by a kill: the token is for this PC."""
    line = None
    end = time.monotonic() + PATIENCE
    while True:
        true(time.monotonic() < end, "enrolment does not work")
        try:
            line = line or token()
            pc.enrol(line)
            return
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(0.05)


def stream(name, requests, big):
    pc, rnd = Member(name), random.Random(name)
    enrol(pc)
    write("enrolled-" + name)
    records = example_records()
    if big:
        records = [{1: 4, 2: i, 16: "/bin/x", 30: "".join(rnd.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=900))}
                   for i in range(60)]
    done = 0
    while done < requests or not os.path.exists(os.environ.get("FLOW_UNTIL", "/")):
        done += 1
        batch = pc.sealed(rnd.randint(1, 4), records=records)
        for s in batch:
            write("made-" + name, sha256(s.sent).hex() + "\n")
        end = time.monotonic() + PATIENCE
        last = "not asked"
        while True:
            true(time.monotonic() < end, "never taken: %s" % last)
            try:
                pc.close()
                body = b"".join(s.bytes(s.sent) for s in batch)
                status, answer, _ = pc.request("POST", "/v1/segments", body, {"Sekisho-Seen": str(pc.seen[0])})
            except (OSError, http.client.HTTPException, ValueError) as e:
                last = repr(e)
                time.sleep(0.02)
                continue
            last = "%d %s" % (status, answer)
            if status == 503:
                time.sleep(0.1)
                continue
            same(status, 200, "answer: %s" % answer)
            pc.check(answer, body)
            same({r["status"] for r in answer["results"]} - {"stored", "known"}, set(), "results: %s" % answer["results"])
            for s in batch:
                write("acked-" + name, sha256(s.sent).hex() + "\n")
            break
    write("done-" + name)


def check(names):
    if "FLOW_DATABASE" in os.environ:
        # By another client than ours, of what the database itself hashes.
        stored = subprocess.run(
            ["psql", "-X", "-A", "-t", "-d", os.environ["FLOW_DATABASE"], "-c",
             "SELECT encode(sha256(header), 'hex') FROM sekisho.leaf"],
            check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.split()
    else:
        log = os.path.join(STATE, "store/log")
        with open(os.path.join(log, "checkpoint"), encoding="utf-8") as f:
            size = int(f.read().split("\n")[1])
        stored = [sha256(x).hex() for x in leaves_of(log, size)]
    same(len(set(stored)), len(stored), "each leaf once")
    stored = set(stored)
    for name in names:
        made, acked = lines("made-" + name), lines("acked-" + name)
        same(len([x for x in made if x not in stored]), 0, "%s: made and not stored" % name)
        same(sorted(made), sorted(acked), "%s: made and acknowledged" % name)
        print("  - %s: %d segments" % (name, len(made)))


def main(argv):
    if argv[1] == "check":
        return check(argv[2:])
    return stream(argv[1], int(argv[2]), "big" in argv)


main(sys.argv)
