"""Ending without leaving half an upload: when the pod is asked to stop, uploads get a last moment to finish.

gunicorn stops taking connections at SIGTERM and waits for running requests. An upload that would outlast the wait is
refused a few seconds before its end, so that its chunks are removed and its client is told to try again.
"""

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

from flask import Flask

from video2mp3_gateway.server.capacity import DRAIN_SECONDS

EXTENSION: Final = "video2mp3_drain"


class Drain:
    """Whether the process is ending, and whether the last moment has passed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at: float | None = None

    def begin(self) -> None:
        """The process was asked to end."""
        if self._ends_at is None:
            self._ends_at = self._clock() + DRAIN_SECONDS

    @property
    def over(self) -> bool:
        """Whether what still runs has to be given up."""
        return self._ends_at is not None and self._clock() >= self._ends_at


def begin_at_sigterm(app: Flask) -> None:
    """Begin the application's drain at SIGTERM, then do what was done at SIGTERM before."""
    drain: Drain = app.extensions[EXTENSION]
    before = signal.getsignal(signal.SIGTERM)

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        drain.begin()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, on_sigterm)
    signal.siginterrupt(signal.SIGTERM, False)  # noqa: FBT003 - it takes no keyword
