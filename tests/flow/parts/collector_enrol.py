"""Scenario of 40-collector-door: who comes in, who does not, who has to go."""
import datetime
import http.client
import os
import pickle
import sys
import threading

from collector_pc import (PEM, STATE, Member, ask, csr_of, door, ec, hashes, records, same, serialization, sha256, sign, spki,
                          statuses, token, true, until, x509)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TMP = os.environ["FLOW_TMP"]


def fresh():
    return ec.generate_private_key(ec.SECP256R1())


def own_certificate(member, key, days, valid, issuer_key=None, issuer=None):
    """A certificate as the CA gave it out some time ago."""
    with open(STATE + "/ca/ca.crt", "rb") as f:
        ca = x509.load_pem_x509_certificate(f.read())
    with open(STATE + "/ca/ca.key", "rb") as f:
        ca_key = serialization.load_pem_private_key(f.read(), None)
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=days)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, member.host.hex())])
    b = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer or ca.subject).public_key(key.public_key())
         .serial_number(x509.random_serial_number()).not_valid_before(begin)
         .not_valid_after(begin + datetime.timedelta(days=valid))
         .add_extension(x509.BasicConstraints(False, None), True)
         .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False))
    return b.sign(issuer_key or ca_key, hashes.SHA256()).public_bytes(PEM).decode()


def refused(message, status, word, path="/v1/enrol"):
    got, body, _ = ask(path, message)
    same((got, body["error"]), (status, word), "%s: %s" % (path, body))


def enrol():
    with open(os.path.join(TMP, "secret"), "w") as f:
        line = token()
        f.write(line.split(".")[2])
    pc = Member("pc-1")
    message = pc.enrolment(line)
    other = Member("pc-other")

    refused({}, 400, "request")
    refused(b"\xff\xfe{", 400, "request")
    refused(b"[" * 60000, 400, "request")
    refused(dict(message, name="a\nb"), 400, "request")
    refused(dict(message, name=""), 400, "request")
    refused(dict(message, name="x" * 128), 400, "request")
    refused(dict(message, name="f" * 64), 400, "request")
    refused(dict(message, csr="-----BEGIN NOTHING"), 400, "request")
    refused(dict(message, device_key="AAAA"), 400, "request")
    bad = "0" * 32
    refused(dict(message, token=line.split(".")[1] + "." + bad), 403, "token")
    refused(dict(message, token="0" * 16 + "." + line.split(".")[2]), 403, "token")
    refused(dict(message, token="../../ca/ca.key." + bad), 403, "token")
    refused(dict(message, proof=other.enrolment(line)["proof"]), 403, "proof")
    refused(dict(message, csr=csr_of(fresh())), 403, "proof")  # another TLS key than the one that was signed for
    refused(pc.enrolment(token("pc-2")), 403, "token")  # for another name
    same_key = Member("pc-same")
    same_key.tls_key = same_key.device
    refused(same_key.enrolment(line), 400, "request")
    short, late = token("pc-early", valid=1), Member("pc-late")
    until(lambda: ask("/v1/enrol", late.enrolment(short))[1]["reason"] == "the token has expired", "a token expires")

    pc.enrol(line)
    pc.enrol(line)  # the answer was lost: the same PC, the same keys
    refused(other.enrolment(line), 403, "token")
    again = Member("pc-1", device=pc)
    refused(again.enrolment(line), 403, "token")  # another TLS key
    renamed = Member("pc-9", device=pc)
    refused(renamed.enrolment(token()), 409, "known")
    same(statuses(pc.post(pc.sealed(2))), ["stored"] * 2, "first segments")
    same(pc.request("GET", "/v1/wait?follow=1&checkpoint=2")[0], 200, "wait")

    # Enrolled again, with a new token: the key before is no good any more.
    old = pc.context
    again.enrol()
    pc.context = old
    pc.close()
    same(pc.post(pc.sealed(1), status=403)["error"], "unknown", "old TLS key")
    pc.chains[1][0] -= 1
    pc.use(again.cert, again.tls_key)
    return pc


def renew(pc):
    def asked(message, status=200):
        got, body, _ = ask("/v1/renew", message)
        same(got, status, "renewal: %s" % body)
        return body
    key = fresh()
    message = pc.renewal(key)
    refused({}, 400, "request", "/v1/renew")
    refused(dict(message, proof=sign(key, b"sekisho renew 1\0" + message["csr"].encode())), 403, "proof", "/v1/renew")
    refused(dict(message, proof=sign(pc.tls_key, b"sekisho enrol 1\0" + message["csr"].encode())), 403, "proof", "/v1/renew")
    forger = fresh()
    forged = own_certificate(pc, pc.tls_key, 10, 90, issuer_key=forger)
    refused(dict(message, certificate=forged), 403, "unknown", "/v1/renew")
    with open(STATE + "/ca/server.crt") as f:
        refused(dict(message, certificate=f.read()), 403, "unknown", "/v1/renew")
    stranger = Member("stranger")
    stranger.cert = own_certificate(stranger, stranger.tls_key, 10, 90)
    refused(stranger.renewal(fresh()), 403, "unknown", "/v1/renew")

    # Expired for months: renewed. For more than a year: not.
    pc.cert, kept = own_certificate(pc, pc.tls_key, 200, 90), pc.cert
    first = asked(pc.renewal(key))["certificate"]
    pc.cert = own_certificate(pc, pc.tls_key, 500, 90)
    refused(pc.renewal(key), 403, "expired", "/v1/renew")
    pc.cert = kept
    # The answer was lost: asked again, and both keys are good until the new one is used.
    second = asked(pc.renewal(key))["certificate"]
    true(first != second, "two certificates")
    refused(pc.renewal(fresh()), 429, "busy", "/v1/renew")
    same(pc.request("GET", "/v1/wait?follow=1&checkpoint=2")[0], 200, "the old key is still good")
    old = pc.context
    pc.use(second, key)
    same(pc.request("GET", "/v1/wait?follow=1&checkpoint=2")[0], 200, "the new key")
    new, pc.context = pc.context, old
    pc.close()
    same(pc.request("GET", "/v1/wait?follow=1&checkpoint=2")[0], 403, "the old key is no good any more")
    pc.context = new
    pc.close()
    until(lambda: records("renew", peer_name="pc-1"), "a record of renewal")
    same(len(records("renew", peer_name="pc-1")), 1, "records of renewal")


def revoke(pc):
    victim = Member("pc-gone")
    victim.enrol()
    same(statuses(victim.post(victim.sealed(1))), ["stored"], "before")
    live = victim.connection
    true(live is not None, "a connection is open")
    same(door("/admin/revoke", {"host": "nobody", "reason": "x"}, 404)["error"], "host", "unknown")
    door("/admin/revoke", {"host": "pc-gone", "reason": "lost in a train"})
    door("/admin/revoke", {"host": victim.host.hex(), "reason": "again"})
    try:
        status, body, _ = victim.request("POST", "/v1/segments", victim.sealed(1)[0].bytes())
        same((status, body["error"]), (403, "revoked"), "on the open connection")
    except (OSError, http.client.HTTPException):
        pass  # it was closed
    victim.close()
    same(victim.post(victim.sealed(1), status=403)["error"], "revoked", "on a new one")
    refused(victim.renewal(fresh()), 403, "revoked", "/v1/renew")
    refused(victim.enrolment(token()), 409, "known")
    until(lambda: records("revoke", peer_name="pc-gone"), "a record of revocation")
    r = records("revoke", peer_name="pc-gone")
    same((len(r), r[0]["uid"], r[0]["text"]), (1, os.getuid(), "lost in a train"), "who revoked, and why")
    same(door("/admin/revoke", {"host": "collector", "reason": "x"}, 409)["error"], "host", "the collector itself")
    retire(victim)
    # None takes another's name while that one is there, or a server's; afterwards only the id tells them apart.
    for name in ("collector", "Console", "herald"):
        refused(Member(name).enrolment(token()), 409, "name")
    twins = [Member("twin"), Member("twin")]
    twins[1].device = ec.generate_private_key(ec.SECP256R1())
    twins[1].device_pub = spki(twins[1].device.public_key())
    twins[1].host = sha256(twins[1].device_pub)
    twins[0].enrol()
    refused(twins[1].enrolment(token()), 409, "name")
    door("/admin/revoke", {"host": "twin", "reason": "its disk broke"})
    twins[1].enrol()
    same(door("/admin/revoke", {"host": "twin", "reason": ""}, 409)["error"], "host", "two of one name")
    # A certificate of the CA for a PC that was never enrolled.
    ghost = Member("ghost")
    ghost.use(own_certificate(ghost, ghost.tls_key, 1, 90))
    same(ghost.post(ghost.sealed(1), status=403)["error"], "unknown", "never enrolled")
    same(pc.request("GET", "/v1/wait?follow=1&checkpoint=2")[0], 200, "the others go on")
    for kind, name in (("enrol", "pc-gone"), ("enrol", "collector"), ("collector-start", None)):
        true(records(kind, **({"peer_name": name} if name else {})), "record: %s %s" % (kind, name))
    true(any("token" in r["text"] and r["uid"] == os.getuid() for r in records("admin")), "tokens are recorded")
    # Nobody but the door may ask for these.
    for path in ("/admin/tokens", "/admin/hosts", "/admin/status"):
        same(ask(path)[0], 404, path)
    listed = door("/admin/tokens")["tokens"]
    true(all(set(t) == {"id", "name", "expires"} for t in listed), "tokens are listed without secrets")
    names = {h["name"]: h for h in door("/admin/hosts")["hosts"]}
    paged, after = [], ""
    while after is not None:
        page = door("/admin/hosts?limit=2" + after)
        true(0 < len(page["hosts"]) <= 2, "a page of PCs")
        paged += page["hosts"]
        after = page["next"] and "&after=" + page["next"]
    same([h["id"] for h in paged], [h["id"] for h in door("/admin/hosts")["hosts"]], "all PCs, page by page")
    for wrong in ("limit=0", "limit=1001", "limit=x", "after=12", "limit=1&limit=1", "after=" + 65 * "0"):
        same(door("/admin/hosts?" + wrong, status=400)["error"], "request", wrong)
    door("/admin/hosts?after=" + 64 * "0", status=404)
    same((names["pc-gone"]["state"], names["pc-1"]["state"]), ("revoked", "active"), "states")
    same(names["pc-1"]["chains"], [{"producer": "recorder", "seq": 1, "heads": 1}], "chains")


def retire(revoked):
    """Out of use: asked for what it still has, then shut out; one that is not there only where that is said."""
    going, away = Member("pc-old"), Member("pc-away")
    going.enrol()
    away.enrol()
    going.post(going.sealed(1))
    same(door("/admin/retire", {"host": "pc-old", "reason": "x"}, 409)["error"], "away", "nobody waits")
    told = []
    waiting = Member("pc-old", going)
    waiting.use(going.cert, going.tls_key)
    waiter = threading.Thread(target=lambda: told.append(waiting.request("GET", "/v1/wait?follow=0&checkpoint=%d" % going.seen[0])))
    waiter.start()
    until(lambda: door("/admin/retire", {"host": "pc-old", "reason": "leased"}, (409, 200)).get("error") == "sending", "it is asked first")
    waiter.join(60)
    true(told[0][0] == 200 and told[0][1]["follow"] > 0, "what it has not sent yet is asked for: %r" % told)
    same(statuses(going.post(going.sealed(1))), ["stored"], "which is taken")
    until(lambda: "error" not in door("/admin/retire", {"host": "pc-old", "reason": "leased"}, (409, 200)), "then it is retired")
    going.close()
    same(going.post(going.sealed(1), status=403)["error"], "retired", "nothing more is taken")
    refused(going.renewal(fresh()), 403, "retired", "/v1/renew")
    refused(going.enrolment(token()), 409, "known")
    door("/admin/retire", {"host": "pc-old", "reason": "again"})
    door("/admin/retire", {"host": "pc-away", "reason": "sold", "unheard": True})
    r = records("retire", peer_name="pc-old") if until(lambda: records("retire", peer_name="pc-away"), "records") is None else []
    same([(x["uid"], x["text"]) for x in r], [(os.getuid(), "leased")], "who retired it, and why")
    # One that turns up in the wrong hands is revoked after all; what is revoked does not become less by retiring.
    door("/admin/revoke", {"host": "pc-away", "reason": "found on a market"})
    same(door("/admin/retire", {"host": revoked.host.hex(), "reason": "x"}, 409)["error"], "revoked", "a revoked one")
    same(door("/admin/retire", {"host": "collector", "reason": "x"}, 409)["error"], "host", "a server")
    names = {h["name"]: h["state"] for h in door("/admin/hosts")["hosts"]}
    same((names["pc-old"], names["pc-away"]), ("retired", "revoked"), "states")
    heir = Member("pc-new")
    heir.name = "pc-old"
    heir.enrol()  # its name is free again


def main(argv):
    path = os.path.join(TMP, "pc-1.pickle")
    if "after" in argv:
        with open(path, "rb") as f:
            cert, key = pickle.load(f)
        pc = Member("pc-1")
        pc.use(cert, serialization.load_pem_private_key(key, None))
        same(pc.request("GET", "/v1/wait?follow=1&checkpoint=0")[0], 200, "after the index was made anew")
        return
    pc = enrol()
    renew(pc)
    revoke(pc)
    with open(path, "wb") as f:
        pickle.dump((pc.cert, pc.tls_key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption())), f)


main(sys.argv)
