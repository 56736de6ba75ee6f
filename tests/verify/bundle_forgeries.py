#!/usr/bin/python3
"""Evidence bundles by the published format, honest and forged: every verifier takes the first and refuses all others.

  bundle_forgeries.py DIRECTORY

writes DIRECTORY/honest/*.zip, DIRECTORY/forged/*.zip and DIRECTORY/log.vkey, and judges all of them by the outside verifier.
An independent writer beside the console's: nothing here comes from the C code.
"""
import base64
import io
import json
import os
import struct
import sys
import warnings
import zipfile

import sekisho_bundle as b
import sekisho_retention
import sekisho_verify as v
from sekisho_write import GUARD, RECORDER, START_US, Log, Pc, consistency, example_records

SECOND = 1000000


class World:
    """Two PCs and their log: what an honest console finds."""

    def __init__(self, seed="log"):
        self.one, self.two, self.log = Pc("pc-17"), Pc("pc-18"), Log(seed=seed)
        records = example_records()
        records[4] = {**records[4], 13: "<b>&'\"", 30: "/x/" + "あ" * 300 + "\u202e\n"}
        self.pcs = [self.one, self.two]
        self.leaves = []  # (leaf, body)
        self.begin()
        for i in range(6):
            self.seal(self.one, RECORDER, records, self.one.begin(RECORDER) if i in (0, 3) else None)
            if i < 2:
                self.seal(self.one, GUARD, records[:2])
            if i < 4:
                self.seal(self.two, RECORDER, records[:3 if i else 0])
        self.end()
        self.log.leaves = [leaf for leaf, _ in self.leaves]

    def begin(self):
        """What is in the log before."""

    def end(self):
        """What is in the log behind."""

    def seal(self, pc, producer, records, carry=None, key=None, **more):
        s = pc.seal(producer, records, carry, **more)
        s.key = key or s.key
        leaf = s.leaf()
        pc.chains[producer][1] = v.sha256(leaf)
        self.leaves.append((leaf, s.body))


class Bundle:
    """What the console would write, in parts that a forger can change before they are put together."""

    cosigned_size = None  # leaves in what its PCs have cosigned

    def __init__(self, world, since=START_US + 25 * SECOND, until=START_US + 55 * SECOND, hosts=None, run=True,
                 kind=None):
        self.w, self.hosts, self.kind = world, hosts, kind
        segs = [v.Segment(leaf, body, str(i)) for i, (leaf, body) in enumerate(world.leaves)]
        self.claim = {"format": 1, "made": START_US + 3600 * SECOND, "by": "sachiko <i>", "search": "kind=file&user=%E8%8A%B1%E5%AD%90&text=a+%3Cb%3E%3d%&x=1=2%4",
                      "since": since, "until": until, "all": hosts is None, "size": len(segs), "run": None, "records": 0,
                      "more": False, "hosts": [], "chains": []}
        self.carried, self.segs = {}, segs
        chains = {}
        for i, s in enumerate(segs):
            chains.setdefault((s.host.hex(), s.producer), []).append(i)
        for (host, producer), mine in sorted(chains.items()):
            if hosts is not None and host not in hosts:
                continue
            late = [i for i in mine if since is None or segs[i].h[12] >= since]
            inside = [i for i in late if segs[i].h[11] < until]
            if not inside:
                continue
            k = {"host": host, "producer": producer, "before": None, "first": late[0], "last": inside[-1], "after": None}
            at = mine.index(k["first"])
            if at:
                k["before"] = mine[at - 1]
            at = mine.index(k["last"])
            if at + 1 < len(mine):
                k["after"] = mine[at + 1]
            self.claim["chains"].append(k)
            for i in mine:
                if k["first"] <= i <= k["last"]:
                    self.carried[i] = True
                elif i in (k["before"], k["after"]):
                    self.carried[i] = False
        names = {pc.host.hex(): pc.name for pc in world.pcs}
        for h in sorted({k["host"] for k in self.claim["chains"]}):
            self.claim["hosts"].append({"id": h, "name": names[h]})
        if run:
            self.claim["run"] = min(self.carried)
        self.own = []  # leaves of the collector's chain, where bodies are gone
        self.stamped = []  # entries of what an authority stamped
        self.lines = None
        self.page = None
        self.entries = None  # what is written, once it is put together

    def list(self):
        rows, lines = [], []
        for i in sorted(self.carried):
            for n, r in enumerate(self.segs[i].records() if self.carried[i] else (), 1):
                if self.claim["since"] and not self.claim["since"] <= r[2] < self.claim["until"]:
                    continue
                if self.kind in (None, r[1]):
                    lines.append(b.line_of(i, n, r))
                    rows.append(b.row(self.claim, self.segs[i].host, r))
        return lines, rows

    def gone(self):
        """Leaves of the range that are carried without their bodies."""
        return [i for k in self.claim["chains"] for i in self.carried if not self.carried[i] and
                k["first"] <= i <= k["last"] and (self.segs[i].host.hex(), self.segs[i].producer) == (k["host"], k["producer"])]

    def put_together(self):
        lines, rows = self.list()
        if self.lines is None:
            self.lines = lines
            self.claim["records"] = len(lines)
        page = b.page(self.claim, rows[:b.PAGE_MAX], len(self.gone())) if self.page is None else self.page
        log, e = self.w.log, []
        e.append(("bundle.json", json.dumps(self.claim).encode()))
        e.append(("checkpoint", log.checkpoint()))
        e.append(("log.vkey", log.vkey.encode()))
        if self.cosigned_size:
            note, both = log.checkpoint(self.cosigned_size), (self.w.one, self.w.two)
            proof = consistency(self.cosigned_size, [v.leaf_hash(x) for x in log.leaves])
            e.append(("cosigned", note + b"".join(pc.cosign(note) for pc in both)))
            e.append(("cosigned.consistency", b"".join(base64.b64encode(h) + b"\n" for h in proof)))
            e.append(("witnesses", "".join(pc.witness()[3] for pc in both).encode()))
        e += self.stamped
        pcs = {pc.host.hex(): pc for pc in self.w.pcs}
        for h in sorted({h["id"] for h in self.claim["hosts"]} | {self.segs[i].host.hex() for i in self.own}):
            e.append(("devices/%s.pub" % h, pcs[h].device_pub))
        certs = {}
        for i in [*self.carried, *self.own]:
            s = self.segs[i]
            for j in range(i, -1, -1):
                o = self.segs[j]
                if (o.host, o.producer, o.epoch) == (s.host, s.producer, s.epoch) and 18 in o.h:
                    certs["certificates/%s/%s.cose" % (s.host.hex(), s.kid.hex())] = o.h[18]
                    break
        e += sorted(certs.items())
        e.append(("records.jsonl", b"".join(self.lines)))
        e.append(("index.html", page))
        for folder, leaves in (("retention", dict.fromkeys(self.own, True)), ("segments", self.carried)):
            for i in sorted(leaves):
                leaf, body = self.w.leaves[i]
                stem = "%s/%020d" % (folder, i)
                e.append((stem + ".seg", v.MAGIC + len(leaf).to_bytes(4, "big") + leaf + body) if leaves[i]
                         else (stem + ".header", leaf))
                e.append((stem + ".tlog-proof", log.tlog_proof(i)))
        if self.claim["run"] is not None:
            e.append(("run.headers", b"".join(len(x).to_bytes(4, "big") + x for x in log.leaves[self.claim["run"]:])))
        self.entries = e
        return self

    def write(self, path):
        if self.entries is None:
            self.put_together()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
            for name, data in self.entries:
                z.writestr(zipfile.ZipInfo(name, (2026, 11, 23, 10, 0, 0)), data)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


HONEST, FORGED = {}, {}


def honest(f):
    HONEST[f.__name__.replace("_", "-")] = f
    return f


def forged(f):
    FORGED[f.__name__.replace("_", "-")] = f
    return f


def early(f):
    """A forgery of the parts, before they are put together (so that page, list and run say the same)."""
    def make(path):
        x = Bundle(World())
        f(x)
        x.write(path)
    FORGED[f.__name__.replace("_", "-")] = make
    return f


def late(f):
    """A forgery of the entries as they lie; `f` gets them as a dictionary, in order, and gives back pairs or nothing."""
    def make(path):
        x = Bundle(World()).put_together()
        d = dict(x.entries)
        out = f(d, x)
        x.entries = list(d.items()) if out is None else out
        x.write(path)
    FORGED[f.__name__.replace("_", "-")] = make
    return f


@honest
def all_pcs(path):
    Bundle(World()).write(path)


@honest
def one_pc(path):
    w = World()
    Bundle(w, hosts=[w.one.host.hex()]).write(path)


@honest
def without_run(path):
    w = World()
    Bundle(w, hosts=[w.one.host.hex(), w.two.host.hex()], run=False).write(path)


@honest
def from_the_beginning(path):
    Bundle(World(), since=None, until=START_US + 500 * SECOND).write(path)


@honest
def one_kind(path):
    Bundle(World(), kind=8).write(path)


def chain(x, pc, producer=RECORDER):
    return next(k for k in x.claim["chains"] if k["host"] == pc.host.hex() and k["producer"] == producer)


def drop_chain(x, pc):
    for i in [i for i in x.carried if x.segs[i].host == pc.host]:
        del x.carried[i]
    x.claim["chains"] = [k for k in x.claim["chains"] if k["host"] != pc.host.hex()]


# --- left out ---

@early
def pc_left_out(x):
    drop_chain(x, x.w.two)
    x.claim["hosts"] = [h for h in x.claim["hosts"] if h["id"] != x.w.two.host.hex()]


@early
def pc_left_out_but_named(x):
    x.claim["all"] = False
    drop_chain(x, x.w.two)


@early
def all_without_the_log(x):
    drop_chain(x, x.w.two)
    x.claim["hosts"] = [h for h in x.claim["hosts"] if h["id"] != x.w.two.host.hex()]
    x.claim["run"] = None


@early
def end_cut_off(x):
    k = chain(x, x.w.one)
    for i in [i for i in x.carried if x.segs[i].host == x.w.one.host and i > k["first"]]:
        del x.carried[i]
    k["last"], k["after"] = k["first"], None


@early
def end_cut_off_without_run(x):
    """The neighbour behind is there and not behind the range."""
    x.claim.update({"all": False, "run": None})
    k = chain(x, x.w.one)
    x.carried[k["last"]] = False
    del x.carried[k["after"]]
    k["after"] = k["last"]
    k["last"] = k["first"]


@early
def beginning_cut_off(x):
    k = chain(x, x.w.one)
    del x.carried[k["before"]]
    x.carried[k["first"]] = False
    k["before"], k["first"] = k["first"], k["last"]
    x.claim["run"] = min(x.carried)


@early
def beginning_bare(x):
    k = chain(x, x.w.one)
    del x.carried[k["before"]]
    k["before"] = None
    x.claim["run"] = min(x.carried)


@early
def middle_left_out(x):
    k = chain(x, x.w.one)
    i = next(i for i in sorted(x.carried) if x.segs[i].host == x.w.one.host and k["first"] < i)
    del x.carried[i]


@early
def since_too_early(x):
    x.claim["since"] -= 20 * SECOND


@early
def until_too_late(x):
    x.claim["until"] += 20 * SECOND


@early
def since_forever(x):
    x.claim["since"] = None


@early
def body_expired(x):
    """All the rest is in order, but nobody says why a body of the range is gone."""
    x.carried[chain(x, x.w.one)["first"]] = False


@late
def body_withheld(d, x):
    name = next(n for n in d if n.endswith(".seg"))
    n = int.from_bytes(d[name][4:8], "big")
    return [(k.replace(".seg", ".header") if k == name else k, y[8:8 + n] if k == name else y) for k, y in d.items()]


@late
def tail_claimed_less(d, x):
    """The files are there, the claim says that the range ends before them."""
    c = json.loads(d["bundle.json"])
    k = next(k for k in c["chains"] if k["after"] is None)
    k["last"] = k["first"]
    d["bundle.json"] = json.dumps(c).encode()


# --- changed ---

@late
def body_changed(d, x):
    n = next(n for n in d if n.endswith(".seg"))
    d[n] = flip(d[n], len(d[n]) - 9)


@late
def header_changed(d, x):
    n = next(n for n in d if n.endswith(".seg"))
    d[n] = flip(d[n], 120)


@late
def neighbour_changed(d, x):
    n = next(n for n in d if n.endswith(".header"))
    d[n] = flip(d[n], 120)


@late
def something_behind_the_segment(d, x):
    n = next(n for n in d if n.endswith(".seg"))
    d[n] += b"\0"


@late
def two_segments_in_one(d, x):
    n = [n for n in d if n.endswith(".seg")]
    d[n[0]] += d[n[1]]


@late
def segments_swapped(d, x):
    n = [n for n in d if n.endswith(".seg")]
    d[n[0]], d[n[1]] = d[n[1]], d[n[0]]


@forged
def another_log(path):
    """All of it is good, in a log of the forger's own."""
    Bundle(World(seed="forger")).write(path)


@late
def another_log_under_the_key(d, x):
    other = Log(seed="forger")
    other.leaves = x.w.log.leaves
    d["checkpoint"] = other.checkpoint()


@late
def checkpoint_changed(d, x):
    d["checkpoint"] = d["checkpoint"].replace(b"\n16\n", b"\n15\n", 1) if b"\n16\n" in d["checkpoint"] else flip(d["checkpoint"], 25)


@late
def log_key_of_another(d, x):
    d["log.vkey"] = Log(seed="forger").vkey.encode()


@late
def proof_of_another_leaf(d, x):
    n = [n for n in d if n.endswith(".tlog-proof")]
    d[n[0]] = d[n[1]]


@late
def proof_of_another_checkpoint(d, x):
    n = [n for n in d if n.endswith(".tlog-proof")][0]
    d[n] = x.w.log.tlog_proof(int(n[9:29]), int(n[9:29]) + 1)


@late
def proof_shortened(d, x):
    n = [n for n in d if n.endswith(".tlog-proof")][0]
    lines = d[n].split(b"\n")
    del lines[2]
    d[n] = b"\n".join(lines)


@late
def proof_missing(d, x):
    del d[[n for n in d if n.endswith(".tlog-proof")][1]]


@late
def last_proof_missing(d, x):
    del d[[n for n in d if n.endswith(".tlog-proof")][-1]]


@late
def proof_alone(d, x):
    del d[[n for n in d if n.endswith(".seg")][0]]


@late
def device_of_another(d, x):
    n = [n for n in d if n.startswith("devices/")]
    d[n[0]] = d[n[1]]


@late
def device_missing(d, x):
    del d[[n for n in d if n.startswith("devices/")][0]]


@late
def certificate_missing(d, x):
    for n in [n for n in d if n.startswith("certificates/" + x.w.two.host.hex())]:
        del d[n]


@late
def certificate_of_another(d, x):
    n = [n for n in d if n.startswith("certificates/" + x.w.two.host.hex())][0]
    m = [n for n in d if n.startswith("certificates/" + x.w.one.host.hex())][0]
    d[n] = d[m]


@late
def certificate_changed(d, x):
    n = [n for n in d if n.startswith("certificates/")][0]
    d[n] = flip(d[n], len(d[n]) - 3)


# --- the run ---

@late
def run_missing(d, x):
    del d["run.headers"]


@late
def run_not_claimed(d, x):
    c = json.loads(d["bundle.json"])
    c.update({"run": None, "all": False})
    d["bundle.json"] = json.dumps(c).encode()


def run_leaves(x):
    return [(i, leaf) for i, leaf in enumerate(x.w.log.leaves) if i >= x.claim["run"]]


def as_run(leaves):
    return b"".join(len(y).to_bytes(4, "big") + y for y in leaves)


@late
def run_without_a_leaf(d, x):
    d["run.headers"] = as_run([y for _, y in run_leaves(x)][:-1])


@late
def run_with_a_leaf_twice(d, x):
    y = [y for _, y in run_leaves(x)]
    y[-1] = y[-2]
    d["run.headers"] = as_run(y)


@late
def run_goes_on(d, x):
    d["run.headers"] += b"\0\0\0\0"


@late
def run_cut(d, x):
    d["run.headers"] = d["run.headers"][:-1]


@late
def run_begins_later(d, x):
    c = json.loads(d["bundle.json"])
    c["run"] += 1
    d["bundle.json"] = json.dumps(c).encode()
    d["run.headers"] = as_run([y for _, y in run_leaves(x)][1:])


# --- what people read ---

@late
def list_changed(d, x):
    d["records.jsonl"] = d["records.jsonl"].replace("花子".encode(), "太郎".encode(), 1)


@late
def list_shortened(d, x):
    d["records.jsonl"] = b"\n".join(d["records.jsonl"].split(b"\n")[1:])


@late
def list_longer(d, x):
    line = d["records.jsonl"].split(b"\n")[-2]
    d["records.jsonl"] += line.replace(b'"n":', b'"n":9') + b"\n"


@late
def list_line_twice(d, x):
    lines = d["records.jsonl"].split(b"\n")
    d["records.jsonl"] = b"\n".join(lines[:1] + lines)


@late
def list_in_another_order(d, x):
    lines = d["records.jsonl"].split(b"\n")
    lines[0], lines[1] = lines[1], lines[0]
    d["records.jsonl"] = b"\n".join(lines)


@late
def list_of_another_leaf(d, x):
    d["records.jsonl"] = d["records.jsonl"].replace(b'{"leaf":', b'{"leaf":1', 1)


@late
def list_with_more_facts(d, x):
    d["records.jsonl"] = d["records.jsonl"].replace(b'"record":{', b'"record":{"title":"x",', 1)


@late
def list_without_end(d, x):
    d["records.jsonl"] = d["records.jsonl"][:-1]


@late
def list_emptied(d, x):
    d["records.jsonl"] = b""


@early
def list_of_neighbours(x):
    """A record of a segment of which only the header is there."""
    lines, _ = x.list()
    i = next(i for i in x.carried if not x.carried[i])
    x.lines = [b'{"leaf":%d,"n":1,' % i + lines[0].split(b",", 2)[2]]
    x.claim["records"] = 1


@late
def page_changed(d, x):
    d["index.html"] = d["index.html"].replace("花子".encode(), "太郎".encode(), 1)


@late
def page_with_script(d, x):
    d["index.html"] = d["index.html"].replace(b"</body>", b"<script>1</script></body>")


@late
def page_emptied(d, x):
    d["index.html"] = b""


@late
def pc_renamed(d, x):
    c = json.loads(d["bundle.json"])
    c["hosts"][0]["name"] = "pc-99"
    d["bundle.json"] = json.dumps(c).encode()


@late
def claim_of_more_records(d, x):
    c = json.loads(d["bundle.json"])
    c["records"] += 1
    d["bundle.json"] = json.dumps(c).encode()


# --- the form ---

@late
def claim_of_another_format(d, x):
    d["bundle.json"] = d["bundle.json"].replace(b'"format": 1', b'"format": 2')


@late
def claim_with_a_name_twice(d, x):
    d["bundle.json"] = d["bundle.json"].replace(b'{"format": 1', b'{"format": 1, "size": 1', 1)


@late
def claim_with_something_else(d, x):
    d["bundle.json"] = d["bundle.json"].replace(b'{"format": 1', b'{"format": 1, "note": 1', 1)


@late
def claim_in_other_types(d, x):
    d["bundle.json"] = d["bundle.json"].replace(b'"all": true', b'"all": 1', 1)


@late
def claim_of_size_as_fraction(d, x):
    d["bundle.json"] = d["bundle.json"].replace(b'"size": %d' % x.claim["size"], b'"size": %d.0' % x.claim["size"], 1)


@late
def claim_not_there(d, x):
    del d["bundle.json"]


@late
def page_not_there(d, x):
    del d["index.html"]


@late
def something_else_inside(d, x):
    d["segments/readme"] = b"x"


@late
def something_else_beside(d, x):
    return list(d.items()) + [("note.txt", b"x")]


@late
def path_upwards(d, x):
    return list(d.items()) + [("../x", b"x")]


@late
def entries_in_another_order(d, x):
    e = list(d.items())
    e[0], e[1] = e[1], e[0]
    return e


@late
def entry_twice(d, x):
    e = list(d.items())
    i = next(i for i, (n, _) in enumerate(e) if n == "index.html")
    return e[:i] + [e[i]] + e[i:]


@late
def header_beside_its_segment(d, x):
    name = next(n for n in d if n.endswith(".seg"))
    n = int.from_bytes(d[name][4:8], "big")
    e = list(d.items())
    i = [k for k, _ in e].index(name)
    return e[:i] + [(name.replace(".seg", ".header"), d[name][8:8 + n])] + e[i:]


@late
def no_segments(d, x):
    return [(n, y) for n, y in d.items() if not n.startswith("segments/")]


# --- cosignatures ---

def cosigning(kind, size=None):
    """`f` gets the entries of a bundle that both PCs have cosigned, as a dictionary, in order."""
    def keep(f):
        def make(path):
            x = Bundle(World())
            x.cosigned_size = size or len(x.w.leaves)
            d = dict(x.put_together().entries)
            f(d, x)
            x.entries = list(d.items())
            x.write(path)
        kind[f.__name__.replace("_", "-")] = make
        return f
    return keep


def as_line(name, sig):
    return ("\u2014 %s %s\n" % (name, base64.b64encode(sig).decode())).encode()


def change_signature(d, pc, change):
    """Changes key hash, time and signature of one PC's line."""
    name = pc.witness()[0]
    lines = d["cosigned"].decode().split("\n")
    at = next(i for i, x in enumerate(lines) if x.startswith("\u2014 " + name))
    lines[at] = as_line(name, change(base64.b64decode(lines[at].split(" ")[2]))).decode()[:-1]
    d["cosigned"] = "\n".join(lines).encode()


@cosigning(HONEST)
def cosigned(d, x):
    pass


@cosigning(HONEST, size=9)
def cosigned_a_part(d, x):
    """What was cosigned ends before what is carried: good, and no quorum of what is carried."""


@cosigning(HONEST)
def cosigned_by_a_stranger_too(d, x):
    d["cosigned"] += Pc("pc-99").cosign(x.w.log.checkpoint())


@cosigning(HONEST)
def cosigned_twice_by_one(d, x):
    """Counts once."""
    d["cosigned"] = x.w.log.checkpoint() + 2 * x.w.one.cosign(x.w.log.checkpoint())
    d["witnesses"] = x.w.one.witness()[3].encode()


@cosigning(HONEST)
def cosigned_under_another_key_id(d, x):
    """Nobody's that is known: passed over, as the specification asks, and its key is not there either."""
    change_signature(d, x.w.two, lambda s: bytes([s[0] ^ 1]) + s[1:])
    d["witnesses"] = x.w.one.witness()[3].encode()


@cosigning(FORGED)
def cosignature_changed(d, x):
    change_signature(d, x.w.one, lambda s: flip(s, 40))


@cosigning(FORGED)
def cosignature_of_another_time(d, x):
    change_signature(d, x.w.one, lambda s: flip(s, 11))


@cosigning(FORGED)
def cosignature_without_time(d, x):
    change_signature(d, x.w.one, lambda s: s[:4] + s[12:])


@cosigning(FORGED)
def cosignature_with_more_behind(d, x):
    change_signature(d, x.w.one, lambda s: s + b"x")


@cosigning(FORGED)
def cosignature_of_another_size(d, x):
    note = x.w.log.checkpoint()
    d["cosigned"] = note + x.w.one.cosign(x.w.log.checkpoint(9)) + x.w.two.cosign(note)


@cosigning(FORGED)
def cosignature_of_another_root(d, x):
    note = x.w.log.checkpoint()
    d["cosigned"] = note + x.w.one.cosign(x.w.log.checkpoint(root=bytes(32))) + x.w.two.cosign(note)


@cosigning(FORGED)
def cosignature_as_of_a_log(d, x):
    """A plain signature of the note, under the witness's key hash."""
    note = x.w.log.checkpoint()
    text = note.decode().rpartition("\n\n")[0] + "\n"
    name, key_hash, key, _ = x.w.one.witness()
    d["cosigned"] = note + as_line(name, key_hash + key.sign(text.encode())) + x.w.two.cosign(note)


@cosigning(FORGED)
def cosigned_by_sixteen(d, x):
    """With the log's own that is one more than any verifier takes."""
    note = x.w.log.checkpoint()
    d["cosigned"] = note + b"".join(Pc("pc-%d" % i).cosign(note) for i in range(17, 33))
    d["witnesses"] = b""


@cosigning(FORGED)
def cosigned_another_log(d, x):
    note = x.w.log.checkpoint(9, bytes(32))
    d["cosigned"] = note + x.w.one.cosign(note) + x.w.two.cosign(note)


@cosigning(FORGED)
def cosigned_more_than_there_is(d, x):
    note = x.w.log.checkpoint(len(x.w.leaves) + 1, bytes(32))
    d["cosigned"] = note + x.w.one.cosign(note) + x.w.two.cosign(note)


@cosigning(FORGED, size=9)
def consistency_changed(d, x):
    rows = d["cosigned.consistency"].split(b"\n")
    d["cosigned.consistency"] = b"\n".join([base64.b64encode(bytes(32))] + rows[1:])


@cosigning(FORGED, size=9)
def consistency_emptied(d, x):
    d["cosigned.consistency"] = b""


@cosigning(FORGED)
def witnesses_missing(d, x):
    del d["witnesses"]


@cosigning(FORGED)
def cosigned_missing(d, x):
    del d["cosigned"]


@cosigning(FORGED)
def witness_declared_by_another(d, x):
    """A PC's name and key, and another PC's word for it."""
    one, two = x.w.one.witness()[3].split(" "), x.w.two.witness()[3].split(" ")
    d["witnesses"] = " ".join([one[0], one[1], two[2]]).encode() + x.w.two.witness()[3].encode()


@cosigning(FORGED)
def witness_under_another_name(d, x):
    one, two = x.w.one.witness()[3].split(" "), x.w.two.witness()[3].split(" ")
    d["witnesses"] = " ".join([one[0], two[1], two[2]]).encode()


@cosigning(FORGED)
def witness_that_did_not_sign(d, x):
    d["witnesses"] += Pc("pc-99").witness()[3].encode()


@cosigning(FORGED)
def witnesses_cut_off(d, x):
    d["witnesses"] = d["witnesses"][:-1]


def bytes_of(x):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        for name, data in x.put_together().entries:
            z.writestr(zipfile.ZipInfo(name, (2026, 11, 23, 10, 0, 0)), data)
    return out.getvalue()


def raw(name, change):
    def make(path):
        with open(path, "wb") as f:
            f.write(change(bytes_of(Bundle(World()))))
    FORGED[name] = make


def crc_wrong(data):
    """The content of an entry is another than its checksum says."""
    at = data.index(b"<!DOCTYPE html>")
    return data[:at] + b"<!doctype html>" + data[at + 15:]


def directory_shortened(data):
    """An entry is in the file, and the directory at the end does not name it."""
    end = data.rindex(b"PK\5\6")
    size, start = struct.unpack("<II", data[end + 12:end + 20])
    last = data.rindex(b"PK\1\2")
    n = struct.unpack("<H", data[end + 10:end + 12])[0] - 1
    return data[:last] + data[end:end + 8] + struct.pack("<HHII", n, n, size - (end - last), start) + data[end + 20:]


raw("cut-off", lambda d: d[:len(d) // 2])
raw("empty-file", lambda d: b"")
raw("crc-wrong", crc_wrong)
raw("directory-shortened", directory_shortened)
raw("no-archive", lambda d: b"x" * 1000)


def main(argv):
    top = argv[0]
    os.makedirs(top)
    warnings.simplefilter("ignore")  # of names that are there twice: that is what is meant
    import bundle_expired  # which begin with what is above
    import bundle_stamped
    tsa_ca = bundle_stamped.begin(os.path.join(top, "tsa"))
    verifier = v.Verifier(Log().vkey)
    with open(os.path.join(top, "admin.keys"), "w", encoding="utf-8") as f:
        f.write(bundle_expired.ADMINS)
    admins = sekisho_retention.admins_of(os.path.join(top, "admin.keys"))
    for folder, makers in (("honest", {**HONEST, **bundle_expired.HONEST, **bundle_stamped.HONEST}),
                           ("forged", {**FORGED, **bundle_expired.FORGED, **bundle_stamped.FORGED})):
        os.makedirs(os.path.join(top, folder))
        for name, make in makers.items():
            make(os.path.join(top, folder, name + ".zip"))
    with open(os.path.join(top, "log.vkey"), "w", encoding="utf-8") as f:
        f.write(Log().vkey)
    for folder in ("honest", "forged"):
        for name in sorted(os.listdir(os.path.join(top, folder))):
            try:
                b.judge(os.path.join(top, folder, name), verifier, admins=admins,
                        tsa_ca=tsa_ca if name.startswith("stamped-") else None)
                taken = ""
            except v.Refused as e:
                taken = str(e)
            if (folder == "honest") == bool(taken):
                print("%s/%s: %s" % (folder, name, taken or "taken"))
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
