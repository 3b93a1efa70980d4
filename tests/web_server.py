"""A web server of the test's own, plain or with TLS, that does to a client what servers do."""

import contextlib
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

BLOCK_BYTES = 16_384
_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


class Request(BaseHTTPRequestHandler):
    """One request, with what a page may do about it."""

    server: "WebServer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.requests.append((self.path, dict(self.headers.items())))
        page = self.server.pages.get(self.path.partition("?")[0])
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            page(self) if page else self.answer(404)

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        """A whole answer; underscores in names of header fields are hyphens."""
        self.head(status, **{"Content_Length": str(len(content))} | headers)
        self.wfile.write(content)

    def head(self, status: int, **headers: str) -> None:
        """An answer's head alone."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


Page = Callable[[Request], None]


class WebServer(ThreadingHTTPServer):
    """Serves `pages`, by path, on a listening socket."""

    daemon_threads = True

    def __init__(self, listening: socket, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("", 0), Request, bind_and_activate=False)
        self.socket.close()
        self.socket = context.wrap_socket(listening, server_side=True) if context else listening
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Path and header fields of every request."""
        self.connections = 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def verify_request(self, *_arguments: Any) -> bool:
        """Count it: a connection alone is more than there may be to some servers."""
        self.connections += 1
        return True

    def stop(self) -> None:
        """Listen no longer."""
        self.shutdown()
        self.server_close()

    def handle_error(self, *_arguments: Any) -> None:
        """A client that hangs up is nothing to speak of."""


@dataclass
class StoredFile:
    """A page: a file as a good server hands it out, by ranges too. `cuts` are after how many bytes answers end."""

    content: bytes
    etag: str = '"1"'
    cuts: list[int] = field(default_factory=list)

    def __call__(self, request: Request) -> None:
        start, total = 0, len(self.content)
        if request.headers.get("If-Range") == self.etag:
            start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        ranged = {"Content_Range": f"bytes {start}-{total - 1}/{total}"} if start else {}
        request.head(206 if start else 200, Content_Length=str(total - start), ETag=self.etag, **ranged)
        end = start + self.cuts.pop(0) if self.cuts else total
        for position in range(start, end, BLOCK_BYTES):
            request.wfile.write(self.content[position : min(position + BLOCK_BYTES, end)])


def redirect(location: str, status: int = 302) -> Page:
    """A page that leads elsewhere."""
    return lambda request: request.answer(status, Location=location)


class Authority:
    """Signs certificates; `file` is its own, for those who are to believe it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
        self._own = self._certificate(self._key, self._name, x509.BasicConstraints(ca=True, path_length=0))
        self.file = folder / "ca.pem"
        self.file.write_bytes(self._own.public_bytes(Encoding.PEM))

    def context(self, *names: str, days: int = 1) -> ssl.SSLContext:
        """What a server with these names needs; with no days left, its certificate is over."""
        key, hosts = generate_private_key(SECP256R1()), x509.SubjectAlternativeName(list(map(x509.DNSName, names)))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = self._certificate(key, subject, hosts, days)
        file = self._folder / f"{certificate.serial_number}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _certificate(
        self, key: EllipticCurvePrivateKey, subject: x509.Name, extension: x509.ExtensionType, days: int = 1
    ) -> x509.Certificate:
        now, own = datetime.now(UTC), key is self._key
        uses = dict.fromkeys(_USES, False) | {"digital_signature": not own, "key_cert_sign": own, "crl_sign": own}
        ours = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=days, hours=-1))
            .add_extension(extension, critical=own)
            .add_extension(x509.KeyUsage(**uses), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ours), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256())
