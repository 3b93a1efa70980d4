"""Named steps that run in parallel where they can, with progress, elapsed time and a log file each.

A command of the local cluster describes its work as :class:`Step` values and hands them to :func:`run_steps`::

    run_steps([
        Step("Debian packages", install_packages),
        Step("CoreDNS", build_coredns, needs=("Debian packages",)),
    ])

A step is a function of its :class:`StepLog`; it runs external programs through :meth:`StepLog.command`, so that their
output goes to the step's log and so that they end when another step fails or the user interrupts.
"""

import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TextIO

from video2mp3_localcluster.steps.layout import log_dir
from video2mp3_localcluster.steps.progress import Progress
from video2mp3_localcluster.steps.step_log import Cancelled, Processes, StepFailed, StepLog

__all__ = ["Step", "StepFailed", "StepLog", "run_steps"]

MAX_PARALLEL = 16
"""Steps mostly wait for other programs; the machine's cores are shared by those programs, not by the threads here."""


@dataclass(frozen=True)
class Step:
    """A named piece of work that starts as soon as the steps it needs are done.

    ``needs`` may name steps that are not part of the run; those count as done.
    """

    name: str
    run: Callable[[StepLog], None]
    needs: tuple[str, ...] = ()


def run_steps(steps: Sequence[Step], *, out: TextIO | None = None) -> None:
    """Run the steps, each once its needs are met, and print progress to ``out`` (standard error).

    Raises :class:`StepFailed` with the name of the first step that failed, after the running ones were stopped; the
    tail of its log has then been printed.
    """
    names = [step.name for step in steps]
    if len(set(names)) != len(names):
        raise ValueError(f"two steps have the same name: {sorted(names)}")
    _Run(steps, Progress(out or sys.stderr)).run()


class _Run:
    """One execution of a set of steps."""

    def __init__(self, steps: Sequence[Step], progress: Progress) -> None:
        self._waiting = list(steps)
        self._unmet = {step.name for step in steps}
        self._progress = progress
        self._processes = Processes()
        self._futures: dict[Future[None], Step] = {}
        self._failure: StepFailed | None = None

    def run(self) -> None:
        with ThreadPoolExecutor(MAX_PARALLEL) as pool:
            try:
                self._loop(pool)
            finally:
                # Leaving the pool waits for its threads, so after an interrupt their programs must end first.
                self._processes.cancel()
                self._progress.clear()
        if self._failure:
            raise self._failure

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        while True:
            if not self._failure:
                self._start_ready(pool)
            if not self._futures:
                break
            done, _ = wait(self._futures, timeout=self._progress.interval_seconds, return_when=FIRST_COMPLETED)
            for future in done:
                self._finish(self._futures.pop(future), future)
            self._progress.tick()
        if self._waiting and not self._failure:
            raise ValueError(f"steps need each other in a circle: {[step.name for step in self._waiting]}")

    def _start_ready(self, pool: ThreadPoolExecutor) -> None:
        for step in [step for step in self._waiting if not self._unmet.intersection(step.needs)]:
            self._waiting.remove(step)
            log = StepLog(log_dir() / f"{_slug(step.name)}.log", self._processes)
            self._progress.started(step.name, log)
            self._futures[pool.submit(step.run, log)] = step

    def _finish(self, step: Step, future: "Future[None]") -> None:
        error = future.exception()
        if error is None:
            self._unmet.discard(step.name)
            self._progress.finished(step.name, "ok")
        elif isinstance(error, Cancelled):
            self._progress.finished(step.name, "stopped")
        elif isinstance(error, StepFailed | OSError):
            self._progress.finished(step.name, "FAILED", str(error))
            brief = str(error).partition("\n")[0]
            self._failure = self._failure or StepFailed(f"{step.name}: {brief}")
            self._failure.__cause__ = self._failure.__cause__ or error
            self._processes.cancel()
        else:
            raise error


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
