#!/usr/bin/env python3
"""Files in areas of protected files, used by people: made, acted upon, and what of it must be told.

usage: areas.py make ROOT | act ROOT | check ROOT DONE RECORDS
`act` prints, a JSON object a line, what it did: at the source, by whom, to which file, with which outcome."""

import json
import os
import pwd
import subprocess
import sys

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
    # outside: nothing
    for user in (FRIEND, STRANGER, "root"):
        run(user, "cat other/plain.csv one.csv.bak payment.csv; ls -l pay; echo x >other/scratch; rm -f other/scratch; mkdir other/d && rmdir other/d")
    run(STRANGER, "cat /etc/shadow", fails=True)


def fits(r, w):
    if any(name in w and r.get(name) != w[name] for name in ("kind", "path", "path2", "area", "action", "user")):
        return False
    return all(r.get(name, 0) > 0 for name in ("read", "written") if name in w)


def check(root, done, records):
    mine = (f"{root}/work", f"{root}/share", "/etc/shadow")
    told = [json.loads(line) for line in open(records)]
    lost = [r for r in told if r.get("kind") == "loss"]
    told = [r for r in told if (r.get("path") or "").startswith(mine) and "mount" not in r["kind"]]
    wanted = [json.loads(line) for line in open(done)]

    def stop(what, of):
        sys.exit("\n".join([what, *(json.dumps(r, ensure_ascii=False) for r in of)]))

    for w in wanted:
        found = [r for r in told if fits(r, w)]
        # a record that fits two acts stands for one of them
        if len(found) != sum(all(v.get(name) == w.get(name) for name in w if name != "line") for v in wanted):
            stop(f"told {len(found)} times: {w}", found or [r for r in told if w["path"] in (r.get("path"), r.get("path2"))])
    for r in told:
        if not r.get("area") or r.get("rule") != "protected:" + r["area"] or r.get("policy") != 1:
            stop("outside of the areas", [r])
        if (r["action"] == "allow") == bool(r.get("text")):
            stop("a reason where none is needed, or none", [r])
    if lost:
        stop("lost", lost)
    print(f"{len(wanted)} acts, {len(told)} records")


{"make": make, "act": act, "check": check}[sys.argv[1]](*sys.argv[2:])
