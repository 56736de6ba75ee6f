"""Kills who is to die while a commit is where the table says: collector_table.py SERVERS CONF CONF2. A row of the table for each.

CONF2: of a second collector over the same log, under $SECOND_ROOT, which joins for the last rows."""
import http.client
import json
import os
import subprocess
import sys
import threading
import time

import collector_pc
from collector_pc import Member, door, same, sha256, token, true

from database_proxy import Proxy

SERVERS, CONF, CONF2 = sys.argv[1:4]
TMP = os.environ["FLOW_TMP"]
HELPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../postgresql")
PATIENCE = 60
WHERE = ("append", "commit", "answer")
CONNECTING = threading.Lock()


def server(command, *names):
    subprocess.run([HELPER, command] + [os.path.join(SERVERS, n) for n in names], check=True, stdin=subprocess.DEVNULL)


def wait_for(what, text):
    end = time.monotonic() + PATIENCE
    while not what():
        true(time.monotonic() < end, "still not so: " + text)
        time.sleep(0.05)


class Collector:
    """One process of it, with its folder and its port."""

    def __init__(self, conf, root):
        self.conf, self.process, self.env = conf, None, dict(os.environ, SEKISHO_ROOT=root)
        self.door = root + "/run/sekisho/collector.sock"
        with open(conf, encoding="utf-8") as f:
            self.port = int([line for line in f if line.startswith("port")][0].split("=")[1])

    def run(self, *words):
        subprocess.run(words, check=True, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        with open(os.path.join(TMP, "collector.log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(["sekisho-collector", "--config", self.conf], env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.there()

    def database(self, name):
        collector_pc.DOOR = self.door
        try:
            return door("/admin/status")["database"][name]
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def there(self):
        wait_for(lambda: self.database("lost") is False, "the collector has its database")


def kill(*collectors):
    """At the same moment."""
    for c in collectors:
        c.process.kill()
    for c in collectors:
        c.process.wait()


class Office:
    """The servers, the collectors, and a PC for each that was enrolled."""

    def __init__(self):
        self.primary, self.standby, self.next = "a", "b", "c"
        self.proxy = Proxy(os.path.join(SERVERS, "proxy/.s.PGSQL.5432"))
        self.aim()
        self.first, self.second = Collector(CONF, os.environ["SEKISHO_ROOT"]), Collector(CONF2, os.environ["SECOND_ROOT"])
        self.first.run("sekisho-collector", "--config", CONF, "--init")
        self.first.start()
        self.pc, self.other_pc = Member("pc-1"), None
        self.pc.enrol(token())

    def join(self):
        """The second one, and the PC that sends to it."""
        told = os.path.join(TMP, "joined")
        with open(told, "w", encoding="utf-8") as f:
            joining = subprocess.Popen(["sekishoctl", "collector", "join", "--config", CONF2, "--json"], env=self.second.env,
                                       stdin=subprocess.DEVNULL, stdout=f)

        def asking():
            with open(told, encoding="utf-8") as f:
                try:
                    return json.JSONDecoder().raw_decode(f.read().strip())[0].get("asking")
                except ValueError:
                    return None
        wait_for(asking, "the second one asks")
        self.first.run("sekishoctl", "collector", "admit", asking())
        same(joining.wait(PATIENCE), 0, "joined")
        self.second.start()
        collector_pc.DOOR = self.first.door
        self.other_pc = Member("pc-2")
        self.other_pc.enrol(token())

    def aim(self):
        self.proxy.target = os.path.join(SERVERS, self.primary, ".s.PGSQL.5432")
        with open(os.path.join(SERVERS, "primary"), "w", encoding="utf-8") as f:
            f.write(self.primary)

    def ask(self, text):
        return subprocess.run(
            ["psql", "-X", "-A", "-t", "-h", os.path.join(SERVERS, self.primary), "-U", "collector", "-d", "sekisho", "-c", text],
            check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.split()

    def in_log(self, hashes):
        """By another client than ours, of what the database itself hashes; once each."""
        out = self.ask("SELECT encode(sha256(header), 'hex') FROM sekisho.leaf")
        same(len(set(out)), len(out), "each leaf once")
        return len([h for h in hashes if h in out])


class Sending(threading.Thread):
    """One batch, sent once; then, until it is taken."""

    def __init__(self, pc, port):
        super().__init__(daemon=True)
        self.pc, self.port, self.batch, self.said = pc, port, pc.sealed(3), None
        self.body = b"".join(s.bytes(s.sent) for s in self.batch)
        self.hashes = [sha256(s.sent).hex() for s in self.batch]

    def once(self):
        self.pc.close()
        with CONNECTING:
            collector_pc.PORTS = [self.port]
            self.pc.connection = collector_pc.connect(self.pc.context)
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
    if victim in ("collector", "both", "one of two"):
        kill(office.first)
    if victim == "two":
        kill(office.first, office.second)
    if victim in ("primary", "both", "failover", "one of two"):
        server("kill", office.primary)
    if victim == "standby":
        server("kill", office.standby)


def come_back(office, victim):
    if victim in ("primary", "both", "one of two"):
        server("again", office.primary)
    if victim == "failover":
        server("promote", office.standby)
        office.primary, office.standby, office.next = office.standby, office.next, chr(ord(office.next) + 1)
        office.aim()
        server("standby", office.standby, office.primary)
    if victim == "standby":
        server("again", office.standby)
    if victim in ("collector", "both", "two", "one of two"):
        office.first.start()
    if victim == "two":
        office.second.start()
    office.first.there()
    if office.other_pc:
        office.second.there()


def share(n, of):
    return "all" if n == of else "none" if not n else "some"


def cell(office, victim, where):
    """What was acknowledged, and what is in the log when all is back and nothing was sent again."""
    office.first.there()
    wait_for(lambda: office.first.database("waits") is False, "nothing waits")
    s = Sending(office.pc, office.first.port)
    office.proxy.arm(where)
    s.start()
    true(office.proxy.held.wait(PATIENCE), "no commit came to: " + where)
    true(s.said is None, "acknowledged before it was committed")
    die(office, victim)
    if victim == "standby":
        office.proxy.go_on()
        if where != "answer":
            wait_for(lambda: office.first.database("waits") is True, "the collector waits for the standby")
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


def cell_of_two(office, victim, where):
    """The same, where another one's group comes behind the first one's at that moment: it waits for its turn, or is committed, too."""
    for c in (office.first, office.second):
        c.there()
        wait_for(lambda c=c: c.database("waits") is False, "nothing waits")
    s, other = Sending(office.pc, office.first.port), Sending(office.other_pc, office.second.port)
    office.proxy.arm(where)
    s.start()
    true(office.proxy.held.wait(PATIENCE), "no commit came to: " + where)
    other.start()
    if where == "answer":
        wait_for(lambda: office.proxy.holding == 2, "the other's commit is done, too")
    else:
        wait_for(lambda: office.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") != ["0"], "the other waits for its turn")
    true(s.said is None, "acknowledged before it was committed")
    die(office, victim)
    office.proxy.cut()
    for x in (s, other):
        x.join(PATIENCE)
        true(x.said is not None, "a PC is not answered")
        true(x.said[0] != 200, "acknowledged without an answer to its commit")
    come_back(office, victim)
    there = [office.in_log(x.hashes) for x in (s, other)]
    true(there[1] in (0, len(other.hashes)), "a part of a group is in the log")
    if where == "answer":
        same(there[1], len(other.hashes), "the other's, which was committed")
    # Each is asked for what the other one had.
    s.port, other.port = other.port, s.port
    for x, n in ((s, there[0]), (other, there[1])):
        same(x.again(), ["known" if n else "stored"] * len(x.hashes), "%s, %s: sent again, to the other" % (victim, where))
    for x in (s, other):
        same(office.in_log(x.hashes), len(x.hashes), "in the log, once it was sent again")
    return "none / " + share(there[0], len(s.hashes))


def main():
    office = Office()
    try:
        fill(office)
        for c in (office.second, office.first):
            c.process.terminate()
            same(c.process.wait(), 0, "the collector's end")
    finally:
        for c in (office.first, office.second):
            if c.process:
                c.process.kill()


def fill(office):
    rows = (("collector", "the collector"), ("primary", "the primary; it comes back"), ("failover", "the primary; the standby is promoted"),
            ("both", "the collector and the primary"), ("standby", "the standby"))
    for victim, name in rows:
        print("| %s | %s |" % (name, " | ".join(cell(office, victim, w) for w in WHERE)), flush=True)
    office.join()
    for victim, name in (("two", "both of two collectors"), ("one of two", "one of two collectors, and the primary")):
        print("| %s | %s |" % (name, " | ".join(cell_of_two(office, victim, w) for w in WHERE)), flush=True)


main()
