"""A process whose memory nobody can look into: it waits for a file system of its own while the kernel holds the lock of its addresses,
which whoever reads /proc/PID/cmdline, maps or map_files waits for. By staff without root.

held_mm.py FOLDER [NAME]    FOLDER: an empty one, that the file system is mounted on, in namespaces of its own. Prints the number of the
process, whose name is NAME, and stays until it is ended.
"""
import ctypes
import mmap
import os
import struct
import sys
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
NEWUSER_NEWNS = 0x10020000
PR_SET_NAME = 15
LOOKUP, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 3, 14, 15, 18, 25, 26
DIRECT_IO_KEPT = 1 | 2


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mounted(folder):
    uid, gid = os.getuid(), os.getgid()
    check(LIBC.unshare(NEWUSER_NEWNS))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as f:
            f.write(text)
    fd = os.open("/dev/fuse", os.O_RDWR)
    check(LIBC.mount(b"held", folder.encode(), b"fuse", 0, f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()))
    return fd


def attributes(node):
    return struct.pack("<QQQQQQIIIIIIIIII", node, 4096, 8, 0, 0, 0, 0, 0, 0, 0o100644 if node > 1 else 0o40755, 1, 0, 0, 0, 4096, 0)


def serve(fd):
    """One file, of a page. What is read of it is never answered; the second who opens it reads past the cache."""
    opened = 0
    while True:
        request = os.read(fd, 1 << 20)
        _, what, unique, node = struct.unpack_from("<IIQQ", request)
        error, answer = 0, b""
        if what == INIT:
            answer = struct.pack("<IIIIHHIIHHI", 7, 31, 65536, 0, 16, 12, 65536, 1, 0, 0, 0) + bytes(24)
        elif what == LOOKUP:
            answer = struct.pack("<QQQQII", 2, 0, 60, 60, 0, 0) + attributes(2)
        elif what == GETATTR:
            answer = struct.pack("<QII", 60, 0, 0) + attributes(node)
        elif what == OPEN:
            answer = struct.pack("<QII", 0, DIRECT_IO_KEPT if opened else 0, 0)
            opened += 1
        elif what == READ:
            continue
        elif what not in (RELEASE, FLUSH):
            error = -38
        os.write(fd, struct.pack("<IiQ", 16 + len(answer), error, unique) + answer)


def hold(path, name):
    check(LIBC.prctl(PR_SET_NAME, name.encode(), 0, 0, 0))
    read, write = os.pipe()
    if os.fork() == 0:  # another one waits for the page, which is locked meanwhile
        fd = os.open(path, os.O_RDONLY)
        os.write(write, b"x")
        os.read(fd, 10)
    os.read(read, 1)
    threading.Event().wait(1)
    fd = os.open(path, os.O_RDONLY)
    print(os.getpid(), flush=True)
    mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ)


def main():
    device = mounted(sys.argv[1])
    if os.fork() == 0:
        hold(f"{sys.argv[1]}/file", sys.argv[2] if len(sys.argv) > 2 else "held")
    serve(device)


if __name__ == "__main__":
    main()
