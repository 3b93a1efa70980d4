"""Reading from a pipe in few large reads: each read that waits costs both sides as much as a frame to decode. Pure."""

from collections.abc import Callable
from typing import Final

from video2mp3_worker.encoder.pieces import Read

_LARGE_READ_BYTES: Final = 512 * 1024
"""Half of what the pipe holds: its other end is seldom kept waiting."""


def coalesced(read: Read, at_once: int, pause: Callable[[], None]) -> Read:
    """Read as `read` does, with a pause after each small read, so that more has come by the next.

    The first `at_once` bytes come without: as long as there is nothing to encode, time counts.
    """
    left = at_once

    def read_on(buffer: memoryview) -> int:
        nonlocal left
        taken = read(buffer)
        if left > 0:
            left -= taken
        elif 0 < taken < min(len(buffer), _LARGE_READ_BYTES):
            pause()
        return taken

    return read_on
