"""Those that wait for the same thing, each for as long as it may, the oldest first."""

import math
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter", bound=Hashable)


class Waiting(Generic[Waiter]):
    """Whoever comes has so many seconds from then on; nothing that it does gives it more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadlines: dict[Waiter, float] = {}
        self._last = math.inf

    def __contains__(self, waiter: Waiter) -> bool:
        return waiter in self._deadlines

    def __iter__(self) -> Iterator[Waiter]:
        return iter(self._deadlines)

    def __len__(self) -> int:
        return len(self._deadlines)

    @property
    def oldest(self) -> Waiter | None:
        """Who has waited longest."""
        return next(iter(self._deadlines), None)

    def add(self, waiter: Waiter, now: float) -> None:
        """One more."""
        self._deadlines[waiter] = min(now + self._seconds, self._last)

    def remove(self, waiter: Waiter) -> None:
        """One got what it waited for, or has gone."""
        del self._deadlines[waiter]

    def end_by(self, deadline: float) -> None:
        """Nobody waits longer than this, those that come later neither."""
        self._last = min(self._last, deadline)
        self._deadlines = {waiter: min(own, self._last) for waiter, own in self._deadlines.items()}

    def expired(self, now: float) -> list[Waiter]:
        """Whose time is up. They stay until they are removed."""
        found = []
        for waiter, deadline in self._deadlines.items():  # the order of coming is that of the deadlines
            if deadline > now:
                break
            found.append(waiter)
        return found
