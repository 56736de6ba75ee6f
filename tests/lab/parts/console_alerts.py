"""What an auditor is shown at the office's console: signs in as a person does, and writes the alerts there, with the record that each is about and
its proofs, to a file as JSON.

usage: console_alerts.py FILE COUNT   (CONSOLE_PORT, SEKISHO_ROOT; waits a minute until there are so many)
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../flow/parts"))
from console_desk import Person, until  # noqa: E402

out, count = sys.argv[1], int(sys.argv[2])
auditor = Person("auditor-%d" % os.getpid(), "auditor")


def alerts():
    return auditor.get("/api/v1/alerts?days=1")["alerts"]


def shown():
    return [dict(a, record=auditor.get("/api/v1/records/" + a["about"])) for a in alerts()]


until(lambda: len(alerts()) >= count, "%d alerts at the console" % count)
until(lambda: all(a["record"]["verified"]["inclusion"] for a in shown()), "the proofs of all")
with open(out, "w", encoding="utf-8") as f:
    json.dump(shown(), f, ensure_ascii=False)
