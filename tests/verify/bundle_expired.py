"""Evidence bundles of a range of which bodies expired, honest and forged. Used by bundle_forgeries.py.

The collector of these bundles took in everything in November 2026, promised 12 months, and lets it go in December 2027.
"""
import base64
import calendar

import bundle_forgeries as f
import sekisho_retention as r
import sekisho_verify as v
from sekisho_write import COLLECTOR, GUARD, RECORDER, START_US, Log, Pc, dumps, ed, sign1
from cryptography.hazmat.primitives import serialization

HONEST, FORGED = {}, {}
OVER = calendar.timegm((2027, 12, 1, 0, 0, 0)) * 1000000  # when November 2026 is over by twelve months
DAY = 86400 * 1000000


def admin(name):
    """The line of an administrator's key, as `sekishoctl policy keygen` prints it."""
    raw = ed("admin " + name).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    text = name.encode() + b"\n\1" + raw
    return "%s+%s+%s\n" % (name, v.sha256(text)[:4].hex(), base64.b64encode(b"\1" + raw).decode())


ADMINS = "".join(map(admin, "ab"))


def order(first="a", second="b", fleet=None, month="2026-11", channel=RECORDER, issued=START_US + 30 * DAY):
    request = {1: 1, 2: fleet or v.sha256(Log().vkey.strip().encode()), 3: 1, 4: bytes(32), 5: issued, 6: issued + 7 * DAY,
               7: month, 8: channel, 9: "a mistake: 人事"}
    inner = sign1(ed("admin " + first), b"sekisho order 1", dumps(request))
    return sign1(ed("admin " + second), b"sekisho countersignature 1", inner)


class Aged(f.World):
    """What the collector says is given as records; `end` of them behind everything that PCs sent."""

    def __init__(self, expiry=None, months=12, between=(), key=None, first=True, rogue=False, **more):
        self.collector = Pc("collector")
        self.rogue = Pc("pc-99")
        self.months, self.between, self.key, self.first, self.by_rogue = months, between, key, first, rogue
        self.expiry = {"when": OVER + DAY, r.CHANNEL: RECORDER, r.MONTH: "2026-11", r.MONTHS: 12, r.FROM: 0, **(expiry or {})}
        super().__init__(**more)
        self.pcs += [self.collector, self.rogue]

    def say(self, kind, facts, when=START_US, pc=None, key=None):
        self.seal(pc or self.collector, COLLECTOR, [{r.KIND: kind, r.TIME: 0, **facts}], wall=when, key=key)
        return len(self.leaves) - 1

    def begin(self):
        self.own = []
        if self.first:
            self.own = [self.say(r.SETTING, {r.CHANNEL: c, r.MONTHS: self.months}) for c in (RECORDER, GUARD)]

    def end(self):
        for kind, facts in self.between:
            self.own.append(self.say(kind, facts, START_US + DAY))
        facts = {r.TO: len(self.leaves) - 1, **self.expiry}
        when = facts.pop("when")
        self.own.append(self.say(r.EXPIRED, facts, when, self.rogue if self.by_rogue else None, self.key))


class Shared(Aged):
    """Two collectors decide: the first as collectors did that were alone, until it lets the second one in. `script` gets
    the world, and decides what else is decided behind what PCs sent; then `by` lets expire."""

    def __init__(self, script=None, by="second", let_in=True, **more):
        self.second, self.script, self.by, self.let_in, self.last = Pc("collector-2"), script, by, let_in, None
        super().__init__(**more)
        self.pcs.append(self.second)

    def decide(self, pc, kind, facts, when=START_US + DAY, own=None, after=None):
        """In the leaf that it names, behind the newest decision, unless that is said otherwise."""
        place = {r.OWN_LEAF: len(self.leaves) if own is None else own, r.AFTER_LEAF: self.last if after is None else after}
        self.last = self.say(kind, {**place, **facts}, when, pc)
        self.own.append(self.last)

    def begin(self):
        super().begin()
        self.last = self.own[-1]
        if self.let_in:
            self.decide(self.collector, r.ENROL, {r.PEER: self.second.host, r.CHANNEL: COLLECTOR}, START_US)

    def end(self):
        if self.script:
            self.script(self)
        facts = {r.TO: len(self.leaves) - 1, **self.expiry}
        when = facts.pop("when")
        self.decide(getattr(self, self.by), r.EXPIRED, facts, when)


def bundle(world, change=None, channels=(RECORDER,), **more):
    x = f.Bundle(world, **more)
    for i in x.carried:
        inside = any(k["first"] <= i <= k["last"] and (k["host"], k["producer"]) == (x.segs[i].host.hex(), x.segs[i].producer)
                     for k in x.claim["chains"])
        x.carried[i] = inside and x.segs[i].producer not in channels
    x.own = list(world.own)
    if change:
        change(x)
    return x


def case(to, world=None, range_=None, of=Aged):
    """A bundle of such a world; the function changes it before it is put together."""
    def keep(change):
        def make(path):
            bundle(of(**(world or {})), change, **(range_ or {})).write(path)
        to["expired-" + change.__name__.replace("_", "-")] = make
        return change
    return keep


@case(HONEST)
def by_time(x):
    pass


@case(HONEST, range_={"since": None, "until": OVER + 40 * DAY})
def with_the_collector_in_the_range(x):
    """Its segments are there twice: as a PC's, and as what says what expired."""


@case(HONEST, world={"expiry": {"when": START_US + 31 * DAY, r.ORDER: order()}, "months": 84})
def by_order(x):
    pass


@case(HONEST, world={"between": [(r.HOLD, {r.ID: "17"}), (r.LIFTED, {r.ID: "17"})]})
def held_for_a_time(x):
    pass


@case(HONEST, world={"between": [(r.HOLD, {r.ID: "17", r.MONTH: "2026-12"})]})
def another_month_held(x):
    pass


@case(HONEST, range_={"channels": (RECORDER, GUARD), "since": None}, world={"between": [
    (r.EXPIRED, {r.CHANNEL: GUARD, r.MONTH: "2026-11", r.FROM: 0, r.TO: 13, r.ORDER: order(
        channel=GUARD, issued=START_US)})]})
def two_channels(x):
    pass


# --- no record, or one that says something else ---

@case(FORGED)
def without_record(x):
    x.own = []


@case(FORGED)
def record_left_out(x):
    x.own.pop()


@case(FORGED, world={"expiry": {r.CHANNEL: GUARD}})
def of_another_channel(x):
    pass


@case(FORGED, world={"expiry": {r.MONTH: "2026-10"}})
def of_an_earlier_month(x):
    """Its range says which bodies are meant; the collector had reached November there."""


@case(FORGED, world={"expiry": {r.MONTH: "2026-12"}})
def of_a_later_month(x):
    """That was not over then."""


@case(FORGED, world={"expiry": {r.TO: 4}})
def of_other_leaves(x):
    pass


@case(FORGED, world={"expiry": {r.TO: 1000}})
def of_leaves_behind_it(x):
    pass


@case(FORGED, world={"expiry": {r.CHANNEL: COLLECTOR}})
def of_the_collector(x):
    pass


# --- by somebody else ---

@case(FORGED, world={"key": ed("forger")})
def by_another_key(x):
    pass


@case(FORGED, world={"rogue": True})
def by_a_pc(x):
    """One of the fleet, with a record as the collector makes it, behind the collector's chain."""


@case(FORGED, world={"rogue": True})
def by_a_pc_alone(x):
    """The log would have taken no such segment; verifiers are told which host's chain it is, and by it alone."""
    x.own = x.own[:-1] + [next(i for i, s in enumerate(x.segs) if s.producer == GUARD)]


# --- before its time ---

@case(FORGED, world={"expiry": {"when": OVER - DAY}})
def early(x):
    pass


@case(FORGED, world={"months": 84})
def early_for_a_longer_period(x):
    pass


@case(FORGED, world={"months": 84})
def longer_period_left_out(x):
    """The collector's chain begins behind the promise."""
    x.own = x.own[2:]


@case(FORGED, world={"between": [(r.SETTING, {r.CHANNEL: RECORDER, r.MONTHS: 84})]})
def period_between_left_out(x):
    x.own = x.own[:2] + x.own[3:]


@case(FORGED, world={"between": [(r.HOLD, {r.ID: "17"})]})
def held(x):
    pass


@case(FORGED, world={"between": [(r.HOLD, {r.ID: "17"})]})
def hold_left_out(x):
    x.own = x.own[:2] + x.own[3:]


@case(FORGED, world={"between": [(r.HOLD, {r.ID: "17"}), (r.HOLD, {r.ID: "18"}), (r.LIFTED, {r.ID: "17"})]})
def one_of_two_holds_lifted(x):
    pass


# --- orders ---

EARLY = START_US + 31 * DAY


@case(FORGED, world={"expiry": {"when": EARLY, r.ORDER: order("a", "a")}, "months": 84})
def ordered_by_one(x):
    pass


@case(FORGED, world={"expiry": {"when": EARLY, r.ORDER: order("a", "c")}, "months": 84})
def ordered_with_a_stranger(x):
    pass


@case(FORGED, world={"expiry": {"when": EARLY, r.ORDER: order(fleet=bytes(32))}, "months": 84})
def ordered_for_another_log(x):
    pass


@case(FORGED, world={"expiry": {"when": EARLY, r.ORDER: order(month="2026-10")}, "months": 84})
def ordered_for_another_month(x):
    pass


@case(FORGED, world={"expiry": {"when": EARLY + 8 * DAY, r.ORDER: order()}, "months": 84})
def ordered_and_too_late(x):
    pass


# --- bodies that are there, headers that are not theirs, pages that say something else ---

@case(FORGED)
def body_is_there(x):
    """The collector says that it expired, and here it is."""
    x.carried[x.gone()[0]] = True


@case(FORGED)
def all_bodies_are_there(x):
    for i in x.gone():
        x.carried[i] = True


@case(FORGED, range_={"channels": ()}, world={"expiry": {r.CHANNEL: GUARD, r.TO: 2}})
def nothing_is_missing(x):
    """The collector's chain is carried for nothing."""


@case(FORGED)
def page_says_less(x):
    x.put_together()
    page = f.b.page(x.claim, x.list()[1], len(x.gone()) - 1)
    x.entries = [(n, page if n == "index.html" else d) for n, d in x.entries]


@case(FORGED)
def record_without_body(x):
    x.put_together()
    name = [n for n, _ in x.entries if n.startswith("retention/") and n.endswith(".seg")][-1]
    x.entries = [(n.replace(".seg", ".header"), d[8:8 + int.from_bytes(d[4:8], "big")]) if n == name else (n, d)
                 for n, d in x.entries]


@case(FORGED)
def record_without_proof(x):
    x.put_together()
    name = [n for n, _ in x.entries if n.startswith("retention/") and n.endswith(".tlog-proof")][-1]
    x.entries = [e for e in x.entries if e[0] != name]


@case(FORGED)
def record_changed(x):
    x.put_together()
    name = [n for n, _ in x.entries if n.startswith("retention/") and n.endswith(".seg")][-1]
    x.entries = [(n, f.flip(d, len(d) - 9) if n == name else d) for n, d in x.entries]


@case(FORGED)
def collector_key_left_out(x):
    x.put_together()
    name = "devices/%s.pub" % x.w.collector.host.hex()
    x.entries = [e for e in x.entries if e[0] != name]


@case(FORGED)
def collector_certificate_left_out(x):
    """It stands in the first header, too; so that goes as well."""
    x.put_together()
    first = [n for n, _ in x.entries if n.startswith("retention/")][:2]
    x.entries = [e for e in x.entries if e[0] not in first and not e[0].startswith("certificates/" + x.w.collector.host.hex())]


# --- several collectors ---

def held_by_the_first(w):
    w.decide(w.collector, r.HOLD, {r.ID: "17"})


def held_and_lifted_by_the_other(w):
    w.decide(w.collector, r.HOLD, {r.ID: "17"})
    w.decide(w.second, r.LIFTED, {r.ID: "17"})


def first_shut_out(w):
    w.decide(w.second, r.REVOKE, {r.PEER: w.collector.host, r.CHANNEL: COLLECTOR})


def second_shut_out(w):
    w.decide(w.collector, r.REVOKE, {r.PEER: w.second.host, r.CHANNEL: COLLECTOR})


def beside_a_hold(w):
    """The second one decides as if it did not know of the hold."""
    last = w.last
    w.decide(w.collector, r.HOLD, {r.ID: "17"})
    w.last = last


def cut_off(w):
    """It was decided for another place in the log."""
    w.expiry[r.OWN_LEAF] = len(w.leaves) - 1


def longer_by_the_second(w):
    w.decide(w.second, r.SETTING, {r.CHANNEL: RECORDER, r.MONTHS: 84}, START_US)


@case(HONEST, of=Shared)
def by_the_second(x):
    pass


@case(HONEST, of=Shared, world={"by": "collector"})
def by_the_first_of_two(x):
    pass


@case(HONEST, of=Shared, world={"script": held_and_lifted_by_the_other})
def lifted_by_the_other(x):
    pass


@case(HONEST, of=Shared, world={"script": first_shut_out})
def first_is_gone(x):
    pass


@case(HONEST, of=Shared, range_={"since": None, "until": OVER + 40 * DAY})
def with_both_collectors_in_the_range(x):
    pass


@case(FORGED, of=Shared, world={"let_in": False})
def by_one_not_let_in(x):
    pass


@case(FORGED, of=Shared, world={"by": "rogue"})
def by_a_pc_in_its_place(x):
    """It names the leaf and the decision before, as a collector does."""


@case(FORGED, of=Shared)
def letting_in_left_out(x):
    x.own = [i for i in x.own if x.segs[i].host == x.w.second.host]


@case(FORGED, of=Shared)
def last_of_the_first_left_out(x):
    x.own = [x.own[0], *x.own[2:]]


@case(FORGED, of=Shared, world={"script": held_by_the_first})
def held_by_the_other(x):
    pass


@case(FORGED, of=Shared, world={"script": held_by_the_first})
def hold_of_the_other_left_out(x):
    x.own = [i for i in x.own if i != x.own[-2]]


@case(FORGED, of=Shared, world={"script": beside_a_hold})
def decided_beside_a_hold(x):
    pass


@case(FORGED, of=Shared, world={"script": cut_off})
def decided_for_another_leaf(x):
    pass


@case(FORGED, of=Shared, world={"script": longer_by_the_second, "by": "collector"})
def early_for_the_others_period(x):
    pass


@case(FORGED, of=Shared, world={"script": first_shut_out, "by": "collector"})
def by_the_first_when_shut_out(x):
    pass


@case(FORGED, of=Shared, world={"script": second_shut_out})
def by_the_second_when_shut_out(x):
    pass


@case(FORGED, of=Shared, world={"script": second_shut_out})
def shutting_out_left_out(x):
    x.own = [i for i in x.own if i != x.own[-2]]


@case(FORGED, of=Shared)
def key_of_the_second_left_out(x):
    x.put_together()
    name = "devices/%s.pub" % x.w.second.host.hex()
    x.entries = [e for e in x.entries if e[0] != name]
