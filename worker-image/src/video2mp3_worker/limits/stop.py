"""SIGTERM, as a flag that the long-running parts ask for at least every second."""

import signal
from types import FrameType

from video2mp3_worker.ports.errors import Stopped


class Stop:
    """Whether the worker was asked to stop."""

    def __init__(self) -> None:
        self._requested = False

    def listen(self) -> None:
        """Take SIGTERM and SIGINT as the request to stop. The first process of a container ignores them otherwise."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def request(self) -> None:
        """Ask to stop."""
        self._requested = True

    def check(self) -> None:
        """Raise Stopped if the worker is to stop."""
        if self._requested:
            raise Stopped

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.request()
