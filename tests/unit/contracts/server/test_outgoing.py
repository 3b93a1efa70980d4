"""A client that reads slowly costs bytes, and no thread until they are many."""

import threading
from collections.abc import Iterator
from socket import SO_SNDBUF, SOL_SOCKET, socket, socketpair

import pytest

from video2mp3_contracts.server.limits import OUTGOING_BYTES
from video2mp3_contracts.server.outgoing import Client, beyond

KERNEL_BYTES = 4096


@pytest.fixture
def connection() -> Iterator[tuple[Client, socket]]:
    ours, theirs = socketpair()
    ours.setsockopt(SOL_SOCKET, SO_SNDBUF, KERNEL_BYTES)
    client = Client.of(ours)
    client.settimeout(0.2)
    theirs.settimeout(20)
    with client, theirs:
        yield client, theirs


def read(theirs: socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        received += theirs.recv(size)
    return received


def test_what_is_taken_at_once_is_not_kept(connection: tuple[Client, socket]) -> None:
    client, theirs = connection
    client.sendall(b"an answer")
    assert not client.unsent
    assert read(theirs, 9) == b"an answer"


def test_what_is_not_taken_is_kept_in_its_order(connection: tuple[Client, socket]) -> None:
    client, theirs = connection
    answer = bytes(range(256)) * 400
    client.sendall(answer[:100_000])
    client.sendall(answer[100_000:])
    assert len(client.unsent) > len(answer) // 2
    assert client.gettimeout() == 0.2, "a thread's patience stays what it was"
    received = b""
    while client.unsent:
        received += theirs.recv(65536)
        client.send_unsent()
    assert received + read(theirs, len(answer) - len(received)) == answer


def test_more_than_the_bound_waits_for_the_client(connection: tuple[Client, socket]) -> None:
    client, theirs = connection
    client.settimeout(20)
    answer = b"0123456789abcdef" * (OUTGOING_BYTES // 8)
    reader = threading.Thread(target=lambda: received.append(read(theirs, len(answer))))
    received: list[bytes] = []
    reader.start()
    client.sendall(answer[:1000])
    client.sendall(answer[1000:])
    assert not client.unsent
    reader.join()
    assert received == [answer]


def test_a_client_that_takes_nothing_is_given_up_and_nothing_kept(connection: tuple[Client, socket]) -> None:
    client, _ = connection
    client.sendall(b"x" * OUTGOING_BYTES)
    with pytest.raises(TimeoutError):
        client.sendall(b"x" * OUTGOING_BYTES)
    assert not client.unsent


@pytest.mark.parametrize(
    ("sizes", "gone"), [([], 0), ([4, 3, 3], 0), ([4, 3, 4], 1), ([1, 1, 9], 1), ([1, 2, 9], 2), ([1, 1, 11], 3)]
)
def test_beyond_the_bound_the_first_go(sizes: list[int], gone: int) -> None:
    assert beyond(sizes, 10) == gone
