"""A validator for the part of CDDL (RFC 8610) that policy/wire/segment.cddl uses.

Used by sekisho_verify.py and the tests beside it. It judges values that a CBOR decoder made: integers, byte and text
strings, lists, maps, tags. What the grammar file says is what counts here; no rule about segments is written in Python.
"""
import re

TOKEN = re.compile(
    r"""[ \t\r\n]+ | ;[^\n]* |
    (?P<occurs> \d*\*\d* ) | (?P<range> \.\. ) | (?P<control> \.(?:size|cbor)\b ) | (?P<tag> \#6\.\d+ ) |
    (?P<number> -?\d+ ) | (?P<name> [A-Za-z][A-Za-z0-9_-]* ) | (?P<sign> => | [=/,:?{}\[\]()] )""", re.X)

PRELUDE = ("uint", "int", "bstr", "tstr", "any", "bool")


class Mismatch(Exception):
    """A value that the grammar does not allow; the text says where in the value."""


def tokens(text):
    at = 0
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise ValueError("cddl: unknown text at %r" % text[at:at + 20])
        if m.lastgroup:
            yield m.lastgroup, m.group()
        at = m.end()
    yield "end", ""


class Grammar:
    def __init__(self, text, decode):
        """`decode(bytes)` turns the contents of a `.cbor` string into a value, or raises."""
        self.decode = decode
        self.rules = {}
        self.tok = list(tokens(text))
        self.at = 0
        while self.tok[self.at][0] != "end":
            name = self.take("name")
            self.take("sign", "=")
            if name in self.rules:
                raise ValueError("cddl: %s is defined twice" % name)
            self.rules[name] = self.type()
        for rule in self.rules.values():
            self.check_names(rule)

    # --- reading the grammar ---

    def take(self, kind, value=None):
        k, v = self.tok[self.at]
        if k != kind or value not in (None, v):
            raise ValueError("cddl: %r where %s belongs" % (v, value or kind))
        self.at += 1
        return v

    def accept(self, value):
        if self.tok[self.at] == ("sign", value):
            self.at += 1
            return True
        return False

    def type(self):
        choices = [self.type1()]
        while self.accept("/"):
            choices.append(self.type1())
        return choices[0] if len(choices) == 1 else ("choice", choices)

    def type1(self):
        left = self.type2()
        kind, value = self.tok[self.at]
        if kind == "range":
            self.at += 1
            return ("range", left[1], self.type2()[1])
        if kind == "control":
            self.at += 1
            return (value[1:], left, self.type2())
        return left

    def type2(self):
        kind, value = self.tok[self.at]
        self.at += 1
        if kind == "number":
            return ("value", int(value))
        if kind == "name":
            return ("name", value)
        if kind == "tag":
            self.take("sign", "(")
            inner = self.type()
            self.take("sign", ")")
            return ("tag", int(value[3:]), inner)
        if value == "(":
            inner = self.type()
            self.take("sign", ")")
            return inner
        if value in "{[":
            return ("map" if value == "{" else "array", self.group("}" if value == "{" else "]"))
        raise ValueError("cddl: %r where a type belongs" % value)

    def group(self, end):
        entries = []
        while not self.accept(end):
            low, high, cut, key = 1, 1, True, None
            kind, value = self.tok[self.at]
            if kind == "occurs":
                self.at += 1
                a, b = value.split("*")
                low, high = int(a or 0), int(b) if b else None
            elif self.accept("?"):
                low = 0
            what = self.type()
            if self.accept(":"):
                key, what = what, self.type()
            elif self.accept("=>"):
                key, what, cut = what, self.type(), False
            entries.append((low, high, key, cut, what))
            self.accept(",")
        return entries

    def check_names(self, t):
        if t[0] == "name":
            if t[1] not in self.rules and t[1] not in PRELUDE:
                raise ValueError("cddl: %s is not defined" % t[1])
        elif t[0] == "choice":
            for c in t[1]:
                self.check_names(c)
        elif t[0] in ("map", "array"):
            for _, _, key, _, what in t[1]:
                if key and t[0] == "map":
                    self.check_names(key)
                self.check_names(what)
        elif t[0] in ("size", "cbor"):
            self.check_names(t[1])
            self.check_names(t[2])
        elif t[0] == "tag":
            self.check_names(t[2])

    # --- judging values ---

    def check(self, rule, value):
        self.judge(self.rules[rule], value, rule)

    def fits(self, t, value):
        try:
            self.judge(t, value, "")
            return True
        except Mismatch:
            return False

    def judge(self, t, v, where):
        getattr(self, "judge_" + t[0])(t, v, where)

    def judge_name(self, t, v, where):
        name = t[1]
        if name in self.rules:
            return self.judge(self.rules[name], v, where)
        whole = isinstance(v, int) and not isinstance(v, bool)
        ok = {"uint": whole and 0 <= v < 1 << 64, "int": whole and -(1 << 64) <= v < 1 << 64,
              "bstr": isinstance(v, bytes), "tstr": isinstance(v, str), "bool": isinstance(v, bool), "any": True}[name]
        if not ok:
            raise Mismatch("%s: not %s" % (where, name))

    def judge_value(self, t, v, where):
        if isinstance(v, bool) or not isinstance(v, int) or v != t[1]:
            raise Mismatch("%s: not %d" % (where, t[1]))

    def judge_range(self, t, v, where):
        if isinstance(v, bool) or not isinstance(v, int) or not t[1] <= v <= t[2]:
            raise Mismatch("%s: not within %d..%d" % (where, t[1], t[2]))

    def judge_choice(self, t, v, where):
        if not any(self.fits(c, v) for c in t[1]):
            raise Mismatch("%s: none of the choices" % where)

    def judge_size(self, t, v, where):
        self.judge(t[1], v, where)
        n = len(v.encode()) if isinstance(v, str) else len(v)
        if not self.fits(t[2], n):
            raise Mismatch("%s: %d bytes long" % (where, n))

    def judge_cbor(self, t, v, where):
        self.judge(t[1], v, where)
        self.judge(t[2], self.decode(v), where)

    def judge_tag(self, t, v, where):
        if getattr(v, "tag", None) != t[1]:
            raise Mismatch("%s: no tag %d" % (where, t[1]))
        self.judge(t[2], v.value, where)

    def judge_array(self, t, v, where):
        if not isinstance(v, (list, tuple)) or len(v) != len(t[1]):
            raise Mismatch("%s: not an array of %d" % (where, len(t[1])))
        for i, (entry, item) in enumerate(zip(t[1], v)):
            key = entry[2]
            self.judge(entry[4], item, "%s.%s" % (where, key[1] if key else i))

    def judge_map(self, t, v, where):
        if not isinstance(v, dict):
            raise Mismatch("%s: not a map" % where)
        rest = dict(v)
        for low, _, key, cut, what in t[1]:
            if cut:
                if key[1] in rest:
                    self.judge(what, rest.pop(key[1]), "%s.%s" % (where, key[1]))
                elif low:
                    raise Mismatch("%s.%s: is missing" % (where, key[1]))
        for low, high, key, cut, what in t[1]:
            if cut:
                continue
            mine = [k for k in rest if self.fits(key, k)]
            for k in mine:
                self.judge(what, rest.pop(k), "%s.%s" % (where, k))
            if len(mine) < low or (high is not None and len(mine) > high):
                raise Mismatch("%s: %d entries of one kind" % (where, len(mine)))
        if rest:
            raise Mismatch("%s: %r does not belong there" % (where, sorted(rest, key=repr)[0]))
