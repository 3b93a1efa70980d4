"""Gives up on clients that send, but hardly: a byte now and then would hold a thread and a place for hours.

A time limit on each read does not see them, since every byte starts it anew.
"""

import time
from collections.abc import Callable
from socket import socket
from typing import Any, Final

WINDOW_SECONDS: Final = 60.0
MIN_BYTES: Final = 16 * 1024
"""In each window. A telephone line is faster."""


class MinimumRateSocket:
    """A connection of which reading fails with TimeoutError when too little comes."""

    def __init__(self, connection: socket, clock: Callable[[], float] = time.monotonic) -> None:
        self.whole = connection
        """The connection itself."""

        self._clock = clock
        self._since = clock()
        self._received = 0

    def recv(self, size: int) -> bytes:
        """Read up to so many bytes, as a socket does."""
        data = self.whole.recv(size)
        self._received += len(data)
        now = self._clock()
        if now - self._since >= WINDOW_SECONDS:
            if self._received < MIN_BYTES:
                raise TimeoutError(f"only {self._received} bytes came in {now - self._since:.0f} s")
            self._since, self._received = now, 0
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)
