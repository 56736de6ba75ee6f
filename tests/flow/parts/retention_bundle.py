"""Evidence bundles of flow 45, as the console makes them: of everything, and of one PC of which nothing is left.

  retention_bundle.py ALL ONE
"""
import sys

from console_desk import Person, same

auditor = Person("auditor", "auditor")
for path, query in ((sys.argv[1], ""), (sys.argv[2], "host=r1")):
    a = auditor.ask("GET", "/api/v1/bundle?" + query, status=200)
    same(a.type, "application/zip", "type")
    with open(path, "wb") as f:
        f.write(a.body)
