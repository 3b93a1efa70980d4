"""Clients that send, but hardly."""

from collections import deque
from socket import socket, socketpair
from types import SimpleNamespace
from typing import cast

import pytest

from tests.unit.gateway.fakes import FakeClock
from video2mp3_gateway.server import gunicorn_config
from video2mp3_gateway.server.minimum_rate import MIN_BYTES, WINDOW_SECONDS, MinimumRateSocket


class Connection:
    """A client that sends so many bytes at a time, each after so many seconds."""

    def __init__(self, clock: FakeClock, size: int, seconds: float) -> None:
        self.clock, self.size, self.seconds = clock, size, seconds

    def recv(self, size: int) -> bytes:
        self.clock.now += self.seconds
        return b"x" * min(size, self.size)

    def gettimeout(self) -> float:
        return 30


def paced(size: int, seconds: float) -> MinimumRateSocket:
    clock = FakeClock()
    return MinimumRateSocket(cast("socket", Connection(clock, size, seconds)), clock)


@pytest.mark.parametrize(("size", "seconds"), [(1, 0.001), (1000, 1), (MIN_BYTES, 59), (1_000_000, 29)])
def test_slow_is_fast_enough(size: int, seconds: float) -> None:
    connection = paced(size, seconds)
    for _ in range(500):
        assert len(connection.recv(10**6)) == min(size, 10**6)


@pytest.mark.parametrize(("size", "seconds"), [(1, 1), (100, 5), (MIN_BYTES - 1, WINDOW_SECONDS)])
def test_hardly_is_given_up(size: int, seconds: float) -> None:
    connection = paced(size, seconds)
    with pytest.raises(TimeoutError, match="bytes came"):
        deque((connection.recv(1000) for _ in range(200)), maxlen=0)


def test_it_is_a_socket_otherwise() -> None:
    assert paced(1, 1).gettimeout() == 30


def test_the_pause_before_the_next_request_on_a_connection_is_nobodys_slowness() -> None:
    """Only requests are paced, each by itself: what reads the next one's head is the connection."""
    ours, theirs = socketpair()
    with ours, theirs:
        request = SimpleNamespace(unreader=SimpleNamespace(sock=ours), path="/conversions")
        for _ in range(2):
            gunicorn_config.pre_request(None, request)
            assert isinstance(request.unreader.sock, MinimumRateSocket)
            gunicorn_config.post_request(None, request, {}, None)
            assert request.unreader.sock is ours
