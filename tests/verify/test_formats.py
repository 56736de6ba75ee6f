#!/usr/bin/python3
"""What tests/verify stands on, tested: the grammar against the field table, trees against their definition, golden bytes,
and every forgery against the outside verifier. Called by tests/flow/60-outside-verifier.
"""
import glob
import io
import os
import re
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

import forgeries
import sekisho_verify as v
import sekisho_write as w

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
GOLDEN = os.path.join(ROOT, "tests/unit/wire/data/golden")
TYPES = {"UINT": "uint", "INT": "int64", "NAME": "name", "BYTES": "bytes", "ENUM": "enum", "TIME": "wall-us",
         "DURATION": "span-us"}


def fields_def():
    with open(os.path.join(ROOT, "policy/wire/fields.def"), encoding="utf-8") as f:
        return {int(n): (name, TYPES[t]) for n, name, t in
                re.findall(r"^FIELD\(\s*(\d+),\s*\w+,\s*(\w+),\s*(\w+),", f.read(), re.M)}


def grammar_fields(rule):
    """Fields by number of one rule: from the text, for the names in its comments."""
    with open(v.GRAMMAR, encoding="utf-8") as f:
        text = re.search(r"^%s = \{\n(.*?)^\}" % rule, f.read(), re.M | re.S).group(1)
    return {int(n): (name, t) for n, t, name in re.findall(r"^\t\? (\d+): ([\w-]+),\s*; (\w+)", text, re.M)}


def verify(top, *more):
    args = ["--device", os.path.join(top, "device.pub"), *more]
    if os.path.exists(os.path.join(top, "checkpoint")):
        args += ["--log-key", os.path.join(top, "log.vkey"), "--checkpoint", os.path.join(top, "checkpoint")]
    out = io.StringIO()
    with redirect_stdout(out):
        status = v.main(args + [top])
    return status, out.getvalue()


class Grammar(unittest.TestCase):
    def test_fields_are_those_of_the_table(self):
        table = fields_def()
        self.assertGreater(len(table), 40)
        subject = {n: f for n, f in table.items() if 10 <= n < 30}
        record = {n: f for n, f in table.items() if not 10 <= n < 30 and n > 3}
        self.assertEqual(grammar_fields("subject"), subject)
        have = grammar_fields("record")
        self.assertEqual(have.pop(9), ("subject", "uint"))
        self.assertEqual(have, record)

    def test_unknown_numbers_are_the_gaps(self):
        table = fields_def()
        for n in range(4, 200):
            if n == 9:
                continue
            item = {1: 4, 2: 0, n: [b"", {1: "x"}]}
            fits = n not in table and not 10 <= n < 22
            with self.subTest(n):
                try:
                    v.conforms("record", item)
                    self.assertTrue(fits)
                except v.Refused:
                    self.assertFalse(fits)

    def test_a_field_of_the_wrong_type_is_no_unknown_one(self):
        with self.assertRaises(v.Refused):
            v.conforms("record", {1: 4, 2: 0, 30: 7})


class Trees(unittest.TestCase):
    def test_proofs_of_all_small_trees(self):
        leaves = [v.leaf_hash(b"%d" % i) for i in range(70)]
        for n in range(1, len(leaves) + 1):
            root = v.tree_root(leaves[:n])
            for i in range(n):
                v.check_inclusion(i, n, leaves[i], w.inclusion(i, leaves[:n]), root)
                with self.assertRaises(v.Refused):
                    v.check_inclusion(i, n, v.leaf_hash(b"x"), w.inclusion(i, leaves[:n]), root)
            for m in range(1, n):
                proof = w.consistency(m, leaves[:n])
                v.check_consistency(m, v.tree_root(leaves[:m]), n, root, proof)
                with self.assertRaises(v.Refused):
                    v.check_consistency(m, v.leaf_hash(b"x"), n, root, proof)

    def test_known_roots(self):
        # The test vectors of RFC 6962's first implementation (Certificate Transparency).
        inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        leaves = [v.leaf_hash(bytes.fromhex(x)) for x in inputs]
        self.assertEqual(v.tree_root([]).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        self.assertEqual(v.tree_root(leaves[:1]).hex(),
                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
        self.assertEqual(v.tree_root(leaves).hex(),
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")


class Evidence(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory()
        self.addCleanup(self.top.cleanup)

    def test_honest_evidence_is_accepted(self):
        forgeries.lay(self.top.name)
        status, out = verify(self.top.name)
        self.assertEqual(status, 0, out)
        self.assertIn("8 segments, 8 good, 8 proven", out)

    def test_every_forgery_is_refused(self):
        self.assertGreater(len(forgeries.FORGERIES), 70)
        for name, make in forgeries.FORGERIES.items():
            with self.subTest(name):
                top = os.path.join(self.top.name, name)
                make(top)
                status, out = verify(top)
                self.assertEqual(status, 1)
                self.assertIn("problem: ", out)

    def test_nothing_given_is_nothing_verified(self):
        forgeries.lay(self.top.name)
        out = io.StringIO()
        with redirect_stdout(out):
            self.assertEqual(v.main([self.top.name]), 1)

    def test_golden_bytes(self):
        status, out = verify(GOLDEN)
        self.assertEqual(status, 0, out)
        segs = sorted(glob.glob(os.path.join(GOLDEN, "*.seg")))
        self.assertGreaterEqual(len(segs), 6)
        with open(segs[0], "rb") as f:
            first = next(v.split(f.read(), "golden"))
        got = [{k: x for k, x in r.items() if k > 3} for r in first.records()]
        want = [{k: x for k, x in r.items() if k > 3} for r in w.example_records()]
        self.assertEqual(got, want)


class Tiles(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory()
        self.addCleanup(self.top.cleanup)
        self.whole = os.path.join(self.top.name, "000")
        self.partial = self.whole + ".p/2"
        os.mkdir(self.whole + ".p")
        self.write(self.partial, b"ab")

    def write(self, path, data):
        with open(path, "wb") as f:
            f.write(data)

    def grown(self, whole):
        """A collector that goes on puts the whole tile there, and takes the partial one away, when that is about to be opened."""
        def opened(path, *more):
            if path == self.partial and os.path.exists(path):
                if whole is not None:
                    self.write(self.whole, whole)
                os.unlink(path)
            return open(path, *more)
        v.open = opened
        self.addCleanup(delattr, v, "open")

    def test_whole_one_takes_its_place_meanwhile(self):
        self.grown(b"abcd")
        v.same_file(self.whole, 2, b"ab", "hash tile")

    def test_another_whole_one_meanwhile(self):
        self.grown(b"axcd")
        with self.assertRaises(v.Refused):
            v.same_file(self.whole, 2, b"ab", "hash tile")

    def test_gone_altogether(self):
        self.grown(None)
        with self.assertRaises(v.Refused):
            v.same_file(self.whole, 2, b"ab", "hash tile")

    def test_partial_one_that_is_there_is_judged(self):
        self.write(self.whole, b"abcd")
        self.write(self.partial, b"xb")
        with self.assertRaises(v.Refused):
            v.same_file(self.whole, 2, b"ab", "hash tile")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write-golden"]:
        forgeries.lay(GOLDEN)
    else:
        unittest.main()
