"""Scenario of 42-collector-http."""
import http.client
import json
import os
import select
import signal
import socket
import sys
import threading
import time

from collector_pc import HOST, PORT, Member, ask, connect, door, raw, same, status, statuses, tls, true, until

PID = int(os.environ["COLLECTOR_PID"])
HEAD = "Host: x\r\n"


def descriptors():
    return len(os.listdir("/proc/%d/fd" % PID))


def resident():
    with open("/proc/%d/statm" % PID) as f:
        return int(f.read().split()[1]) * 4096


def read_all(s, seconds=20):
    """What comes until the other end closes."""
    s.settimeout(seconds)
    out = b""
    try:
        while True:
            got = s.recv(65536)
            if not got:
                return out
            out += got
    except (ConnectionError, OSError) as e:
        true(not isinstance(e, socket.timeout), "the connection stays open: %r" % out[:100])
        return out


def one_answer(s, seconds=20):
    """Status and body of one answer with Content-Length."""
    s.settimeout(seconds)
    data = b""
    while b"\r\n\r\n" not in data:
        got = s.recv(65536)
        if not got:
            return None, data
        data += got
    head, _, rest = data.partition(b"\r\n\r\n")
    length = int([x for x in head.split(b"\r\n") if x.lower().startswith(b"content-length")][0].split(b":")[1])
    while len(rest) < length:
        got = s.recv(65536)
        if not got:
            break
        rest += got
    return int(head.split()[1]), rest


def closes(s, what, seconds=20):
    begin = time.monotonic()
    read_all(s, seconds)
    true(time.monotonic() - begin < seconds, what)
    s.close()


def slow(pc):
    tcp = socket.create_connection((HOST, PORT))  # never says a word of TLS
    half = socket.create_connection((HOST, PORT))
    half.sendall(b"\x16\x03\x01")  # begins a handshake
    idle = raw(tls())  # handshake, then nothing
    drip = raw(tls())
    drip.sendall(b"GET /v1/checkpoint HTTP/1.1\r\n")  # headers that never end
    body = raw(pc.context)
    body.sendall(("POST /v1/segments HTTP/1.1\r\n%sContent-Length: 1000000\r\n\r\n" % HEAD).encode())
    stopped = threading.Event()

    def trickle(s, piece):
        try:
            while not stopped.is_set():
                s.sendall(piece)
                time.sleep(0.2)
        except OSError:
            pass
    threads = [threading.Thread(target=trickle, args=(drip, b"X-A: b\r\n")),
               threading.Thread(target=trickle, args=(body, b"x" * 100))]
    for t in threads:
        t.start()
    for s, what in ((tcp, "no handshake"), (half, "half a handshake"), (idle, "no request"), (drip, "endless headers"),
                    (body, "a body that trickles")):
        closes(s, what + " is ended")
    stopped.set()
    for t in threads:
        t.join()
    # A connection that rests after an answer.
    c = connect()
    c.request("GET", "/v1/checkpoint")
    c.getresponse().read()
    closes(c.sock, "an idle connection is ended")
    n = status()["connections"]
    true(n["too_slow"] >= 5 and n["idle"] >= 1, "counted: %s" % n)


def odd(pc):
    """Refused, or the same whatever the shape."""
    seg = pc.sealed(1)[0]
    body = seg.bytes(seg.sent)
    want = pc.post(body)[0]
    n = len(body)

    def one(head, data=b""):
        s = raw(pc.context)
        s.sendall(head.encode() + data)
        got = one_answer(s)
        s.close()
        return got
    post = "POST /v1/segments HTTP/1.1\r\n" + HEAD
    chunk = b"%x\r\n" % n + body + b"\r\n0\r\n"
    for head, data, what in (
            ("Transfer-Encoding: chunked\r\n\r\n", chunk + b"\r\n", "chunked"),
            ("Transfer-Encoding: chunked\r\n\r\n", chunk + b"X-Trailer: 1\r\n\r\n", "trailers"),
            ("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % n, chunk + b"\r\n", "both"),
            ("Transfer-Encoding: identity\r\nContent-Length: %d\r\n\r\n" % n, body, "identity"),
            ("Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (n, n), body, "twice"),
            ("Content-Length: %d\r\nContent-Length: 1\r\n\r\n" % n, body, "twice, different"),
            ("Content-Length: +%d\r\n\r\n" % n, body, "a sign"),
            ("Content-Length: 0%d\r\n\r\n" % n, body, "a leading zero"),
            ("Content-Length: 0x%x\r\n\r\n" % n, body, "hexadecimal"),
            ("Content-Length: -1\r\n\r\n", b"", "negative"),
            ("\r\n", b"", "none"),
            ("Content-Encoding: zstd\r\nContent-Length: %d\r\n\r\n" % n, body, "encoded"),
            ("Host: y\r\nContent-Length: %d\r\n\r\n" % n, body, "two hosts")):
        code, answer = one(post + head, data)
        true(code is None or code in (400, 411, 501), "%s: %s %s" % (what, code, answer[:80]))
    s = raw(pc.context)
    s.sendall((post + "Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % n).encode())
    s.settimeout(20)
    first = s.recv(1000)
    same(first.split()[1], b"100", "Expect: 100-continue")
    s.sendall(body)
    code, answer = one_answer(s)
    same((code, json.loads(answer)["results"][0]["index"]), (200, want["index"]), "after 100-continue")
    s.close()
    # Cut in two at every byte of the head and around the edges of the body; each a request of its own.
    head = (post + "Content-Length: %d\r\n\r\n" % n).encode()
    whole = head + body
    s = raw(pc.context)
    places = list(range(1, len(head) + 16)) + [len(whole) - 1]
    for at in places:
        s.sendall(whole[:at])
        if at % 8 == 0:
            select.select([], [], [], 0.002)
        s.sendall(whole[at:])
        code, answer = one_answer(s)
        same((code, json.loads(answer)["results"][0]["status"]), (200, "known"), "cut at %d" % at)
    s.close()
    # Byte by byte.
    s = raw(pc.context)
    for i in range(len(whole)):
        s.sendall(whole[i:i + 1])
    same(one_answer(s)[0], 200, "byte by byte")
    # Two at once, the second read only when the first is answered.
    s.sendall(whole + whole)
    same([one_answer_of(s, 2)], [[200, 200]], "two in a row")
    s.close()
    # Too large, in head and body; more than a stranger may send.
    s = raw(pc.context)
    s.sendall(b"GET /v1/checkpoint HTTP/1.1\r\nX: " + b"a" * 40000 + b"\r\n\r\n")
    code, _ = one_answer_or_none(s)
    true(code in (None, 400, 413, 431), "a head of 40 kB: %s" % code)
    code = None
    try:
        code = pc.request("POST", "/v1/segments", b"x" * 2200000)[0]
    except (OSError, http.client.HTTPException):
        pass
    true(code in (None, 413), "a body of 2.2 MB: %s" % code)
    pc.close()
    try:
        code = ask("/v1/enrol", b"x" * 400000)[0]
    except (OSError, http.client.HTTPException):
        code = None
    true(code in (None, 413), "a stranger's body of 400 kB: %s" % code)
    for line in ("GET //v1/checkpoint", "GET http://x/v1/checkpoint", "GET /v1/%63heckpoint", "GET /v1/checkpoint%00",
                 "GET *", "PUT /v1/segments", "DELETE /v1/checkpoint", "GET /admin/status", "POST /admin/revoke",
                 "GET /v1/segments", "POST /v1/wait", "GET /v1/nothing", "OPTIONS *", "TRACE /v1/checkpoint"):
        s = raw(pc.context)
        s.sendall((line + " HTTP/1.1\r\n" + HEAD + "Content-Length: 0\r\n\r\n").encode())
        code, _ = one_answer_or_none(s)
        true(code is None or 400 <= code < 502, "%s: %s" % (line, code))
    s = raw(pc.context)
    s.sendall(os.urandom(1000))
    code, _ = one_answer_or_none(s)
    true(code in (None, 400), "noise: %s" % code)


def one_answer_or_none(s):
    try:
        return one_answer(s)
    except (ConnectionError, OSError, IndexError):
        return None, b""
    finally:
        s.close()


def one_answer_of(s, n):
    """The statuses of n answers on one connection, however they arrive."""
    s.settimeout(20)
    data, codes = b"", []
    while len(codes) < n:
        while b"\r\n\r\n" not in data:
            data += s.recv(65536)
        head, _, data = data.partition(b"\r\n\r\n")
        length = int([x for x in head.split(b"\r\n") if x.lower().startswith(b"content-length")][0].split(b":")[1])
        while len(data) < length:
            data += s.recv(65536)
        codes.append(int(head.split()[1]))
        data = data[length:]
    return codes


def held(pc):
    """Clients that go away while they are held leave nothing behind; pipelined data does not disturb."""
    until(lambda: status()["connections"]["now"] == 0, "connections end")
    before = descriptors()
    wait = ("GET /v1/wait?follow=0&checkpoint=1 HTTP/1.1\r\n" + HEAD + "\r\n").encode()
    peers = [raw(pc.context) for _ in range(4)]
    for s in peers:
        s.sendall(wait)
    until(lambda: status()["connections"]["waiting"] == 4, "four wait")
    for i, s in enumerate(peers):
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()
    until(lambda: status()["connections"]["waiting"] == 0, "they left, and that is noticed")
    peers = [raw(pc.context) for _ in range(7)]
    for s in peers:
        s.sendall(wait)
        time.sleep(0.01)
    answered = set()
    for _ in range(3):  # of one PC four wait at most: the oldest are answered
        s = select.select([s for s in peers if s not in answered], [], [], 20)[0][0]
        same(one_answer_of(s, 1), [200], "one too many")
        answered.add(s)
    same(status()["connections"]["waiting"], 4, "four still wait")
    for s in answered:
        s.close()
    peers = [s for s in peers if s not in answered]
    for s in peers[:2]:
        s.sendall(b"GET /v1/checkpoint HTTP/1.1\r\n" + HEAD.encode() + b"\r\n")  # behind the one that is held
    door("/admin/follow", {"host": pc.name, "seconds": 300})
    for i, s in enumerate(peers):
        codes = one_answer_of(s, 2 if i < 2 else 1)
        same(set(codes), {200}, "woken, and what was behind it")
        s.close()
    same(status()["connections"]["waiting"], 0, "nobody waits")
    # Followed: a PC that knows it is held, one that does not is told at once.
    same(pc.request("GET", "/v1/wait?follow=0&checkpoint=0")[1]["follow"] > 50, True, "told at once")
    door("/admin/follow", {"host": None, "seconds": 1})
    begin = time.monotonic()
    same(pc.request("GET", "/v1/wait?follow=1&checkpoint=0")[1]["follow"], 0, "told when it ends")
    true(time.monotonic() - begin < 60, "in time")
    same(door("/admin/follow", {"host": "nobody", "seconds": 1}, 404)["error"], "host", "nobody")
    # Gone while a segment waits for the commit: stored all the same.
    seg = pc.sealed(1)[0]
    body = seg.bytes(seg.sent)
    s = raw(pc.context)
    s.sendall(("POST /v1/segments HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (HEAD, len(body))).encode() + body)
    s.close()
    until(lambda: pc.post(body)[0]["status"] == "known", "stored although nobody waited")
    pc.close()
    until(lambda: descriptors() <= before, "descriptors return: %d, then %d" % (before, descriptors()))


def crowd(pc):
    """More connections than may be: they wait in the kernel, nothing breaks, and all is well afterwards."""
    until(lambda: status()["connections"]["now"] == 0, "connections end")
    before = descriptors()
    many = [socket.create_connection((HOST, PORT), timeout=30) for _ in range(120)]
    until(lambda: status()["connections"]["now"] == 40, "as many as may be")
    true(status()["connections"]["most"] == 40, "and never more")
    for s in many:
        s.close()
    until(lambda: status()["connections"]["now"] == 0, "all end")
    same(statuses(pc.post(pc.sealed(1))), ["stored"], "and a PC gets in")
    pc.close()
    until(lambda: descriptors() <= before, "descriptors return")
    # Many bodies at once: more than the memory for them.
    head = ("POST /v1/segments HTTP/1.1\r\n%sContent-Length: 2000000\r\n\r\n" % HEAD).encode()
    peers = []
    for _ in range(8):
        s = raw(pc.context)
        try:
            s.sendall(head + b"x" * 1500000)
        except OSError:
            pass
        peers.append(s)
    until(lambda: status()["connections"]["too_much"] >= 1, "bounded")
    for s in peers:
        s.close()
    same(statuses(pc.post(pc.sealed(1))), ["stored"], "and a PC gets in again")
    pc.close()


def churn(pc):
    """Connections of all kinds that come and go: memory does not grow with their number."""
    def round_of(n):
        for i in range(n):
            s = socket.create_connection((HOST, PORT))
            if i % 3 == 0:
                s.sendall(os.urandom(50))
            s.close()
            if i % 2 == 0:
                ask("/v1/checkpoint")
            if i % 5 == 0:
                c = raw(pc.context)
                c.sendall(("GET /v1/wait?follow=0&checkpoint=0 HTTP/1.1\r\n" + HEAD + "\r\n").encode())
                c.close()
    round_of(100)
    until(lambda: status()["connections"]["now"] == 0, "connections end")
    before, files = resident(), descriptors()
    round_of(200)
    until(lambda: status()["connections"]["now"] == 0, "connections end")
    until(lambda: descriptors() <= files, "descriptors: %d, then %d" % (files, descriptors()))
    with open("/proc/%d/maps" % PID) as f:
        sanitized = "asan" in f.read()
    if not sanitized:  # it keeps what was freed
        true(resident() - before < 8 << 20, "memory: %d, then %d" % (before, resident()))


def delay(pc):
    """What a small answer takes; that no half of it waits for the other is a matter of the socket (see test_bind)."""
    pc.connection = None
    pc.request("GET", "/v1/checkpoint")
    ours = []
    for _ in range(200):
        begin = time.monotonic()
        pc.request("GET", "/v1/checkpoint")
        ours.append(time.monotonic() - begin)
    ours.sort()
    print("  - a small answer takes %.1f ms in the middle" % (ours[100] * 1000))
    pc.close()


def stop():
    pc = Member("pc-stop")
    pc.enrol()
    wait = ("GET /v1/wait?follow=0&checkpoint=1 HTTP/1.1\r\n" + HEAD + "\r\n").encode()
    peers = [raw(pc.context) for _ in range(4)]
    for s in peers:
        s.sendall(wait)
    idle = connect(pc.context)
    idle.request("GET", "/v1/checkpoint")
    idle.getresponse().read()
    until(lambda: status()["connections"]["waiting"] == 4, "four wait")
    seg = pc.sealed(1)[0]
    body = seg.bytes(seg.sent)
    late = raw(pc.context)
    late.sendall(("POST /v1/segments HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (HEAD, len(body))).encode() + body[:100])
    os.kill(PID, signal.SIGTERM)
    for s in peers:
        code, answer = one_answer(s)
        same((code, json.loads(answer)["error"]), (503, "stopping"), "a held request")
        same(s.recv(10), b"", "closed behind it")
    late.sendall(body[100:])
    code, answer = one_answer(late)
    same((code, json.loads(answer)["error"]), (503, "stopping"), "one that was being sent")


def main(argv):
    if "stop" in argv:
        return stop()
    pc = Member("pc-http")
    pc.enrol()
    same(statuses(pc.post(pc.sealed(1))), ["stored"], "one")
    pc.close()
    for part in (slow, odd, held, crowd, churn, delay):
        print("- %s" % (part.__doc__ or part.__name__).split("\n")[0])
        sys.stdout.flush()
        part(pc)
    same(statuses(pc.post(pc.sealed(1))), ["stored"], "and it still works")
    return None


main(sys.argv)
