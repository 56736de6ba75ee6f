"""Streams of the herald: what arrives at rsyslog and at a web server is what PCs told, all of it, in order, whoever is killed."""
import copy
import json
import os
import random
import re
import signal
import subprocess
import time

from collector_pc import PRINT, RECORDER, Member, same, true, until
from ocsf_schema import VERSION, problems, spoiled
import sekisho_write

SINKS, TAKEN = os.environ["SINK_DIR"], os.environ["RSYSLOG_TAKEN"]
START = 1795428000000000
sekisho_write.START_US = START


def item(text):
    print("  " + text, flush=True)


class Program:
    def __init__(self, *args, log):
        self.args, self.log, self.p = args, log, None

    def start(self):
        with open(self.log, "ab") as log:
            self.p = subprocess.Popen(self.args, stdout=log, stderr=log)

    def kill(self):
        self.p.kill()
        self.p.wait()

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        same(self.p.wait(60), 0, "the end of " + self.args[0])


class Rsyslog(Program):
    def start(self):
        if os.path.exists(os.environ["RSYSLOG_PID"]):
            os.unlink(os.environ["RSYSLOG_PID"])
        super().start()


rsyslog = Rsyslog("rsyslogd", "-n", "-f", os.environ["RSYSLOG_CONF"], "-i", os.environ["RSYSLOG_PID"], log=TAKEN + ".log")
herald = Program("sekisho-herald", "--config", os.environ["herald_yaml"], log=os.environ["HERALD_LOG"])


def syslog():
    if not os.path.exists(TAKEN):
        return []
    with open(TAKEN, encoding="utf-8") as f:
        return [json.loads(line) for line in f.read().split("\n")[:-1]]


def events(source):
    """OCSF events of the web server, or of rsyslog's stream that has them."""
    if source == "prints":
        return [json.loads(m["msg"]) for m in syslog() if m["msg"].lstrip("\ufeff ").startswith("{")]
    out = []
    for x in sorted(os.listdir(SINKS)):
        if x.startswith("hook-") and not x.endswith(".part"):
            with open(os.path.join(SINKS, x)) as f:
                h = json.load(f)
            same((h["good"], h["type"], h["path"]), (True, "application/x-ndjson", "/ocsf"), "a post")
            true(h["body"].endswith("\n"), "whole lines")
            out += [json.loads(line) for line in h["body"].splitlines()]
    return out


def plain():
    return [m for m in syslog() if not m["msg"].lstrip("\ufeff ").startswith("{")]


def number(m):
    """The number of a record, from the structured data."""
    return int(re.search(r' record="(\d+)"', m["sd"]).group(1))


def in_order(numbers, what):
    """What came first of each is in order; those that came again are behind it."""
    seen = list(dict.fromkeys(numbers))
    same(seen, sorted(seen), what + ": order")
    return seen


def used(user, at=0, **more):
    return {1: 4, 2: at, 5: 2, 10: 4711, 11: 3500000000, 12: 1000, 13: user, 16: "/usr/bin/cp", 17: "cp",
            30: "/home/" + user, 35: 1, 51: 10, **{int(k[1:]): v for k, v in more.items()}}


pc = Member("pc-1")
pc.enrol()
other = Member("pc-二")
other.enrol()


def post(member, rows, producer=RECORDER):
    member.post(member.sealed(1, producer, rows))


item("syslog: the fields of RFC 5424, as rsyslog reads them; names that would like to be something else stay what they are")
HOSTILE = 'a"b]c\\d\n<1>1 - - - - - - x\u202e\u0007'
post(pc, [used("花子", 345), used(HOSTILE), {1: 84, 2: 1, 13: "taro", 101: "0951:1666", 104: "S"}])
post(pc, [{1: 4, 2: 5, 13: b"\xff\xfe", 30: b"/\xff\n"}, used("x" * 1000)])
rsyslog.start()
herald.start()
until(lambda: len(plain()) >= 5, "five messages", 60)
m = plain()
same(len(m), 5, "messages")
same((m[0]["pri"], m[0]["time"], m[0]["host"], m[0]["app"], m[0]["pid"], m[0]["id"]),
     ("110", "2026-11-23T10:00:00.000345Z", "pc-1", "sekisho", "4711", "file"), "the head")
same(m[0]["sd"], '[sekisho@32473 record="%d" hostId="%s" host="pc-1" user="花子"]' % (number(m[0]), pc.host.hex()), "its data")
true("/home/花子" in m[0]["msg"], m[0]["msg"])
same((m[2]["pri"], m[2]["id"], m[2]["pid"]), ("108", "denied", "-"), "what was denied weighs more")
true('user="a\\"b\\]c' in m[1]["sd"] and "\n" not in m[1]["sd"] + m[1]["msg"] and "\u202e" not in m[1]["sd"] + m[1]["msg"], str(m[1]))
true("\\xff" in m[3]["sd"], str(m[3]))
in_order([number(x) for x in m], "five")

item("OCSF: classes, what the schema has of each and no more, all facts; signed")
until(lambda: len(events("lake")) >= 5, "five events", 60)


def judge(e):
    same((problems(e), e), ([], e), "what the schema says of it")
    same((e["metadata"]["version"], e["metadata"]["product"]["vendor_name"]), (VERSION, "Sekisho"), "metadata")
    true(e["metadata"]["loggers"][0]["device"].get("uid"), "of which PC it is")


got = events("lake")
same(len(got), 5, "events")
for e in got:
    judge(e)
same([int(e["metadata"]["uid"]) for e in got], [number(x) for x in m], "the same records")
e = got[0]
same((e["class_uid"], e["activity_name"], e["time"], e["file"]["path"], e["file"]["name"], e["actor"]["process"]["user"]["name"],
      e["device"]["hostname"]), (1001, "Update", START // 1000, "/home/花子", "花子", "花子", "pc-1"), "a file")
same((e["unmapped"]["kind"], e["unmapped"]["written"], e["unmapped"]["user"]), ("file", 10, "花子"), "all facts")
same(got[1]["unmapped"]["user"], HOSTILE, "hostile names in JSON")
same(got[2]["severity"], "Medium", "what was denied")
KINDS = [{1: 1, 10: 9, 60: "vim", 63: 0}, {1: 3, 10: 9, 63: 1}, {1: 5, 30: "/a", 31: "/b"}, {1: 8, 30: "/a/b"}, {1: 9, 30: "/c"}, {1: 12, 30: "/c"},
         {1: 20, 70: "taro"}, {1: 21}, {1: 20, 13: ""}, {1: 20, 70: "jiro", 73: "192.0.2.7"}, {1: 7, 30: "/d", 31: "/e"}, {1: 80, 101: "0951:1666"}, {1: 85, 110: 3}, {1: 151, 201: b"\x01" * 16, 94: "x"}, {1: 4}, {1: 77}]
post(other, [{2: i, **k} for i, k in enumerate(KINDS)])
until(lambda: len(events("lake")) >= 5 + len(KINDS), "more events", 60)
for e in events("lake"):
    judge(e)
same([e["class_uid"] for e in events("lake")[5:]], [1007, 1007, 1001, 1001, 1001, 1001, 3002, 3002, 3002, 3002, 1001, 0, 0, 2004, 1001, 0], "classes")

e = [x for x in events("lake") if x["class_uid"] == 3002][-1]
same((e["user"]["name"], e["src_endpoint"], e["dst_endpoint"]), ("jiro", {"ip": "192.0.2.7"}, {"uid": other.host.hex(), "name": "pc-二"}), "a sign-in")
same([x["file"]["type_id"] for x in events("lake") if x["unmapped"]["kind"] == "symlink"], [7], "a link")
whole = [copy.deepcopy(next(x for x in events("lake") if x["class_uid"] == c)) for c in (0, 1001, 1007, 2004, 3002)]
for bad in spoiled(whole):
    true(problems(bad), "the judge sees nothing wrong with %s" % bad)

item("a stream has what it asks for, from where it was begun")
post(pc, [used("no"), {1: 100, 2: 0, 13: "yes", 119: "複合機"}], PRINT)
until(lambda: events("prints"), "one event", 60)
judge(events("prints")[0])
same(events("prints")[0]["unmapped"]["printer"], "複合機", "which")

item("either side is killed, or refuses, at any moment: everything arrives, in order")
rng = random.Random(11)
want, before = [], len(KINDS) + 5 + 2
for turn in range(20):
    rows = []
    for i in range(rng.randrange(1, 300)):
        want.append("u-%d-%d" % (turn, i))
        rows.append(used(want[-1], i))
    post(rng.choice([pc, other]), rows)
    time.sleep(rng.random() * 0.5)
    what = rng.randrange(4)
    if what == 0:
        herald.kill()
        herald.start()
    elif what == 1:
        rsyslog.kill()
        time.sleep(rng.random())
        rsyslog.start()
    elif what == 2:
        open(SINKS + "/refuse-hook", "w").close()
    elif os.path.exists(SINKS + "/refuse-hook"):
        os.unlink(SINKS + "/refuse-hook")
if os.path.exists(SINKS + "/refuse-hook"):
    os.unlink(SINKS + "/refuse-hook")
post(pc, [used("the-last")])


def lake_users():
    return {e["unmapped"].get("user") if isinstance(e["unmapped"].get("user"), str) else None for e in events("lake")}


def syslog_users():
    return {u.group(1) for u in (re.search(r' user="([^"]*)"', x["sd"]) for x in plain()) if u}


until(lambda: "the-last" in lake_users(), "the web server has the last", 180)
until(lambda: "the-last" in syslog_users(), "rsyslog has the last", 180)
same(set(want) - lake_users(), set(), "missing at the web server")
until(lambda: not set(want) - syslog_users(), "rsyslog has them all", 60)
numbers = in_order([int(e["metadata"]["uid"]) for e in events("lake")], "web server")
same(len(numbers), before + len(want) + 1, "records at the web server")
same(in_order([number(x) for x in plain()], "rsyslog"), numbers, "records at rsyslog")
herald.stop()
status = json.load(open(os.environ["SEKISHO_ROOT"] + "/run/sekisho/herald.json"))
same([s["name"] for s in status["streams"]], ["siem", "lake", "prints"], "the status")
rsyslog.kill()
