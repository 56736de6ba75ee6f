"""A line printer daemon (RFC 1179): print_lpd.py PORT DIR. Each data file becomes a file, complete once its name has no dot."""
import os
import socketserver
import sys
import threading

port, folder = int(sys.argv[1]), sys.argv[2]
lock = threading.Lock()
count = 0


def name():
    global count
    with lock:
        count += 1
        return "%04d" % count


class Daemon(socketserver.StreamRequestHandler):
    def exactly(self, n):
        data = self.rfile.read(n)
        if len(data) != n:
            raise EOFError
        return data

    def handle(self):
        line = self.rfile.readline()
        if line[:1] != b"\2":  # receive a printer job
            return
        self.wfile.write(b"\0")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            self.wfile.write(b"\0")
            data = self.exactly(int(line[1:].split()[0]))
            self.exactly(1)
            if line[:1] == b"\3":  # a data file; the control file says how to print it, which is none of ours
                kept = name()
                with open(os.path.join(folder, "." + kept), "wb") as out:
                    out.write(data)
                os.rename(os.path.join(folder, "." + kept), os.path.join(folder, kept))
            self.wfile.write(b"\0")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", port), Daemon).serve_forever()
