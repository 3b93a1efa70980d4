"""①⑨ How many uploads and downloads run at a time, in all and for one account."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class LimitReached(Exception):
    """Every place is taken. `own` says whether by the account itself."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("every place is taken")
        self.own = own


class ConcurrencyLimit:
    """Counts what runs, and refuses what would be too much."""

    def __init__(self, total: int, per_account: int) -> None:
        self._total = total
        self._per_account = per_account
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._taken.total()

    @contextmanager
    def hold(self, account: str) -> Iterator[None]:
        """Hold a place. Raises LimitReached at once, rather than wait for one."""
        self._take(account)
        try:
            yield
        finally:
            self._give_back(account)

    def _take(self, account: str) -> None:
        with self._lock:
            if self._taken[account] >= self._per_account:
                raise LimitReached(own=True)
            if self._taken.total() >= self._total:
                raise LimitReached(own=False)
            self._taken[account] += 1

    def _give_back(self, account: str) -> None:
        with self._lock:
            self._taken[account] -= 1
            if not self._taken[account]:
                del self._taken[account]
