"""The certificate of both kinds of SMTP with TLS, which is mounted."""

import ssl
from pathlib import Path


def server_context(directory: Path) -> ssl.SSLContext | None:
    """Load `tls.crt` and `tls.key` from the folder; None where there is no such pair."""
    certificate, key = directory / "tls.crt", directory / "tls.key"
    if not (certificate.is_file() and key.is_file()):
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
