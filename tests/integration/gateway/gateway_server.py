"""The gateway as it runs in its pod: gunicorn with its configuration, and a client for what curl cannot do."""

import http.client
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.process import Server, free_port

BOUNDARY = "the-boundary"


class GatewayServer(Server):
    """One gateway process, and the workers it starts."""

    name: ClassVar[str] = "gateway"

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__()
        self.metrics_port = free_port()
        self._settings = dict(settings) | {"GATEWAY_METRICS_PORT": str(self.metrics_port)}

    def command(self) -> Sequence[str]:
        """Return the image's command, on this server's port."""
        configuration = [
            "--config",
            "python:video2mp3_gateway.server.gunicorn_config",
            "--bind",
            f"{self.host}:{self.port}",
        ]
        return [sys.executable, "-m", "gunicorn", *configuration, "video2mp3_gateway.app.wsgi:create_app()"]

    def environment(self) -> Mapping[str, str]:
        """Return the settings."""
        return self._settings

    def answers(self) -> bool:
        """Ask for a sign of life."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                return True
        except OSError:
            return False

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.host}:{self.port}"

    def metrics(self) -> str:
        """What Prometheus reads."""
        with urllib.request.urlopen(f"http://{self.host}:{self.metrics_port}/metrics", timeout=20) as answer:
            return str(answer.read().decode())

    def ask_to_stop(self) -> None:
        """Send SIGTERM, as Kubernetes does, and do not wait for the end."""
        self._running_process().terminate()

    @property
    def worker_pid(self) -> int:
        """The process that does the work; its parent only watches it."""
        parent = self._running_process().pid
        [worker] = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return int(worker)

    def resident_bytes(self, field: str = "VmRSS") -> int:
        """Memory of the worker and its parent together; VmHWM is the most they ever had."""
        pids = (self.worker_pid, self._running_process().pid)
        return sum(status_bytes(pid, field) for pid in pids)

    def connect(self, timeout: float = 60) -> http.client.HTTPConnection:
        """A connection of one's own."""
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def begin_upload(self, token: str, length: int | None, filename: str = "talk.mp4") -> http.client.HTTPConnection:
        """Send an upload's head, and the beginning of its form; `length` is the file's, None for chunked."""
        opening = form_opening(filename)
        connection = self.connect()
        connection.putrequest("POST", "/upload")
        connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        if length is None:
            connection.putheader("Transfer-Encoding", "chunked")
        else:
            connection.putheader("Content-Length", str(len(opening) + length + len(form_closing())))
        connection.endheaders()
        connection.send(opening if length is not None else b"%x\r\n%s\r\n" % (len(opening), opening))
        return connection

    def upload(self, token: str, pieces: Iterator[bytes], length: int) -> http.client.HTTPResponse:
        """Send a whole upload, piece by piece."""
        connection = self.begin_upload(token, length)
        for piece in pieces:
            connection.send(piece)
        connection.send(form_closing())
        return connection.getresponse()


def form_opening(filename: str = "talk.mp4") -> bytes:
    """What stands before the file's bytes."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
    return f"{head}Content-Type: video/mp4\r\n\r\n".encode()


def form_closing() -> bytes:
    """What stands after them."""
    return f"\r\n--{BOUNDARY}--\r\n".encode()


def status_bytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has no {field}")
