"""ASVS 5.0.0, 16.5.3: where the console cannot write its records, nothing is shown, changed or opened that would go unrecorded; argv: the
spool, a file system of its own that this fills."""
import http.client
import json
import os
import subprocess
import sys

from console_desk import HOST, PORT, Desk, Person, same, tls, told, true, until, user

FILL = os.path.join(sys.argv[1], "filled")
SAVED = "/api/v1/searches"
NEW = "n" * 40


def item(text):
    print("  " + text, flush=True)


class Line:
    """One connection for many questions."""

    def __init__(self, who):
        self.c = http.client.HTTPSConnection(HOST, PORT, context=tls(), timeout=60)
        self.headers = {"Cookie": "__Host-sekisho=" + who.cookie, "Sec-Fetch-Site": "same-origin"}

    def search(self, query):
        """The status; where it is refused, nothing but the refusal is in the answer."""
        self.c.request("GET", "/api/v1/records?" + query, headers=self.headers)
        a = self.c.getresponse()
        body = json.loads(a.read())
        if a.status == 503:
            same((sorted(body), body["error"]), (["error", "reason"], "unrecorded"), query[:80])
        else:
            same(a.status, 200, "%s: %s" % (query[:80], body))
        return a.status


def accounts():
    listed = subprocess.run(["sekishoctl", "console", "user", "list", "--json"], stdout=subprocess.PIPE, check=True).stdout
    return {u["name"] for u in json.loads(listed)["users"]}


fumi = Person("fumi", "auditor")
late = "l" * 60
password = user("add", late, "--role", "auditor")
saved = fumi.get(SAVED)
before = accounts()
line = Line(fumi)

item("16.5.3: the spool's disk is full: what was begun is kept, and from there on each search is refused")
with open(FILL, "wb", buffering=0) as f:
    try:
        while f.write(b"\0" * 65536):
            pass
    except OSError:
        pass
answered = []
for length in (1000, 100, 1):
    for n in range(3000):
        query = "path=/%d/%s" % (n, "x" * length)
        if line.search(query) != 200:
            break
        answered.append(query)
    else:
        raise SystemExit("FAILED: the disk is never full")
true(len(answered) > 10, "some found room: %d" % len(answered))
same(line.search("text=once+more"), 503, "nor the next one")

item("16.5.3: nor is anything changed, nobody let in, no account made; what asks nothing of the log goes on")
change = {"version": saved["version"], "searches": [{"name": "s" * 100, "query": "since=-7d"}]}
same(fumi.ask("PUT", SAVED, change, status=503).json["error"], "unrecorded", "a change")
stranger = Desk()
same(stranger.sign_in(late, password, status=503).json["error"], "unrecorded", "a sign-in")
same(stranger.cookie, None, "a cookie")
r = subprocess.run(["sekishoctl", "console", "user", "add", NEW, "--role", "auditor"], capture_output=True)
true(r.returncode not in (0, 127), "an account was made: %r" % r.stdout)
same(accounts(), before, "the accounts")
same(fumi.get("/api/v1/session")["account"], "fumi", "the session")

item("16.5.3: there is room again, and it goes on; the log has what was answered, and nothing of what was refused")
os.unlink(FILL)
until(lambda: line.search("text=room") == 200, "room")
same(fumi.get(SAVED), saved, "what was saved")
fumi.ask("PUT", SAVED, change, status=200)
Desk().sign_in(late, password)
want = sorted(answered + ["text=room"])
until(lambda: told("console-sign-in", user=late), "the sign-in is in the log")
until(lambda: len(told("console-search", user="fumi")) >= len(want), "the searches are in the log")
same(sorted(t["text"] for t in told("console-search", user="fumi")), want, "the searches")
same(len(told("console-change", user="fumi", operation=SAVED)), 1, "changes")
same(told("console-account", target_user=NEW), [], "accounts")
