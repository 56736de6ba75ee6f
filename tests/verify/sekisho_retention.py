"""Retention, judged from outside: which bodies may be missing, by which signed record, and whether that record was right.

Written from collector/store/RETENTION.md. Used by sekisho_store.py and sekisho_bundle.py.
"""
import bisect
import calendar
import datetime
import re

import cbor2

import sekisho_verify as v

COLLECTOR = 16
SETTING, EXPIRED, HOLD, LIFTED = 160, 161, 162, 163
ENROL, REVOKE = 60, 61
KIND, TIME, PEER, CHANNEL, MONTH, MONTHS, FROM, TO, ORDER, ID, PERSON = 1, 2, 95, 203, 204, 205, 206, 207, 208, 209, 210
OWN_LEAF, AFTER_LEAF = 211, 212
FLOOR, LONGEST = 12, 1200
CHANNELS = {1: "recorder", 2: "guard", 3: "print", 5: "posture", 16: "collector", 17: "console", 18: "herald"}


def start(month, more=0):
    """Microseconds of the first moment of the month that is `more` after this one."""
    at = int(month[:4]) * 12 + int(month[5:]) - 1 + more
    return calendar.timegm((at // 12, at % 12 + 1, 1, 0, 0, 0)) * 1000000


def month_of(us):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)).strftime("%Y-%m")


def is_month(t):
    return isinstance(t, str) and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", t) is not None


def admins_of(path):
    """The administrators' keys of a file, a line each."""
    with open(path, encoding="utf-8") as f:
        return [v.Verifier(x) for x in f if x.strip() and not x.startswith("#")]


class Order:
    def __init__(self, data, admins):
        self.names = []
        outer = v.decode(data, "order")
        request = outer.value[2]
        inner = v.decode(request, "order")
        m = v.decode(inner.value[2], "order")
        if sorted(m) != list(range(1, 10)) or m[1] != 1:
            raise v.Refused("order: malformed")
        self.fleet, self.size, self.issued, self.until, self.month, self.channel = m[2], m[3], m[5], m[6], m[7], m[8]
        if admins is None:
            return
        keys = []
        for message, aad in ((inner, b"sekisho order 1"), (outer, b"sekisho countersignature 1")):
            for a in admins:
                try:
                    v.cose_check(message, a.key, aad)
                except v.Refused:
                    continue
                keys.append(v.spki(a.key))
                self.names.append(a.name)
                break
            else:
                raise v.Refused("order: a signature by none of the administrators")
        if keys[0] == keys[1]:
            raise v.Refused("order: both signatures are by one key")


class Book:
    def __init__(self, verifier, admins=None):
        self.admins = admins
        self.fleet = v.sha256(("%s+%s+%s" % (verifier.name, verifier.hash.hex(), verifier.text.split("+", 2)[2])).encode())
        self.collectors = None  # who decides, the one that began the log first
        self.decisions, self.named = [], False  # leaves, in order; a decision has named its own
        self.strangers = []
        self.settings, self.expired, self.holds, self.reached, self.absent = [], [], [], [], []

    def take(self, leaf, s, part=False):
        """A leaf in the order of the log; its body may be missing. `part`: that may be for other reasons."""
        if s.body is None:
            if not part:
                self.absent.append((leaf, s.producer, s.where))
            return
        if s.producer != COLLECTOR:
            return
        self.collectors = [s.host] if self.collectors is None else self.collectors
        if s.host in self.collectors:
            self.reached.append((leaf, month_of(s.h[12])))
        for r in s.records():
            self.learn(s.host, leaf, r)

    def counts(self, host, leaf, r):
        if OWN_LEAF not in r:
            return not self.named and host == self.collectors[0]
        before = bisect.bisect_left(self.decisions, leaf)
        return r[OWN_LEAF] == leaf and r.get(AFTER_LEAF) == (self.decisions[before - 1] if before else None)

    def learn(self, host, leaf, r):
        kind, peer = r[KIND], r.get(PEER)
        who = (kind == ENROL and r.get(CHANNEL) == COLLECTOR) or (kind == REVOKE and peer in self.collectors)
        if not who and kind not in (SETTING, EXPIRED, HOLD, LIFTED):
            return
        if host not in self.collectors:
            if not who:
                self.strangers.append(leaf)
            return
        if not self.counts(host, leaf, r):
            return
        self.named = self.named or OWN_LEAF in r
        self.decisions.append(leaf)
        if who and isinstance(peer, bytes) and len(peer) == 32:
            if kind == REVOKE:
                self.collectors.remove(peer)
            elif peer not in self.collectors:
                self.collectors.append(peer)
        if kind == SETTING:
            months = r.get(MONTHS)
            if months is None or FLOOR <= months <= LONGEST:
                self.settings.append((leaf, r[TIME], r.get(CHANNEL), float("inf") if months is None else months))
        elif kind == EXPIRED and is_month(r.get(MONTH)) and r.get(CHANNEL) in CHANNELS and FROM in r and TO in r:
            self.expired.append((leaf, r))
        elif kind == HOLD and r.get(ID):
            self.holds.append([leaf, r, None])
        elif kind == LIFTED:
            for h in self.holds:
                if h[1][ID] == r.get(ID) and h[2] is None:
                    h[2] = leaf

    def period(self, channel, month, leaf):
        began, before, later = start(month), 0, 0
        for at, when, c, months in self.settings:
            if at >= leaf or c != channel:
                continue
            if when <= began:
                before = months
            else:
                later = max(later, months)
        return max(before, later) or FLOOR

    def wrong(self, leaf, r):
        """What is wrong with this record, or None."""
        channel, month, when = r[CHANNEL], r[MONTH], r[TIME]
        if channel == COLLECTOR:
            return "the collector's records never expire"
        if not r[FROM] <= r[TO] < leaf:
            return "its range is none, or not before it"
        if max([m for at, m in self.reached if at <= r[TO]], default="") > month:
            return "its range reaches into a later month"
        for at, h, lifted in self.holds:
            held = at < leaf and (lifted is None or lifted > leaf)
            if held and PEER not in h and not h.get(PERSON) and h.get(MONTH, month) == month:
                return "the hold %s was in force" % h[ID]
        if ORDER in r:
            try:
                o = Order(r[ORDER], self.admins)
            except (v.Refused, KeyError, AttributeError, IndexError, TypeError, ValueError, cbor2.CBORDecodeError) as e:
                return "its order: %s" % e
            if (o.fleet, o.channel, o.month) != (self.fleet, channel, month):
                return "its order is of something else"
            if o.size > leaf or not o.issued <= when <= o.until:
                return "its order was not valid"
            return None
        months = self.period(channel, month, leaf)
        if months == float("inf") or when < start(month, 1 + int(months)):
            return "before its time, and not ordered"
        return None

    def cover(self, channel, leaf):
        """The record by which the body of a leaf expired: (leaf, record), or None."""
        return next(((at, r) for at, r in self.expired if r[CHANNEL] == channel and r[FROM] <= leaf <= r[TO] and leaf < at), None)

    def judge(self, evidence):
        for leaf in self.strangers:
            evidence.problem("leaf %d" % leaf, "retention: told by none of the log's collectors")
        for leaf, r in self.expired:
            wrong = self.wrong(leaf, r)
            if wrong:
                evidence.problem("leaf %d" % leaf, "retention: %s %s: %s" % (r[MONTH], CHANNELS[r[CHANNEL]], wrong))
            else:
                print("%s %s expired by leaf %d" % (r[MONTH], CHANNELS[r[CHANNEL]], leaf))
        for leaf, producer, where in self.absent:
            if not self.cover(producer, leaf):
                evidence.problem(where, "removed: its body is not there, and no record says that it expired")
