"""An authority of one's own in SSL_CERT_FILE, where the chart's `caSecret` puts it, is trusted by every client."""

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.servers import MySQLServer
from tests.servers.process import HOST
from video2mp3_auth.mysql import connect
from video2mp3_localcluster.node.pki import create_self_signed

CLIENTS = {
    "pymongo": (
        "import pymongo\n"
        "pymongo.MongoClient('mongodb://localhost:{port}/?tls=true&serverSelectionTimeoutMS=3000').admin.command('ping')"
    ),
    "pika": "import pika\npika.BlockingConnection(pika.URLParameters('amqps://localhost:{port}/'))",
    "urllib3": "import urllib3\nurllib3.PoolManager(retries=False).request('GET', 'https://localhost:{port}/')",
}
"""Each as the services have it: with TLS, and without a word about authorities."""


class Handshakes:
    """A server that knows nothing but TLS, and counts who was content with its certificate."""

    def __init__(self, folder: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self._context = context
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self.content = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            raw.settimeout(10)
            try:
                with self._context.wrap_socket(raw, server_side=True) as connection:
                    # By TLS 1.3 a client that is not content says so after the server's last word.
                    self.content += bool(connection.recv(1))
            except OSError:
                continue

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Handshakes]:
    create_self_signed(tmp_path, "tls", "localhost")
    server = Handshakes(tmp_path)
    yield server
    server.close()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("trusted", [True, False])
def test_it_is_trusted_because_it_is_there(client: str, trusted: bool, server: Handshakes, tmp_path: Path) -> None:
    program = CLIENTS[client].format(port=server.port)
    environment = {"SSL_CERT_FILE": str(tmp_path / "tls.crt")} if trusted else {}

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode != 0, "a server that hangs up is no server"
    assert bool(server.content) == trusted, done.stderr
    assert ("CERTIFICATE_VERIFY_FAILED" in done.stderr) != trusted, done.stderr


def test_the_authorities_of_the_system_are_trusted_beside_it(tmp_path: Path) -> None:
    """OpenSSL takes the file in place of its own file, and the folder stays."""
    create_self_signed(tmp_path, "tls", "localhost")
    program = "import ssl\nprint(ssl.get_default_verify_paths().capath)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"SSL_CERT_FILE": str(tmp_path / "tls.crt")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert any(Path(done.stdout.strip()).glob("*.0"))


class CertifiedMySQL(MySQLServer):
    """With a certificate of ours."""

    def prepare(self) -> None:
        """Make the certificate as well."""
        super().prepare()
        create_self_signed(self.directory, "tls", "localhost")

    def options(self) -> Sequence[str]:
        """Return where it is."""
        return [
            *super().options(),
            f"--ssl-cert={self.directory / 'tls.crt'}",
            f"--ssl-key={self.directory / 'tls.key'}",
        ]


def test_mysqls_address_names_the_file_as_the_guide_says(tmp_path: Path) -> None:
    create_self_signed(tmp_path, "tls", "localhost")
    with CertifiedMySQL() as server:
        url = server.url.replace(f"@{HOST}:", "@localhost:")
        with connect(f"{url}?ssl_ca={server.directory / 'tls.crt'}").connect() as connection:
            assert connection.execute(text("SHOW STATUS LIKE 'Ssl_version'")).one()[1].startswith("TLSv1.")
        with pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
            connect(f"{url}?ssl_ca={tmp_path / 'tls.crt'}").connect()
