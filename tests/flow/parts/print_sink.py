"""A printer of port 9100: print_sink.py PORT DIR. Each connection becomes a file, complete once its name has no dot."""
import os
import socket
import sys
import threading

port, folder = int(sys.argv[1]), sys.argv[2]
server = socket.create_server(("127.0.0.1", port), backlog=64)
lock = threading.Lock()
count = 0


def take(conn):
    global count
    with lock:
        count += 1
        name = "%04d" % count
    part = os.path.join(folder, "." + name)
    with conn, open(part, "wb") as out:
        while True:
            data = conn.recv(65536)
            if not data:
                break
            out.write(data)
    # Who only looks whether somebody is there is no job.
    if os.path.getsize(part):
        os.rename(part, os.path.join(folder, name))
    else:
        os.unlink(part)


while True:
    threading.Thread(target=take, args=(server.accept()[0],), daemon=True).start()
