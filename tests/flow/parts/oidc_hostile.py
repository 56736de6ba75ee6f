"""An OpenID provider that does whatever it is told: the code says how its ID token is forged, the address how a logout token is. It counts how often it
is asked for its keys. It judges what a good one would: the secret, the
redirect address, PKCE. http.server and python3-cryptography; nothing of the C code, no library for tokens."""
import base64
import hashlib
import hmac
import json
import os
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_plus

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

PORT = int(os.environ["OIDC_PORT"])
ISSUER = "https://localhost:%d" % PORT
CLIENT, SECRET = "the console", os.environ["OIDC_SECRET"]
REDIRECT = os.environ["CONSOLE_URL"] + "/oidc"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
mode = {"now": ""}
count = {"keys": 0, "waiting": 0}
go_on = threading.Event()


def b64(b):
    return base64.urlsafe_b64encode(b).decode().rstrip("=")


def unb64(s):
    return base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))


def number(n, size):
    return b64(n.to_bytes(size, "big"))


RSA, EC, SMALL = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)
OTHER = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}


def jwk(key, **more):
    n = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {"kty": "RSA", "n": number(n.n, key.key_size // 8), "e": number(n.e, 3), **more}
    return {"kty": "EC", "crv": "P-256", "x": number(n.x, 32), "y": number(n.y, 32), **more}


KEYS = [jwk(RSA, kid="r"), jwk(EC, kid="e", use="sig", alg="ES256"), jwk(SMALL, kid="small"), jwk(RSA, kid="enc", use="enc"), {"kty": "oct", "k": "AA"},
        {"kty": "RSA"}, 1]


def sign(alg, key, data):
    if alg == "RS256":
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    if alg == "PS256":
        return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    if alg == "ES256":
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return hmac.new(key, data, hashlib.sha256).digest() if alg == "HS256" else b""


def token(how, access):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": how.get("sub", "hanako-1"), "iat": now, "exp": now + 300, "nonce": how["nonce"],
              "at_hash": b64(hashlib.sha256(access.encode()).digest()[:16])}
    return made(how, claims)


def logout_token(how):
    now = int(time.time())
    how["head"] = {"typ": "logout+jwt", **how.get("head", {})}
    return made(how, {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": str(uuid.uuid4()), "events": {EVENT: {}}})


def made(how, claims):
    claims = {**claims, **how.get("claims", {})}
    for name in how.get("without", []):
        del claims[name]
    alg = how.get("alg", "RS256")
    head = {"alg": alg, "kid": "e" if alg == "ES256" else "r", **how.get("head", {})}
    key = {"ES256": EC, "HS256": SECRET.encode()}.get(alg, RSA)
    if how.get("key") == "other":
        key = OTHER[alg]
        head["jwk"] = jwk(key)
    elif how.get("key") == "new":
        key, head["kid"] = OTHER[alg], "new"
    elif how.get("key") == "small":
        key, head["kid"] = SMALL, "small"
    elif how.get("key") == "public":
        key = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = {k: v for k, v in head.items() if v is not None}
    payload = json.dumps(claims).encode()
    if how.get("twice"):
        payload = payload[:-1] + b', "sub": "tanaka-1"}'
    data = b64(json.dumps(head).encode()) + "." + b64(payload)
    signature = b64(sign(how.get("by", alg), key, data.encode()))
    if how.get("changed"):
        data = data.split(".")[0] + "." + b64(payload.replace(b"hanako", b"tanaka"))
    return how.get("raw", data + "." + signature)


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, body, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for k, v in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/mode/"):
            mode["now"] = self.path[6:]
            self.say(200, {})
        elif self.path == "/keys":
            count["keys"] += 1
            self.say(200, {"keys": KEYS})
        elif self.path.startswith("/logout/"):
            self.say(200, logout_token(json.loads(unb64(self.path[8:]))).encode())
        elif self.path == "/count":
            self.say(200, count)
        elif self.path == "/rotate":
            KEYS.append(jwk(OTHER["RS256"], kid="new"))
            self.say(200, {})
        elif self.path == "/go":
            go_on.set()
            self.say(200, {})
        elif mode["now"] == "broken":
            self.say(500, {})
        elif mode["now"] == "garbage":
            self.say(200, b"\xff\x00 no JSON")
        elif mode["now"] == "large":
            self.say(200, b'{"issuer": "' + b"x" * 1000000 + b'"}')
        elif mode["now"] == "moved":
            self.say(302, {}, Location=ISSUER + "/keys")
        else:
            c = {"issuer": ISSUER, "authorization_endpoint": ISSUER + "/auth?tenant=1", "token_endpoint": ISSUER + "/token", "jwks_uri": ISSUER + "/keys",
                 "authorization_response_iss_parameter_supported": True, "end_session_endpoint": ISSUER + "/end?tenant=1"}
            c.update({"mixed": {"issuer": "https://elsewhere.example"}, "plain": {"token_endpoint": "http://localhost/token"}}.get(mode["now"], {}))
            self.say(200, c)

    def do_POST(self):
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        who = base64.b64decode(self.headers.get("Authorization", "Basic ").split(" ")[1]).decode().split(":")
        how = json.loads(unb64(form["code"]))
        good = [unquote_plus(x) for x in who] == [CLIENT, SECRET] and form["grant_type"] == "authorization_code" and form["redirect_uri"] == REDIRECT
        good = good and b64(hashlib.sha256(form["code_verifier"].encode()).digest()) == how["challenge"] and len(form["code_verifier"]) >= 43
        if not good:
            self.say(401, {"error": "invalid_grant"})
        elif how.get("end") == "error":
            self.say(400, {"error": "invalid_grant"})
        elif how.get("end") == "none":
            self.say(200, {"access_token": "a"})
        elif how.get("end") == "wait":
            count["waiting"] += 1
            go_on.wait(15)
            self.say(200, {"access_token": "an access token", "token_type": "Bearer", "id_token": token(how, "an access token")})
        elif how.get("end") == "hang up":
            self.close_connection = True
        else:
            self.say(200, {"access_token": "an access token", "token_type": "Bearer", "id_token": token(how, "an access token")})

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", PORT), Provider)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.environ["OIDC_CRT"], os.environ["OIDC_KEY"])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
