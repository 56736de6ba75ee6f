"""An authenticator and the browser before it, in software (W3C Web Authentication), which also does what none should: python3-cbor2 and
python3-cryptography, nothing of the C code."""
import base64
import hashlib
import json
import os
import struct

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PRESENT, VERIFIED, KEY = 1, 4, 0x40


def b64(b):
    return base64.b64encode(b).decode()


class Passkey:
    def __init__(self, alg=-7, count=1):
        self.id, self.count, self.alg = os.urandom(32), count, alg
        self.handle = None
        if alg == -7:
            self.key = ec.generate_private_key(ec.SECP256R1())
            n = self.key.public_key().public_numbers()
            self.cose = {1: 2, 3: -7, -1: 1, -2: n.x.to_bytes(32, "big"), -3: n.y.to_bytes(32, "big")}
        elif alg == -8:
            self.key = ed25519.Ed25519PrivateKey.generate()
            raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.cose = {1: 1, 3: -8, -1: 6, -2: raw}
        else:
            self.key = rsa.generate_private_key(65537, 2048)
            n = self.key.public_key().public_numbers()
            self.cose = {1: 3, 3: -257, -1: n.n.to_bytes(256, "big"), -2: n.e.to_bytes(3, "big")}

    def sign(self, data):
        if self.alg == -7:
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        if self.alg == -8:
            return self.key.sign(data)
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    @staticmethod
    def client(kind, challenge, origin, **more):
        text = base64.urlsafe_b64encode(base64.b64decode(challenge)).decode().rstrip("=")
        return json.dumps({"type": kind, "challenge": text, "origin": origin, "crossOrigin": False, **more}).encode()

    def head(self, rp, flags):
        return hashlib.sha256(rp.encode()).digest() + struct.pack(">BI", flags, self.count)

    def make(self, asked, origin, kind="webauthn.create", rp=None, flags=PRESENT | VERIFIED | KEY, fmt="none", cose=None,
             challenge=None, **more):
        """What navigator.credentials.create() gives, as the page sends it."""
        self.handle = base64.b64decode(asked["user_handle"])
        data = self.head(rp or asked["rp_id"], flags)
        if flags & KEY:
            data += bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose or self.cose, canonical=True)
        return {"client_data": b64(self.client(kind, challenge or asked["challenge"], origin, **more)),
                "attestation": b64(cbor2.dumps({"fmt": fmt, "attStmt": {}, "authData": data}, canonical=True))}

    def show(self, asked, origin, kind="webauthn.get", rp=None, flags=PRESENT | VERIFIED, step=1, handle=None, by=None,
             challenge=None, **more):
        """What navigator.credentials.get() gives; `by`: signed by that key instead."""
        self.count += step
        data = self.head(rp or asked["rp_id"], flags)
        client = self.client(kind, challenge or asked["challenge"], origin, **more)
        return {"id": b64(self.id), "client_data": b64(client), "authenticator_data": b64(data),
                "signature": b64((by or self).sign(data + hashlib.sha256(client).digest())),
                "user_handle": b64(handle or self.handle)}
