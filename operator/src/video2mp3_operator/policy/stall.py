"""④ Which workers stand still: nothing of what the ledger says of them has changed for too long.

Time is counted by the sweep's rounds, and a round counts for a few of its usual lengths at the most. So a ledger that
was away, an operator that was asleep, or a clock that was set make nobody look idle. In memory only: a new operator
watches anew.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.objects.pods import Pod

Sign = tuple[object, ...]
"""What changes while a worker lives."""

_LONGEST_ROUND: Final = 5
"""In usual rounds."""


def sign_of(entry: LedgerEntry | None, pods: tuple[Pod, ...]) -> Sign:
    """What is seen of a worker; the same as before when it has done nothing since."""
    running = frozenset(pod.name for pod in pods if pod.works)
    return (running, entry.progress, entry.attempt, entry.parts, entry.uploads) if entry else (running,)


class StallWatch:
    """For how long each worker has shown no sign of life."""

    def __init__(self, round_seconds: float) -> None:
        self._longest = timedelta(seconds=_LONGEST_ROUND * round_seconds)
        self._before: datetime | None = None
        self._signs: dict[str, Sign] = {}
        self._quiet: dict[str, timedelta] = {}

    def look(self, signs: Mapping[str, Sign], now: datetime) -> None:
        """Take in one round: the signs of all workers that run, by uid; the others are forgotten."""
        passed = now - (self._before or now)
        passed = min(max(passed, timedelta(0)), self._longest)
        self._quiet = {
            uid: self._quiet.get(uid, timedelta(0)) + passed if self._signs.get(uid) == sign else timedelta(0)
            for uid, sign in signs.items()
        }
        self._signs, self._before = dict(signs), now

    def quiet_seconds(self, uid: str) -> float:
        """Seconds without a sign of life."""
        return self._quiet.get(uid, timedelta(0)).total_seconds()
