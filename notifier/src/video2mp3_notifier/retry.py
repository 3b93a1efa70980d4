"""When a message is tried again, and when it is given up. Pure."""

from datetime import timedelta
from typing import Final

from video2mp3_contracts.messaging.message import RETRY_DELAYS_SECONDS
from video2mp3_notifier.attempts import Attempts
from video2mp3_notifier.dispositions import DeadLetter, DeadReason, Outcome, Retry

MOST_RETRIES: Final = 51
"""The waits before them add up to a little over 24 hours: a mail server may be away for a day."""

MOST_WAITS: Final = 500
"""A claim ends by itself, so waits do too. This is the net under clocks that disagree: from here on a wait is a
failed try."""

MOST_CRASHES: Final = 3
"""Tries of one message that may end in an error nobody foresaw. More would not mend a bug; fewer would give up messages
that came while memory or threads were short for a moment."""


def after_failure(attempts: Attempts, why: str, outcome: Outcome = Outcome.RETRIED) -> Retry | DeadLetter:
    """The next try's delay grows with the failures; after MOST_RETRIES the message is given up."""
    failed = attempts.after_failure()
    if failed.failed > MOST_RETRIES:
        return DeadLetter(DeadReason.TRIES_EXHAUSTED, f"{failed.failed} tries failed, at last: {why}")
    return Retry(outcome, delay_after(failed.failed), failed, why)


def after_crash(attempts: Attempts, error: Exception) -> Retry | DeadLetter:
    """The next try of a message that nobody knows how to handle; after MOST_CRASHES it is given up, and it alone.

    Only the error's kind is told: its text may hold what is in the message.
    """
    crashed, kind = attempts.after_crash(), type(error).__name__
    if crashed.crashed >= MOST_CRASHES:
        return DeadLetter(DeadReason.CRASHED, f"{crashed.crashed} tries crashed, at last: {kind}")
    return Retry(Outcome.CRASHED, delay_after(crashed.crashed), crashed, f"the notifier crashed: {kind}")


def delay_after(failures: int) -> int:
    """Seconds to wait after the n-th failure, n from 1."""
    return RETRY_DELAYS_SECONDS[min(failures, len(RETRY_DELAYS_SECONDS)) - 1]


def while_claimed(attempts: Attempts, remaining: timedelta) -> Retry | DeadLetter:
    """Wait for a claim that another notifier holds for `remaining`: the longest delay that does not outlast it."""
    why = "another notifier is sending this email"
    if attempts.waited >= MOST_WAITS:
        return after_failure(attempts, why)
    fitting = [delay for delay in RETRY_DELAYS_SECONDS if delay <= remaining.total_seconds()]
    delay = max(fitting, default=min(RETRY_DELAYS_SECONDS))
    return Retry(Outcome.CLAIM_HELD, delay, attempts.after_wait(), why)
