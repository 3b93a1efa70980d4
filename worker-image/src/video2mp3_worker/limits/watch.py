"""Why a running conversion must end early: it was asked to, its time is up, or it does not move."""

from collections.abc import Callable
from dataclasses import dataclass

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import TryAgain

Clock = Callable[[], float]
"""Seconds on a clock that only goes forward."""


@dataclass
class Watch:
    """Asked a few times a second while a child runs; `check` raises TryAgain."""

    stop: Stop
    clock: Clock
    wall_seconds: float
    stall_seconds: float | None = None
    """None where there is no progress to be seen."""

    waiting: Callable[[], bool] = lambda: False
    """Whether what is worked on is not all there. That time has limits of its own, and counts for none of these."""

    def __post_init__(self) -> None:
        self._started = self._moved = self.clock()
        self._seen = 0.0

    def moved_to(self, seconds: float) -> None:
        """Note how far the media is."""
        if seconds > self._seen:
            self._seen = seconds
            self._moved = self.clock()

    def start_over(self) -> None:
        """What follows begins at the start of the media again."""
        self._seen = 0.0
        self._moved = self.clock()

    def check(self) -> None:
        """Raise if the run must end."""
        self.stop.check()
        now = self.clock()
        if self.waiting():
            self._started = self._moved = now
        if now - self._started > self.wall_seconds:
            raise TryAgain(
                Reason.RUN_TIMEOUT, f"The conversion was not done after {self.wall_seconds:.0f} seconds, its limit."
            )
        if self.stall_seconds is not None and now - self._moved > self.stall_seconds:
            raise TryAgain(Reason.STALLED, f"The conversion made no progress for {self.stall_seconds:.0f} seconds.")
