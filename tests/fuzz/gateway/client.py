"""Sends a case on a connection of its own, and reads all that comes."""

import contextlib
import socket
import time
from dataclasses import dataclass
from enum import StrEnum
from select import select
from typing import Final

from tests.fuzz.gateway.answers import is_answered
from tests.fuzz.gateway.case import TOKEN, Case, Ending
from video2mp3_contracts.server.limits import LINGER_SECONDS, SOCKET_SECONDS

SPARE_SECONDS: Final = 30
"""What a busy machine may need on top of a time limit."""

PATIENCE_SECONDS: Final = SOCKET_SECONDS + SPARE_SECONDS
"""The longest that the gateway waits for a client that is silent; heads have less."""

CLOSE_SECONDS: Final = LINGER_SECONDS + SPARE_SECONDS
"""The longest that it holds a client that has said that no more comes."""

_RECEIVE_BYTES: Final = 65_536


class End(StrEnum):
    """How the connection ended."""

    CLOSED = "closed"
    RESET = "reset"
    HELD = "held"
    """It did not, in time."""

    LEFT = "left"
    """The client went."""


@dataclass(frozen=True)
class Exchange:
    """What came back."""

    received: bytes
    end: End
    seconds: float


class _Broken(Exception):
    """The gateway has closed, or reset, the connection."""


class _Client:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.received = b""

    def send(self, data: bytes) -> None:
        """Send it, and take what comes meanwhile. Raises _Broken and TimeoutError."""
        deadline, left = time.monotonic() + PATIENCE_SECONDS, memoryview(data)
        while left:
            readable, writable, _ = select(
                [self._connection], [self._connection], [], max(0, deadline - time.monotonic())
            )
            if readable:
                self._receive()
            if writable:
                left = left[self._send_some(left) :]
            if not (readable or writable):
                raise TimeoutError

    def _send_some(self, data: memoryview) -> int:
        try:
            return self._connection.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.read(CLOSE_SECONDS)  # the answer may be there still
            raise _Broken from None

    def read(self, seconds: float, *, first_answer: bool = False) -> None:
        """Read until the end, which raises _Broken, or until an answer is whole. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not (first_answer and is_answered(self.received)):
            readable, _, _ = select([self._connection], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                raise TimeoutError
            self._receive()

    def _receive(self) -> None:
        data = self._connection.recv(_RECEIVE_BYTES)
        if not data:
            raise _Broken
        self.received += data


def exchange(address: tuple[str, int], case: Case, token: str) -> Exchange:
    """Do what the case says. Raises OSError only where there is no connection to be had."""
    begun = time.monotonic()
    with socket.create_connection(address, timeout=SPARE_SECONDS) as connection:
        connection.settimeout(0)
        client = _Client(connection)
        try:
            end = _through(client, connection, case, token.encode())
        except _Broken:
            end = End.CLOSED
        except ConnectionResetError:
            end = End.RESET
        except TimeoutError:
            end = End.HELD
    return Exchange(client.received, end, time.monotonic() - begun)


def _through(client: _Client, connection: socket.socket, case: Case, token: bytes) -> End:
    for place, piece in enumerate(_with_token(case.pieces, token)):
        if place:
            time.sleep(case.pause_seconds)  # this is what the case is
        client.send(piece)
    if case.ending is Ending.HANG_UP:
        return End.LEFT
    if case.ending is Ending.WAIT:
        client.read(PATIENCE_SECONDS, first_answer=True)
    with contextlib.suppress(OSError):  # where the gateway was first
        connection.shutdown(socket.SHUT_WR)
    client.read(CLOSE_SECONDS)
    raise AssertionError("reading ends by an exception")


def _with_token(pieces: tuple[bytes, ...], token: bytes) -> tuple[bytes, ...]:
    """The pieces with the real token; one that was cut in two is no token."""
    return tuple(piece.replace(TOKEN, token) for piece in pieces)
