"""Few large reads from a pipe that fills slowly."""

from collections.abc import Iterator

import pytest

from video2mp3_worker.encoder.coalesced_reads import coalesced

_GULP = 512 * 1024
_ROOM = 4 * _GULP


class Pipe:
    """Gives what is in it, some at a time, and notes the pauses."""

    def __init__(self, sizes: list[int]) -> None:
        self.pauses = 0
        self._sizes: Iterator[int] = iter(sizes)

    def read(self, buffer: memoryview) -> int:
        return min(next(self._sizes, 0), len(buffer))

    def pause(self) -> None:
        self.pauses += 1


def taken_in(pipe: Pipe, at_once: int, room: int = _ROOM) -> int:
    read, total = coalesced(pipe.read, at_once, pipe.pause), 0
    while taken := read(memoryview(bytearray(room))):
        total += taken
    return total


@pytest.mark.parametrize(
    ("sizes", "at_once", "pauses"),
    [
        ([], 0, 0),
        ([4, 4, 4], 0, 3),
        ([4, 4, 4], 5, 1),
        ([4, 4, 4], 12, 0),
        ([_GULP, _GULP - 1], 0, 1),
    ],
    ids=["nothing", "small", "small, and the beginning at once", "all at once", "large"],
)
def test_a_pause_after_each_small_read(sizes: list[int], at_once: int, pauses: int) -> None:
    pipe = Pipe(sizes)

    assert taken_in(pipe, at_once) == sum(sizes)
    assert pipe.pauses == pauses


def test_no_pause_where_no_more_was_wanted() -> None:
    pipe = Pipe([8, 8])

    assert taken_in(pipe, 0, room=8) == 16
    assert pipe.pauses == 0
