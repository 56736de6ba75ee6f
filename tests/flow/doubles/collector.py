#!/usr/bin/python3
"""A test double of the collector: speaks collector/ingest/PROTOCOL.md, and misbehaves where a test asks for it.

  collector.py DIR PORT [--life SECONDS] [--log NAME]

DIR gets: `token` (an enrolment token), `ready` (when it listens), `stored` (one line "producer seq hash" for each segment
taken), `requests` (one line "METHOD path status" each). Keys, certificates and the log lie there too, so that a second
start goes on. Whoever writes lines to `faults` has one applied to each POST /v1/segments, in order:

  ok | lost | dropped | doubled | garbage | truncate N | cut N | wrong-proof | wrong-index | bad-signature | other-key |
  fork | shrink N | retry-after N | status N | slow | refuse SEQ | gap SEQ | wrong-seq | few
`probe-faults` does the same for GET /v1/consistency; `follow` holds the seconds that GET /v1/wait answers with.
"""
import base64
import datetime
import fcntl
import http.server
import ipaddress
import json
import os
import socketserver
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../verify"))
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402
from sekisho_verify import decode, leaf_hash, sha256, tree_root  # noqa: E402
from sekisho_write import Log, consistency, inclusion  # noqa: E402

PRODUCERS = {1: "recorder", 2: "guard", 3: "print", 5: "posture"}


def b64(b):
    return base64.b64encode(b).decode()


def pem_key(k):
    return k.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    def __init__(self, top, life, address):
        self.top, self.life, self.address = top, life, address
        path = os.path.join(top, "ca.pem")
        if not os.path.exists(path):
            self.key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.utcnow()
            self.cert = self.build("test collector CA", self.key.public_key(), 3650 * 86400, ca=True)
            server = ec.generate_private_key(ec.SECP256R1())
            cert = self.build(address, server.public_key(), 3650 * 86400, server=True)
            pem = serialization.Encoding.PEM
            for name, data in ((path, pem_key(self.key) + self.cert.public_bytes(pem)),
                               (os.path.join(top, "ca.crt"), self.cert.public_bytes(pem)),
                               (os.path.join(top, "server.pem"),
                                pem_key(server) + cert.public_bytes(pem) + self.cert.public_bytes(pem))):
                with open(name, "wb") as f:
                    f.write(data)
        with open(path, "rb") as f:
            data = f.read()
        self.key = serialization.load_pem_private_key(data, None)
        self.cert = x509.load_pem_x509_certificate(data[data.index(b"-----BEGIN CERTIFICATE"):])

    def build(self, cn, public, seconds, ca=False, server=False):
        now = datetime.datetime.utcnow()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
        issuer = name if ca else self.cert.subject
        b = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
             .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(seconds=1))
             .not_valid_after(now + datetime.timedelta(seconds=seconds))
             .add_extension(x509.BasicConstraints(ca, None), True))
        if not ca:
            use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
            b = b.add_extension(x509.ExtendedKeyUsage([use]), False)
        if server:
            b = b.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(self.address)),
                                                             x509.DNSName("localhost")]), False)
        return b.sign(self.key, hashes.SHA256())

    def client(self, csr_pem, host):
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        if not csr.is_signature_valid:
            raise ValueError("bad request")
        return self.build(host, csr.public_key(), self.life).public_bytes(serialization.Encoding.PEM).decode()


class State:
    """The log and what is known of chains. Kept in files, written before an answer leaves."""

    def __init__(self, top, name):
        self.top, self.lock = top, threading.Lock()
        self.log = Log(name, seed=name)
        self.other = Log(name, seed="another log")
        self.path = os.path.join(top, "leaves")
        self.load()

    def load(self):
        self.log.leaves, self.index, self.next = [], {}, {}
        if os.path.exists(self.path):
            with open(self.path) as f:
                lines = f.readlines()
            if lines and not lines[-1].endswith("\n"):  # a crash: it was never acknowledged
                with open(self.path, "w") as f:
                    f.writelines(lines[:-1])
                lines.pop()
            for line in lines:
                self.add(bytes.fromhex(line.strip()))
        with open(os.path.join(self.top, "stored"), "w") as f:
            f.writelines(self.told(x) for x in self.log.leaves)

    def told(self, leaf):
        h = header(leaf)
        return "%s %d %s\n" % (PRODUCERS.get(h[2], h[2]), h[5], sha256(leaf).hex())

    def add(self, leaf):
        h = header(leaf)
        self.index[sha256(leaf)] = len(self.log.leaves)
        self.log.leaves.append(leaf)
        self.next[h[2]] = max(self.next.get(h[2], 0), h[5] + 1)

    def put(self, leaf):
        with open(self.path, "a") as f:
            f.write(leaf.hex() + "\n")
        with open(os.path.join(self.top, "stored"), "a") as f:
            f.write(self.told(leaf))
        self.add(leaf)

    def shrink(self, n):
        with open(self.path) as f:
            lines = f.readlines()[:n]
        with open(self.path, "w") as f:
            f.writelines(lines)
        self.load()

    def hashes(self):
        return [leaf_hash(x) for x in self.log.leaves]

    def proofs(self, seen):
        d = self.hashes()
        old = consistency(seen, d) if 0 < seen < len(d) else []
        return {"checkpoint": self.log.checkpoint().decode() if d else "", "consistency": [b64(x) for x in old]}


def header(leaf):
    return decode(decode(leaf).value[2])


def split(body):
    """Segments of a request: (leaf, whole) each; None where it is no row of segments."""
    out = []
    while body:
        if body[:4] != b"SKS1" or len(body) < 8:
            return None
        n = int.from_bytes(body[4:8], "big")
        try:
            h = header(body[8:8 + n])
            end = 8 + n + h[8]
            if end > len(body):
                return None
        except Exception:
            return None
        out.append((body[8:8 + n], body[8 + n:end]))
        body = body[end:]
    return out


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def log_message(self, *args):
        pass

    def fault(self, name):
        path = os.path.join(self.server.top, name)
        # The test may empty the file meanwhile (under the same lock): it must not be written back.
        with self.server.state.lock, open(os.path.join(self.server.top, "faults.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                with open(path) as f:
                    lines = f.readlines()
            except FileNotFoundError:
                return ["ok"]
            if not lines:
                return ["ok"]
            with open(path + ".new", "w") as f:
                f.writelines(lines[1:])
            os.rename(path + ".new", path)
            return lines[0].split() or ["ok"]

    def note(self, status):
        with self.server.state.lock, open(os.path.join(self.server.top, "requests"), "a") as f:
            f.write("%s %s %s\n" % (self.command, self.path.split("?")[0], status))

    def answer(self, status, value, headers=(), raw=None, slow=False, claim=None):
        data = raw if raw is not None else json.dumps(value).encode()
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(claim if claim is not None else len(data)))
        for k, v in headers:
            self.send_header(k, v)
        self.end_headers()
        if slow:
            for i in range(0, len(data), 64):
                self.wfile.write(data[i:i + 64])
                self.wfile.flush()
                time.sleep(0.01)
        else:
            self.wfile.write(data)
        self.wfile.flush()
        if claim is not None:
            self.close_connection = True

    def peer(self):
        cert = self.connection.getpeercert()
        for part in (cert or {}).get("subject", ()):
            for k, v in part:
                if k == "commonName":
                    return v
        return None

    def do_GET(self):
        path, _, query = self.path.partition("?")
        args = dict(x.split("=") for x in query.split("&")) if query else {}
        st = self.server.state
        if path == "/v1/wait":
            return self.wait(args)
        if path != "/v1/consistency":
            return self.answer(404, {"error": "path"})
        fault = self.fault("probe-faults")
        with st.lock:
            seen, size = int(args["from"]), len(st.log.leaves)
            good = st.proofs(seen)
        if seen > size:
            return self.answer(409, {"error": "behind", "checkpoint": good["checkpoint"]})
        return self.misbehave(fault, good)

    def wait(self, args):
        path, until = os.path.join(self.server.top, "follow"), time.time() + 30
        while time.time() < until:
            try:
                with open(path) as f:
                    seconds = int(f.read() or 0)
            except FileNotFoundError:
                seconds = 0
            if (seconds > 0) != (args["follow"] == "1"):
                return self.answer(200, {"follow": seconds, "policy": 0})
            time.sleep(0.05)
        return self.answer(200, {"follow": 0, "policy": 0})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/segments":
            return self.segments(body)
        try:
            ask = json.loads(body)
        except ValueError:
            return self.answer(400, {"error": "json"})
        if self.path == "/v1/enrol":
            return self.enrol(ask)
        if self.path == "/v1/renew":
            return self.renew(ask)
        return self.answer(404, {"error": "path"})

    def enrol(self, ask):
        s = self.server
        if ask["token"] != s.token or s.token_used:
            return self.answer(403, {"error": "token", "reason": "unknown or used"})
        spki = base64.b64decode(ask["device_key"])
        proof, csr = base64.b64decode(ask["proof"]), ask["csr"].encode()
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        serialization.load_der_public_key(spki).verify(
            encode_dss_signature(int.from_bytes(proof[:32], "big"), int.from_bytes(proof[32:], "big")),
            b"sekisho enrol 1\0" + ask["token"].split(".")[0].encode() + b"\0" + csr, ec.ECDSA(hashes.SHA256()))
        s.token_used = True
        host = sha256(spki).hex()
        with open(os.path.join(s.top, "ca.crt")) as f:
            ca = f.read()
        self.answer(200, {"host": host, "certificate": s.ca.client(ask["csr"], host), "ca": ca,
                          "log": s.state.log.vkey.strip(), "collector": "test double"})

    def renew(self, ask):
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        cert = x509.load_pem_x509_certificate(ask["certificate"].encode())
        self.server.ca.cert.public_key().verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
        proof = base64.b64decode(ask["proof"])
        cert.public_key().verify(
            encode_dss_signature(int.from_bytes(proof[:32], "big"), int.from_bytes(proof[32:], "big")),
            b"sekisho renew 1\0" + ask["csr"].encode(), ec.ECDSA(hashes.SHA256()))
        host = cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        self.answer(200, {"certificate": self.server.ca.client(ask["csr"], host)})

    def segments(self, body):
        st, host = self.server.state, self.peer()
        fault = self.fault("faults")
        if host is None:
            return self.answer(403, {"error": "unknown"})
        if fault[0] == "retry-after":
            return self.answer(503, {"error": "busy"}, [("Retry-After", fault[1])])
        if fault[0] == "status":
            return self.answer(int(fault[1]), {"error": "status", "reason": "as the test wants"})
        if fault[0] == "dropped":
            self.note("dropped")
            self.close_connection = True
            return None
        with st.lock:
            if fault[0] == "shrink":
                st.shrink(int(fault[1]))
            seen, size = int(self.headers["Sekisho-Seen"]), len(st.log.leaves)
            if seen > size:
                note = st.proofs(0)["checkpoint"]
            else:
                note, results = None, self.take(body, host, fault)
        if note is not None:
            return self.answer(409, {"error": "behind", "checkpoint": note})
        if results is None:
            return self.answer(400, {"error": "malformed", "reason": "no row of segments"})
        with st.lock:
            d = st.hashes()
            for r in results:
                if "index" in r:
                    r["proof"] = [b64(x) for x in inclusion(r["index"], d)]
            good = {"results": results, **st.proofs(seen)}
        return self.misbehave(fault, good)

    def take(self, body, host, fault):
        st, out = self.server.state, []
        lost = self.headers.get("Sekisho-Gap") == "lost"
        rows = split(body)
        if rows is None and len(body) < 4096 and body[:4] != b"SKS1":
            return [{"status": "refused", "cause": "bad-format", "reason": "no segment"}]
        if rows is None:
            return None
        for leaf, rest in rows:
            h = header(leaf)
            want = int(fault[1]) if len(fault) > 1 and fault[1].isdigit() else None
            if (fault[0] == "refuse" and h[5] == want) or h[1].hex() != host or sha256(rest) != h[7]:
                out.append({"seq": h[5], "status": "refused", "cause": "bad-body", "reason": "as the test wants"})
            elif sha256(leaf) in st.index:
                out.append({"seq": h[5], "status": "known", "index": st.index[sha256(leaf)]})
            elif fault[0] == "gap" or (6 in h and h[6] not in st.index and not lost):
                expected = want if fault[0] == "gap" else st.next.get(h[2], 0)
                out.append({"seq": h[5], "status": "gap", "expected": expected})
            else:
                st.put(leaf)
                out.append({"seq": h[5], "status": "stored", "index": st.index[sha256(leaf)]})
        return out

    def misbehave(self, fault, good):
        what, st = fault[0], self.server.state
        raw = json.dumps(good).encode()
        results = good.get("results", [])
        if what == "lost":
            self.note("lost")
            self.close_connection = True
            return None
        if what == "garbage":
            return self.answer(200, None, raw=os.urandom(len(raw)))
        if what == "truncate":
            return self.answer(200, None, raw=raw[:int(fault[1])])
        if what == "cut":
            return self.answer(200, None, raw=raw[:int(fault[1])], claim=len(raw))
        if what == "slow":
            return self.answer(200, good, slow=True)
        if what == "few":
            good["results"] = results[:-1]
        if what == "wrong-seq":
            results[0]["seq"] += 1
        if what == "wrong-index":
            results[0]["index"] += 1
        if what == "wrong-proof":
            results[0]["proof"] = [b64(sha256(b"wrong"))] * max(1, len(results[0]["proof"]))
        if what == "bad-signature":
            head, sig = good["checkpoint"].rstrip("\n").rsplit(" ", 1)
            b = bytearray(base64.b64decode(sig))
            b[20] ^= 1
            good["checkpoint"] = "%s %s\n" % (head, b64(bytes(b)))
        if what == "other-key":
            st.other.leaves = st.log.leaves
            good["checkpoint"] = st.other.checkpoint().decode()
        if what == "fork":  # signed by the right key, and a contradiction to what was signed before
            d = st.hashes()
            d[0] = sha256(b"another history")
            good["checkpoint"] = st.log.checkpoint(len(d), tree_root(d)).decode()
            seen = int(self.headers.get("Sekisho-Seen") or self.path.rpartition("=")[2])
            good["consistency"] = [b64(x) for x in consistency(seen, d)] if 0 < seen < len(d) else []
            for r in results:
                if "index" in r:
                    r["proof"] = [b64(x) for x in inclusion(r["index"], d)]
        self.answer(200, good)
        if what == "doubled":
            self.answer(200, good)
        return None


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        if os.environ.get("DOUBLE_DEBUG"):
            super().handle_error(request, client_address)

    def get_request(self):
        s, a = self.socket.accept()
        return self.tls.wrap_socket(s, server_side=True, do_handshake_on_connect=False), a


def main(argv):
    top, port = argv[1], int(argv[2])
    life = int(argv[argv.index("--life") + 1]) if "--life" in argv else 86400 * 90
    name = argv[argv.index("--log") + 1] if "--log" in argv else "sekisho.test/log/2026"
    address = argv[argv.index("--listen") + 1] if "--listen" in argv else "127.0.0.1"
    os.makedirs(top, exist_ok=True)
    s = Server((address, port), Handler)
    s.top, s.ca, s.state = top, Authority(top, life, address), State(top, name)
    s.token, s.token_used = "%s.%s" % (os.urandom(8).hex(), os.urandom(16).hex()), False
    s.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    s.tls.minimum_version = ssl.TLSVersion.TLSv1_3
    s.tls.load_cert_chain(os.path.join(top, "server.pem"))
    s.tls.load_verify_locations(os.path.join(top, "ca.crt"))
    s.tls.verify_mode = ssl.CERT_OPTIONAL
    with open(os.path.join(top, "token"), "w") as f:
        f.write("SEK1.%s.%s\n" % (s.token, sha256(s.ca.cert.public_bytes(serialization.Encoding.DER)).hex()))
    with open(os.path.join(top, "ready"), "w") as f:
        f.write("%d\n" % os.getpid())
    s.serve_forever()


if __name__ == "__main__":
    main(sys.argv)
