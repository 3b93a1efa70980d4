"""④ The history of attempts, from what the pods say and what was recorded before. Pure.

A pod is an attempt once its container has started or the pod has ended. A disrupted one is listed but does not count.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import Attempt, ConversionStatus
from video2mp3_contracts.jobs.exit_codes import PERMANENT
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerError
from video2mp3_operator.objects.pods import Pod
from video2mp3_operator.policy.outcome import outcome_of, reason_of, said_by, sentence

_USUAL_HISTORY: Final = 40
_LONGEST_HISTORY: Final = next(
    each.max_length for each in ConversionStatus.model_fields["attempts"].metadata if hasattr(each, "max_length")
)

GIVEN_UP: Final = frozenset({Reason.STALLED, Reason.LOST, Reason.SUSPENDED, Reason.NOT_STARTED})
"""Reasons of attempts that were ended while their pod was there: however that ends then says nothing."""

OUTAGES: Final = frozenset({Reason.SERVICE_UNAVAILABLE, Reason.NOT_STARTED})
"""Nobody's fault, and bounded by time: a store or a registry is away, or a node takes no pod."""

DISRUPTIONS: Final = frozenset({Reason.DISRUPTED, Reason.LOST, Reason.STOPPED})
"""Others' fault, and bounded by their number."""

_BLAMELESS: Final = frozenset(
    {Reason.DISRUPTED, Reason.LOST, Reason.SUSPENDED, Reason.DIVIDED, Reason.SUCCEEDED, Reason.NOT_STARTED}
)
"""Attempts of which nothing is to be told as a failure."""


def history(before: tuple[Attempt, ...], pods: tuple[Pod, ...], now: datetime, after: int = 0) -> tuple[Attempt, ...]:
    """The attempts, oldest first and numbered from 1: those recorded before, brought up to date by the pods there are.

    New ones have numbers `after` what was tried before a retry, though nobody saw all of that.

    An attempt that was running and whose pod is gone ended without a witness.
    """
    known = {attempt.pod: attempt for attempt in before if attempt.pod}
    present = {pod.name for pod in pods}
    numbered = {
        attempt.pod or f"#{attempt.number}": (
            attempt if attempt.end_time or attempt.pod in present else _vanished(attempt, now)
        )
        for attempt in before
    }
    following = max([after, *(attempt.number for attempt in before)]) + 1
    for pod in sorted(pods, key=lambda each: (each.created_at, each.name)):
        if pod.started_at is None and not pod.ended:
            continue
        if pod.name in known and known[pod.name].end_time and known[pod.name].reason in GIVEN_UP:
            continue
        if pod.name in known:
            number = known[pod.name].number
        else:
            number, following = following, following + 1
        numbered[pod.name] = _attempt(pod, number, known.get(pod.name))
    return _shortened(tuple(sorted(numbered.values(), key=lambda attempt: attempt.number)))


def _shortened(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """What there is room for, which is more where many pods work at a time.

    Those that count are never more than that, and are what later decisions turn on; so is the beginning of an outage.
    """
    longest = _LONGEST_HISTORY if any(attempt.part is not None for attempt in attempts) else _USUAL_HISTORY
    begun = {attempt.number for attempt in _outage(attempts)[:1]}
    others = [attempt.number for attempt in attempts if not counts(attempt) and attempt.number not in begun]
    room = longest - (len(attempts) - len(others))
    dropped = set(others[: max(0, len(others) - room)])
    return tuple(attempt for attempt in attempts if attempt.number not in dropped)[-longest:]


def since_retry(attempts: tuple[Attempt, ...], status: ConversionStatus) -> tuple[Attempt, ...]:
    """Those that decisions turn on: the ones since somebody asked for the Conversion to be tried anew."""
    return tuple(attempt for attempt in attempts if attempt.number > (status.attempts_before_retry or 0))


def counts(attempt: Attempt) -> bool:
    """Whether it failed, and was not the fault of others."""
    return attempt.end_time is not None and attempt.reason not in _BLAMELESS | OUTAGES | DISRUPTIONS


def _outage(attempts: tuple[Attempt, ...]) -> list[Attempt]:
    """The attempts that an outage ended, since the last one that counts."""
    after = max((attempt.number for attempt in attempts if counts(attempt)), default=0)
    return [each for each in attempts if each.number > after and each.end_time and each.reason in OUTAGES]


def outage(attempts: tuple[Attempt, ...]) -> tuple[datetime, Attempt] | None:
    """Since when an outage keeps it from being done, and the last attempt that shows it; None where none does."""
    found = _outage(attempts)
    since = next((each.start_time or each.end_time for each in found), None)
    return (since, found[-1]) if since else None


def disruptions(attempts: tuple[Attempt, ...]) -> int:
    """How many attempts were disrupted; of split audio, those of the part that was most often."""
    found = Counter(each.part for each in attempts if each.end_time and each.reason in DISRUPTIONS)
    return max(found.values(), default=0)


def given_up(
    attempts: tuple[Attempt, ...], reason: Reason, message: str, now: datetime, pods: Collection[str] | None = None
) -> tuple[Attempt, ...]:
    """The history once the attempts that run are given up: all of them, or those in these pods."""
    ended = {"end_time": now, "reason": reason, "message": message}
    return tuple(
        attempt
        if attempt.end_time or (pods is not None and attempt.pod not in pods)
        else attempt.model_copy(update=ended)
        for attempt in attempts
    )


def not_started(
    attempts: tuple[Attempt, ...], since: datetime, message: str, now: datetime, after: int = 0
) -> tuple[Attempt, ...]:
    """The history once a pod that did not start in time is given up; see `history` for `after`."""
    number = max([after, *(attempt.number for attempt in attempts)]) + 1
    gone = Attempt(number=number, start_time=since, end_time=now, reason=Reason.NOT_STARTED, message=message)
    return _shortened((*attempts, gone))


def succeeded(attempts: tuple[Attempt, ...], pod: str, parts: Collection[str], now: datetime) -> tuple[Attempt, ...]:
    """The history once the ledger holds the result: the attempt in `pod` made it, though its pod may still run.

    `parts` are the pods that made parts of it.
    """
    messages = dict.fromkeys(parts, "It made its part of the sound.") | {pod: "It made the mp3."}
    return tuple(
        attempt.model_copy(
            update={
                "end_time": attempt.end_time or now,
                "reason": Reason.SUCCEEDED,
                "message": messages[attempt.pod],
            }
        )
        if attempt.pod in messages
        else attempt
        for attempt in attempts
    )


def newly_ended(before: tuple[Attempt, ...], after: tuple[Attempt, ...]) -> list[Attempt]:
    """The attempts that have ended from one history to the next."""
    known = {attempt.number for attempt in before if attempt.end_time}
    return [attempt for attempt in after if attempt.end_time and attempt.number not in known]


def told_of_landlock(attempts: tuple[Attempt, ...], opened: LedgerAttempt | None) -> tuple[Attempt, ...]:
    """The history with what the worker noted of its node when it began: its pod says that only at its end."""
    if opened is None or opened.landlock is None:
        return attempts
    update = {"landlock": opened.landlock}
    return tuple(attempt.model_copy(update=update) if attempt.pod == opened.pod else attempt for attempt in attempts)


def last_words(attempts: tuple[Attempt, ...], error: LedgerError | None) -> tuple[Reason, str] | None:
    """How the last attempt that counts ended: the worker's own reason and sentence where it left any.

    The ledger's error is believed where no pod is left to ask, or where it is that pod's own.
    """
    ended = [attempt for attempt in attempts if attempt.end_time and attempt.reason not in _BLAMELESS]
    if any(attempt.part is not None for attempt in ended):
        # When one part is given up the pods of the others are stopped, which says nothing.
        ended = sorted(ended, key=lambda attempt: (counts(attempt), attempt.end_time))
    if error and (not ended or error.pod == ended[-1].pod):
        return reason_of(error.reason, error.exit_code), sentence(error.message, error.exit_code)
    if ended:
        return reason_of(ended[-1].reason, ended[-1].exit_code), ended[-1].message
    return None


def permanent(attempts: tuple[Attempt, ...], error: LedgerError | None) -> tuple[Reason, str] | None:
    """The words of an attempt that no other attempt could better, if there was one."""
    if error and error.exit_code in PERMANENT:
        return reason_of(error.reason, error.exit_code), sentence(error.message, error.exit_code)
    for attempt in reversed(attempts):
        if attempt.exit_code in PERMANENT:
            return reason_of(attempt.reason, attempt.exit_code), attempt.message
    return None


def _vanished(attempt: Attempt, now: datetime) -> Attempt:
    return attempt.model_copy(update={"end_time": now, "reason": Reason.DISRUPTED, "message": "Its pod is gone."})


def _attempt(pod: Pod, number: int, before: Attempt | None) -> Attempt:
    reason, message, detail = outcome_of(pod)
    said = said_by(pod)
    return Attempt(
        number=number,
        part=pod.part,
        generation=pod.generation,
        pod=pod.name,
        node=pod.node,
        start_time=pod.started_at or (before.start_time if before else None) or pod.created_at,
        end_time=(pod.ended_at or (before.end_time if before else None) or pod.started_at or pod.created_at)
        if pod.ended
        else None,
        exit_code=pod.exit_code,
        reason=reason,
        message=message,
        detail=detail,
        landlock=said.landlock if said else before.landlock if before else None,
    )
