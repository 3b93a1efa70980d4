"""④ For how long we have seen a Conversion wait for something, by a clock that nobody sets.

A pod's creation and a deletion are dated by the API server's clock, and ours may be an hour off, or be set while we
look. So such a wait is over only when both say so: their date by our clock, and the time that we have watched. A new
operator watches anew.
"""

from collections.abc import Callable, Hashable

from video2mp3_operator.objects.metadata import Key


class Stopwatches:
    """What each Conversion waits for, and since when; `elapsed` answers seconds that only ever grow."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._since: dict[Key, tuple[Hashable, float]] = {}

    def watch(self, key: Key, what: Hashable) -> float:
        """Seconds since it was first seen to wait for this; None is waited for by nobody."""
        if what is None:
            self.forget(key)
            return 0.0
        now = self._elapsed()
        known, since = self._since.get(key, (None, now))
        if known != what:
            since = now
        self._since[key] = (what, since)
        return now - since

    def forget(self, key: Key) -> None:
        """It waits no more, or is gone."""
        self._since.pop(key, None)
