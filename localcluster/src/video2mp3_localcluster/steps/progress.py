"""Shows a person which steps run, for how long, and how they ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from video2mp3_localcluster.steps.step_log import StepLog


@dataclass
class _Running:
    log: StepLog
    started: float
    next_report: float


class Progress:
    """Prints what runs and for how long: live lines on a terminal, occasional ones elsewhere.

    A step that takes less than two seconds is only mentioned when it is done.
    """

    QUIET_SECONDS = 2.0
    REPORT_SECONDS = 30.0

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._live = out.isatty()
        self._running: dict[str, _Running] = {}
        self._drawn = 0
        self.interval_seconds = 0.25 if self._live else 1.0

    def started(self, name: str, log: StepLog) -> None:
        """A step begins."""
        now = self._clock()
        self._running[name] = _Running(log, now, now + self.QUIET_SECONDS)

    def finished(self, name: str, result: str, message: str = "") -> None:
        """A step ended; for a failed one, ``message`` and the tail of its log are shown."""
        running = self._running.pop(name)
        self.clear()
        self._print(result, name, self._clock() - running.started, running.log.remark if result == "ok" else message)
        if result == "FAILED":
            self._out.write(f"{_indented(running.log.tail())}\n  (log: {running.log.path})\n")
        running.log.close()
        self._out.flush()

    def tick(self) -> None:
        """Show what is still running."""
        now = self._clock()
        if self._live:
            self._draw(now)
        else:
            self._report(now)
        self._out.flush()

    def clear(self) -> None:
        """Remove the live lines."""
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _draw(self, now: float) -> None:
        self.clear()
        for name, running in self._running.items():
            if now - running.started >= self.QUIET_SECONDS:
                self._print("...", name, now - running.started, running.log.remark)
                self._drawn += 1

    def _report(self, now: float) -> None:
        for name, running in self._running.items():
            if now >= running.next_report:
                running.next_report = now + self.REPORT_SECONDS
                self._print("...", name, now - running.started, running.log.remark)

    def _print(self, result: str, name: str, seconds: float, remark: str) -> None:
        self._out.write(f"{result:>8}  {name:<34} {seconds:7.1f} s  {remark}".rstrip() + "\n")


def _indented(text: str) -> str:
    return "\n".join(f"          | {line}" for line in text.splitlines())
