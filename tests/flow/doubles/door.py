#!/usr/bin/python3
"""A test double of the collector's door for administrators: HTTP on a UNIX socket, answers from a folder.

  door.py SOCKET DIR

A request METHOD /admin/NAME, whatever it asks behind a ?, is answered with DIR/METHOD-NAME (first line: status; the rest:
body) and noted in DIR/requests, one line each: METHOD path body. Where there is no such file: 404. DIR/ready appears when it
listens.
"""
import http.server
import os
import socketserver
import sys

SOCKET, DIR = sys.argv[1:]


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "local"

    def log_message(self, *args):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with open(os.path.join(DIR, "requests"), "a", encoding="utf-8") as f:
            f.write("%s %s %s\n" % (self.command, self.path, body))
        path = os.path.join(DIR, "%s-%s" % (self.command, os.path.basename(self.path.partition("?")[0])))
        status, text = b"404", b"{}"
        if os.path.exists(path):
            with open(path, "rb") as f:
                status, _, text = f.read().partition(b"\n")
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients go away, as some tests want them to


with Server(SOCKET, Door) as server:
    with open(os.path.join(DIR, "ready"), "w", encoding="utf-8"):
        pass
    server.serve_forever()
