"""An office's certificates for its people, in a folder: a root, its issuing CA, what they issued, good and bad, and lists of what is revoked
(RFC 5280). python3-cryptography, nothing of the C code."""
import datetime
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Use
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)
out = sys.argv[1]


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Issued:
    def __init__(self, cn, by=None, ca=False, use=Use.CLIENT_AUTH, begin=NOW - DAY, end=NOW + 30 * DAY):
        self.key, self.by = ec.generate_private_key(ec.SECP256R1()), by
        b = x509.CertificateBuilder().subject_name(name(cn)).issuer_name(by.cert.subject if by else name(cn))
        b = b.public_key(self.key.public_key()).serial_number(x509.random_serial_number())
        b = b.not_valid_before(begin).not_valid_after(end)
        b = b.add_extension(x509.BasicConstraints(ca, None), True)
        if not ca:
            b = b.add_extension(x509.ExtendedKeyUsage([use]), False)
        self.cert = b.sign(by.key if by else self.key, hashes.SHA256())

    def write(self, file):
        chain = [self.cert] + ([self.by.cert] if self.by and self.by.by else [])
        put(file + ".crt", b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain))
        put(file + ".key", self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def revoked(by, *certs, end=NOW + 7 * DAY):
    b = x509.CertificateRevocationListBuilder().issuer_name(by.cert.subject).last_update(NOW - 2 * DAY).next_update(end)
    for c in certs:
        b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(c.cert.serial_number).revocation_date(NOW - DAY).build())
    return b.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def put(file, data):
    with open(os.path.join(out, file), "wb") as f:
        f.write(data)


root = Issued("Office root", ca=True)
people = Issued("Office people", root, ca=True)
elsewhere = Issued("Elsewhere", ca=True)
again = Issued("Office root", ca=True)  # another CA that calls itself so
made = {
    "hanako": Issued("山田 花子", people),
    "tanaka": Issued("tanaka", people),
    "later": Issued("hanako's next one", root),
    "gone": Issued("gone", people),
    "old": Issued("old", people, begin=NOW - 3 * DAY, end=NOW - DAY),
    "early": Issued("early", people, begin=NOW + DAY),
    "server": Issued("server", people, use=Use.SERVER_AUTH),
    "foreign": Issued("foreign", elsewhere),
    "forged": Issued("山田 花子", again),
    "self": Issued("self"),
}
for file, one in made.items():
    one.write(file)
put("root.crt", root.cert.public_bytes(serialization.Encoding.PEM))
none = revoked(root)
put("revoked.crl", none + revoked(people, made["gone"]))
put("more.crl", none + revoked(people, made["gone"], made["hanako"]))
put("old.crl", none + revoked(people, made["gone"], end=NOW - DAY))
