"""④ The history of attempts, from what the pods say and what was recorded before. Pure.

A pod is an attempt once its container has started or the pod has ended. A disrupted one is listed but does not count.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from video2mp3_contracts.exit_codes import PERMANENT, ExitCode
from video2mp3_contracts.ledger import LedgerAttempt, LedgerError
from video2mp3_contracts.reasons import Reason
from video2mp3_contracts.status import Attempt, ConversionStatus
from video2mp3_contracts.worker import TerminationMessage
from video2mp3_operator.observed import Pod

_USUAL_HISTORY: Final = 20
_LONGEST_HISTORY: Final = next(
    each.max_length for each in ConversionStatus.model_fields["attempts"].metadata if hasattr(each, "max_length")
)
_LONGEST_MESSAGE: Final = 512

_BY_EXIT_CODE: Final = {
    ExitCode.DONE: (Reason.SUCCEEDED, "The worker is done."),
    ExitCode.BAD_REQUEST: (Reason.BAD_REQUEST, "What was asked for cannot be done with this source."),
    ExitCode.BAD_MEDIA: (Reason.NOT_MEDIA, "The source cannot be converted."),
    ExitCode.SOURCE_MISSING: (Reason.SOURCE_NOT_FOUND, "There is no such source file."),
    ExitCode.TRY_AGAIN: (Reason.SERVICE_UNAVAILABLE, "A service that the worker needs was away."),
}
"""What is said of an attempt that left no words of its own."""


def history(before: tuple[Attempt, ...], pods: tuple[Pod, ...], now: datetime) -> tuple[Attempt, ...]:
    """The attempts, oldest first and numbered from 1: those recorded before, brought up to date by the pods there are.

    An attempt that was running and whose pod is gone ended without a witness.
    """
    known = {attempt.pod: attempt for attempt in before}
    present = {pod.name for pod in pods}
    numbered = {
        attempt.pod: attempt if attempt.end_time or attempt.pod in present else _vanished(attempt, now)
        for attempt in before
    }
    following = max((attempt.number for attempt in before), default=0) + 1
    for pod in sorted(pods, key=lambda each: (each.created_at, each.name)):
        if pod.started_at is None and not pod.ended:
            continue
        if pod.name in known and known[pod.name].reason == Reason.STALLED:
            continue  # It was given up while it ran; however it ends now says nothing.
        if pod.name in known:
            number = known[pod.name].number
        else:
            number, following = following, following + 1
        numbered[pod.name] = _attempt(pod, number, known.get(pod.name))
    return _shortened(tuple(sorted(numbered.values(), key=lambda attempt: attempt.number)))


def _shortened(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """What there is room for, which is more where many pods work at a time.

    Those that count are never more than that, and are what later decisions turn on.
    """
    longest = _LONGEST_HISTORY if any(attempt.part is not None for attempt in attempts) else _USUAL_HISTORY
    room = longest - sum(map(counts, attempts))
    others = [attempt.number for attempt in attempts if not counts(attempt)]
    dropped = set(others[: max(0, len(others) - room)])
    return tuple(attempt for attempt in attempts if attempt.number not in dropped)[-longest:]


def counts(attempt: Attempt) -> bool:
    """Whether it failed, and was not the fault of others."""
    return attempt.end_time is not None and attempt.reason not in _BLAMELESS | {Reason.STOPPED}


def stalled(attempts: tuple[Attempt, ...], message: str, now: datetime) -> tuple[Attempt, ...]:
    """The history once the attempts that run are given up, since they stand still."""
    ended = {"end_time": now, "reason": Reason.STALLED, "message": message}
    return tuple(attempt if attempt.end_time else attempt.model_copy(update=ended) for attempt in attempts)


def succeeded(attempts: tuple[Attempt, ...], pod: str, parts: Collection[str], now: datetime) -> tuple[Attempt, ...]:
    """The history once the ledger holds the result: the attempt in `pod` made it, though its pod may still run.

    `parts` are the pods that made parts of it.
    """
    told = dict.fromkeys(parts, "It made its part of the sound.") | {pod: "It made the mp3."}
    return tuple(
        attempt.model_copy(
            update={
                "end_time": attempt.end_time or now,
                "reason": Reason.SUCCEEDED,
                "message": told[attempt.pod],
            }
        )
        if attempt.pod in told
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
    told = {"landlock": opened.landlock}
    return tuple(attempt.model_copy(update=told) if attempt.pod == opened.pod else attempt for attempt in attempts)


def last_words(attempts: tuple[Attempt, ...], error: LedgerError | None) -> tuple[Reason, str] | None:
    """How the last attempt that counts ended: the worker's own reason and sentence where it left any.

    The ledger's error is believed where no pod is left to ask, or where it is that pod's own.
    """
    ended = [attempt for attempt in attempts if attempt.end_time and attempt.reason not in _BLAMELESS]
    if any(attempt.part is not None for attempt in ended):
        # When one part is given up the pods of the others are stopped, which says nothing.
        ended = sorted(ended, key=lambda attempt: (counts(attempt), attempt.end_time))
    if error and (not ended or error.pod == ended[-1].pod):
        return reason_of(error.reason, error.exit_code), _sentence(error.message, error.exit_code)
    if ended:
        return reason_of(ended[-1].reason, ended[-1].exit_code), ended[-1].message
    return None


def permanent(attempts: tuple[Attempt, ...], error: LedgerError | None) -> tuple[Reason, str] | None:
    """The words of an attempt that no other attempt could better, if there was one."""
    if error and error.exit_code in PERMANENT:
        return reason_of(error.reason, error.exit_code), _sentence(error.message, error.exit_code)
    for attempt in reversed(attempts):
        if attempt.exit_code in PERMANENT:
            return reason_of(attempt.reason, attempt.exit_code), attempt.message
    return None


_REASONS: Final = {str(reason): reason for reason in Reason}
_BLAMELESS: Final = frozenset({Reason.DISRUPTED, Reason.DIVIDED, Reason.SUCCEEDED})


def reason_of(text: str, exit_code: int | None) -> Reason:
    """The reason that a worker named, if it is one of ours; else what its exit code stands for."""
    return _REASONS.get(text) or _generic(exit_code)[0]


def _generic(exit_code: int | None) -> tuple[Reason, str]:
    if exit_code in list(ExitCode):
        return _BY_EXIT_CODE[ExitCode(exit_code)]
    how = "without an exit code" if exit_code is None else f"with exit code {exit_code}"
    return Reason.WORKER_CRASHED, f"The worker ended {how}."


def _sentence(text: str, exit_code: int | None) -> str:
    return text.strip()[:_LONGEST_MESSAGE] or _generic(exit_code)[1]


def _vanished(attempt: Attempt, now: datetime) -> Attempt:
    return attempt.model_copy(update={"end_time": now, "reason": Reason.DISRUPTED, "message": "Its pod is gone."})


def _attempt(pod: Pod, number: int, before: Attempt | None) -> Attempt:
    reason, message, detail = _outcome(pod)
    said = _last_words(pod)
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


def _outcome(pod: Pod) -> tuple[str, str, str]:
    """Reason, sentence and detail. Disruption is told by the pod's own condition; memory by the kubelet's word."""
    if not pod.ended:
        return Reason.RUNNING, "", ""
    if pod.disrupted and pod.exit_code not in PERMANENT:
        return Reason.DISRUPTED, Reason.DISRUPTED.meaning, ""
    if pod.container_reason == "OOMKilled":
        return Reason.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY.meaning, ""
    if pod.pod_reason == "DeadlineExceeded":
        return Reason.RUN_TIMEOUT, Reason.RUN_TIMEOUT.meaning, ""
    said = _last_words(pod)
    if said is None:
        return *_generic(pod.exit_code), ""
    return (
        reason_of(said.reason, pod.exit_code),
        _sentence(said.message, pod.exit_code),
        said.detail[-_LONGEST_MESSAGE:],
    )


def _last_words(pod: Pod) -> TerminationMessage | None:
    try:
        return TerminationMessage.model_validate_json(pod.termination_message)
    except ValidationError:
        return None
