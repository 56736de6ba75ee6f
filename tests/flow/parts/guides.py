#!/usr/bin/python3
"""Blocks of a guide: fenced, with `sh` and where they are run: server, pc, desk; or show, for what a person does elsewhere.

  guides.py same A B           both have the same blocks in the same order
  guides.py blocks FILE DIR    those that are run, as files in order
  guides.py shown FILE ROOT    what is shown names commands, options, units and packages that there are
"""
import os
import re
import subprocess
import sys

PLACES = ("server", "pc", "desk", "show")


def blocks(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    found = re.findall(r"^```(.*?)\n(.*?)^```$", text, re.M | re.S)
    for info, _ in found:
        if info.split()[:1] != ["sh"] or info.split()[1:2] == [] or info.split()[1] not in PLACES:
            sys.exit("%s: a block of `%s`: neither of %s" % (path, info, ", ".join(PLACES)))
    return [(info.split()[1], body) for info, body in found]


def check_sekishoctl(words):
    named = [w for w in words[1:] if not w.startswith("-")]
    options = [w.split("=")[0] for w in words[1:] if w.startswith("-") and len(w) > 1]
    two = subprocess.run(["sekishoctl", *named[:2], "--help"], capture_output=True, text=True)
    one = subprocess.run(["sekishoctl", *named[:1], "--help"], capture_output=True, text=True)
    told = two if two.returncode == 0 else one
    if told.returncode:
        return "no command"
    missing = [o for o in options if not re.search(r"(^|[\s,])%s\b" % re.escape(o), told.stdout)]
    return "no option %s" % missing[0] if missing else None


def not_installed(words, root):
    """Scripts for the database that a line names and no package brings."""
    with open(root + "/collector/store/CMakeLists.txt", encoding="utf-8") as f:
        brought = re.findall(r"^install\(FILES (.*?)DESTINATION (\S+?)\)", f.read(), re.M | re.S)
    files = {"/usr/share/sekisho/postgresql/" + os.path.basename(n) for names, to in brought if to.endswith("sekisho/postgresql") for n in names.split()}
    named = [w for w in words if w.startswith("/usr/share/sekisho/postgresql/")]
    return [w for w in named if w not in files]


def check(line, root):
    words = line.split()
    absent = not_installed(words, root)
    if absent:
        return "no package brings %s" % absent[0]
    if words[0] == "sekishoctl":
        return check_sekishoctl(words)
    if words[0] == "systemctl":
        units = [w.removesuffix(".service") for w in words[2:] if not w.startswith("-")]
        missing = [u for u in units if not any(os.path.exists("%s/packaging/systemd/%s%s" % (root, u, e)) for e in ("", ".service"))]
        return "no unit %s" % missing[0] if missing else None
    if words[0] == "apt":
        with open(root + "/packaging/debian/control", encoding="utf-8") as f:
            known = f.read()
        # Files as packaging/packages names them are packages too.
        named = [w.removeprefix("./").removesuffix("_*.deb") for w in words[2:]]
        missing = [p for p in named if not re.search(r"\b%s\b" % re.escape(p), known)]
        return "no package %s" % missing[0] if missing else None
    program = words[0] if "/" not in words[0] else os.path.join(root, words[0])
    return None if subprocess.run(["sh", "-c", 'command -v "$0"', program], capture_output=True).returncode == 0 else "no program"


def main(argv):
    if argv[1] == "same":
        a, b = blocks(argv[2]), blocks(argv[3])
        for x, y in zip(a, b):
            if x != y:
                sys.exit("%s has\n%s\nand the other one\n%s" % (argv[2], x[1], y[1]))
        return 0 if len(a) == len(b) and a else sys.exit("%d blocks and %d" % (len(a), len(b)))
    if argv[1] == "blocks":
        os.mkdir(argv[3])
        for i, (place, body) in enumerate(b for b in blocks(argv[2]) if b[0] != "show"):
            with open("%s/%03d-%s" % (argv[3], i, place), "w", encoding="utf-8") as f:
                f.write(body)
        return 0
    for place, body in blocks(argv[2]):
        for line in body.splitlines() if place == "show" else []:
            wrong = check(line, argv[3]) if line.strip() else None
            if wrong:
                sys.exit("%s: %s: %s" % (argv[2], line, wrong))
    return 0


sys.exit(main(sys.argv))
