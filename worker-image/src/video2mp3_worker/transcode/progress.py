"""The encoder's progress, written as ffmpeg writes its own, and what people are told of it. Pure: the time is given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from video2mp3_contracts.api.status import Progress

_MICROSECONDS: Final = 1_000_000
_LONGEST_LINE: Final = 4_096


class ProgressLines:
    """Reads `key=value` lines as they come, in pieces of any size, and keeps how much media has been written."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """Of media in the output so far."""

        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the output."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        for line in lines:
            key, _, value = line.partition(b"=")
            if key == b"out_time_us" and value.strip().isdigit():
                self.seconds = max(self.seconds, int(value) / _MICROSECONDS)


@dataclass(frozen=True)
class Pace:
    """Since when the conversion runs, on a monotonic clock, and how long the result will be (None: unknown)."""

    started: float
    duration_seconds: float | None


def estimate(pace: Pace, processed_seconds: float, now: float, updated_at: datetime) -> Progress:
    """Percent, speed and time left. 100 percent is only reached by storing the result, so 99 is the most here."""
    elapsed = now - pace.started
    speed = processed_seconds / elapsed if elapsed > 0 and processed_seconds > 0 else None
    duration = pace.duration_seconds
    percent = int(min(99, 100 * processed_seconds / duration)) if duration else 0
    left = max(duration - processed_seconds, 0.0) / speed if duration and speed else None
    return Progress(
        percent=max(percent, 0),
        processed_seconds=round(processed_seconds, 3),
        duration_seconds=duration,
        speed=None if speed is None else round(speed, 2),
        eta_seconds=None if left is None else round(left, 1),
        updated_at=updated_at,
    )
