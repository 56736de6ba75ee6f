"""Two collectors over one log, asked by turns: what one of them learns the other has to know. collector_several.py FIRST SECOND

FIRST, SECOND: their ports. $SEKISHO_ROOT is the first one's, $SECOND_ROOT the second one's."""
import http.client
import json
import os
import subprocess
import sys
import threading

from cryptography.hazmat.primitives.asymmetric import ec

import collector_pc
from collector_pc import Member, ask, door, same, statuses, token, true, until

FIRST, SECOND = int(sys.argv[1]), int(sys.argv[2])
DOORS = {FIRST: collector_pc.DOOR, SECOND: os.environ["SECOND_ROOT"] + "/run/sekisho/collector.sock"}


def at(port):
    """From here on that one is asked, at its port and at its door."""
    collector_pc.PORTS, collector_pc.DOOR = [port], DOORS[port]


def member_at(pc, port):
    at(port)
    pc.close()
    return pc


def waiting(pc, port, query, told):
    other = Member(pc.name, pc)
    other.use(pc.cert, pc.tls_key)
    at(port)
    other.connection = collector_pc.connect(other.context)
    other.connection.connect()

    def wait():
        try:
            told.append(other.request("GET", query))
        except (OSError, http.client.HTTPException) as e:
            told.append((0, str(e), None))
    t = threading.Thread(target=wait, daemon=True)
    t.start()
    until(lambda: door("/admin/status")["connections"]["waiting"] >= 1, "the PC waits")
    return t


def main():
    # Made before there was a place that both have.
    at(SECOND)
    Member("pc-0").enrol(os.environ["TOKEN"])
    # A token of the one is good at the other, once.
    at(FIRST)
    line, again = token("pc-1"), token("pc-2")
    pc = Member("pc-1")
    at(SECOND)
    same(len(door("/admin/tokens")["tokens"]), 2, "tokens at the other door")
    pc.enrol(line)
    at(FIRST)
    same(ask("/v1/enrol", Member("pc-1").enrolment(line))[0], 403, "a used token, at the collector that made it")
    same(len(door("/admin/tokens")["tokens"]), 1, "tokens that are left")
    # Of two that ask by one name at both in the same moment one gets it.
    at(FIRST)
    for i in range(5):
        pair = [Member("same-%d" % i), Member("same-%d" % i, Member("else-%d" % i))]
        asks = [json.dumps(p.enrolment(token())) for p in pair]
        together, got = threading.Barrier(2), []

        def enrol(port, text):
            c = http.client.HTTPSConnection(collector_pc.HOST, port, context=collector_pc.tls(), timeout=30)
            c.connect()
            together.wait()
            c.request("POST", "/v1/enrol", text)
            got.append(c.getresponse().status)
            c.close()
        threads = [threading.Thread(target=enrol, args=x) for x in zip(DOORS, asks)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
        same(sorted(got), [200, 409], "two by one name")
    # Who is enrolled at the one is known at the other, with its chain and with what it has seen of the log.
    member_at(pc, FIRST)
    first = pc.sealed(2)
    same(statuses(pc.post(first)), ["stored", "stored"], "at the first")
    member_at(pc, SECOND)
    same(statuses(pc.post(first)), ["known", "known"], "the same at the second")
    same(statuses(pc.post(pc.sealed(1))), ["stored"], "what follows at the second")
    member_at(pc, FIRST)
    same(statuses(pc.post(pc.sealed(1))), ["stored"], "what follows at the first")
    same(statuses(pc.post(b"".join(x.bytes(x.sent) for x in first))), ["known", "known"], "known there, too")
    # The key of a renewal at the one is taken by the other; and the one before no more, at either.
    key = ec.generate_private_key(ec.SECP256R1())
    got, body, _ = ask("/v1/renew", pc.renewal(key))
    same(got, 200, "renewal: %s" % body)
    before = (pc.cert, pc.tls_key)
    at(SECOND)
    pc.use(body["certificate"], key)
    same(statuses(pc.post(pc.sealed(1))), ["stored"], "with the new key at the second")
    at(FIRST)
    pc.use(*before)
    same(pc.request("GET", "/v1/policy")[0], 403, "with the old key at the first")
    pc.use(body["certificate"], key)
    # A policy that is pushed at the one reaches who waits at the other.
    told = []
    t = waiting(pc, SECOND, "/v1/wait?follow=0&checkpoint=0&policy=0&above=0", told)
    subprocess.run(["sekishoctl", "policy", "push", os.environ["POLICY"]], check=True, stdout=subprocess.DEVNULL)
    t.join(60)
    true(told and told[0][0] == 200 and told[0][1]["policy"] == 1 and "signed" in told[0][1], "told of the policy: %s" % told)
    at(SECOND)
    same(door("/admin/policy")["version"], 1, "its version at the second")
    got, body, _ = member_at(pc, SECOND).request("GET", "/v1/policy?above=0")
    same((got, body), (200, open(os.environ["POLICY"], "rb").read()), "its bytes")
    # Who waits at the one is there also at the other's door, and is followed from it.
    told = []
    t = waiting(pc, SECOND, "/v1/wait?follow=0&checkpoint=0&policy=1", told)
    at(FIRST)
    until(lambda: {h["name"]: h["connected"] for h in door("/admin/hosts")["hosts"]}["pc-1"], "connected, as the first sees it")
    door("/admin/follow", {"host": "pc-1", "seconds": 30})
    t.join(60)
    true(told and told[0][0] == 200 and told[0][1]["follow"] > 0, "followed: %s" % told)
    # Revoked at the one: what is open at the other ends, and nothing more is taken.
    told = []
    t = waiting(pc, SECOND, "/v1/wait?follow=1&checkpoint=0&policy=1", told)
    at(FIRST)
    door("/admin/revoke", {"host": "pc-1", "reason": "lost"})
    t.join(60)
    true(told and told[0][0] != 200, "its connection ends: %s" % told)
    same(member_at(pc, SECOND).request("GET", "/v1/policy")[0], 403, "revoked at the second")
    other = Member("pc-2")
    other.enrol(again)
    # What is held at the one is known to the other, and lifted there.
    hold = door("/admin/retention/hold", {"reason": "x"})["hold"]
    at(FIRST)
    until(lambda: [h["hold"] for h in door("/admin/retention")["holds"]] == [hold], "held at the first")
    door("/admin/retention/lift", {"hold": hold, "reason": "x"})
    at(SECOND)
    until(lambda: door("/admin/retention")["holds"] == [], "lifted at the second")
    at(FIRST)
    until(lambda: [(c["first"], c["self"], c["alive"]) for c in sorted(door("/admin/status")["collectors"], key=lambda c: not c["first"])] ==
          [(True, True, True), (False, False, True)], "collectors as the first sees them")


main()
