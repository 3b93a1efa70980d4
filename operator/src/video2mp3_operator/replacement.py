"""④ When a Job must make way for another: its worker stands still, or needs more memory than a Job's pods may. Pure.

A Job's pods cannot be changed, so the next attempt gets a Job of the next generation. Which generation that is, and how
many attempts are left for it, follows from the attempts that are on record.
"""

from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.reasons import Reason
from video2mp3_contracts.status import Attempt
from video2mp3_operator.attempts import counts

_REPLACING: Final = (Reason.STALLED, Reason.OUT_OF_MEMORY)


@dataclass(frozen=True)
class Tries:
    """What the attempts so far mean for the next Job."""

    failed: int = 0
    """Attempts that failed and count, over all Jobs."""

    generation: int = 0
    """Jobs that had to make way."""

    out_of_memory: int = 0
    """Attempts that needed more memory than they had."""


NONE: Final = Tries()


def tries(attempts: tuple[Attempt, ...]) -> Tries:
    """Count the attempts that have ended."""
    failed = [attempt for attempt in attempts if counts(attempt)]
    return Tries(
        failed=len(failed),
        generation=sum(attempt.reason in _REPLACING for attempt in failed),
        out_of_memory=sum(attempt.reason == Reason.OUT_OF_MEMORY for attempt in failed),
    )
