"""Alerts at the console: scopes, acknowledging, forgeries; who sleeps, as the herald knows it."""
import json
import os
import signal
import time

from collector_pc import GUARD, PRINT, RECORDER, Member
from console_desk import Person, same, told, until
import sekisho_write

NOW = int(time.time() * 1000000)
sekisho_write.START_US = NOW - 1800 * 1000000
ALERTS = "/api/v1/alerts?days=7"


def item(text):
    print("  " + text, flush=True)


def job(user, numbers=2):
    return {1: 100, 2: 0, 10: 4711, 11: 3500000000, 12: 1000, 13: user, 119: "複合機", 122: "個人番号.pdf", 133: 1, 148: numbers}


pcs = {n: Member(n) for n in ("keiri-1", "soumu-1")}
for pc in pcs.values():
    pc.enrol()


def post(name, rows, **more):
    pcs[name].post(pcs[name].sealed(1, PRINT, rows, **more))


auditor = Person("sachiko", "auditor", source="127.0.3.1")
viewer = Person("mori", "viewer", scope=["keiri-*"], source="127.0.3.2")
admin = Person("tanaka", "administrator", source="127.0.3.3")


def alerts(who):
    a = who.get(ALERTS)
    same(a["complete"], True, "complete")
    return a["alerts"]


item("an alert of each PC: the auditor sees both, a viewer those of the department, an administrator none")
same(alerts(auditor), [], "nothing yet")
post("keiri-1", [job("花子")])
post("soumu-1", [job("taro")])
until(lambda: len(alerts(auditor)) == 2, "both are there", 60)
same(sorted(a["host"] for a in alerts(auditor)), ["keiri-1", "soumu-1"], "whose")
same([(a["host"], a["user"], a["title"], a["severity"], a["count"], a["acknowledged"], a["unsent"]) for a in alerts(viewer)],
     [("keiri-1", "花子", "個人番号の印刷", "alarm", 1, None, [])], "the viewer's")
admin.get(ALERTS, status=403)
mine = alerts(viewer)[0]
other = [a for a in alerts(auditor) if a["host"] == "soumu-1"][0]
same(mine["host_id"], pcs["keiri-1"].host.hex(), "the PC's id")
record = viewer.get("/api/v1/records/" + mine["about"])["record"]
same((record["facts"]["kind"], record["facts"]["my_numbers"]), ("print", 2), "what it is about")
proven = viewer.get("/api/v1/records/" + mine["row"])
same((proven["record"]["facts"]["kind"], proven["verified"]["signature"], proven["verified"]["inclusion"]),
     ("alert", True, True), "the alert is a record with its proof")
viewer.get("/api/v1/records/" + other["row"], status=404)
same([r["facts"]["peer_name"] for r in viewer.get("/api/v1/records?kind=alert")["records"]], ["keiri-1"], "in the logs too")

item("in the overview until somebody has looked at it; never with the person's name")


def attention(who):
    return [(a["host"], a["text"], a["severity"]) for a in who.get("/api/v1/overview")["attention"] if a["what"] == "alert"]


same(sorted(attention(admin)), [("keiri-1", "個人番号の印刷", "alarm"), ("soumu-1", "個人番号の印刷", "alarm")], "the administrator's")
same(attention(viewer), [("keiri-1", "個人番号の印刷", "alarm")], "the viewer's")

item("acknowledged with words, once, by who may see it; at once for all, and in the log")
path = "/api/v1/alerts/%s/acknowledge"
viewer.post(path % other["row"], {"comment": "not mine"}, status=404)
admin.post(path % mine["row"], {"comment": "not mine"}, status=403)
viewer.post(path % mine["about"], {"comment": "no alert"}, status=404)
for bad in ({"comment": ""}, {"comment": " \n"}, {}, {"comment": "x" * 1001}, {"comment": "a", "more": 1}, {"comment": "a\0b"}):
    viewer.post(path % mine["row"], bad, status=400)
viewer.ask("POST", path % mine["row"], {"comment": "x"}, status=403, headers={"Sekisho-Csrf": "wrong"})
viewer.post(path % mine["row"], {"comment": "=本人に確認した"}, status=204)
seen = alerts(auditor)
got = [a["acknowledged"] for a in seen if a["id"] == mine["id"]][0]
same((got["by"], got["comment"]), ("mori", "=本人に確認した"), "at once")
auditor.post(path % mine["row"], {"comment": "me too"}, status=409)
until(lambda: told("alert-acknowledged", user="mori", text="=本人に確認した", peer_name="keiri-1", alert=mine["id"]), "in the log", 60)
until(lambda: viewer.get("/api/v1/records?kind=alert-acknowledged")["records"], "for those of the department")
auditor.post(path % mine["row"], {"comment": "me too"}, status=409)
same(attention(viewer), [], "it needs nobody any more")
same(attention(auditor), [("soumu-1", "個人番号の印刷", "alarm")], "the other does")

item("what a PC signs makes no alert and acknowledges none, and shows nobody what is not theirs")
post("soumu-1", [
    {1: 151, 2: 0, 94: "forged", 96: "keiri-1", 109: "x", 200: 1, 201: b"\x01" * 16},
    {1: 152, 2: 0, 13: "mori", 94: "forged", 96: "keiri-1", 201: bytes.fromhex(other["id"])},
    {1: 63, 2: 0, 94: "forged", 96: "keiri-1", 95: pcs["keiri-1"].host},
    {1: 100, 2: 0, 13: "last"}])
until(lambda: auditor.get("/api/v1/records?user=last")["records"], "it is there")
same(len(alerts(auditor)), 2, "no alert more")
same([a["acknowledged"] for a in alerts(auditor) if a["id"] == other["id"]], [None], "still open")
same([r for r in viewer.get("/api/v1/records?text=forged")["records"]], [], "nothing of it is the viewer's")

item("what the collector tells of a PC is seen by who sees the PC")
lost = pcs["keiri-1"].sealed(2, PRINT, [job("jiro", 0)])
pcs["keiri-1"].post(lost[1:], lost=True)
until(lambda: viewer.get("/api/v1/records?kind=gap")["records"], "the viewer sees the gap", 60)
same([r["facts"]["peer_name"] for r in viewer.get("/api/v1/records?kind=gap")["records"]], ["keiri-1"], "of which PC")

item("who said that it sleeps is asleep since then, and needs nobody; silent is who did not, and where nobody knows who woke")
SLEEPS, WOKE = {1: 55, 2: 0}, {1: 56, 2: 0, 52: 7200000000, 116: "slept"}
lids = {n: Member(n) for n in ("lid-asleep", "lid-cut", "lid-recorder")}
for n in lids:
    lids[n].enrol()


def says(name, producer, record):
    """By which moment of its own clock."""
    segment = lids[name].sealed(1, producer, [record])
    lids[name].post(segment)
    return sekisho_write.START_US + segment[0].seq * 15000000


def listed():
    return {h["name"]: (h["asleep"], h["silent"]) for h in admin.get("/api/v1/hosts")["hosts"] if h["name"] in lids}


def shown():
    """Of each: since when it sleeps, and whether it is silent; the overview counts the same, where nothing changed while it was asked."""
    hosts, overview = listed(), admin.get("/api/v1/overview")
    if hosts == listed():
        same({a["host"] for a in overview["attention"] if a["what"] == "silent" and a["host"] in lids}, {n for n in hosts if hosts[n][1]}, "the overview")
        same(overview["fleet"]["asleep"], len([h for h in hosts.values() if h[0]]), "so many sleep")
    return hosts


since = says("lid-asleep", GUARD, SLEEPS)
# The guard alone says that a PC sleeps.
says("lid-recorder", RECORDER, SLEEPS)
says("lid-cut", PRINT, job("hanako", 0))
text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since // 1000000))
asleep = (text + ".%06dZ" % (since % 1000000), False)
until(lambda: shown() == {"lid-asleep": asleep, "lid-cut": (None, True), "lid-recorder": (None, True)}, "one sleeps, and two are silent", 120)
same(admin.get("/api/v1/hosts/" + lids["lid-asleep"].host.hex())["host"]["asleep"], asleep[0], "the PC itself")
says("lid-asleep", GUARD, WOKE)
until(lambda: shown()["lid-asleep"] == (None, True), "it woke, and is silent", 120)
since = says("lid-asleep", GUARD, SLEEPS)
until(lambda: shown()["lid-asleep"][0], "it sleeps again", 120)
# A herald that does not go on does not know who woke.
herald, kept = int(os.environ["HERALD_PID"]), os.environ["SEKISHO_ROOT"] + "/run/sekisho/asleep"
os.kill(herald, signal.SIGSTOP)
with open(kept) as f:
    said = json.load(f)
same(list(said["asleep"].values()), [since], "what it says")
for away in (said["current_us"] - 61000000, time.time_ns() // 1000 + 3600 * 1000000):
    with open(kept, "w") as f:
        json.dump({**said, "current_us": away}, f)
    same(shown()["lid-asleep"][0], None, "nobody knows")
for other in ("", "[]", '{"current_us": %d, "asleep": 1}' % (time.time_ns() // 1000)):
    with open(kept, "w") as f:
        f.write(other)
    same(shown()["lid-asleep"][0], None, "what says nothing")
os.kill(herald, signal.SIGCONT)
until(lambda: shown()["lid-asleep"][0], "it goes on", 120)
