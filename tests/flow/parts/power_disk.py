"""What a disk may hold after the power went: from a run's system calls, as strace tells them.

Nothing but fsync makes anything last here: a file's bytes last when the file was synced, a name when its folder was. What came
later is there, or not, or in part, in any order (as ALICE and dm-log-writes do it); a rename is there whole or not at all.
Stores into mapped files are not seen: such a file holds anything.
"""
import os
import random
import re
import stat

TRACED = ("openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,rename,renameat,renameat2,link,"
          "linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,lseek,mmap,sendto,sendmsg,"
          "copy_file_range,sendfile")
STRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-ttt", "-s", "16777216", "-e", "trace=" + TRACED, "-e",
          "signal=none", "-o"]
LINE = re.compile(r"^(?:\d+ +)?(\d+\.\d+) (\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(.*)$")
SECTOR = 512


class Unexpected(Exception):
    """A call that this model does not know: the test would be blind to it."""


def text(hexed):
    return bytes.fromhex(hexed.replace("\\x", ""))


class Fd:
    """An argument like 5</path>, AT_FDCWD</path>, or -1."""

    def __init__(self, arg):
        m = re.match(r"^(AT_FDCWD|-?\d+)(?:<(.*)>)?(\(deleted\))?$", arg)
        self.number = m.group(1)
        self.path = text(m.group(2)).decode("utf-8", "surrogateescape") if m.group(2) else None
        self.gone = bool(m.group(3)) or (self.path or "").endswith(" (deleted)")
        self.socket = (self.path or "").startswith("socket:")


def string(arg):
    if not arg.startswith('"') or not arg.endswith('"'):
        raise Unexpected("no whole string: " + arg[:60])
    return text(arg[1:-1])


class Disk:
    """Files and folders by number; `log` is what was done to them, in order."""

    def __init__(self, root):
        self.root = root
        self.log = []  # (time, what, number, ...)
        self.base = {}  # number: bytes, or {name: number}
        self.modes = {}
        self.live = {}  # folders as they are while the log is read
        self.position = {}
        self.mapped = set()
        self.owner = os.stat(root)
        self.top = self.snapshot(root)

    def snapshot(self, path):
        n = len(self.base)
        self.base[n] = None
        self.modes[n] = stat.S_IMODE(os.lstat(path).st_mode)
        if os.path.isdir(path):
            self.base[n] = {e: self.snapshot(os.path.join(path, e)) for e in os.listdir(path)}
            self.live[n] = dict(self.base[n])
        else:
            with open(path, "rb") as f:
                self.base[n] = f.read()
        return n

    # --- reading the log ---

    def inside(self, path):
        return path is not None and (path + "/").startswith(self.root + "/")

    def at(self, path):
        """The number of what lies at `path` now, or None."""
        n = self.top
        for part in path[len(self.root):].split("/"):
            if part in ("", "."):
                continue
            if part == "..":
                raise Unexpected("a path with ..: " + path)
            n = self.live.get(n, {}).get(part)
            if n is None:
                return None
        return n

    def folder(self, path):
        parent, name = os.path.split(path)
        n = self.at(parent)
        if n is None:
            raise Unexpected("no such folder: " + parent)
        return n, name

    def new(self, content, mode):
        n = len(self.base)
        self.base[n], self.modes[n] = content, mode
        if isinstance(content, dict):
            self.live[n] = {}
        return n

    def do(self, when, what, *facts):
        self.log.append((when, what) + facts)

    def opened(self, when, path, flags, mode, fd):
        n = self.at(path)
        if n is None and "O_CREAT" in flags:
            parent, name = self.folder(path)
            n = self.new(b"", mode)
            self.live[parent][name] = n
            self.do(when, "name", parent, name, n)
        if n is None:
            return
        if "O_TRUNC" in flags:
            self.do(when, "cut", n, 0)
        self.position[fd] = [0, "O_APPEND" in flags, n]

    def moved(self, when, old, new):
        a, an = self.folder(old)
        b, bn = self.folder(new)
        n = self.live[a].pop(an)
        self.live[b][bn] = n
        self.do(when, "move", a, an, b, bn, n)

    def removed(self, when, path):
        a, an = self.folder(path)
        self.live[a].pop(an)
        self.do(when, "name", a, an, None)

    def read(self, trace):
        with open(trace, encoding="ascii", errors="strict") as f:
            for line in f:
                m = LINE.match(line)
                if not m:
                    if "unfinished" in line or "resumed" in line:
                        raise Unexpected("calls that overlap: " + line[:80])
                    continue
                when, call, args, result = float(m.group(1)), m.group(2), m.group(3), m.group(4)
                if result.startswith("-") or result == "?":
                    continue
                self.call(when, call, args.split(", "), int(result, 0), m.group(5))

    def call(self, when, call, args, result, rest):
        def path(i):
            p = string(args[i]).decode("utf-8", "surrogateescape")
            base = Fd(args[i - 1]).path if i and not args[i - 1].startswith('"') else None
            return os.path.normpath(os.path.join(base or os.getcwd(), p))

        if call == "openat":
            p = path(1)
            if self.inside(p):
                self.opened(when, p, args[2], int(args[3], 8) if len(args) > 3 else 0o640, str(result))
            else:
                self.position.pop(str(result), None)
        elif call in ("write", "pwrite64", "sendto", "sendmsg", "writev"):
            fd = Fd(args[0])
            if fd.socket:
                self.do(when, "sent")
            elif not self.inside(fd.path) or fd.gone:
                return
            elif call == "pwrite64":
                self.do(when, "put", self.at(fd.path), int(args[3]), string(args[1])[:result])
            elif call == "write":
                at = self.position[fd.number]
                if at[1]:
                    raise Unexpected("a file that is appended to: " + fd.path)
                self.do(when, "put", at[2], at[0], string(args[1])[:result])
                at[0] += result
            else:
                raise Unexpected(call)
        elif call == "lseek":
            if Fd(args[0]).number in self.position:
                self.position[Fd(args[0]).number][0] = result
        elif call in ("ftruncate", "fallocate"):
            fd = Fd(args[0])
            if self.inside(fd.path) and not fd.gone:
                if call == "ftruncate":
                    self.do(when, "cut", self.at(fd.path), int(args[1]))
                else:
                    self.do(when, "grow", self.at(fd.path), int(args[2]) + int(args[3]))
        elif call in ("fsync", "fdatasync"):
            fd = Fd(args[0])
            if self.inside(fd.path) and not fd.gone:
                self.do(when, "sync", self.at(fd.path))
        elif call == "mmap":
            fd = Fd(args[4])
            if self.inside(fd.path) and "MAP_SHARED" in args[3] and "PROT_WRITE" in args[2]:
                self.mapped.add(self.at(fd.path))
        elif call in ("rename", "renameat", "renameat2"):
            old, new = (path(0), path(1)) if call == "rename" else (path(1), path(3))
            if self.inside(old) or self.inside(new):
                self.moved(when, old, new)
        elif call in ("unlink", "rmdir", "unlinkat"):
            p = path(1 if call == "unlinkat" else 0)
            if self.inside(p):
                self.removed(when, p)
        elif call in ("mkdir", "mkdirat"):
            p = path(1 if call == "mkdirat" else 0)
            if self.inside(p):
                parent, name = self.folder(p)
                n = self.new({}, int(args[-1], 8))
                self.live[parent][name] = n
                self.do(when, "name", parent, name, n)
        elif any(self.inside(Fd(a).path) for a in args if re.match(r"^-?\d+<", a)):
            raise Unexpected("%s on what is watched" % call)

    # --- what is left ---

    def points(self):
        """Where the power may go: before every call that changes what lasts or what others hear."""
        return [i for i, op in enumerate(self.log) if op[1] in ("sync", "move", "sent", "name", "cut")]

    def after_cut(self, at, how, dice):
        """Files and folders as the disk may have them, the power gone before call `at`. how: lost, names, bytes, all, chance."""
        last = {}
        for i, op in enumerate(self.log[:at]):
            if op[1] == "sync":
                last[op[2]] = i
        files = {n: bytearray(c) for n, c in self.base.items() if not isinstance(c, dict)}
        folders = {n: dict(c) for n, c in self.base.items() if isinstance(c, dict)}
        for i, op in enumerate(self.log[:at]):
            what, rest = op[1], op[2:]
            if what in ("put", "cut", "grow"):
                lasts = i < last.get(rest[0], -1)
                if lasts or how in ("all", "bytes") or (how == "chance" and dice.random() < 0.5):
                    self.write(files[rest[0]], what, rest, how == "chance" and not lasts, dice)
                elif how in ("names", "chance") and what != "cut":
                    # The size may last where the bytes do not.
                    end = rest[1] + len(rest[2]) if what == "put" else rest[1]
                    if len(files[rest[0]]) < end and dice.random() < 0.5:
                        files[rest[0]].extend(bytes(end - len(files[rest[0]])))
            elif what == "name":
                if i < last.get(rest[0], -1) or how in ("all", "names") or (how == "chance" and dice.random() < 0.5):
                    self.enter(folders, rest[0], rest[1], rest[2])
            elif what == "move":
                a, an, b, bn, n = rest
                gone = i < last.get(a, -1) or i < last.get(b, -1)
                if gone or how in ("all", "names") or (how == "chance" and dice.random() < 0.5):
                    if folders[a].get(an) == n:
                        del folders[a][an]
                    folders[b][bn] = n
        for n in self.mapped:
            if n in files and how == "chance":
                files[n][:] = dice.choice((bytes(len(files[n])), dice.randbytes(len(files[n]))))
        return files, folders

    @staticmethod
    def enter(folders, parent, name, n):
        if n is None:
            folders[parent].pop(name, None)
        else:
            folders[parent][name] = n

    @staticmethod
    def write(file, what, rest, torn, dice):
        if what == "cut":
            del file[rest[1]:]
            file.extend(bytes(rest[1] - len(file)))
        elif what == "grow":
            file.extend(bytes(max(0, rest[1] - len(file))))
        else:
            at, data = rest[1], rest[2]
            file.extend(bytes(max(0, at + len(data) - len(file))))
            for i in range(0, len(data), SECTOR):
                if not torn or dice.random() < 0.7:
                    file[at + i:at + i + len(data[i:i + SECTOR])] = data[i:i + SECTOR]

    def lay_out(self, state, to):
        files, folders = state

        def put(n, path):
            if n in folders:
                os.mkdir(path)
                for name, child in folders[n].items():
                    put(child, os.path.join(path, name))
            else:
                with open(path, "wb") as f:
                    f.write(files[n])
            os.chown(path, self.owner.st_uid, self.owner.st_gid)
            os.chmod(path, self.modes[n])
        put(self.top, to)


def choose(disk, wanted, seed):
    """(point, way) pairs: all ways at points that are spread over the whole run."""
    dice = random.Random(seed)
    points = disk.points()
    ways = ["lost", "names", "bytes", "all"] + ["chance"] * 4
    return [(points[min(len(points) - 1, int((i + dice.random()) * len(points) / wanted))], ways[i % len(ways)])
            for i in range(wanted)]
