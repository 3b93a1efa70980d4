"""From the frames of many encoders to one stream, without touching a bit of the audio. Pure.

Where a frame's main data lies, and with a variable bit rate how large the frame is, is decided here and not by the
encoders: each frame's data goes into what earlier frames left free as far as it can. So what the encoders left empty is
not lost. An attack needs more than the largest frame of a variable bit rate has room for, and LAME keeps the reservoir
full for that. Here the frames before such a one grow, and no others.
"""

import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from video2mp3_worker.encoder.frames import Frame, Layout

_AHEAD_FRAMES: Final = 16
"""So many frames of a variable bit rate wait for the next piece, and grow where it needs what they can leave free. Each
can leave hundreds of bytes, and the reservoir holds 255 or 511."""


class DoesNotFitError(Exception):
    """Frames hold more than there is room for, here; nothing was packed."""


class _Rate(NamedTuple):
    bit_rate_index: int
    size: int
    room: int
    usable: int
    """Of the reservoir, in bytes."""


def rates(layout: Layout) -> list[_Rate]:
    """What a frame of a variable bit rate may be, in order."""
    return [
        _Rate(index, size, size - layout.head_bytes, layout.usable_reservoir(size))
        for index, size in enumerate(map(layout.frame_bytes, layout.variable_bit_rates))
        if index
    ]


def needed_before(frames: Sequence[Frame], layout: Layout) -> float:
    """How many bytes must be free before these frames of a variable bit rate; infinitely many if they fit nowhere."""
    return _needed(frames, rates(layout))[0]


def _needed(frames: Sequence[Frame], possible: list[_Rate]) -> list[float]:
    """How many bytes must be free before each frame so that it and all that follow fit, and behind the last: none."""
    largest, needed, after = possible[-1].room, [0.0], 0.0
    for frame in reversed(frames):
        wanted = len(frame.main) + after
        after = 0.0 if wanted <= largest else _missing(wanted, possible)
        needed.append(after)
    needed.reverse()
    return needed


def _missing(wanted: float, possible: list[_Rate]) -> float:
    return min((wanted - rate.room for rate in possible if wanted - rate.room <= rate.usable), default=math.inf)


class Packer:
    """Packs frames, in order. `bit_rate` in kbit/s for a constant one, None for the smallest that holds each frame."""

    def __init__(self, layout: Layout, bit_rate: int | None) -> None:
        self.sizes = array("H")
        """Of the frames so far, in bytes."""

        self._layout = layout
        self._bit_rate = bit_rate
        self._free = 0
        self._main = bytearray()
        self._waiting: deque[tuple[bytearray, int]] = deque()
        self._rates = rates(layout)
        self._rooms = [rate.room for rate in self._rates]
        self._ahead: list[Frame] = []

    def add(self, frames: Sequence[Frame]) -> bytes:
        """Pack the next frames; answer what of the stream is complete. Raises DoesNotFitError."""
        if self._bit_rate is not None:
            self._settle(frames, [0.0] * (len(frames) + 1))
            return self._complete()
        together = [*self._ahead, *frames]
        needed = _needed(together, self._rates)
        if needed[0] > self._free:
            raise DoesNotFitError
        settled = max(len(together) - _AHEAD_FRAMES, 0)
        self._settle(together[:settled], needed)
        self._ahead = together[settled:]
        return self._complete()

    def finish(self) -> bytes:
        """The rest of the stream: what is free in the last frames stays empty."""
        self._settle(self._ahead, _needed(self._ahead, self._rates))
        self._ahead = []
        self._main += bytes(self._free)
        self._free = 0
        return self._complete()

    def _settle(self, frames: Sequence[Frame], needed: list[float]) -> None:
        """Give the next frames their sizes and places. `needed`: bytes that have to be free before and behind each."""
        choose = self._smallest if self._bit_rate is None else self._constant
        plan, free, number = [], self._free, len(self.sizes)
        for frame, after in zip(frames, needed[1:], strict=False):
            need = len(frame.main)
            index, padding, size, used = choose(need + int(after), free, number)
            free = used + size - self._layout.head_bytes - need
            plan.append((index, padding, size, used))
            number += 1
        for frame, (index, padding, size, used) in zip(frames, plan, strict=True):
            self._place(frame, index, padding, size, used)

    def _smallest(self, need: int, free: int, _number: int) -> tuple[int, int, int, int]:
        # None before this one has room enough even if all that is free could be used.
        first = bisect_left(self._rooms, need - free)
        for index, size, room, usable in self._rates[first:]:
            used = min(free, usable)
            if used + room >= need:
                return index, 0, size, used
        raise DoesNotFitError

    def _constant(self, need: int, free: int, number: int) -> tuple[int, int, int, int]:
        assert self._bit_rate is not None  # noqa: S101 - only chosen when there is one
        padding = self._layout.padding(self._bit_rate, number)
        size = self._layout.frame_bytes(self._bit_rate, padding)
        used = min(free, self._layout.usable_reservoir(size))
        if used + size - self._layout.head_bytes < need:
            raise DoesNotFitError
        return self._layout.bit_rates.index(self._bit_rate), padding, size, used

    def _place(self, frame: Frame, index: int, padding: int, size: int, used: int) -> None:
        # What is free and cannot be reached from this frame stays empty.
        self._main += bytes(self._free - used)
        self._main += frame.main
        room = size - self._layout.head_bytes
        self._free = used + room - len(frame.main)
        self._waiting.append((self._layout.head_with(frame.head, index, padding, used), room))
        self.sizes.append(size)

    def _complete(self) -> bytes:
        parts: list[bytes | bytearray] = []
        position = 0
        while self._waiting and position + self._waiting[0][1] <= len(self._main):
            head, room = self._waiting.popleft()
            parts += (head, self._main[position : position + room])
            position += room
        del self._main[:position]
        return b"".join(parts)
