"""short_certificate.py CA CERTIFICATE SECONDS: the certificate again, as the CA (a folder with ca.key and ca.crt) signs it, but for so long only."""
import datetime
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

ca, path, seconds = sys.argv[1:]
with open(f"{ca}/ca.key", "rb") as f:
    key = serialization.load_pem_private_key(f.read(), None)
with open(path, "rb") as f:
    was = x509.load_pem_x509_certificate(f.read())
now = datetime.datetime.utcnow()
b = x509.CertificateBuilder(was.issuer, was.subject, was.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(seconds=int(seconds)))
for e in was.extensions:
    b = b.add_extension(e.value, e.critical)
with open(path, "wb") as f:
    f.write(b.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
