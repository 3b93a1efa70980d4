"""/healthz, /readyz and /metrics, from a thread of their own: they answer even when the event loop does not."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

BEAT_SECONDS: Final = 1.0
"""How often the event loop says that it is alive."""

_LONGEST_SILENCE_SECONDS: Final = 30.0
"""Nothing in the event loop takes nearly as long; a loop that is silent for longer is stuck."""

_REQUEST_SECONDS: Final = 10
_TEXT: Final = "text/plain; charset=utf-8"

Answer = tuple[HTTPStatus, str, bytes]


class Health:
    """What is known about the notifier's own state. Written by the event loop, read by the probes' threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._last_beat = clock()
        self.consuming = False
        """Whether messages can arrive now."""

    def beat(self) -> None:
        """Say that the event loop runs."""
        self._last_beat = self._clock()

    @property
    def alive(self) -> bool:
        """Whether the event loop ran lately."""
        return self._clock() - self._last_beat < _LONGEST_SILENCE_SECONDS


def answer(path: str, health: Health, registry: CollectorRegistry) -> Answer:
    """Status, content type and body for a GET of `path`."""
    if path == "/healthz":
        return _probe(health.alive, "ok", "the event loop is stuck")
    if path == "/readyz":
        return _probe(health.consuming, "ready", "not connected to the broker")
    if path == "/metrics":
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry)
    return HTTPStatus.NOT_FOUND, _TEXT, b"there are /healthz, /readyz and /metrics\n"


def _probe(good: bool, well: str, ill: str) -> Answer:
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return status, _TEXT, f"{well if good else ill}\n".encode()


@contextmanager
def serving(port: int, health: Health, registry: CollectorRegistry) -> Iterator[None]:
    """Serve on every address of the pod until the end of the block. Raises OSError when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS

        def do_GET(self) -> None:
            status, content_type, body = answer(self.path, health, registry)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Probes are not worth a line."""

    with ThreadingHTTPServer(("", port), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
