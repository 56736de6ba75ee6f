"""Alerts by the herald: what records cause, by what the records say; killed at any moment; delivered, retried, given up."""
import email
import email.policy
import json
import os
import random
import signal
import subprocess
import time

from collector_pc import GUARD, PRINT, RECORDER, Member, door, records, same, true, until
import sekisho_write

SINKS = os.environ["SINK_DIR"]
MINUTE = 60 * 1000000
START = 1795428000000000  # 2026-11-23T10:00:00Z, a Monday: 19:00 in Tokyo
sekisho_write.START_US = START
EVENING = 3 * 3600 * 1000000  # 22:00 in Tokyo


def item(text):
    print("  " + text, flush=True)


class Herald:
    def __init__(self):
        self.p = None

    def start(self):
        with open(os.environ["HERALD_LOG"], "ab") as log:
            self.p = subprocess.Popen(["sekisho-herald", "--config", os.environ["herald_yaml"]], stdout=log, stderr=log)

    def watches(self):
        true(self.p.poll() is None, "the herald ended")
        with open(os.environ["HERALD_LOG"]) as f:
            return "watching from leaf" in f.read()

    def kill(self):
        self.p.kill()
        self.p.wait()

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        same(self.p.wait(60), 0, "the herald's end")


def sink(name):
    """What was taken, in order."""
    out = []
    for x in sorted(os.listdir(SINKS)):
        if x.startswith(name + "-") and not x.endswith(".part"):
            with open(os.path.join(SINKS, x)) as f:
                out.append(json.load(f))
    return out


def hooks(**want):
    bodies = [json.loads(h["body"]) for h in sink("hook")]
    return [b for b in bodies if all(b.get(k) == v for k, v in want.items())]


def letters():
    return [email.message_from_string(m["raw"], policy=email.policy.default) for m in sink("mail")]


def refuse(what, yes):
    path = os.path.join(SINKS, "refuse-" + what)
    if yes:
        open(path, "w").close()
    elif os.path.exists(path):
        os.unlink(path)


def alerts(rule):
    return records("alert", rule=rule)


def who(user, pid=4711):
    return {10: pid, 11: 3500000000, 12: 1000, 13: user, 14: 1000, 16: "/usr/bin/lp", 17: "lp"}


def print_job(user, at, numbers=0, title="請求書"):
    r = {1: 100, 2: at, **who(user), 119: "複合機", 122: title, 124: 3, 133: 1}
    if numbers:
        r[148] = numbers
    return r


def copied(user, at, n=0):
    return {1: 4, 2: at, 5: 2, **who(user), 30: "/media/usb/%d.xlsx" % n, 35: 2, 51: 4096}


def plug(serial, at=0):
    return {1: 80, 2: at, **who("taro"), 101: "0951:1666", 102: "Kingston", 103: "DataTraveler", 104: serial, 106: "08:06:50"}


def denied(user, at):
    return {1: 84, 2: at, **who(user), 101: "0951:1666", 104: "A1", 107: 1, 108: 1, 116: "open"}


pc = Member("pc-1")
pc.enrol()
other = Member("経理-2")
other.enrol()


def post(member, producer, rows):
    member.post(member.sealed(1, producer, rows))


herald = Herald()

item("what was there before the herald was is no alert, but a drive that was seen then is not new")
post(pc, PRINT, [print_job("taro", EVENING)])
post(pc, GUARD, [plug("OLD-1")])
until(lambda: records("plug"), "the index has it")
herald.start()
until(herald.watches, "it watches", 60)

item("print after hours: by the office's own clock, once for each job")
post(pc, PRINT, [print_job("taro", MINUTE), print_job("taro", EVENING), print_job("花子", EVENING + MINUTE, title="<b>x")])
until(lambda: len(alerts("print-after-hours")) >= 2, "both are told", 60)
same([a["user"] for a in alerts("print-after-hours")], ["taro", "花子"], "whose jobs")
a = alerts("print-after-hours")[0]
same((a["severity"], a["peer_name"], a["text"], a["host"]), ("warning", "pc-1", "時間外の印刷", "herald"), "what is told")
jobs = records("print", user="taro")
out = subprocess.run(["sekishoctl", "log", "--json", "--kind", "print"], stdout=subprocess.PIPE, check=True).stdout.decode()
true('"請求書"' in out, "the job is in the log")

item("both are told: the mail server takes it over TLS only, with a password; the webhook's signature holds")
until(lambda: len(hooks(rule="print-after-hours")) == 2 and len(letters()) >= 2, "delivered", 60)
h = hooks(rule="print-after-hours")[1]
same((h["title"], h["host"], h["user"], h["severity"], h["count"]), ("時間外の印刷", "pc-1", "花子", "warning", 1), "the hook")
same(h["link"], "https://console.example:8444/#/logs?open=" + h["record"], "where it is seen")
same(h["time"], "2026-11-23T13:01:15.000000Z", "when")
same(h["alert"], a["alert"] if a["user"] == "花子" else alerts("print-after-hours")[1]["alert"], "one number everywhere")
true(all(x["good"] and x["type"] == "application/json" for x in sink("hook")), "signatures")
same([(m["tls"], m["login"], m["from"], m["to"]) for m in sink("mail")],
     [(True, True, "sekisho@office.example", ["audit@office.example", "soumu@office.example"])] * 2, "envelopes")
mail = letters()[1]
same(mail["Subject"], "[Sekisho] 時間外の印刷 (pc-1)", "subject")
same(mail["Auto-Submitted"], "auto-generated", "nobody's vacation answers it")
same((mail.get_content_type(), mail["To"]), ("text/plain", "audit@office.example, soumu@office.example"), "head")
text = mail.get_content()
true("ユーザー: 花子" in text and "2026-11-23T22:01:15.000+09:00" in text and h["link"] in text, text)
same(mail["Message-ID"], "<%s.office@office.example>" % h["alert"], "the alert's number")

item("many files to drives: so many in that time, by PC and person; a few at a time are none, and the count begins anew")
post(pc, RECORDER, [copied("taro", i * 1000, i) for i in range(4)])
post(other, RECORDER, [copied("taro", i * 1000, i) for i in range(4)])
post(pc, RECORDER, [copied("jiro", 30 * MINUTE * i, i) for i in range(8)])
post(pc, RECORDER, [copied("taro", 5000, 4)])
until(lambda: alerts("many-files"), "it is told", 60)
post(pc, RECORDER, [copied("taro", 6000 + i, 5 + i) for i in range(4)])
post(pc, RECORDER, [copied("saburo", 5, 1)])
post(pc, RECORDER, [print_job("mark", EVENING)])
until(lambda: records("alert", user="mark"), "all of that was judged", 60)
same([(x["user"], x["peer_name"], x["count"], x["severity"]) for x in alerts("many-files")],
     [("taro", "pc-1", 5, "alarm")], "once")
post(pc, RECORDER, [copied("taro", 7000, 9)])
until(lambda: len(alerts("many-files")) == 2, "five more are told again", 60)

item("a drive that was never seen, anywhere; once")
post(pc, GUARD, [plug("OLD-1"), plug("NEW-1"), plug("NEW-1", 1000), {**plug("K", 2000), 106: "03:01:01"}])
post(other, GUARD, [plug("NEW-1"), plug("NEW-2")])
until(lambda: len(alerts("new-drive")) >= 2, "both are told", 60)
same([x["peer_name"] for x in alerts("new-drive")], ["pc-1", "経理-2"], "where")

item("personal numbers, where a record says so, and by whom is not excepted; who cannot be reached is given up, which is told")
post(other, PRINT, [print_job("soumu-1", MINUTE, 3), print_job("taro", 2 * MINUTE, 2), print_job("taro", 3 * MINUTE)])
until(lambda: records("alert-unsent"), "it was given up", 60)
same([x["user"] for x in alerts("personal-numbers")], ["taro"], "whose")
gone = records("alert-unsent")[0]
true(gone["text"].startswith("nowhere: ") and gone["alert"] == alerts("personal-numbers")[0]["alert"], str(gone))

item("denied: not again for an hour, by PC and person")
post(pc, GUARD, [denied("taro", 0), denied("taro", MINUTE), denied("jiro", MINUTE), denied("taro", 61 * MINUTE)])
until(lambda: len(alerts("denied")) >= 3, "three are told", 60)
same([x["user"] for x in alerts("denied")], ["taro", "jiro", "taro"], "who")
until(lambda: len(hooks(rule="denied")) == 3, "the webhook has notes too", 60)
true(not [m for m in letters() if "denied" in m["Subject"]], "the mail has none: they weigh too little")

item("a PC that is silent is told once")
quiet, sold = Member("quiet-1"), Member("quiet-2")
sold.enrol()
door("/admin/retire", {"host": "quiet-2", "reason": "sold", "unheard": True})
quiet.enrol()
until(lambda: alerts("silent-pc"), "it is told", 120)
same([x["peer_name"] for x in alerts("silent-pc")], ["quiet-1"], "which: not the one that was retired")

item("who vanished is told of; not who said that it sleeps, until something ran there a while behind that")
# Each segment is 15 seconds of the PC's boot clock behind the one before it, of the same program.
lids = {name: Member("lid-" + name) for name in ("cut", "asleep", "rest", "ran", "woke")}
for lid in lids.values():
    lid.enrol()
    lid.post(lid.sealed(4, RECORDER, [print_job("lid", MINUTE)]))
    post(lid, GUARD, [denied("lid", 0)])
    if lid is not lids["cut"]:
        post(lid, GUARD, [{1: 55, 2: 0}])
# What was sealed before the minute is over says nothing against it; what was sealed behind that does.
post(lids["rest"], RECORDER, [print_job("lid", MINUTE)])
post(lids["rest"], GUARD, [denied("lid", 0)])
lids["ran"].post(lids["ran"].sealed(3, RECORDER, [print_job("lid", MINUTE)]))
post(lids["woke"], GUARD, [{1: 56, 2: 0, 52: 0, 116: "awake"}])
until(lambda: len(alerts("vanished-pc")) >= 3, "they are told", 120)
herald.kill()
herald.start()
# Another one that vanishes now is told after all that is due of these.
late = Member("lid-late")
late.enrol()
post(late, GUARD, [denied("lid", 0)])
until(lambda: [x for x in alerts("vanished-pc") if x["peer_name"] == "lid-late"], "the last one is told", 120)
same(sorted(x["peer_name"] for x in alerts("vanished-pc")), ["lid-cut", "lid-late", "lid-ran", "lid-woke"], "which")
until(lambda: alerts("not-asleep"), "it is told", 60)
same([x["peer_name"] for x in alerts("not-asleep")], ["lid-woke"], "who only said that it sleeps")

item("while nobody takes mail, it waits; it comes when they do, and nothing is lost to a kill meanwhile")
before = len(letters())
refuse("mail", True)
refuse("hook", True)
post(pc, PRINT, [print_job("wait-%d" % i, EVENING) for i in range(6)])
until(lambda: len([a for a in alerts("print-after-hours") if a["user"].startswith("wait-")]) == 6, "all are told", 60)
until(lambda: os.path.exists(SINKS + "/refused-mails") and os.path.exists(SINKS + "/refused-hooks"), "it was tried", 60)
herald.kill()
herald.start()
refuse("mail", False)
refuse("hook", False)
until(lambda: len(letters()) >= before + 6, "the mail is there", 60)
users = [line.split(": ")[1] for m in letters()[before:] for line in m.get_content().splitlines() if line.startswith("ユーザー")]
same(sorted(users), ["wait-%d" % i for i in range(6)], "each once")

item("killed at any moment: each record is judged once, each alert told once")
rng = random.Random(7)
want = []
for turn in range(25):
    rows = []
    for i in range(rng.randrange(1, 40)):
        if rng.random() < 0.5:
            want.append("storm-%d-%d" % (turn, i))
            rows.append(print_job(want[-1], EVENING))
        else:
            rows.append(print_job("calm", MINUTE))
    post(rng.choice([pc, other]), PRINT, rows)
    time.sleep(rng.random() * 0.4)
    herald.kill()
    herald.start()


def storm():
    return [a for a in alerts("print-after-hours") if a["user"].startswith("storm-")]


until(lambda: len(storm()) >= len(want), "all are told", 120)
post(pc, PRINT, [print_job("last", EVENING)])
until(lambda: records("alert", user="last"), "the herald goes on", 60)
same(sorted(a["user"] for a in storm()), sorted(want), "each once")
same(len({a["alert"] for a in storm()}), len(want), "numbers")
until(lambda: {h["user"] for h in hooks(rule="print-after-hours")} >= set(want), "all are delivered", 120)

item("asked to end, it does")
herald.stop()
status = json.load(open(os.environ["SEKISHO_ROOT"] + "/run/sekisho/herald.json"))
same((status["running"], status["spool_full"]), (False, False), "its status")
same(door("/admin/status")["log"]["index_lag"], 0, "the index")
