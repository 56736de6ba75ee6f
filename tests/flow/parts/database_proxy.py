"""Between a program and its PostgreSQL server, on a Unix socket: it reads the frontend's messages (PostgreSQL manual, 55.7), and stops the next
group of the log where it is told to: "append" before its rows are sent, "commit" before COMMIT is, "answer" before what COMMIT answered."""
import os
import socket
import threading


class Proxy:
    def __init__(self, path):
        self.target = None
        self.where = None
        self.held, self.free = threading.Event(), threading.Event()
        self.lock, self.open = threading.Lock(), set()
        self.holding = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, where):
        self.holding = 0
        self.held.clear()
        self.free.clear()
        self.where = where

    def go_on(self):
        self.where = None
        self.free.set()

    def cut(self):
        """Whatever is under way is lost, in both directions."""
        self.where = None
        with self.lock:
            both, self.open = self.open, set()
        for s in both:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.free.set()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                server.close()
                continue
            with self.lock:
                self.open |= {client, server}
            link = {"group": False, "answers": False}
            for f, a in ((self.requests, (client, server, link)), (self.answers, (server, client, link))):
                threading.Thread(target=self.until_closed, args=(f,) + a, daemon=True).start()

    def until_closed(self, work, source, sink, link):
        try:
            work(source, sink, link)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            with self.lock:
                self.open.discard(s)

    def hold(self):
        with self.lock:
            self.holding += 1
        self.held.set()
        self.free.wait()

    def requests(self, source, sink, link):
        data, first = b"", True
        while True:
            more = source.recv(1 << 16)
            if not more:
                return
            data += more
            while True:
                head = 0 if first else 1
                if len(data) < head + 4:
                    break
                n = head + int.from_bytes(data[head:head + 4], "big")
                if len(data) < n:
                    break
                message, data, first = data[:n], data[n:], False
                self.request(message, link)
                sink.sendall(message)

    def request(self, message, link):
        if b"COPY sekisho.leaf" in message and self.where:
            link["group"] = True
            if self.where == "append":
                self.hold()
        elif link["group"] and b"COMMIT\0" in message:
            link["group"] = False
            if self.where == "commit":
                self.hold()
            link["answers"] = self.where == "answer"

    def answers(self, source, sink, link):
        while True:
            data = source.recv(1 << 16)
            if not data:
                return
            if link["answers"] and b"COMMIT\0" in data:
                link["answers"] = False
                self.hold()
            sink.sendall(data)
