"""A PC as the collector sees it, by the published formats alone: enrols, seals, posts, checks what it is answered.

Shared by the flows of the collector. Nothing here comes from the C code; segments and proofs are those of tests/verify.
"""
import base64
import http.client
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../verify"))
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402
from sekisho_verify import Verifier, check_consistency, check_inclusion, checkpoint, leaf_hash, sha256, spki  # noqa: E402
from sekisho_write import GUARD, PRINT, RECORDER, Epoch, Pc, example_records  # noqa: E402,F401

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
STATE = os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-collector"
DOOR = os.environ["SEKISHO_ROOT"] + "/run/sekisho/collector.sock"
PORT = int(os.environ["COLLECTOR_PORT"])
# Of several collectors over one log: each connection goes to any of them, as behind a TCP load balancer.
PORTS = [int(p) for p in os.environ.get("COLLECTOR_PORTS", str(PORT)).split(",")]
HOST = "127.0.0.1"


def same(got, want, what):
    if got != want:
        raise SystemExit("FAILED: %s: %r instead of %r" % (what, got, want))


def true(v, what):
    if not v:
        raise SystemExit("FAILED: " + what)


class DoorConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(DOOR)


def door(path, ask=None, status=200):
    c = DoorConnection("localhost", timeout=30)
    c.request("GET" if ask is None else "POST", path, None if ask is None else json.dumps(ask))
    r = c.getresponse()
    body = json.loads(r.read())
    true(r.status in (status if isinstance(status, tuple) else (status,)), "%s: %d, %s" % (path, r.status, body))
    c.close()
    return body


def token(name=None, valid=600):
    return door("/admin/tokens", {"name": name, "valid": valid})["token"]


def sign(key, message):
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()


def csr_of(key, name="x"):
    b = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    return b.sign(key, hashes.SHA256()).public_bytes(PEM).decode()


def tls(cert=None, key=None):
    c = ssl.create_default_context(cafile=STATE + "/ca/ca.crt")
    c.minimum_version = ssl.TLSVersion.TLSv1_3
    if cert:
        path = os.path.join(os.environ["FLOW_TMP"], "pc-%d-%s.pem" % (os.getpid(), sha256(cert.encode()).hex()[:16]))
        with open(path, "wb") as f:
            f.write(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            f.write(cert.encode())
        c.load_cert_chain(path)
        os.unlink(path)
    return c


def connect(context=None, timeout=30):
    return http.client.HTTPSConnection(HOST, random.choice(PORTS), context=context or tls(), timeout=timeout)


def raw(context=None, timeout=30):
    s = socket.create_connection((HOST, PORT), timeout=timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return (context or tls()).wrap_socket(s, server_hostname=HOST)


def ask(path, body=None, context=None, headers=None):
    c = connect(context)
    c.request("GET" if body is None else "POST", path, body if body is None or isinstance(body, bytes) else json.dumps(body),
              headers or {})
    r = c.getresponse()
    data = r.read()
    c.close()
    return r.status, data if r.getheader("Content-Type") != "application/json" else json.loads(data), r


class Member(Pc):
    """A PC with a name, that can be enrolled."""

    def __init__(self, name, device=None):
        super().__init__(name)
        if device:
            self.device, self.device_pub, self.host = device.device, device.device_pub, device.host
        self.tls_key = ec.generate_private_key(ec.SECP256R1())
        self.seen = (0, None)
        self.cert = self.context = self.connection = None
        with open(STATE + "/log.vkey") as f:
            self.log = Verifier(f.read())

    def enrolment(self, line, **change):
        _, ident, secret, fingerprint = line.split(".")
        with open(STATE + "/ca/ca.crt") as f:
            ca = x509.load_pem_x509_certificate(f.read().encode())
        same(sha256(ca.public_bytes(DER)).hex(), fingerprint, "fingerprint in the token")
        csr = change.pop("csr", None) or csr_of(self.tls_key)
        message = {"token": ident + "." + secret, "name": self.name, "csr": csr,
                   "device_key": base64.b64encode(self.device_pub).decode(),
                   "proof": sign(self.device, b"sekisho enrol 1\0" + ident.encode() + b"\0" + csr.encode())}
        message.update(change)
        return message

    def enrol(self, line=None, status=200, **change):
        got, body, _ = ask("/v1/enrol", self.enrolment(line or token(), **change))
        same(got, status, "enrolment: %s" % body)
        if status == 200:
            same(body["host"], self.host.hex(), "host id")
            same(body["log"], open(STATE + "/log.vkey").read().strip(), "log key")
            self.use(body["certificate"])
        return body

    def use(self, cert, key=None):
        c = x509.load_pem_x509_certificate(cert.encode())
        same(c.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value, self.host.hex(), "certificate's name")
        self.tls_key = key or self.tls_key
        self.cert, self.context = cert, tls(cert, self.tls_key)
        self.close()

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def renewal(self, key):
        csr = csr_of(key)
        return {"certificate": self.cert, "csr": csr, "proof": sign(self.tls_key, b"sekisho renew 1\0" + csr.encode())}

    def request(self, method, path, body=None, headers=None):
        self.connection = self.connection or connect(self.context)
        self.connection.request(method, path, body, headers or {})
        r = self.connection.getresponse()
        data = r.read()
        return r.status, json.loads(data) if r.getheader("Content-Type") == "application/json" else data, r

    def post(self, body, status=200, lost=False, seen=None):
        """Posts segments (bytes, or drafts); checks every proof; gives the results."""
        if not isinstance(body, bytes):
            body = b"".join(x if isinstance(x, bytes) else x.bytes(x.sent) for x in body)
        headers = {"Content-Type": "application/vnd.sekisho.segment",
                   "Sekisho-Seen": str(self.seen[0] if seen is None else seen)}
        if lost:
            headers["Sekisho-Gap"] = "lost"
        got, answer, response = self.request("POST", "/v1/segments", body, headers)
        same(got, status, "answer: %s" % answer)
        if got != 200:
            answer["retry"] = response.getheader("Retry-After")
            return answer
        self.check(answer, body)
        return answer["results"]

    def check(self, answer, body):
        size, root = checkpoint(answer["checkpoint"].encode(), self.log)
        proof = [base64.b64decode(x) for x in answer["consistency"]]
        if self.seen[0]:
            check_consistency(self.seen[0], self.seen[1], size, root, proof)
        self.seen = (size, root)
        leaves = []
        while body:
            n = int.from_bytes(body[4:8], "big")
            leaf = body[8:8 + n]
            from sekisho_verify import decode
            leaves.append(leaf)
            body = body[8 + n + decode(decode(leaf).value[2])[8]:]
        same(len(answer["results"]), len(leaves), "results")
        for leaf, r in zip(leaves, answer["results"]):
            if r["status"] in ("stored", "known"):
                check_inclusion(r["index"], size, leaf_hash(leaf), [base64.b64decode(x) for x in r["proof"]], root)

    def sealed(self, n=1, producer=RECORDER, records=None, carry=None, **more):
        """n segments, ready to be sent; the chain goes on behind them."""
        out = []
        for _ in range(n):
            seg = self.seal(producer, example_records() if records is None else records, carry, **more)
            carry = None
            self.fix(seg, producer)
            out.append(seg)
        return out

    def fix(self, seg, producer):
        """Signs once: P-256 draws at random, and a chain goes by the bytes that were sent."""
        seg.sent = seg.leaf()
        self.chains[producer][1] = sha256(seg.sent)
        return seg


def statuses(results):
    return [r["status"] for r in results]


def records(kind, **want):
    """The collector's own records of this kind, as the auditor's command shows them, once they are indexed."""
    out = subprocess.run(["sekishoctl", "log", "--json", "--kind", kind], stdout=subprocess.PIPE, check=True).stdout
    rows = [json.loads(line) for line in out.decode().splitlines()]
    return [r for r in rows if all(r.get(k) == v for k, v in want.items())]


def until(check, what, seconds=60):
    """Waits for a condition, within a bound."""
    end = time.monotonic() + seconds
    while not check():
        true(time.monotonic() < end, "not in time: " + what)
        time.sleep(0.05)


def status():
    return door("/admin/status")
