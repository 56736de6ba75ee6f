"""Kills who is to die while a commit is where the table says: collector_table.py SERVERS CONF. A row of the table for each."""
import http.client
import os
import subprocess
import sys
import threading
import time

from collector_pc import Member, door, same, sha256, token, true

from database_proxy import Proxy

SERVERS, CONF = sys.argv[1:3]
TMP = os.environ["FLOW_TMP"]
HELPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../postgresql")
PATIENCE = 60
WHERE = ("append", "commit", "answer")


def server(command, *names):
    subprocess.run([HELPER, command] + [os.path.join(SERVERS, n) for n in names], check=True, stdin=subprocess.DEVNULL)


def wait_for(what, text):
    end = time.monotonic() + PATIENCE
    while not what():
        true(time.monotonic() < end, "still not so: " + text)
        time.sleep(0.05)


class Office:
    """The servers, the collector, and a PC that was enrolled."""

    def __init__(self):
        self.primary, self.standby, self.next = "a", "b", "c"
        self.proxy = Proxy(os.path.join(SERVERS, "proxy/.s.PGSQL.5432"))
        self.aim()
        subprocess.run(["sekisho-collector", "--config", CONF, "--init"], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start()
        self.pc = Member("pc-1")
        self.pc.enrol(token())

    def aim(self):
        self.proxy.target = os.path.join(SERVERS, self.primary, ".s.PGSQL.5432")
        with open(os.path.join(SERVERS, "primary"), "w", encoding="utf-8") as f:
            f.write(self.primary)

    def start(self):
        with open(os.path.join(TMP, "collector.log"), "a", encoding="utf-8") as log:
            self.collector = subprocess.Popen(["sekisho-collector", "--config", CONF], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.there()

    def kill(self):
        self.collector.kill()
        self.collector.wait()

    def database(self, name):
        try:
            return door("/admin/status")["database"][name]
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def there(self):
        wait_for(lambda: self.database("lost") is False, "the collector has its database")

    def in_log(self, hashes):
        """By another client than ours, of what the database itself hashes; once each."""
        out = subprocess.run(
            ["psql", "-X", "-A", "-t", "-h", os.path.join(SERVERS, self.primary), "-U", "collector", "-d", "sekisho", "-c",
             "SELECT encode(sha256(header), 'hex') FROM sekisho.leaf"],
            check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.split()
        same(len(set(out)), len(out), "each leaf once")
        return len([h for h in hashes if h in out])


class Sending(threading.Thread):
    """One batch, sent once; then, until it is taken."""

    def __init__(self, pc):
        super().__init__(daemon=True)
        self.pc, self.batch, self.said = pc, pc.sealed(3), None
        self.body = b"".join(s.bytes(s.sent) for s in self.batch)
        self.hashes = [sha256(s.sent).hex() for s in self.batch]

    def once(self):
        self.pc.close()
        try:
            status, answer, _ = self.pc.request("POST", "/v1/segments", self.body, {"Sekisho-Seen": str(self.pc.seen[0])})
        except (OSError, http.client.HTTPException, ValueError):
            return "gone", None
        if status == 200:
            self.pc.check(answer, self.body)
            return status, [r["status"] for r in answer["results"]]
        true(status == 503, "answered %d, %s" % (status, answer))
        return status, None

    def run(self):
        self.said = self.once()

    def again(self):
        end = time.monotonic() + PATIENCE
        while True:
            status, results = self.once()
            if status == 200:
                return results
            true(time.monotonic() < end, "never taken")
            time.sleep(0.1)


def die(office, victim):
    if victim in ("collector", "both"):
        office.kill()
    if victim in ("primary", "both", "failover"):
        server("kill", office.primary)
    if victim == "standby":
        server("kill", office.standby)


def come_back(office, victim):
    if victim in ("primary", "both"):
        server("again", office.primary)
    if victim == "failover":
        server("promote", office.standby)
        office.primary, office.standby, office.next = office.standby, office.next, chr(ord(office.next) + 1)
        office.aim()
        server("standby", office.standby, office.primary)
    if victim == "standby":
        server("again", office.standby)
    if victim in ("collector", "both"):
        office.start()
    office.there()


def share(n, of):
    return "all" if n == of else "none" if not n else "some"


def cell(office, victim, where):
    """What was acknowledged, and what is in the log when all is back and nothing was sent again."""
    office.there()
    wait_for(lambda: office.database("waits") is False, "nothing waits")
    s = Sending(office.pc)
    office.proxy.arm(where)
    s.start()
    true(office.proxy.held.wait(PATIENCE), "no commit came to: " + where)
    true(s.said is None, "acknowledged before it was committed")
    die(office, victim)
    if victim == "standby":
        office.proxy.go_on()
        if where != "answer":
            wait_for(lambda: office.database("waits") is True, "the collector waits for the standby")
            same(office.in_log(s.hashes), 0, "to be seen, on one server")
            true(s.said is None, "acknowledged, on one server")
        else:
            s.join(PATIENCE)
        early = s.said is not None
        come_back(office, victim)
        s.join(PATIENCE)
        true(s.said is not None and s.said[0] == 200, "%s, %s: %s" % (victim, where, s.said))
        same(office.in_log(s.hashes), len(s.hashes), "in the log")
        return ("at once" if early else "when it is back") + " / all"
    office.proxy.cut()
    s.join(PATIENCE)
    true(s.said is not None, "the PC is not answered")
    acked = len(s.hashes) if s.said[0] == 200 else 0
    come_back(office, victim)
    there = office.in_log(s.hashes)
    results = s.again()
    same(results, ["known" if there else "stored"] * len(s.hashes), "%s, %s: sent again" % (victim, where))
    same(office.in_log(s.hashes), len(s.hashes), "in the log, once it was sent again")
    return share(acked, len(s.hashes)) + " / " + share(there, len(s.hashes))


def main():
    office = Office()
    try:
        fill(office)
        office.collector.terminate()
        same(office.collector.wait(), 0, "the collector's end")
    finally:
        office.collector.kill()


def fill(office):
    rows = (("collector", "the collector"), ("primary", "the primary; it comes back"), ("failover", "the primary; the standby is promoted"),
            ("both", "the collector and the primary"), ("standby", "the standby"))
    for victim, name in rows:
        print("| %s | %s |" % (name, " | ".join(cell(office, victim, w) for w in WHERE)), flush=True)


main()
