#!/usr/bin/env python3
"""Files in areas of protected files, used by people: made, acted upon, and what of it must be told.

usage: areas.py make ROOT | act ROOT | check ROOT DONE RECORDS | closed ROOT | try ROOT | refused ROOT DONE RECORDS
`act` prints, a JSON object a line, what it did: at the source, by whom, to which file, with which outcome."""

import errno
import json
import os
import pwd
import shutil
import subprocess
import sys
import time

FRIEND, STRANGER = "games", "daemon"  # users that every Debian has: one whom the policy names, one whom it doesn't

POLICY = """
protected:
  areas:
    - {name: pay, paths: [%(work)s/pay, %(work)s/one.csv], users: [%(friend)s], programs: ["/*bin/*"], others: alert}
    - {name: 個人番号, paths: ["%(work)s/*/個人番号*.csv"], groups: [%(friend)s]}
    - {name: share, shares: ["//files/*"], users: [root]}
"""


def make(root):
    work = f"{root}/work"
    for folder in ("work", "work/pay", "work/pay/deep", "work/other", "share"):
        os.mkdir(f"{root}/{folder}")
        os.chmod(f"{root}/{folder}", 0o777)
    for name in ("pay/list.csv", "pay/deep/long.csv", "pay/link.csv", "one.csv", "one.csv.bak", "other/plain.csv",
                 "other/個人番号2026.csv", "payment.csv", "pay/moves.csv", "other/comes.csv", "pay/goes.csv", "pay/copied.csv"):
        with open(f"{work}/{name}", "w") as f:
            f.write(f"{name}: 123456789018\n" * 400)
        os.chmod(f"{work}/{name}", 0o666)
    # what permissions refuse
    os.mkdir(f"{work}/pay/locked", 0o700)
    for name in ("pay/closed.csv", "pay/locked/in.csv", "other/closed.csv"):
        with open(f"{work}/{name}", "w") as f:
            f.write(f"{name}: 123456789018\n")
        os.chmod(f"{work}/{name}", 0o600)
    # what may be read, and not deleted, replaced or changed; where deleting is the owner's alone
    for folder, mode in (("pay/kept", 0o755), ("pay/kept/d", 0o755), ("pay/sticky", 0o1777), ("other/kept", 0o755)):
        os.mkdir(f"{work}/{folder}")
        os.chmod(f"{work}/{folder}", mode)
    for name in ("pay/kept/a.csv", "pay/sticky/a.csv", "other/kept/a.csv"):
        with open(f"{work}/{name}", "w") as f:
            f.write(f"{name}: 123456789018\n")
        os.chmod(f"{work}/{name}", 0o644)
    with open(f"{root}/policy", "w") as f:
        f.write(POLICY % {"work": work, "friend": FRIEND})


def act(root):
    work, share = f"{root}/work", f"{root}/share"
    pay = f"{work}/pay"

    def run(user, line, fails=False, **want):
        """A line of shell by a user; what must be told of it."""
        p = pwd.getpwnam(user)
        got = subprocess.run(["setpriv", f"--reuid={p.pw_uid}", f"--regid={p.pw_gid}", "--clear-groups", "sh", "-c", line], cwd=work,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if (got.returncode == 0) == fails:
            sys.exit(f"{line}: {got.returncode} {got.stderr}")
        if want:
            print(json.dumps({"line": line, "user": user, **want}))

    # reading, by whom the policy names and by another
    run(FRIEND, f"cat {pay}/list.csv", kind="file", path=f"{pay}/list.csv", area="pay", action="allow", read=1)
    run(STRANGER, f"cat {pay}/deep/long.csv", kind="file", path=f"{pay}/deep/long.csv", area="pay", action="alert", read=1)
    run(FRIEND, "cat one.csv", kind="file", path=f"{work}/one.csv", area="pay", action="allow", read=1)
    run(STRANGER, "cat other/個人番号2026.csv", kind="file", path=f"{work}/other/個人番号2026.csv", area="個人番号", action="note", read=1)
    run(FRIEND, "grep -c 1234 other/個人番号2026.csv", kind="file", path=f"{work}/other/個人番号2026.csv", area="個人番号", action="allow", read=1)
    # a copy out of it, and one into it
    run(FRIEND, f"cp {pay}/copied.csv other/copy.csv", kind="copy", path=f"{work}/other/copy.csv", path2=f"{pay}/copied.csv", area="pay", action="allow")
    run(FRIEND, f"cp other/plain.csv {pay}/new.csv", kind="file", path=f"{pay}/new.csv", area="pay", action="allow", written=1)
    # changes
    run(FRIEND, f"echo more >>{pay}/list.csv", kind="file", path=f"{pay}/list.csv", area="pay", action="allow", written=1)
    run(FRIEND, f"mv {pay}/moves.csv {pay}/deep/moved.csv", kind="rename", path=f"{pay}/moves.csv", path2=f"{pay}/deep/moved.csv", area="pay", action="allow")
    run(STRANGER, f"mv {pay}/goes.csv other/gone.csv", kind="rename", path=f"{pay}/goes.csv", path2=f"{work}/other/gone.csv", area="pay", action="alert")
    run(STRANGER, f"mv other/comes.csv {pay}/came.csv", kind="rename", path=f"{work}/other/comes.csv", path2=f"{pay}/came.csv", area="pay", action="alert")
    run(FRIEND, f"mkdir {pay}/folder", kind="mkdir", path=f"{pay}/folder", area="pay", action="allow")
    run(FRIEND, f"rmdir {pay}/folder", kind="rmdir", path=f"{pay}/folder", area="pay", action="allow")
    run(FRIEND, f"rm {pay}/came.csv", kind="unlink", path=f"{pay}/came.csv", area="pay", action="allow")
    run("root", f"chmod 640 {pay}/new.csv", kind="chmod", path=f"{pay}/new.csv", area="pay", action="alert")
    # another name for it
    run("root", f"ln {pay}/link.csv other/hard.csv", kind="link", path=f"{pay}/link.csv", area="pay", action="alert")
    run(FRIEND, f"cat {pay}/link.csv", kind="file", path=f"{pay}/link.csv", area="pay", action="allow", read=1)
    run(FRIEND, f"ln -s {pay}/link.csv other/soft.csv", kind="symlink", path=f"{work}/other/soft.csv", area="pay", action="allow")
    run(FRIEND, "cat other/soft.csv", kind="file", path=f"{pay}/link.csv", area="pay", action="allow", read=1)
    # a share, by what is mounted there
    run(FRIEND, f"echo x >{share}/x.txt", kind="file", path=f"{share}/x.txt", area="share", action="note", written=1)
    run("root", f"cat {share}/x.txt", kind="file", path=f"{share}/x.txt", area="share", action="allow", read=1)
    # under names of people's own: in a mount namespace of theirs, by a mount of a folder, of a file, and one that hangs nowhere
    def contained(user, mount, line, **want):
        run(user, f"unshare -Urm sh -c '{mount} && {line}'", **want)

    contained(STRANGER, f"mount --bind {pay} /mnt", "cat /mnt/link.csv", kind="file", path=f"{pay}/link.csv", area="pay", action="alert", read=1)
    contained(STRANGER, f"mount --bind {pay}/list.csv other/plain.csv", "cat other/plain.csv", kind="file", path=f"{pay}/list.csv", area="pay",
              action="alert", read=1)
    contained(STRANGER, f"mount --bind {pay} /mnt", "echo more >>/mnt/link.csv", kind="file", path=f"{pay}/link.csv", area="pay", action="alert", written=1)
    contained(STRANGER, f"mount --bind {pay} /mnt", "cp /mnt/copied.csv other/taken.csv", kind="copy", path=f"{work}/other/taken.csv",
              path2=f"{pay}/copied.csv", area="pay", action="alert")
    contained(STRANGER, f"mount --bind {pay} /mnt", "cd /mnt && mkdir own && rmdir own", kind="mkdir", path=f"{pay}/own", area="pay", action="alert")
    print(json.dumps({"line": "the same", "user": STRANGER, "kind": "rmdir", "path": f"{pay}/own", "area": "pay", "action": "alert"}))
    run(STRANGER, f"unshare -Urm /usr/bin/python3 -c '{DETACHED}' {pay} deep/long.csv", kind="file", path=f"{pay}/deep/long.csv", area="pay",
        action="alert", read=1)
    # a file system of his own has no other name than his
    contained(STRANGER, f"mount -t tmpfs none {pay}", f"echo x >{pay}/own.csv", kind="file", path=f"{pay}/own.csv", area="pay", action="alert",
              written=1, flags="container-name")
    # what the file system refuses: by name, from a folder, by a descriptor of one, for writing, behind a folder that is closed
    refused = {"kind": "file-refused", "area": "pay", "fails": True, "operation": "open", "result": -errno.EACCES}
    run(STRANGER, f"cat {pay}/closed.csv", path=f"{pay}/closed.csv", **refused)
    run(FRIEND, "cd pay/deep && cat ../closed.csv", path=f"{pay}/closed.csv", **refused)
    run("nobody", f"/usr/bin/python3 -c 'import os; os.open(\"closed.csv\", os.O_RDONLY, dir_fd=os.open(\"{pay}\", os.O_PATH))'", path=f"{pay}/closed.csv", **refused)
    run("bin", "echo more >>pay/closed.csv", path=f"{pay}/closed.csv", **refused)
    run(STRANGER, "cat pay/locked/in.csv", path=f"{pay}/locked/in.csv", **refused)
    run(STRANGER, "cat other/closed.csv", fails=True)
    # and other calls than opens, by everyday programs, then each call that there is: what it answered is what must be told
    before = kept(root)
    refused["operation"] = "unlink"
    run(STRANGER, "rm -f pay/kept/a.csv", path=f"{pay}/kept/a.csv", **refused)
    run(STRANGER, "cd pay/deep && rm -f ../locked/in.csv", path=f"{pay}/locked/in.csv", **refused)
    refused["operation"] = "rename"
    run(STRANGER, "mv -f other/plain.csv pay/kept/a.csv", path=f"{work}/other/plain.csv", path2=f"{pay}/kept/a.csv", **refused)
    run(STRANGER, "mv pay/kept/a.csv other/mine.csv", path=f"{pay}/kept/a.csv", path2=f"{work}/other/mine.csv", **refused)
    refused["operation"], refused["result"] = "chmod", -errno.EPERM
    run(STRANGER, "chmod 666 pay/kept/a.csv", path=f"{pay}/kept/a.csv", **refused)
    got = subprocess.run(["/usr/bin/python3", "-c", CALLER, str(pwd.getpwnam("nobody").pw_uid), work], stdout=subprocess.PIPE, text=True, check=True)
    for operation, function, path, path2, error in json.loads(got.stdout):
        if error not in (errno.EACCES, errno.EPERM):
            sys.exit(f"{function} {path} {path2}: {error}, not refused")
        if not path.startswith(f"{work}/other/kept"):
            print(json.dumps({"line": function, "user": "nobody", "kind": "file-refused", "area": "pay", "operation": operation, "result": -error,
                              "path": path, **({"path2": path2} if path2 else {})}))
    if kept(root) != before:
        sys.exit(f"not refused: {before} became {kept(root)}")
    # more than are told of one user: the rest is a loss
    run("news", "/usr/bin/python3 -c '" + FLOOD % ("open", f"{pay}/locked/flood-", ", os.O_RDONLY") + "'")
    run("mail", "/usr/bin/python3 -c '" + FLOOD % ("unlink", f"{pay}/locked/flood-", "") + "'")
    # outside: nothing
    for user in (FRIEND, STRANGER, "root"):
        run(user, "cat other/plain.csv one.csv.bak payment.csv; ls -l pay; echo x >other/scratch; rm -f other/scratch; mkdir other/d && rmdir other/d")
    run(STRANGER, "cat /etc/shadow", fails=True)


# Reads a file in a copy of a mount that hangs nowhere (open_tree, OPEN_TREE_CLONE).
DETACHED = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
folder = libc.syscall(428, -100, sys.argv[1].encode(), 1)
if folder < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.read(os.open(sys.argv[2], os.O_RDONLY, dir_fd=folder), 100)
"""

FLOODS = 300
FLOOD = f"""
import os
for i in range({FLOODS}):
    try:
        os.%s("%s" + str(i)%s)
    except PermissionError:
        pass
"""

# Each call that deletes, renames, links, cuts or changes a file, by libc and past it, as the user that it is told, where
# permissions refuse it: for what it is told as, on which paths, and what the kernel answered. Knows nothing of areas.
CALLER = """
import ctypes, json, os, sys
uid, work = int(sys.argv[1]), sys.argv[2]
pay, libc, HERE = work + "/pay", ctypes.CDLL(None, use_errno=True), -100
os.setgroups([]); os.setregid(uid, uid); os.setreuid(uid, uid)
os.chdir(pay + "/deep")
folder, opened = os.open(pay + "/kept", os.O_PATH), os.open(pay + "/kept/a.csv", os.O_RDONLY)
a, d, new, sticky = (pay + "/" + name for name in ("kept/a.csv", "kept/d", "kept/new", "sticky/a.csv"))
locked, outside, plain, mine = pay + "/locked/in.csv", work + "/other/kept/a.csv", work + "/other/plain.csv", work + "/other/mine"
said = []
def call(operation, path, path2, function, *args):
    ctypes.set_errno(0)
    got = getattr(libc, function)(*[ctypes.c_char_p(x.encode()) if isinstance(x, str) else ctypes.c_long(x) for x in args])
    error = ctypes.get_errno() if got < 0 else 0
    if error != 38:
        said.append([operation, function, path, path2, error])
call("unlink", a, None, "unlink", a)
call("unlink", a, None, "unlinkat", folder, "a.csv", 0)
call("unlink", sticky, None, "unlink", "../sticky/./a.csv")
call("unlink", locked, None, "unlinkat", HERE, "../locked/in.csv", 0)
call("unlink", outside, None, "unlink", outside)
call("rmdir", d, None, "rmdir", "../kept/d")
call("rmdir", d, None, "unlinkat", folder, "d", 0x200)
call("rename", a, mine, "rename", a, "../../other/mine")
call("rename", plain, a, "rename", plain, "../kept/a.csv")
call("rename", a, new, "renameat", folder, "a.csv", folder, "new")
call("rename", locked, mine, "renameat2", HERE, locked, HERE, mine, 1)
call("rename", sticky, mine, "renameat2", HERE, sticky, HERE, mine, 0)
call("rename", outside, mine, "rename", outside, mine)
call("link", plain, new, "link", plain, new)
call("link", plain, new, "linkat", HERE, "../../other/plain.csv", folder, "new", 0)
call("symlink", new, None, "symlink", "a.csv", new)
call("symlink", new, None, "symlinkat", "a.csv", folder, "new")
call("mkdir", new, None, "mkdir", new, 0o777)
call("mkdir", new, None, "mkdirat", folder, "new", 0o777)
call("truncate", a, None, "truncate", a, 0)
call("truncate", locked, None, "truncate", "../locked/in.csv", 0)
call("truncate", outside, None, "truncate", outside, 0)
call("chmod", a, None, "chmod", "../kept/a.csv", 0o666)
call("chmod", a, None, "fchmodat", folder, "a.csv", 0o666, 0)
call("chmod", a, None, "syscall", 452, folder, "a.csv", 0o666, 0)
call("chmod", a, None, "fchmod", opened, 0o666)
call("chmod", outside, None, "chmod", outside, 0o666)
call("chown", a, None, "chown", a, uid, uid)
call("chown", a, None, "lchown", a, uid, uid)
call("chown", a, None, "fchownat", folder, "a.csv", uid, uid, 0)
call("chown", a, None, "fchownat", opened, "", uid, uid, 0x1000)
call("chown", a, None, "fchown", opened, uid, uid)
call("setxattr", a, None, "setxattr", a, "user.x", "x", 1, 0)
call("setxattr", a, None, "lsetxattr", a, "user.x", "x", 1, 0)
call("setxattr", a, None, "fsetxattr", opened, "user.x", "x", 1, 0)
call("removexattr", a, None, "removexattr", a, "user.x")
call("removexattr", a, None, "lremovexattr", a, "user.x")
call("removexattr", a, None, "fremovexattr", opened, "user.x")
call("setxattr", outside, None, "setxattr", outside, "user.x", "x", 1, 0)
print(json.dumps(said))
"""


def kept(root):
    """What lies where nobody but root may change anything: each name, what it is, and a file's content."""
    there = {}
    for top in ("pay/kept", "pay/sticky", "pay/locked", "other/kept"):
        for folder, folders, files in os.walk(f"{root}/work/{top}"):
            for name in (folder, *(f"{folder}/{x}" for x in folders + files)):
                s = os.lstat(name)
                there[name] = [s.st_ino, s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_nlink, os.listxattr(name)]
            for name in files:
                with open(f"{folder}/{name}") as f:
                    there[f"{folder}/{name}"].append(f.read())
    return there


def fits(r, w):
    if any(name in w and r.get(name) != w[name] for name in ("kind", "path", "path2", "area", "action", "user", "operation", "result")):
        return False
    if "flags" in w and w["flags"] not in r.get("flags", []):
        return False
    return all(r.get(name, 0) > 0 for name in ("read", "written") if name in w)


def check(root, done, records):
    mine = (f"{root}/work", f"{root}/share", "/etc/shadow")
    told = [json.loads(line) for line in open(records)]
    lost = [r for r in told if r.get("kind") == "loss"]
    told = [r for r in told if (r.get("path") or "").startswith(mine) and "mount" not in r["kind"]]
    wanted = [json.loads(line) for line in open(done)]
    flood = [r for r in told if "/locked/flood-" in r["path"]]
    told = [r for r in told if r not in flood]

    def stop(what, of):
        sys.exit("\n".join([what, *(json.dumps(r, ensure_ascii=False) for r in of)]))

    for w in wanted:
        found = [r for r in told if fits(r, w)]
        # a record that fits two acts stands for one of them
        if len(found) != sum(all(v.get(name) == w.get(name) for name in w if name != "line") for v in wanted):
            stop(f"told {len(found)} times: {w}", found or [r for r in told if w["path"] in (r.get("path"), r.get("path2"))])
    for r in told:
        if r["kind"] == "file-refused":
            name = errno.errorcode[-r["result"]]
            if r["policy"] != 1 or not r["text"].endswith(f"({name})") or not r.get("program") or r.get("action") or r.get("rule"):
                stop("not as the file system refused it", [r])
            if r["operation"] == "open" and name != "EACCES":
                stop("the guard's", [r])
            continue
        if not r.get("area") or r.get("rule") != "protected:" + r["area"] or r.get("policy") != 1:
            stop("outside of the areas", [r])
        if (r["action"] == "allow") == bool(r.get("text")):
            stop("a reason where none is needed, or none", [r])
    for user, operation in (("news", "open"), ("mail", "unlink")):
        n = sum((r["user"], r["operation"]) == (user, operation) for r in flood)
        if not 200 <= n < FLOODS:
            stop(f"{n} refusals of {user}, who tries {FLOODS} times", flood[:1])
    if {r["cause"] for r in lost} != {"queue-full"} or sum(r["lost"] for r in lost) != 2 * FLOODS - len(flood):
        stop("lost", lost)
    # nobody else's, and nothing else, was told as refused
    refused = [r for r in told if r["kind"] == "file-refused"]
    if len(refused) != sum(w["kind"] == "file-refused" for w in wanted):
        stop("refused more often than it was", [r for r in refused if not any(fits(r, w) for w in wanted)])
    print(f"{len(wanted)} acts, {len(told)} records")


CLOSED = """
protected:
  areas:
    - {name: pay, paths: [%(work)s/pay, %(work)s/one.csv, "%(work)s/*/個人番号*.csv"], users: [%(friend)s], programs: ["/*bin/*"], others: deny}
    - {name: share, shares: ["//files/*"], groups: [%(friend)s], others: deny}
    - {name: watched, paths: [%(work)s/watched], users: [%(friend)s], others: deny, mode: note}
  expectations:
    - {file: {path: %(work)s/pay/deep/x, user: root, program: /usr/bin/cat}, area: pay, action: deny}
"""

# Opens each file as the user that it is told, in each way, and says how each went: a program that knows nothing of areas.
OPENER = """
import errno, json, os, sys
uid, ways = int(sys.argv[1]), {"read": os.O_RDONLY, "write": os.O_WRONLY, "both": os.O_RDWR, "cut": os.O_WRONLY | os.O_TRUNC, "add": os.O_WRONLY | os.O_APPEND}
os.setgroups([]); os.setregid(uid, uid); os.setreuid(uid, uid)
said = []
for path in sys.argv[2:]:
    for name, flags in ways.items():
        try:
            os.close(os.open(path, flags))
            said.append([path, name, "ok"])
        except OSError as e:
            said.append([path, name, errno.errorcode[e.errno]])
print(json.dumps(said))
"""


def closed(root):
    """What areas that refuse are laid over: folders, names, a document; programs outside of the named folders."""
    make(root)
    work = f"{root}/work"
    os.mkdir(f"{work}/watched")
    for name in ("watched/x.csv", "pay/run"):
        with open(f"{work}/{name}", "w") as f:
            f.write("#!/bin/sh\n")
        os.chmod(f"{work}/{name}", 0o777)
    os.chmod(f"{work}/watched", 0o777)
    shutil.copy("/usr/bin/cat", f"{work}/cat")
    with open(f"{root}/policy", "w") as f:
        f.write(CLOSED % {"work": work, "friend": FRIEND})


def refusing(root):
    """Who may open what, by a program that tries: each in five ways. Prints the refusals that it counted, by path and user."""
    work, share = f"{root}/work", f"{root}/share"
    count = {}

    def opens(user, paths, wanted, python="/usr/bin/python3"):
        uid = pwd.getpwnam(user).pw_uid
        got = subprocess.run([python, "-c", OPENER, str(uid), *paths], stdout=subprocess.PIPE, text=True, timeout=100)
        for path, way, how in json.loads(got.stdout):
            if how != wanted:
                sys.exit(f"{user} {way} {path}: {how}, not {wanted}")
            if how == "EPERM":
                count[(user, path)] = count.get((user, path), 0) + 1

    def runs(user, line, fails, python=None):
        p = pwd.getpwnam(user)
        got = subprocess.run(["setpriv", f"--reuid={p.pw_uid}", f"--regid={p.pw_gid}", "--clear-groups", "sh", "-c", line], cwd=work,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=100)
        if (got.returncode != 0) != fails:
            sys.exit(f"{user} {line}: {got.returncode} {got.stderr}")

    inside = [f"{work}/{name}" for name in ("pay/list.csv", "pay/deep/long.csv", "one.csv", "other/個人番号2026.csv")]
    outside = [f"{work}/{name}" for name in ("other/plain.csv", "one.csv.bak", "payment.csv", "watched/x.csv")]
    for user in (FRIEND, STRANGER, "root"):
        opens(user, outside, "ok")
    opens(FRIEND, inside, "ok")
    opens(STRANGER, inside, "EPERM")
    opens("root", inside, "EPERM")
    # by a program that the policy does not name
    runs(FRIEND, f"{work}/cat pay/list.csv", True)
    count[(FRIEND, inside[0])] = 1
    # running what lies there
    runs(STRANGER, "exec ./pay/run", True)
    count[(STRANGER, f"{work}/pay/run")] = 1
    runs(FRIEND, "exec ./pay/run", False)
    # other names of the same files, and names that lead there
    runs(STRANGER, "mv pay/goes.csv other/gone.csv; ln -s ../pay/list.csv other/soft.csv", False)
    runs("root", "ln pay/link.csv other/hard.csv", False)
    opens(STRANGER, [f"{work}/other/gone.csv", f"{work}/other/hard.csv"], "EPERM")
    runs(STRANGER, "cat other/soft.csv", True)
    count[(STRANGER, inside[0])] += 1
    # what comes: a file, a folder, a file that takes another's name. The mark follows within milliseconds, where the machine has time for it.
    def marked(path):
        """Until a stranger is refused; that it was refused is counted."""
        uid, end = pwd.getpwnam(STRANGER).pw_uid, time.monotonic() + 60
        while subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "dd", f"if={path}", "count=0"],
                             stderr=subprocess.DEVNULL).returncode == 0:
            if time.monotonic() > end:
                sys.exit(f"{path}: opened by a stranger for a minute")
            time.sleep(0.1)
        count[(STRANGER, path)] = count.get((STRANGER, path), 0) + 1

    runs(FRIEND, "mkdir -m 777 pay/new && echo x >pay/new/x && cp pay/list.csv one.new && mv one.new one.csv && chmod 666 pay/new/x one.csv", False)
    for path in (f"{work}/pay/new/x", f"{work}/one.csv"):
        marked(path)
    opens(FRIEND, [f"{work}/pay/new/x"], "ok")
    opens(STRANGER, [f"{work}/pay/new/x", f"{work}/one.csv"], "EPERM")
    # a share, by what is mounted there, and a group
    runs(FRIEND, f"umask 0; echo x >{share}/x.txt && mkdir {share}/d && echo y >{share}/d/y", False)
    opens(FRIEND, [f"{share}/x.txt", f"{share}/d/y"], "ok")
    opens(STRANGER, [f"{share}/x.txt", f"{share}/d/y"], "EPERM")
    return count


def try_all(root):
    for (user, path), n in refusing(root).items():
        print(json.dumps({"user": user, "path": path, "count": n}, ensure_ascii=False))


def refused(root, done, records):
    """As many as the program counted, of each file and person, each with area, rule, program and reason."""
    told = [r for r in map(json.loads, open(records)) if r.get("kind") == "file-refused"]
    for r in told:
        if r["action"] != "deny" or r["policy_mode"] != "enforce" or r["rule"].split(":")[1] != r["area"] or r["result"] != -1 or r["operation"] != "open" or not (
                r["text"] and r["program"] and r["pid"] and r["inode"]) or not 1 <= r["policy"] <= 3:
            sys.exit(f"told: {r}")
    if [(r["user"], r["rule"]) for r in told if r["policy"] == 2] != [("bin", "purpose:pay")] * 2 + [(u, "protected:pay") for u in ("daemon", "root")]:
        sys.exit("told of purposes: " + json.dumps([r for r in told if r["policy"] == 2], ensure_ascii=False))
    said = [(r["user"], r["area"], r["rule"], r["text"]) for r in map(json.loads, open(records)) if r.get("kind") == "reason-given"]
    if said != [("bin", "pay", "purpose:pay", "年末調整の計算"), ("daemon", "pay", "purpose:pay", "because I want to")]:
        sys.exit(f"purposes: {said}")
    told = [r for r in told if r["policy"] == 1]
    wanted = [json.loads(line) for line in open(done)]
    for w in wanted:
        n = sum(r.get("count", 1) for r in told if r["path"] == w["path"] and r["user"] == w["user"])
        if n != w["count"]:
            sys.exit(f"{n} times: {w}\n" + "\n".join(json.dumps(r, ensure_ascii=False) for r in told))
    print(f"{sum(w['count'] for w in wanted)} refusals, {len(told)} records")


{"make": make, "act": act, "check": check, "closed": closed, "try": try_all, "refused": refused}[sys.argv[1]](*sys.argv[2:])
