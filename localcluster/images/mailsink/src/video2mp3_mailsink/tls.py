"""The certificate of STARTTLS: the mounted one, or one made for this run."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CERTIFICATE = "tls.crt"
PRIVATE_KEY = "tls.key"
LIFETIME = timedelta(days=30)
"""Long enough for any local cluster, short enough that nobody relies on it."""


def server_context(directory: Path, hostname: str) -> ssl.SSLContext:
    """Load `tls.crt` and `tls.key` from the folder; where they are missing, use a self-signed pair made now."""
    if (directory / CERTIFICATE).is_file() and (directory / PRIVATE_KEY).is_file():
        return _load(directory)
    with tempfile.TemporaryDirectory() as temporary:
        write_self_signed(Path(temporary), hostname)
        return _load(Path(temporary))


def _load(directory: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / CERTIFICATE, directory / PRIVATE_KEY)
    return context


def write_self_signed(directory: Path, hostname: str) -> None:
    """Write a key and a self-signed certificate for one host name; clients may use the certificate as their CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = _self_signed(key, hostname, datetime.now(UTC))
    (directory / PRIVATE_KEY).touch(mode=0o600)
    (directory / PRIVATE_KEY).write_bytes(pem)
    (directory / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _self_signed(key: ec.EllipticCurvePrivateKey, hostname: str, now: datetime) -> x509.Certificate:
    # Python 3.13 verifies strictly (RFC 5280): a certificate that signs itself needs the key usage and the identifier.
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
