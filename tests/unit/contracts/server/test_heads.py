"""When a request's head is whole, and when it never will be."""

import pytest

from video2mp3_contracts.server.heads import Head
from video2mp3_contracts.server.limits import MAX_HEAD_BYTES

HEAD = b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"


def long_head(size: int) -> bytes:
    return b"GET / HTTP/1.1\r\nCookie: " + b"x" * (size - 28) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "whole", "too_large"),
    [
        (b"", False, False),
        (HEAD[:-1], False, False),
        (HEAD, True, False),
        (HEAD + b"the body", True, False),
        (b"\r\n" + HEAD, True, False),
        (b"GET / HTTP/1.1\r\n\r\n", True, False),
        (b"GET / HTTP/1.1\nHost: gateway\n\n", True, False),
        (b"GET / HTTP/1.1\r\nHost: gateway\n\r\n", True, False),
        (b"x" * MAX_HEAD_BYTES, False, False),
        (b"x" * (MAX_HEAD_BYTES + 1), False, True),
        (long_head(MAX_HEAD_BYTES), True, False),
        (long_head(MAX_HEAD_BYTES + 1), False, True),
        (HEAD + b"x" * MAX_HEAD_BYTES, True, False),
    ],
)
@pytest.mark.parametrize("pieces", [1, 7, 10**6])
def test_the_empty_line_ends_it_however_it_comes(received: bytes, whole: bool, too_large: bool, pieces: int) -> None:
    head = Head()
    for start in range(0, len(received), pieces):
        head.add(received[start : start + pieces])
    assert (head.begun, head.whole, head.too_large) == (received != b"", whole, too_large)
    assert head.take() == received
    assert (head.begun, head.whole, head.too_large) == (False, False, False)


def test_the_next_head_is_seen_in_what_came_with_the_last() -> None:
    head = Head()
    head.add(HEAD + HEAD[:10])
    rest = head.take()[len(HEAD) :]
    head.add(rest)
    assert not head.whole
    head.add(HEAD[10:])
    assert head.take() == HEAD
