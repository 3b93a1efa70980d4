"""Clients without a login that hold connections and hardly use them, on loopback: slow heads, slow bodies, silence."""

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, Self

HEAD: Final = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nX-Slow: "
BODY: Final = b"POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100000\r\n\r\n"
SILENCE: Final = b""

_DRIP_SECONDS: Final = 5
_OTHER_FILES: Final = 300


def allowed(wanted: int) -> int:
    """How many connections of the wanted ones this process may have; raises its limit as far as it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else wanted + _OTHER_FILES
    if soft < most:
        soft = min(most, wanted + _OTHER_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(wanted, soft - _OTHER_FILES)


class Crowd:
    """Holds connections, sends a byte on each now and then, and comes back wherever it is shown out."""

    def __init__(self, address: tuple[str, int], beginnings: Iterable[bytes]) -> None:
        """`beginnings` are what each client sends first; one that begins with nothing stays silent."""
        self._address = address
        self._clients = [(beginning, self._connect(beginning)) for beginning in beginnings]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _connect(self, beginning: bytes) -> socket.socket:
        client = socket.create_connection(self._address, timeout=20)
        client.sendall(beginning)
        client.settimeout(0)
        return client

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for _, client in self._clients:
            client.close()

    def _run(self) -> None:
        while not self._done.wait(_DRIP_SECONDS):
            self._clients = [(beginning, self._drip(beginning, client)) for beginning, client in self._clients]

    def _drip(self, beginning: bytes, client: socket.socket) -> socket.socket:
        try:
            with contextlib.suppress(BlockingIOError):
                while client.recv(65536):
                    pass
                raise ConnectionResetError
            if beginning:
                client.send(b"x")
        except OSError:
            client.close()
            with contextlib.suppress(OSError):
                return self._connect(beginning)
        return client


def seconds_of(action: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
