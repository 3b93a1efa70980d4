"""Progress to the ledger, about once a second. Not being able to report is no reason to stop converting."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from video2mp3_worker.limits.watch import Clock
from video2mp3_worker.ports.errors import Superseded, TryAgain
from video2mp3_worker.ports.systems import Ledger
from video2mp3_worker.transcode.progress import Pace, estimate

_EVERY_SECONDS: Final = 1.0
_log = structlog.get_logger("video2mp3_worker.app.reporter")


class Reporter:
    """Called often, writes seldom."""

    def __init__(self, ledger: Ledger, clock: Clock, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._now = now
        self._started: float | None = None
        self._last = clock()
        self._where: tuple[float, float | None] = 0.0, None

    def report(self, processed_seconds: float, duration_seconds: float | None) -> None:
        """Say how far the media is. Raises Superseded when another worker took over."""
        self._where = processed_seconds, duration_seconds
        moment = self._clock()
        if processed_seconds > 0 and self._started is None:
            self._started = moment
        if moment - self._last < _EVERY_SECONDS:
            return
        self._last = moment
        pace = Pace(moment if self._started is None else self._started, duration_seconds)
        try:
            self._ledger.report_progress(estimate(pace, processed_seconds, moment, self._now()))
        except Superseded:
            raise
        except TryAgain as error:
            _log.warning("progress_not_reported", reason=error.reason, detail=error.detail)

    def repeat(self) -> None:
        """Say the same once more: a sign of life from what moves no media. Raises Superseded."""
        self.report(*self._where)
