"""④ The work queue: each key once, one at a time, and again after a pause when it went wrong.

What is urgent goes before what is not, however much of that there is.

Adding a key that waits is nothing; adding one that is being worked on makes it due again afterwards. So a key is never
worked on twice at once, and no change goes unseen.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True)
class Backoff:
    """Pauses that double from `first` to `longest` seconds, spread by up to a fifth."""

    first: float
    longest: float

    def pause(self, failures: int) -> float:
        """Seconds to wait after this many failures in a row (1 or more)."""
        wait = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing


class WorkQueue(Generic[_K]):
    """Runs `process(key)`, which answers the seconds after which to look again, or None.

    `on_error(key, error)` answers the backoff for an error of `process`; it also sees errors that are bugs.
    `urgent(key)` is asked whenever a key is made due.
    """

    def __init__(
        self,
        process: Callable[[_K], Awaitable[float | None]],
        on_error: Callable[[_K, BaseException], Backoff],
        concurrency: int,
        urgent: Callable[[_K], bool] = lambda _key: False,
    ) -> None:
        self._process = process
        self._on_error = on_error
        self._concurrency = concurrency
        self._is_urgent = urgent
        self._urgent: dict[_K, None] = {}
        self._waiting: dict[_K, None] = {}
        self._working: dict[asyncio.Task[float | None], _K] = {}
        self._busy: set[_K] = set()
        self._again: set[_K] = set()
        self._timers: dict[_K, asyncio.TimerHandle] = {}
        self._failures: dict[_K, int] = {}
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing is due and nothing under way."""
        return not len(self) and not self._busy

    def add(self, key: _K) -> None:
        """Make a key due now."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._busy:
            self._again.add(key)
            return
        if self._is_urgent(key):
            self._waiting.pop(key, None)
            self._urgent[key] = None
        elif key not in self._urgent:
            self._waiting[key] = None
        self._wake.set()

    def add_after(self, key: _K, seconds: float) -> None:
        """Make a key due after a while, unless it is due before that anyway."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        due = loop.time() + seconds
        is_due = key in self._urgent or key in self._waiting
        if is_due or (timer is not None and timer.when() <= due):
            return
        if timer is not None:
            timer.cancel()
        self._timers[key] = loop.call_at(due, self.add, key)

    async def run(self) -> None:
        """Work until cancelled; then let go of what is being worked on, which is idempotent."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while len(self) and len(self._working) < self._concurrency:
                    self._start(self._urgent or self._waiting)
        finally:
            for timer in self._timers.values():
                timer.cancel()
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)

    def _start(self, due: dict[_K, None]) -> None:
        key = next(iter(due))
        del due[key]
        self._busy.add(key)
        task = asyncio.ensure_future(self._process(key))
        self._working[task] = key
        task.add_done_callback(self._finish)

    def _finish(self, task: "asyncio.Task[float | None]") -> None:
        key = self._working.pop(task)
        self._busy.discard(key)
        self._wake.set()
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._failures[key] = self._failures.get(key, 0) + 1
            backoff = self._on_error(key, error)
            # What happened while it failed may be what it waits for: that is looked at soon, however often it failed.
            pause: float | None = backoff.pause(1 if key in self._again else self._failures[key])
        else:
            self._failures.pop(key, None)
            pause = task.result()
        if key in self._again:
            self._again.discard(key)
            if error is None:
                self.add(key)
                return
        if pause is not None:
            self.add_after(key, pause)
