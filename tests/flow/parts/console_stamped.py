"""The time of a record by an authority, as the console tells it: for a record that a timestamp covers, the files with which others check it; for
one that none covers, nothing.

  console_stamped.py FOLDER TRUSTED     (TRUSTED: yes, no, or unjudged)
"""
import base64
import os
import sys

from console_desk import Person, same, true, until

folder, trusted = sys.argv[1], {"yes": True, "no": False, "unjudged": None}[sys.argv[2]]
auditor = Person("stamped-" + sys.argv[2], "auditor")
until(lambda: auditor.get("/api/v1/records?host=console&order=newest")["records"], "records")
rows = auditor.get("/api/v1/records?order=oldest")["records"]
oldest = auditor.get("/api/v1/records/" + rows[0]["row"])
s = oldest["stamped"]
same(s["trusted"], trusted, s["why"])
same((s["why"] is None, s["policy"], s["accuracy_us"], "時刻認証局" in s["authority"]), (trusted is not False, "1.2.3.4.1", 1000000, True), "what it says")
os.makedirs(folder)
for name, content in (("stamped.tsr", base64.b64decode(s["token"])), ("stamped", s["checkpoint"].encode()), ("stamped.tlog-proof", s["tlog_proof"].encode()),
                      ("time", s["time"].encode())):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(content)
true(s["tlog_proof"].endswith(s["checkpoint"]), "the proof is of that checkpoint")
newest = auditor.get("/api/v1/records?host=console&order=newest")["records"][0]
same(auditor.get("/api/v1/records/" + newest["row"])["stamped"], None, "not covered yet")
with open(os.path.join(folder, "segment.seg"), "wb") as f:
    f.write(auditor.ask("GET", "/api/v1/records/%s/segment" % rows[0]["row"], status=200).body)
