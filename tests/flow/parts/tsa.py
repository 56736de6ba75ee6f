"""A timestamp authority for tests: `openssl ts -reply` behind HTTP: tsa.py FOLDER PORT. FOLDER has tsa.conf, keys and certificates; a
file `mode` in it says how it misbehaves: down, nonce (the answer to an earlier question), data (a token over something else), signer (another
certificate: its name follows), junk."""
import http.server
import os
import subprocess
import sys

folder, port = sys.argv[1], int(sys.argv[2])
os.chdir(folder)


def run(*args, **more):
    return subprocess.run(args, check=True, capture_output=True, **more).stdout


def reply(query, signer):
    with open("q", "wb") as f:
        f.write(query)
    run("openssl", "ts", "-reply", "-config", "tsa.conf", "-section", "t", "-queryfile", "q", "-signer", signer + ".crt", "-inkey", "tsa.key",
        "-out", "r")
    with open("r", "rb") as f:
        return f.read()


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"]))
        mode = open("mode").read().split() if os.path.exists("mode") else ["good"]
        if self.headers["Content-Type"] != "application/timestamp-query":
            self.send_error(415)
            return
        if mode[0] == "down":
            self.send_error(503)
            return
        if mode[0] == "data":
            query = run("openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-cert")
        if mode[0] == "nonce" and os.path.exists("last"):
            query = open("last", "rb").read()
        body = b"junk" * 10 if mode[0] == "junk" else reply(query, mode[1] if mode[0] == "signer" else "tsa")
        with open("last", "wb") as f:
            f.write(query)
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.HTTPServer(("127.0.0.1", port), Authority).serve_forever()
