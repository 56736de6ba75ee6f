"""Those to whom the herald speaks: a mail server (aiosmtpd: STARTTLS, a password) and a web server that checks signatures.

Each message that is taken lies as a file in SINK_DIR. A file `refuse-mail` or `refuse-hook` there makes them refuse what comes.
"""
import hashlib
import hmac
import http.server
import json
import os
import ssl
import sys
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

DIR = os.environ["SINK_DIR"]
SECRET = b"a shared secret of the office"
LOCK = threading.Lock()


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(sys.argv[1], sys.argv[2])
    return c


def refuses(what):
    return os.path.exists(os.path.join(DIR, "refuse-" + what))


def keep(name, data):
    """Whole, or not there."""
    with LOCK:
        n = len([x for x in os.listdir(DIR) if x.startswith(name + "-") and not x.endswith(".part")])
        path = os.path.join(DIR, "%s-%06d" % (name, n))
        with open(path + ".part", "wb") as f:
            f.write(data)
        os.rename(path + ".part", path)


def count(name):
    with LOCK, open(os.path.join(DIR, name), "a") as f:
        f.write("x")


class Mail:
    async def handle_DATA(self, server, session, envelope):
        if refuses("mail"):
            count("refused-mails")
            return "451 not now\r\n"
        keep("mail", json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                                 "login": session.authenticated, "raw": envelope.content.decode("ascii")}).encode())
        return "250 taken"


def judge_login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"sekisho" and data.password == "correct horse".encode())


class Secure(Controller):
    def factory(self):
        return SMTP(self.handler, tls_context=context(), require_starttls=True, auth_required=True,
                    authenticator=judge_login, hostname="sink.example")


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if len(body) < size:
            # Who sent it was killed in between: nothing was asked.
            self.close_connection = True
            return
        status = 204
        if refuses("hook"):
            count("refused-hooks")
            status = 503
        else:
            fields = dict(x.split("=") for x in self.headers["Sekisho-Signature"].split(","))
            want = hmac.new(SECRET, fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
            good = hmac.compare_digest(want, fields["v1"]) and abs(time.time() - int(fields["t"])) < 600
            keep("hook", json.dumps({"good": good, "type": self.headers["Content-Type"], "path": self.path,
                                     "body": body.decode()}).encode())
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Web(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that is killed in between is part of the test."""


if __name__ == "__main__":
    mail = Secure(Mail(), hostname="127.0.0.1", port=int(sys.argv[3]))
    mail.start()
    web = Web(("127.0.0.1", 0), Hook)
    web.socket = context().wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with open(os.path.join(DIR, "ports.part"), "w") as f:
        f.write("%d %d\n" % (mail.port, web.server_port))
    os.rename(os.path.join(DIR, "ports.part"), os.path.join(DIR, "ports"))
    threading.Event().wait()
