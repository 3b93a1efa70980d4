"""④ When a Job must make way for another: its worker stands still, or needs more memory than a Job's pods may. Pure.

A Job's pods cannot be changed, so the next attempt gets a Job of the next generation. Which generation that is, and how
many attempts are left for it, follows from the attempts that are on record. Where audio is split, each part has its
own attempts, and what happens to several pods of one Job makes one Job of the next generation.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import Attempt
from video2mp3_operator.policy.attempts import counts

_REPLACING: Final = (Reason.STALLED, Reason.OUT_OF_MEMORY)


@dataclass(frozen=True)
class RetryState:
    """What the attempts so far mean for the next Job."""

    failed: int = 0
    """Attempts that failed and count, over all Jobs; of split audio those of the part that failed most often."""

    generation: int = 0
    """Jobs that had to make way."""

    out_of_memory: int = 0
    """Jobs whose pods needed more memory than they had."""


NONE: Final = RetryState()


def retry_state(attempts: tuple[Attempt, ...], *, is_split: bool = False) -> RetryState:
    """Count the attempts that have ended. `is_split`: a worker has found that several should share the audio."""
    failed = [attempt for attempt in attempts if counts(attempt)]
    return RetryState(
        failed=max(Counter(attempt.part for attempt in failed).values(), default=0),
        generation=_jobs([attempt for attempt in failed if attempt.reason in _REPLACING]) + is_split,
        out_of_memory=_jobs([attempt for attempt in failed if attempt.reason == Reason.OUT_OF_MEMORY]),
    )


def _jobs(attempts: list[Attempt]) -> int:
    """Of how many Jobs these are. A Job for whole audio has one pod at a time, and ends with such an attempt."""
    whole = sum(attempt.part is None for attempt in attempts)
    return whole + len({attempt.generation for attempt in attempts if attempt.part is not None})
