"""Proofs of disposal, where a clamd scans them: one step of 91-console-logs each, by what listens at its socket. ASVS 5.0.0, 5.4.3."""
import base64
import concurrent.futures
import os
import sys
from hashlib import sha256

from console_desk import Desk, Person, same, told, true, until

STATE = os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-console"
FOUND = b"%PDF-1.7 " + b"SEKISHO-FLOW-91-" + b"SIGNATURE"
KEPT = os.environ["SEKISHO_ROOT"] + "/cookie"
PROOFS = "/api/v1/proofs"


def person():
    """One administrator, signed in once for all steps: the session lives as long as the console."""
    if os.path.exists(KEPT):
        d = Desk("127.0.1.31")
        with open(KEPT) as f:
            d.cookie, d.csrf = f.read().split()
        return d
    d = Person("shimizu", "administrator", source="127.0.1.31")
    with open(KEPT, "w") as f:
        f.write("%s %s" % (d.cookie, d.csrf))
    return d


def file_it(d, content, status, name="証明.pdf"):
    body = {"contractor": "溶解処理", "what": "書類 3箱", "name": name, "content": base64.b64encode(content).decode()}
    return d.ask("POST", PROOFS, body, status)


def refused(content, cause, words):
    """In the log: who, what, why, and the file by its hash."""
    hers = [r for r in told("console-refused", user="shimizu", cause=cause, operation=PROOFS, hash=sha256(content).hexdigest(), count=len(content))]
    return [r for r in hers if words in r.get("findings", "") and r["text"] == "溶解処理 / 書類 3箱 / 証明.pdf"]


def kept(content):
    return os.path.exists(STATE + "/proofs/" + sha256(content).hexdigest())


def gone(d):
    content = b"%PDF-1.7 nobody scans this"
    a = file_it(d, content, 503)
    same(a.json["error"], "scanner", "the word")
    true("clamd is not there" in a.json["reason"], a.json)
    until(lambda: refused(content, "scanner-failed", "clamd is not there"), "in the log")
    true(not kept(content), "it was kept")


def scanned(d):
    clean = b"%PDF-1.7 clean"
    same(file_it(d, clean, 200).json, {"hash": sha256(clean).hexdigest()}, "filed")
    true(kept(clean), "it is not kept")
    a = file_it(d, FOUND, 400)
    same(a.json["error"], "malware", "the word")
    true(a.json["reason"].startswith("Sekisho.Test.Flow91"), a.json)
    until(lambda: refused(FOUND, "malware", "Sekisho.Test.Flow91"), "in the log")
    true(not kept(FOUND), "it was kept")
    # Somewhere in one of 2 MB, which goes in parts; and what is no paper is not even sent there.
    large = b"%PDF-1.7 " + os.urandom(2000000)
    same(file_it(d, large, 200).json, {"hash": sha256(large).hexdigest()}, "a large one")
    at = 65536 - 12
    same(file_it(d, large[:at] + FOUND[9:] + large[at + len(FOUND) - 9:], 400).json["error"], "malware", "across two parts")
    same(file_it(d, FOUND[1:], 400).json["error"], "type", "no paper")
    # Several at once: each has its own verdict; whoever is too many is told to come again.
    some = [b"%PDF-1.7 " + bytes([48 + i]) * 1000000 + (FOUND[9:] if i % 2 else b"") for i in range(8)]

    def one(i):
        e = Desk("127.0.1.%d" % (40 + i))
        e.cookie, e.csrf = d.cookie, d.csrf
        return file_it(e, some[i], None)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for i, a in enumerate(pool.map(one, range(8))):
            same((a.status, a.json.get("error")) in ((503, "busy"), (400, "malware") if i % 2 else (200, None)), True, (i, a.status, a.body))
            same(kept(some[i]), a.status == 200, i)


def lied(d):
    content = b"%PDF-1.7 " + os.urandom(16).hex().encode()
    a = file_it(d, content, 503)
    same((a.json["error"], a.json["reason"]), ("scanner", "it could not be scanned: clamd gave no answer"), "the word")
    until(lambda: refused(content, "scanner-failed", "clamd gave no answer"), "in the log")
    true(not kept(content), "it was kept")


{"gone": gone, "scanned": scanned, "lied": lied}[sys.argv[1]](person())
