"""A PC beside a collector whose commit waits: collector_waits.py enrol; then policy ABOVE (it fetches what is newer, which has to be
$POLICY); refused (segments that it sends now are not taken, and it is told when to come again)."""
import json
import os
import sys

from cryptography.hazmat.primitives import serialization

from collector_pc import DER, PEM, Member, same, sha256, true

KEPT = os.path.join(os.environ["FLOW_TMP"], "kept-waits")


def pem(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def enrol():
    pc = Member("pc-waits")
    pc.enrol()
    with open(KEPT, "w", encoding="utf-8") as f:
        json.dump([pem(pc.device), pem(pc.tls_key), pc.cert], f)


def kept():
    with open(KEPT, encoding="utf-8") as f:
        device, tls, cert = json.load(f)
    pc = Member("pc-waits")
    pc.device = serialization.load_pem_private_key(device.encode(), None)
    pc.device_pub = pc.device.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    pc.host = sha256(pc.device_pub)
    pc.use(cert, serialization.load_pem_private_key(tls.encode(), None))
    return pc


def policy(above):
    status, body, _ = kept().request("GET", "/v1/policy?above=" + above)
    same(status, 200, "policy: %s" % body)
    with open(os.environ["POLICY"], "rb") as f:
        same(body, f.read(), "the policy that was pushed")


def refused():
    pc = kept()
    answer = pc.post(pc.sealed(2), status=503)
    same(answer["error"], "database", "answer: %s" % answer)
    true(int(answer["retry"]) > 0, "not told when to come again")


if sys.argv[1] == "policy":
    policy(sys.argv[2])
else:
    {"enrol": enrol, "refused": refused}[sys.argv[1]]()
