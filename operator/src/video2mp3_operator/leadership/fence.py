"""④ The fence in front of everything outside: nothing passes unless we surely lead.

A leader knows that nobody else leads yet for some seconds from the *beginning* of each renewal that was confirmed. One
that was paused wakes up later than that, and finds the fence shut before its next step, whatever it was doing.
"""

import types
from collections.abc import Callable, Coroutine, Generator
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from video2mp3_operator.ports.errors import NotLeadingError
from video2mp3_operator.ports.systems import Stopwatch

_T = TypeVar("_T")


class Fence:
    """Open for `seconds` from the beginning of the last renewal that was confirmed."""

    def __init__(self, elapsed: Stopwatch, seconds: float) -> None:
        self._elapsed = elapsed
        self._seconds = seconds
        self._began: float | None = None
        self._closed = False

    def confirm(self, began: float) -> None:
        """A renewal that began at that reading of the stopwatch was confirmed."""
        self._began = began

    def close(self) -> None:
        """Shut it for ever."""
        self._closed = True

    def remaining(self) -> float:
        """Seconds for which it stays open without another renewal; 0 when it is shut."""
        if self._began is None or self._closed:
            return 0.0
        return max(0.0, self._began + self._seconds - self._elapsed())

    @property
    def is_open(self) -> bool:
        """Whether we surely lead."""
        return self.remaining() > 0

    @property
    def is_lost(self) -> bool:
        """Whether we have led and do not any more."""
        return self._closed or (self._began is not None and not self.is_open)

    def admit_leader(self) -> None:
        """Raise NotLeadingError unless we surely lead."""
        if not self.is_open:
            raise NotLeadingError("not surely the leader: nothing is written")

    def admit_standby(self) -> None:
        """Raise NotLeadingError where we have led and do not any more."""
        if self.is_lost:
            raise NotLeadingError("not the leader any more: nothing is written")


def fenced(port: _T, admit: Callable[[], None]) -> _T:
    """A port behind the fence: `admit` is asked before each step of each call, not only before the first.

    Many calls are several writes, and a process may be paused between any two of them.
    """
    return cast("_T", _Fenced(port, admit))


class _Fenced:
    def __init__(self, port: object, admit: Callable[[], None]) -> None:
        self._port = port
        self._admit = admit

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not iscoroutinefunction(found):
            return found  # lists, which only read

        @wraps(found)
        async def call(*arguments: Any, **named: Any) -> Any:
            return await _stepwise(found(*arguments, **named), self._admit)

        return call


@types.coroutine
def _stepwise(work: Coroutine[Any, Any, _T], admit: Callable[[], None]) -> Generator[Any, Any, _T]:
    """Drive a coroutine as `await` does, asking before each of its steps; a refusal is raised where it waits."""
    step: Callable[[], Any] = partial(work.send, None)
    while True:
        try:
            admit()
        except NotLeadingError as refusal:
            step = partial(work.throw, refusal)
        try:
            awaited = step()
        except StopIteration as end:
            return cast("_T", end.value)
        try:
            step = partial(work.send, (yield awaited))
        except BaseException as error:  # noqa: BLE001 - a cancellation, which goes where it belongs
            step = partial(work.throw, error)
