#!/usr/bin/python3
"""The outside verifier, for evidence bundles: written from policy/exhibit/EVIDENCE.md, beside the one in C.

  sekisho_bundle.py --log-key log.vkey BUNDLE.zip

Ends with 0 where nothing was changed and nothing of the range left out, 1 where that is not so.
"""
import argparse
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile

import compare_records
import sekisho_retention
import sekisho_verify as v

LIMITS = {"bundle.json": 16 << 20, "checkpoint": 16384, "log.vkey": 4096, "cosigned": 16384,
          "cosigned.consistency": 16384, "witnesses": 16384, "stamped": 16384, "stamped.consistency": 16384,
          "stamped.tsr": 65536, "devices/": 4096, "certificates/": 4096,
          "records.jsonl": 48 << 20, "index.html": 32 << 20, "retention/": 8 + 4096 + (1 << 20), "segments/": 8 + 4096 + (1 << 20), "run.headers": 160 << 20}
RANKS = list(LIMITS)
MANY = {"devices/", "certificates/", "retention/", "segments/"}
NEEDED = {"bundle.json", "checkpoint", "log.vkey", "records.jsonl", "index.html"}
FRAME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../policy/exhibit/page.html")
PAGE_MAX, RECORDS_MAX, CELL_MAX = 1000, 100000, 512


def fields():
    table, enums = compare_records.table()
    return table, enums, {name: n for n, (_, name, _) in table.items()}


def flag_words():
    """The words of the flags, by bit."""
    with open(os.path.join(compare_records.ROOT, "policy/wire/flags.h"), encoding="utf-8") as f:
        bits = {n: int(bit) for n, bit in re.findall(r"(RF_\w+) = 1 << (\d+)", f.read())}
    with open(os.path.join(compare_records.ROOT, "policy/wire/record.c"), encoding="utf-8") as f:
        return sorted((bits[n], w) for n, w in re.findall(r'\{(RF_\w+), "([^"]+)"', f.read()))


TABLE, ENUMS, NUMBERS = fields()
FLAGS = flag_words()
OBJECTS = [NUMBERS[n] for n in ("path", "title", "product", "text", "operation")]


def rank_of(name):
    for r in RANKS:
        if name == r or (r in MANY and name.startswith(r)):
            return RANKS.index(r)
    raise v.Refused("%s: does not belong into a bundle" % name)


def entries(path):
    """(name, bytes) of each entry, in the order in which they lie."""
    try:
        with zipfile.ZipFile(path) as z:
            before = (-1, "")
            for info in sorted(z.infolist(), key=lambda i: i.header_offset):
                name = info.filename
                if not re.fullmatch(r"[!-~]{1,127}", name) or "\\" in name or name.endswith("/") or info.flag_bits & 1:
                    raise v.Refused("an entry that is not a plain file with a plain name")
                rank = rank_of(name)
                if any(RANKS[i] in NEEDED for i in range(before[0] + 1, rank)):
                    raise v.Refused("%s: something that comes before it is missing" % name)
                if (rank, name) <= before:
                    raise v.Refused("%s: there twice, or not in its order" % name)
                before = (rank, name)
                if info.file_size > LIMITS[RANKS[rank]]:
                    raise v.Refused("%s: too large" % name)
                yield name, z.read(info)
            if before[0] < RANKS.index("index.html"):
                raise v.Refused("the end is missing")
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as e:
        raise v.Refused("not a whole ZIP file: %s" % e)


# --- bundle.json ---

def once(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise v.Refused("bundle.json: a name is there twice")
    return out


def whole(x, least=0):
    return type(x) is int and least <= x < 1 << 53


def is_digest(x):
    return isinstance(x, str) and re.fullmatch("[0-9a-f]{64}", x)


def claim_of(data):
    try:
        c = json.loads(data.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as e:
        raise v.Refused("bundle.json: %s" % e)
    names = {"format", "made", "by", "search", "since", "until", "all", "size", "run", "records", "more", "hosts", "chains"}
    if not isinstance(c, dict) or set(c) != names or c["format"] != 1 or type(c["format"]) is not int:
        raise v.Refused("bundle.json: of an unknown format")
    texts = all(isinstance(c[n], str) and "\0" not in c[n] for n in ("by", "search"))
    if not texts or len(c["by"].encode()) > 127 or len(c["search"].encode()) > 8192 or not whole(c["made"]) or \
            not whole(c["until"], -1 << 53) or not (c["since"] is None or whole(c["since"], -1 << 53)) or \
            type(c["all"]) is not bool or type(c["more"]) is not bool or not whole(c["size"], 1) or \
            not (c["run"] is None or whole(c["run"])) or not whole(c["records"]) or c["records"] > RECORDS_MAX or \
            (c["since"] is not None and c["since"] >= c["until"]) or (c["run"] is not None and c["run"] >= c["size"]):
        raise v.Refused("bundle.json: something is not what belongs there")
    hosts = c["hosts"]
    if not isinstance(hosts, list) or len(hosts) > 20000 or not all(
            isinstance(h, dict) and set(h) == {"id", "name"} and is_digest(h["id"]) and isinstance(h["name"], str) and
            len(h["name"].encode()) < 128 and "\0" not in h["name"] for h in hosts):
        raise v.Refused("bundle.json: its PCs")
    ids = [h["id"] for h in hosts]
    if ids != sorted(set(ids)):
        raise v.Refused("bundle.json: its PCs are not in order")
    chains = c["chains"]
    if not isinstance(chains, list) or len(chains) > 20000:
        raise v.Refused("bundle.json: its chains")
    for k in chains:
        if not isinstance(k, dict) or set(k) != {"host", "producer", "before", "first", "last", "after"} or \
                k["host"] not in ids or not whole(k["producer"], 1) or k["producer"] > 255 or not whole(k["first"]) or \
                not whole(k["last"], k["first"]) or k["last"] >= c["size"] or \
                not (k["before"] is None or (whole(k["before"]) and k["before"] < k["first"])) or \
                not (k["after"] is None or (whole(k["after"], k["last"] + 1) and k["after"] < c["size"])):
            raise v.Refused("bundle.json: a chain")
    order = [(k["host"], k["producer"]) for k in chains]
    if order != sorted(set(order)):
        raise v.Refused("bundle.json: its chains are not in order")
    return c


# --- what people read ---

def escaped(b):
    """As on a terminal, so that nothing in it turns or hides text; then for HTML."""
    out, i = [], 0
    while i < len(b):
        for n in (1, 2, 3, 4):
            try:
                ch = b[i:i + n].decode()
                break
            except UnicodeDecodeError:
                ch = None
        if not ch:
            out.append("\\x%02x" % b[i])
            i += 1
            continue
        o = ord(ch)
        if ch in "\n\t\r\\":
            out.append({"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}[ch])
        elif o < 0x20 or 0x7f <= o < 0xa0 or o in (0x2028, 0x2029, 0x200e, 0x200f, 0x061c, 0xfeff) or \
                0x202a <= o <= 0x202e or 0x2066 <= o <= 0x2069:
            out.append("".join("\\x%02x" % x for x in ch.encode()))
        else:
            out.append(ch)
        i += len(ch.encode())
    return html.escape("".join(out), quote=True).replace("&#x27;", "&#39;")


def cell(x):
    b = x if isinstance(x, bytes) else x.encode()
    cut = len(b) > CELL_MAX
    if cut:
        n = CELL_MAX
        while n and b[n] & 0xC0 == 0x80:
            n -= 1
        b = b[:n]
    return "<td>%s%s</td>" % (escaped(b), "…" if cut else "")


def moment(us):
    return compare_records.shown(TABLE, ENUMS, {2: us})["time"]


def row(claim, host, record):
    names = {h["id"]: h["name"] for h in claim["hosts"]}
    pc = names.get(host.hex()) or host.hex()[:12]
    kind = ENUMS.get(("KIND", record[1]), str(record[1]))
    thing = next((record[n] for n in OBJECTS if n in record), "")
    return "<tr>%s</tr>\n" % "".join(cell(x) for x in (
        moment(record[2]), pc, kind, record.get(NUMBERS["user"], ""), record.get(NUMBERS["program"], ""), thing))


def asked(query):
    def plain(text):
        return urllib.parse.unquote_to_bytes(text.replace("+", " "))

    return b", ".join(b": ".join(plain(x) for x in piece.split("=", 1)) for piece in query.split("&"))


def page(claim, rows, gone=0):
    def fact(ja, en, text):
        return '<dt>%s <span lang="en">/ %s</span></dt><dd>%s</dd>\n' % (ja, en, escaped(text if isinstance(text, bytes) else text.encode()))

    facts = [fact("作成日時", "Made", moment(claim["made"])), fact("作成者", "Made by", claim["by"]),
             fact("検索条件", "Search", asked(claim["search"])),
             fact("期間の始まり", "From", "-" if claim["since"] is None else moment(claim["since"])),
             fact("期間の終わり", "Up to", moment(claim["until"])),
             fact("対象", "Of", "すべての PC / all PCs" if claim["all"] else "次の PC のみ / these PCs only"),
             fact("ログの大きさ", "Size of the log", str(claim["size"])),
             fact("記録の件数", "Records", str(claim["records"]))]
    if claim["more"]:
        facts.append(fact("打ち切り", "Cut off", "ほかにもあります / there are more"))
    if gone:
        facts.append(fact("本文のない封緘単位", "Segments whose bodies are gone", str(gone)))
    facts += ["<dt>PC</dt><dd>%s <code>%s</code></dd>\n" % (escaped(h["name"].encode()), h["id"]) for h in claim["hosts"]]
    with open(FRAME, encoding="utf-8", newline="") as f:
        head, rest = f.read().split("@FACTS@")
    middle, end = rest.split("@ROWS@")
    return (head + "".join(facts) + middle + "".join(rows) + end).encode()


LINE = re.compile(rb'\{"leaf":(0|[1-9][0-9]{0,14}),"n":(0|[1-9][0-9]{0,9}),"record":\{.*')


def json_text(x):
    if isinstance(x, dict):
        return "{%s}" % ",".join("%s:%s" % (json_text(k), json_text(y)) for k, y in x.items())
    if isinstance(x, list):
        return "[%s]" % ",".join(map(json_text, x))
    if isinstance(x, int):
        return str(x)
    named = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    return '"%s"' % "".join(named.get(c) or (c if " " <= c != "\x7f" else "\\u%04x" % ord(c)) for c in x)


def line_of(leaf, n, record):
    """A line of records.jsonl: facts by their numbers."""
    record = dict(sorted(record.items()))
    facts = compare_records.shown(TABLE, ENUMS, record)
    if 5 in record:
        words = [w for bit, w in FLAGS if record[5] >> bit & 1]
        facts = {TABLE[k][1]: words if k == 5 else facts[TABLE[k][1]] for k in record if k in TABLE}
    return ('{"leaf":%d,"n":%d,"record":%s}\n' % (leaf, n, json_text(facts))).encode()


def judge_list(claim, data, segments):
    """records.jsonl says what the records say, in order. The page's rows."""
    rows, last, n = [], (-1, 0), 0
    if data and not data.endswith(b"\n"):
        raise v.Refused("records.jsonl: cut off")
    for line in data.split(b"\n")[:-1]:
        m = LINE.fullmatch(line)
        if not m:
            raise v.Refused("records.jsonl: a line that is none")
        place = int(m.group(1)), int(m.group(2))
        s = segments.get(place[0])
        if place <= last or not s or not 1 <= place[1] <= len(s.found or ()):
            raise v.Refused("records.jsonl: a record that is not there")
        last, record = place, s.found[place[1] - 1]
        if line + b"\n" != line_of(*place, record):
            raise v.Refused("records.jsonl: says something else than the record")
        if n < PAGE_MAX:
            rows.append(row(claim, s.host, record))
        n += 1
    if n != claim["records"]:
        raise v.Refused("records.jsonl: %d records where %d are claimed" % (n, claim["records"]))
    return rows


# --- the range ---

def overlaps(claim, h):
    return h[11] < claim["until"] and (claim["since"] is None or h[12] >= claim["since"])


def judge_chain(claim, k, mine):
    want = {k[n] for n in ("before", "first", "last", "after") if k[n] is not None}
    if not want <= set(mine):
        raise v.Refused("not carried as far as it is claimed")
    for leaf, s in mine.items():
        inside = k["first"] <= leaf <= k["last"]
        if not inside and leaf not in want:
            raise v.Refused("leaf %d is outside of what is claimed" % leaf)
        if not inside and s.body is not None:
            raise v.Refused("leaf %d: a body is there where none belongs" % leaf)
        if leaf == k["before"] and (claim["since"] is None or s.h[12] >= claim["since"]):
            raise v.Refused("what is carried begins later than the range")
        if leaf == k["after"] and s.h[11] < claim["until"]:
            raise v.Refused("what is carried ends earlier than the range")
        if leaf == k["first"] and k["before"] is None and s.prev is not None:
            raise v.Refused("something comes before it, and is not shown")


def judge_run(claim, data, left, root, carried, chains):
    at, leaf, stack = 0, claim["run"], list(left)
    if len(stack) != bin(leaf).count("1"):
        raise v.Refused("run: what is before it does not fit")
    ids = {h["id"] for h in claim["hosts"]}
    while leaf < claim["size"]:
        n = int.from_bytes(data[at:at + 4], "big")
        b = data[at + 4:at + 4 + n]
        if at + 4 > len(data) or n > v.HEADER_MAX or len(b) != n:
            raise v.Refused("run: cut off")
        at += 4 + n
        s = v.Segment(b, None, "run: leaf %d" % leaf)
        if leaf not in carried:
            k = chains.get((s.host.hex(), s.producer))
            if not k:
                missing = overlaps(claim, s.h) and (claim["all"] or s.host.hex() in ids)
            elif leaf < (k["first"] if k["before"] is None else k["before"]):
                missing = k["before"] is None or overlaps(claim, s.h)
            else:
                missing = k["after"] is None or leaf < k["after"] or overlaps(claim, s.h)
            if missing:
                raise v.Refused("leaf %d is of the range, and left out" % leaf)
        stack.append(v.leaf_hash(b))
        i = leaf
        while i & 1:
            right = stack.pop()
            stack.append(v.node_hash(stack.pop(), right))
            i >>= 1
        leaf += 1
    if at != len(data):
        raise v.Refused("run: something follows")
    whole_tree = stack.pop()
    while stack:
        whole_tree = v.node_hash(stack.pop(), whole_tree)
    if whole_tree != root:
        raise v.Refused("run: not the leaves of the log")


def left_of(index, size, proof):
    """The hashes of a proof that stand left of the leaf: the tree before it, from the largest part to the smallest."""
    fn, sn, out = index, size - 1, []
    for p in proof:
        if fn & 1 or fn == sn:
            out.insert(0, p)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    return out


# --- all of it ---

def leads(data, seen, seen_root, size, root):
    """An earlier checkpoint to this one."""
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise v.Refused("consistency: cut off")
    v.check_consistency(seen, seen_root, size, root, [v.b64(x, 32) for x in lines])


def judge_stamped(files, verifier, size, root, last, tsa_ca):
    """The token's time, by `openssl ts`; None where nobody asks for it."""
    there = [n in files for n in ("stamped", "stamped.consistency", "stamped.tsr")]
    if any(there) and not all(there):
        raise v.Refused("stamped: its proof or its token is missing")
    seen = 0
    if all(there):
        seen, seen_root = v.checkpoint(files["stamped"], verifier)
        if not 0 < seen <= size:
            raise v.Refused("stamped: of another size than there can be")
        leads(files["stamped.consistency"], seen, seen_root, size, root)
    if not tsa_ca:
        return None
    if last >= seen:
        raise v.Refused("stamped: does not reach as far as what is carried")
    with tempfile.TemporaryDirectory() as d:
        for name, data in (("data", files["stamped"]), ("token", files["stamped.tsr"])):
            with open(os.path.join(d, name), "wb") as f:
                f.write(data)
        at = ["-data", os.path.join(d, "data"), "-in", os.path.join(d, "token")]
        if subprocess.run(["openssl", "ts", "-verify", *at, "-CAfile", tsa_ca], capture_output=True, check=False).returncode:
            raise v.Refused("stamped.tsr: no token of that authority over what was stamped")
        text = subprocess.run(["openssl", "ts", "-reply", "-text", *at[2:]], capture_output=True, check=True).stdout.decode()
    return re.search("^Time stamp: (.*)$", text, re.M).group(1)


def judge_cosigned(files, verifier, size, root, last, need):
    """How many PCs have cosigned the log as far as it is carried."""
    there = [n in files for n in ("cosigned", "cosigned.consistency", "witnesses")]
    if any(there) and not all(there):
        raise v.Refused("cosigned: its proof or its witnesses are missing")
    names = {}
    if all(there):
        seen, seen_root = v.checkpoint(files["cosigned"], verifier)
        if not 0 < seen <= size:
            raise v.Refused("cosigned: of another size than there can be")
        leads(files["cosigned.consistency"], seen, seen_root, size, root)
        lines = files["witnesses"].decode("utf-8", "replace").split("\n")
        if lines.pop() != "" or len(lines) > 16:
            raise v.Refused("witnesses: cut off, or too many")
        keys = [v.Witness(x).verifier for x in lines]
        signed = {(n, s[:4]) for n, s in v.note_parts(files["cosigned"])[1]}
        if any((k.name, k.hash) not in signed for k in keys):
            raise v.Refused("witnesses: a key of one that did not cosign")
        names = v.cosigners(files["cosigned"], keys)
        if need and last >= seen:
            raise v.Refused("what was cosigned does not reach as far")
    if len(names) < need:
        raise v.Refused("cosigned by %d, %d are asked for" % (len(names), need))
    return len(names)


def judge_gone(claim, chains, segments, own, book):
    """Bodies of the range that are not there: each by a record of a collector's, judged by their whole chains up to there.
    How many."""
    before = {}
    for leaf, s in sorted(own.items()):
        if s.producer != sekisho_retention.COLLECTOR or s.body is None or s.prev != before.get(s.host):
            raise v.Refused("retention: leaf %d is not the next one of a collector's own chain" % leaf)
        book.take(leaf, s)
        before[s.host] = s.hash
    if book.strangers:
        raise v.Refused("retention: leaf %d tells of it, by none of the log's collectors" % book.strangers[0])
    by, gone = {}, 0
    for leaf, s in sorted(segments.items()):
        k = chains[s.host.hex(), s.producer]
        if not k["first"] <= leaf <= k["last"]:
            continue
        record = book.cover(s.producer, leaf)
        if s.body is not None:
            if record:
                raise v.Refused("leaf %d: its body is there, and a record says that it expired" % leaf)
            continue
        if not record:
            raise v.Refused("leaf %d: removed: its body is not there, and no record here says that it expired" % leaf)
        gone += 1
        by[record[0], record[1][sekisho_retention.MONTH], s.producer] = record
    if own and not gone:
        raise v.Refused("retention: no body of the range is missing")
    for leaf, r in by.values():
        wrong = book.wrong(leaf, r)
        if wrong:
            raise v.Refused("retention: leaf %d: %s" % (leaf, wrong))
        print("%s %s expired by leaf %d" % (r[sekisho_retention.MONTH], sekisho_retention.CHANNELS[r[sekisho_retention.CHANNEL]], leaf))
    return gone


def judge(path, verifier, need=0, admins=None, tsa_ca=None):
    """The claim; or Refused."""
    e = v.Evidence()
    files = dict(entries(path))
    claim = claim_of(files["bundle.json"])
    size, root = v.checkpoint(files["checkpoint"], verifier)
    if size != claim["size"]:
        raise v.Refused("checkpoint: of another size than is claimed")
    inner = v.Verifier(files["log.vkey"].decode("utf-8", "replace"))
    if (inner.name, inner.hash) != (verifier.name, verifier.hash):
        raise v.Refused("log.vkey: another key than the one given")
    segments, own, left = {}, {}, []
    for name, data in files.items():
        if name.startswith("devices/"):
            if name != "devices/%s.pub" % v.sha256(data).hex():
                raise v.Refused("%s: not the key of that PC" % name)
            e.add_device(data)
        elif name.startswith("certificates/"):
            m = re.fullmatch("certificates/([0-9a-f]{64})/([0-9a-f]{16})\\.cose", name)
            if not m or bytes.fromhex(m.group(1)) not in e.devices:
                raise v.Refused("%s: of no PC that is here" % name)
            message = v.decode(data, name)
            v.conforms("epoch-certificate", message)
            p = v.decode(v.cose_check(message, e.devices[bytes.fromhex(m.group(1))], v.EPOCH_AAD), name)
            key = v.ed25519.Ed25519PublicKey.from_public_bytes(p[4])
            if p[1] != bytes.fromhex(m.group(1)):
                raise v.Refused("%s: of another PC" % name)
            e.epochs[p[1], p[2], p[3], v.sha256(v.spki(key))[:8]] = (p, key, data)
        elif name.startswith("segments/"):
            left = judge_entry(claim, e, files, name, data, segments, verifier) or left
        elif name.startswith("retention/"):
            judge_entry(claim, e, files, name, data, own, verifier)
    if not segments:
        raise v.Refused("nothing is carried")
    last = max([*segments, *own])
    judge_cosigned(files, verifier, size, root, last, need)
    stamped = judge_stamped(files, verifier, size, root, last, tsa_ca)
    if stamped:
        print("was there before %s" % stamped)
    good = e.judge()
    if e.problems or len(good) != len(segments) + len(own):
        raise v.Refused("; ".join(e.problems[:5]) or "a segment is not good")
    for s in good:
        told = s.h.get(16)
        if told and told[0] == size and told[1] != root:
            raise v.Refused("a PC saw another log of this size")
    chains = {(k["host"], k["producer"]): k for k in claim["chains"]}
    mine = {c: {} for c in chains}
    for leaf, s in segments.items():
        if (s.host.hex(), s.producer) not in chains:
            raise v.Refused("leaf %d: of a chain that is not claimed" % leaf)
        mine[s.host.hex(), s.producer][leaf] = s
    for c, k in chains.items():
        judge_chain(claim, k, mine[c])
    if (claim["run"] is None) != ("run.headers" not in files) or (claim["all"] and claim["run"] is None):
        raise v.Refused("run.headers: missing, or not claimed")
    if claim["run"] is not None:
        if claim["run"] != min(segments):
            raise v.Refused("the run does not begin with what is carried")
        judge_run(claim, files["run.headers"], left, root, segments, chains)
    gone = judge_gone(claim, chains, segments, own, sekisho_retention.Book(verifier, admins))
    rows = judge_list(claim, files["records.jsonl"], segments)
    if files["index.html"] != page(claim, rows, gone):
        raise v.Refused("index.html: not the page that is made from these records")
    return claim


def judge_entry(claim, e, files, name, data, segments, verifier):
    """A segment, a header, or a proof; the left part of the tree where it is the run's first."""
    m = re.fullmatch("(segments/|retention/)([0-9]{20})(\\.seg|\\.header|\\.tlog-proof)", name)
    if not m:
        raise v.Refused("%s: not the name of a segment" % name)
    stem = m.group(1) + m.group(2)
    if m.group(3) == ".tlog-proof":
        if stem + ".seg" not in files and stem + ".header" not in files:
            raise v.Refused("%s: proves nothing that is there" % name)
        return None
    if stem + ".tlog-proof" not in files or (m.group(3) == ".header" and stem + ".seg" in files):
        raise v.Refused("%s: no proof, or there twice" % name)
    if m.group(3) == ".seg":
        found = list(v.split(data, name))
        if len(found) != 1:
            raise v.Refused("%s: not one segment" % name)
        s = found[0]
    else:
        s = v.Segment(data, None, name)
    proof = files[stem + ".tlog-proof"]
    index, path, size, root = v.tlog_proof(proof, verifier)
    if index != int(m.group(2)) or not proof.endswith(b"\n\n" + files["checkpoint"]):
        raise v.Refused("%s: the proof is of another leaf or checkpoint" % name)
    v.check_inclusion(index, size, v.leaf_hash(s.leaf), path, root)
    segments[index] = s
    e.segments.append(s)
    return left_of(index, size, path) if index == claim["run"] else None


def main(argv):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--log-key", required=True, help="the log's verifier key: a file, from elsewhere than the bundle")
    ap.add_argument("--witnesses", type=int, default=0, help="that so many PCs have cosigned the log as far as it is carried")
    ap.add_argument("--tsa-ca", help="who may be the timestamp authority (PEM): it has to have stamped all that is carried")
    ap.add_argument("--admins", help="administrators' public keys, by which orders are judged")
    ap.add_argument("bundle")
    a = ap.parse_args(argv)
    try:
        with open(a.log_key, encoding="utf-8") as f:
            verifier = v.Verifier(f.read())
        claim = judge(a.bundle, verifier, a.witnesses, sekisho_retention.admins_of(a.admins) if a.admins else None,
                      a.tsa_ca)
    except v.Refused as e:
        print("problem: %s" % e)
        return 1
    print("%d chains, %d records listed, %s" % (
        len(claim["chains"]), claim["records"], "all PCs" if claim["all"] else "the PCs that are named"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
