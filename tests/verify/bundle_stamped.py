"""Evidence bundles with an authority's timestamp (RFC 3161, made by `openssl ts`), honest and forged. Used by
bundle_forgeries.py; all of these are judged with the authority's CA."""
import base64
import os
import subprocess

import bundle_forgeries as f
import sekisho_verify as v
from sekisho_write import Log, consistency

HONEST, FORGED = {}, {}
FOLDER = None
CONFIG = """[tsa]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[t]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def run(*args, **more):
    return subprocess.run(["openssl", *args], cwd=FOLDER, check=True, capture_output=True, **more).stdout


def begin(folder):
    """Two authorities, of which the first is the auditor's. Its CA."""
    global FOLDER
    FOLDER = folder
    os.mkdir(folder)
    for name, text in (("conf", CONFIG), ("serial", "01\n")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as out:
            out.write(text)
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tsa.key", "-out", "csr", "-subj", "/CN=tsa")
    for ca in ("ca", "foreign"):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", ca + ".key", "-out", ca + ".crt",
            "-subj", "/CN=" + ca, "-days", "3")
        run("x509", "-req", "-in", "csr", "-CA", ca + ".crt", "-CAkey", ca + ".key", "-CAcreateserial", "-days", "2", "-extfile", "conf",
            "-extensions", "tsa", "-out", "tsa-%s.crt" % ca)
    return os.path.join(folder, "ca.crt")


def token(data, ca="ca"):
    with open(os.path.join(FOLDER, "data"), "wb") as out:
        out.write(data)
    run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query")
    return run("ts", "-reply", "-config", "conf", "-section", "t", "-queryfile", "query", "-signer", "tsa-%s.crt" % ca, "-inkey", "tsa.key")


def case(to, size=None):
    """A bundle whose log was stamped at `size` (None: at its end); the function changes the three entries."""
    def keep(change):
        def make(path):
            x = f.Bundle(f.World())
            log = x.w.log
            note = log.checkpoint(size)
            proof = consistency(size or len(log.leaves), [v.leaf_hash(leaf) for leaf in log.leaves])
            d = {"stamped": note, "stamped.consistency": b"".join(base64.b64encode(h) + b"\n" for h in proof), "stamped.tsr": token(note)}
            change(d, x)
            x.stamped = list(d.items())
            x.write(path)
        to["stamped-" + change.__name__.replace("_", "-")] = make
        return change
    return keep


@case(HONEST)
def at_its_end(d, x):
    pass


@case(FORGED, size=5)
def before_what_is_carried(d, x):
    pass


@case(FORGED)
def by_another_authority(d, x):
    d["stamped.tsr"] = token(d["stamped"], "foreign")


@case(FORGED)
def of_other_bytes(d, x):
    d["stamped.tsr"] = token(d["stamped"] + b"\n")


@case(FORGED)
def token_changed(d, x):
    d["stamped.tsr"] = f.flip(d["stamped.tsr"], len(d["stamped.tsr"]) - 9)


@case(FORGED)
def token_emptied(d, x):
    d["stamped.tsr"] = b""


@case(FORGED)
def token_missing(d, x):
    del d["stamped.tsr"]


@case(FORGED)
def proof_missing(d, x):
    del d["stamped.consistency"]


@case(FORGED)
def note_missing(d, x):
    del d["stamped"]


@case(FORGED, size=11)
def proof_changed(d, x):
    rows = d["stamped.consistency"].split(b"\n")
    d["stamped.consistency"] = b"\n".join([base64.b64encode(bytes(32))] + rows[1:])


@case(FORGED)
def another_log(d, x):
    other = Log(seed="forger")
    other.leaves = x.w.log.leaves
    d["stamped"] = other.checkpoint()
    d["stamped.tsr"] = token(d["stamped"])


@case(FORGED)
def another_root(d, x):
    d["stamped"] = x.w.log.checkpoint(root=bytes(32))
    d["stamped.tsr"] = token(d["stamped"])


@case(FORGED)
def more_than_there_is(d, x):
    d["stamped"] = x.w.log.checkpoint(len(x.w.leaves) + 1, bytes(32))
    d["stamped.tsr"] = token(d["stamped"])


@case(FORGED)
def nothing_stamped(d, x):
    d.clear()
