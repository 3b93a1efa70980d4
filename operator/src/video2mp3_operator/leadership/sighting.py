"""④ For how long a Lease has stood still, by our own stopwatch: its holder's clock, or ours, may be an hour off."""

from collections.abc import Mapping
from typing import Any

from video2mp3_operator.leadership.record import LeaderRecord, record_of
from video2mp3_operator.ports.systems import Stopwatch


class Sighting:
    """The Lease as it was last seen, and since when it is so. `seconds`: for how long a leader like us has it."""

    def __init__(self, elapsed: Stopwatch, seconds: int) -> None:
        self._elapsed = elapsed
        self._seconds = seconds
        self._version = ("", "")
        self._since: float | None = None
        self._there = False
        self.record = LeaderRecord()

    def see(self, lease: Mapping[str, Any] | None) -> None:
        """Look at the Lease; None where there is none.

        One that was deleted is no word of its holder's, who leads until it would have been over.
        """
        self._there = lease is not None
        if self._since is None:
            self._since = self._elapsed()
        if lease is None:
            return
        version = (lease["metadata"]["uid"], lease["metadata"]["resourceVersion"])
        if version != self._version:
            self._version, self._since, self.record = version, self._elapsed(), record_of(lease)

    def hear(self) -> None:
        """Somebody was there before us, though we have not seen the Lease as it is by now."""
        self._since = self._elapsed()

    def free_in(self) -> float:
        """Seconds until somebody else may lead, if the holder shows no more sign of life; 0 for now.

        Where there is no Lease somebody may have held it a moment ago, and that is waited for too: once, when a release
        is new.
        """
        if self._since is None or (self._there and not self.record.holder):
            return 0.0
        lasts = max(self.record.seconds, self._seconds)
        return max(0.0, self._since + lasts - self._elapsed())
