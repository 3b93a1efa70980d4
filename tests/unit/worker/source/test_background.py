"""What blocks, in a thread of its own."""

import threading
from collections.abc import Generator

import pytest

from video2mp3_worker.source.background import Background

SECONDS = 30.0


class StopError(Exception):
    """What a watch raises."""


def idle() -> None:
    """For `watch`: nothing happens."""


def taken(items: list[int]) -> list[int]:
    background = Background((item for item in items), 2)
    found = []
    while (item := background.take(idle, SECONDS)) is not None:
        found.append(item)
    return found


def test_items_come_in_their_order_and_then_the_end() -> None:
    assert taken(list(range(20))) == list(range(20))
    assert taken([]) == []


def test_an_item_that_is_false_is_not_the_end() -> None:
    assert taken([0, 0, 1]) == [0, 0, 1]


def test_an_error_is_raised_where_it_is_waited_for_after_what_came_before() -> None:
    def breaking() -> Generator[int, None, None]:
        yield 1
        raise ConnectionResetError

    background = Background(breaking(), 2)
    assert background.take(idle, SECONDS) == 1
    with pytest.raises(ConnectionResetError):
        background.take(idle, SECONDS)


def test_who_waits_looks_up_and_turns_away() -> None:
    go = threading.Event()

    def blocking() -> Generator[int, None, None]:
        go.wait(SECONDS)
        yield 1

    def watch() -> None:
        raise StopError

    background = Background(blocking(), 2)
    with pytest.raises(StopError):
        background.take(watch, SECONDS)
    with pytest.raises(TimeoutError):
        background.take(idle, 0)
    go.set()


def test_no_more_is_made_than_was_asked_for_and_closed_it_ends() -> None:
    made: list[int] = []
    ended = threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                made.append(len(made))
                yield made[-1]
        finally:
            ended.set()

    background = Background(endless(), 2)
    assert background.take(idle, SECONDS) == 0
    background.close()
    assert ended.wait(SECONDS)
    assert len(made) <= 4
