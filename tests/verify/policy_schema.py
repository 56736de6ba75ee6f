#!/usr/bin/env python3
"""The JSON Schema that editors get beside the parser that decides: over the same documents, both take what is good and refuse what is not.

usage: policy_schema.py SCHEMA SEKISHOCTL
Documents are named here, and made by breaking the good ones at each key. jsonschema and PyYAML are not ours."""

import copy
import json
import subprocess
import sys
import tempfile

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """Times stay texts, as editors (YAML 1.2) have them."""


Loader.yaml_implicit_resolvers = {
    k: [(tag, rx) for tag, rx in v if tag != "tag:yaml.org,2002:timestamp"] for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

FULL = """
version: 12
mode: note
lockout: yes
defaults: {storage: read-only, phone: deny, hid: read-write}
release: {key: abc, max_hours: 8, per_day: 0}
past_cups: {action: deny, ports: [9100-9107, 631], local_ports: 60000, services: [cups.service]}
rules:
  - name: all keys
    match:
      kind: [storage, sd]
      listed: yes
      vendor: "0951"
      product: "0x1666"
      serial: "A*"
      no_serial: no
      fingerprint: sha256:%s
      interfaces: ["08:06:50", "08:*:*"]
      port: 1-2.3
      users: [taro, "h*"]
      groups: finance
      hosts: ["ws-*"]
      days: [mon-fri, Sun]
      hours: 22:00-06:00
      from: 2026-11-01
      until: 2026-12-31T18:00:00+09:00
      encrypted: no
    access: listed
    mode: enforce
expectations:
  - name: e
    device: {vendor: "0951", product: "1666", serial: X, kind: storage, fingerprint: %s, interfaces: "08:06:50", port: 1-1, encrypted: yes, medium: 1234-ABCD}
    user: taro
    groups: [finance]
    host: ws-1
    at: 2026-11-25 10:00
    access: read-only
documents:
  key: AAECAwQFBgcICQoLDA0ODw==
  known:
    - {name: plan, share: 40, sha256: %s, prints: "AAAAAAEAAAAAAgAAAAADAAAAAAQAAAAABQAAAAAGAAAAAAcAAAAACA=="}
print:
  default: note
  unavailable: hold
  unrecorded: allow
  ocr: yes
  ocr_seconds: 20
  ocr_seconds_per_hour: 180
  rules:
    - name: all
      match: {users: taro, groups: [g], hosts: h, days: mon-fri, hours: 07:00-19:00, from: 2026-11-01, until: 2026-12-31, printers: "p*", uris: "ipp:*", locations: 1F, titles: ["*x*"], formats: application/pdf, areas: [pay, "x*"], pages_over: 5, colour: no, my_numbers: 1, contains: ["a+"], documents: "p*", unreadable: yes}
      action: hold
      ask_reason: yes
      mode: note
      message: why
      message_ja: why
    - {name: told, match: {cards: 1}, action: alert}
  expectations:
    - name: e
      job: {user: taro, groups: [g], host: h, at: 2026-11-25 10:00, printer: p, uri: "ipp://x", location: 1F, title: y, format: application/pdf, area: pay, pages: 3, copies: 2, colour: yes, my_numbers: 0, documents: plan, unreadable: no}
      action: note
drives:
  default: note
  max_mib: 64
  scan: yes
  cloud: yes
  cloud_clients: ["/opt/sync/*", /usr/bin/nextcloud]
  ocr: no
  ocr_seconds: 1
  ocr_seconds_per_hour: 3600
  rules:
    - name: all
      match: {users: taro, groups: [g], hosts: h, days: mon-fri, hours: 07:00-19:00, from: 2026-11-01, until: 2026-12-31, paths: ["*.csv"], formats: xlsx, mib_over: 0, cloud: no, my_numbers: 1, cards: 2, contains: ["a+"], documents: [plan], unreadable: yes}
      action: alert
      ask_reason: yes
      mode: note
      message: why
      message_ja: why
  expectations:
    - name: e
      file: {user: taro, groups: [g], host: h, at: 2026-11-25 10:00, path: /media/x, format: pdf, mib: 3, cloud: yes, my_numbers: 0, documents: [plan], unreadable: no}
      action: note
protected:
  areas:
    - {name: pay, paths: [/srv/pay, "~/x/*.csv"], shares: ["//files/*"], users: [taro], groups: g, programs: "/usr/bin/*", others: alert, mode: note}
    - {name: share, shares: nas}
    - {name: closed, paths: /srv/closed, users: taro, purpose_minutes: 60, others: deny, in_doubt: allow}
    - {name: asked, paths: /srv/asked, purpose_minutes: 1440, others: alert}
  expectations:
    - {name: e, file: {path: /srv/pay/x, share: nas, user: taro, groups: [g], program: /usr/bin/vi, purpose: yes}, area: pay, action: allow}
""" % ("0a" * 32, "0B" * 32, "0c" * 32)

GOOD = [
    FULL,
    "version: 1",
    "version: 9223372036854775807",
    "{version: 1, rules: [], expectations: []}",
    "{version: 1, defaults: {}}",
    "{version: 1, rules: [{name: a, access: read-only}]}",
    "{version: 1, rules: [{name: a, match: {}, access: read-only}]}",
    "{version: 1, rules: [{name: a, match: {days: sat-mon, hours: 7:00-24:00}, access: read-write}]}",
    "{version: 1, rules: [{name: a, match: {kind: hub, vendor: 951, product: beef}, access: read-write, mode: note}]}",
    "{version: 1, rules: [{name: a, match: {from: 2026-11-01 10:00:30, until: '2026-11-02T00:00:00Z'}, access: deny}], mode: note}",
]

BAD = [
    "[]",
    "{}",
    "mode: note",
    "{version: 0}",
    "{version: -1}",
    "{version: one}",
    "{version: 1, vesion: 2}",
    "{version: 1, mode: watch}",
    "{version: 1, lockout: maybe}",
    "{version: 1, defaults: [storage]}",
    "{version: 1, defaults: {usb: deny}}",
    "{version: 1, defaults: {storage: listed}}",
    "{version: 1, release: {max_hours: 0}}",
    "{version: 1, release: {max_hours: 25}}",
    "{version: 1, release: {per_day: 101}}",
    "{version: 1, release: {key: ''}}",
    "{version: 1, release: {key: %s}}" % ("k" * 256),
    "{version: 1, past_cups: {action: refuse}}",
    "{version: 1, past_cups: {ports: 0}}",
    "{version: 1, past_cups: {ports: 65536}}",
    "{version: 1, past_cups: {ports: 9100-}}",
    "{version: 1, past_cups: {local_ports: []}}",
    "{version: 1, past_cups: {services: a/b}}",
    "{version: 1, past_cups: {services: [%s]}}" % ", ".join(["s"] * 9),
    "{version: 1, documents: {known: [{name: a, sha256: %s}]}}" % ("0a" * 32),
    "{version: 1, documents: {key: AAECAwQFBgcICQoLDA0ODw==, known: [{name: a}]}}",
    "{version: 1, documents: {key: AAECAwQFBgcICQoLDA0ODw==, known: [{name: 'a;b', sha256: %s}]}}" % ("0a" * 32),
    "{version: 1, documents: {key: AAECAw==, known: []}}",
    "{version: 1, documents: {key: AAECAwQFBgcICQoLDA0ODw==, known: [{name: a, prints: AAAAAAE=}]}}",
    "{version: 1, documents: {key: AAECAwQFBgcICQoLDA0ODw==, known: [{name: a, sha256: %s, share: 101}]}}" % ("0a" * 32),
    "{version: 1, protected: {areas: [{name: a}]}}",
    "{version: 1, protected: {areas: [{paths: /a}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: a}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, others: alert}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, users: u, others: hold}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, others: deny}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, users: u, in_doubt: allow}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, users: u, others: alert, in_doubt: deny}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, users: u, others: deny, in_doubt: note}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a/../b}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, purpose_minutes: 0}]}}",
    "{version: 1, protected: {areas: [{name: a, paths: /a, purpose_minutes: 1441}]}}",
    "{version: 1, print: {rules: [{name: a, action: note, ask_reason: yes}]}}",
    "{version: 1, print: {rules: [{name: a, action: hold, ask_reason: maybe}]}}",
    "{version: 1, print: {rules: [{name: a, action: quarantine}]}}",
    "{version: 1, print: {unavailable: alert}}",
    "{version: 1, print: {rules: [{name: a, action: alert, ask_reason: yes}]}}",
    "{version: 1, drives: {rules: [{name: a, action: allow, ask_reason: yes}]}}",
    "{version: 1, drives: {ocr: 1}}",
    "{version: 1, drives: {ocr_seconds: 0}}",
    "{version: 1, print: {ocr_seconds: 1000000}}",
    "{version: 1, print: {ocr_seconds_per_hour: 3601}}",
    "{version: 1, protected: {expectations: [{action: hold}]}}",
    "{version: 1, rules: {}}",
    "{version: 1, rules: [{name: a}]}",
    "{version: 1, rules: [{access: deny}]}",
    "{version: 1, rules: [{name: '', access: read-only}]}",
    "{version: 1, rules: [{name: %s, access: read-only}]}" % ("n" * 64),
    "{version: 1, rules: [{name: a, access: allow}]}",
    "{version: 1, rules: [{name: a, access: read-only, when: now}]}",
    "{version: 1, rules: [{name: a, match: [], access: read-only}]}",
    "{version: 1, expectations: [{access: read-only}]}",
    "{version: 1, expectations: [{device: {}}]}",
    "{version: 1, expectations: [{device: {}, access: listed}]}",
    "{version: 1, expectations: [{device: {disk: sdb}, access: read-only}]}",
    "{version: 1, expectations: [{device: {kind: []}, access: read-only}]}",
    "{version: 1, expectations: [{device: {}, name: '', access: read-only}]}",
] + [
    "{version: 1, rules: [{name: a, match: {%s}, access: read-only}]}" % m
    for m in (
        "kind: disk", "kind: []", "kind: [storage, disk]", "listed: 2", "vendor: 12345", "vendor: xyz", "vendor: ''", "product: '0x'", "product: [1666]",
        "serial: ''", "serial: [a]", "no_serial: never", "fingerprint: abc", "fingerprint: %s" % ("zz" * 32), "interfaces: []", "interfaces: '08'",
        "interfaces: '08:06'", "interfaces: '08:06:50:00'", "interfaces: '8:6:50'", "interfaces: [%s]" % ", ".join(["'08:06:50'"] * 17), "port: ''",
        "users: []", "users: ['']", "groups: [[a]]", "hosts: {a: b}", "hosts: [%s]" % ", ".join(["h"] * 257), "days: monday", "days: []", "days: mon-",
        "hours: 25:00-26:00", "hours: 07:00", "hours: 07:60-08:00", "hours: 24:00-08:00", "hours: 07:00-24:01", "hours: [07:00-08:00]", "from: tomorrow",
        "from: '10:00'", "until: 2026/12/31", "until: -3d", "encrypted: luks", "color: red",
    )
]


def broken(good):
    """The good document with each of its keys made something that it cannot be: an unknown name, a list of a list."""
    document = yaml.load(good, Loader)

    def paths(node, at=()):
        if isinstance(node, dict):
            for k, v in node.items():
                yield at + (k,)
                yield from paths(v, at + (k,))
        elif isinstance(node, list):
            for i, v in enumerate(node):
                yield from paths(v, at + (i,))

    for path in paths(document):
        for how in ("rename", "nest"):
            other = copy.deepcopy(document)
            node = other
            for step in path[:-1]:
                node = node[step]
            if how == "rename":
                node["no_such_key"] = node.pop(path[-1])
            else:
                node[path[-1]] = [[node[path[-1]]]]
            yield json.dumps(other)


def schema_takes(validator, text):
    return not list(validator.iter_errors(yaml.load(text, Loader)))


def parser_takes(program, text):
    """What is read is judged in JSON, good or not; what is not read has no JSON."""
    with tempfile.TemporaryDirectory() as place:
        with open(place + "/policy.yaml", "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run([program, "policy", "check", "--json", place + "/policy.yaml"], capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"sekishoctl ended with {done.returncode}: {done.stderr.decode()}\n{text}")
    return bool(done.stdout.strip())


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = seen = 0
    for want, texts in ((True, GOOD), (False, BAD), (False, list(broken(FULL)))):
        for text in texts:
            seen += 1
            for who, takes in (("the schema", schema_takes(validator, text)), ("the parser", parser_takes(sys.argv[2], text))):
                if takes != want:
                    wrong += 1
                    print(f"{who} {'takes' if takes else 'refuses'}: {text}")
    print(f"{seen} documents, {wrong} answers are wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
