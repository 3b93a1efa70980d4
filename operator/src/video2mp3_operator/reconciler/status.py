"""④ The status that tells of a decision, and the patch that brings it there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from pydantic import ValidationError

from video2mp3_contracts.api import names
from video2mp3_contracts.api.reasons import ConditionType, Phase, Reason
from video2mp3_contracts.api.status import Attempt, ConversionStatus, Progress, QueueReport, Report
from video2mp3_operator.objects.conditions import Wanted, as_they_are, with_conditions
from video2mp3_operator.policy.attempts import given_up, not_started, succeeded, told_of_landlock
from video2mp3_operator.policy.ttl import Lifetime
from video2mp3_operator.reconciler.decisions import (
    Await,
    Decision,
    Fail,
    Follow,
    Hold,
    Queue,
    Record,
    Release,
    Replace,
    Rest,
    Retry,
    Start,
    Succeed,
    Suspend,
    on_its_way,
)
from video2mp3_operator.reconciler.snapshot import Snapshot

_Part = TypeVar("_Part", bound=Report)


@dataclass(frozen=True)
class _Report:
    """A row of the design's table of states."""

    phase: Phase
    reason: Reason
    message: str
    ready: Literal["True", "False"] = "False"
    also: tuple[ConditionType, ...] = (ConditionType.RECONCILING,)


_FAILED: Final = (ConditionType.STALLED, ConditionType.FAILED)


def stored_status(document: Mapping[str, Any]) -> ConversionStatus:
    """A Conversion's status as it is; where somebody wrote nonsense there, as if there were none."""
    try:
        return ConversionStatus.model_validate(document["status"])
    except ValidationError:
        return ConversionStatus()


def build_status(snapshot: Snapshot, decision: Decision) -> ConversionStatus | None:
    """The whole status that tells of `decision`, or None where there is nothing to tell."""
    if isinstance(decision, Rest):
        return _rested(snapshot, decision.lifetime)
    report = _report(snapshot, decision)
    if report is None:
        return None
    now = snapshot.now.replace(microsecond=0)
    finished = isinstance(decision, Succeed | Fail)
    return ConversionStatus(
        observed_generation=snapshot.meta.generation,
        phase=report.phase,
        reason=report.reason,
        message=report.message,
        queue=_queue(snapshot, decision),
        progress=_progress(snapshot, decision),
        attempts=_attempts(snapshot, decision),
        resolved=snapshot.class_choice.resolved,
        attempts_before_retry=_before_retry(snapshot, decision),
        last_handled_retry_at=snapshot.meta.retry_requested_at or snapshot.status.last_handled_retry_at,
        start_time=snapshot.status.start_time or _start_time(snapshot),
        completion_time=(snapshot.status.completion_time or _completion_time(snapshot, now)) if finished else None,
        output=decision.result if isinstance(decision, Succeed) else None,
        conditions=with_conditions(snapshot.status.conditions, _wanted(report), snapshot.meta.generation, now),
    )


def _report(snapshot: Snapshot, decision: Decision) -> _Report | None:
    match decision:
        case Succeed(result):
            message = f"{result.filename} is stored as {result.file_id}."
            if snapshot.entry and snapshot.entry.adopted_from:
                message += " It was made before, by a Conversion that is gone."
            return _Report(Phase.SUCCEEDED, Reason.SUCCEEDED, message, "True", (ConditionType.COMPLETE,))
        case Fail(reason, message):
            return _Report(Phase.FAILED, reason, message, "False", _FAILED)
        case Hold(reason, message):
            return _Report(Phase.PENDING, reason, message)
        case Retry():
            return _Report(Phase.PENDING, Reason.RETRY_REQUESTED, Reason.RETRY_REQUESTED.meaning)
        case Suspend():
            return _Report(Phase.SUSPENDED, Reason.SUSPENDED, Reason.SUSPENDED.meaning, "True", ())
        case _:
            return _on_the_way(snapshot, decision)


def _on_the_way(snapshot: Snapshot, decision: Decision) -> _Report | None:
    match decision:
        case Await(message):
            phase = Phase.RUNNING if snapshot.job else Phase.PENDING
            return _Report(phase, Reason.SERVICE_UNAVAILABLE, message)
        case Queue(message=message) | Record(message=message):
            return _Report(Phase.QUEUED, Reason.QUEUED, message)
        case Start(_, retry_state):
            job = names.job_name(snapshot.meta.name, snapshot.meta.uid, retry_state.generation)
            return _Report(Phase.RUNNING, Reason.STARTING, on_its_way(job))
        case Follow(reason, message):
            return _Report(Phase.RUNNING, reason, message)
        case Replace(Reason.DIVIDED, message):
            return _Report(Phase.RUNNING, Reason.DIVIDED, message)
        case Replace(_, message):
            return _Report(Phase.RUNNING, Reason.RETRYING, message)
        case Release():
            return _Report(Phase.PENDING, Reason.DELETING, Reason.DELETING.meaning)
        case _:
            return None


def _wanted(report: _Report) -> Mapping[ConditionType, Wanted]:
    return {
        ConditionType.READY: Wanted(report.ready, report.reason, report.message),
        **{kind: Wanted("True", report.reason, report.message) for kind in report.also},
    }


def _rested(snapshot: Snapshot, left: Lifetime | None) -> ConversionStatus:
    """The verdict as it stands, for the present generation: what may still be changed in the spec changes nothing."""
    wanted = as_they_are(snapshot.status.conditions)
    requested = snapshot.meta.retry_requested_at if not snapshot.retry_requested else None
    wanted.pop(ConditionType.EXPIRED, None)
    if left and left.over:
        reason = Reason.MANAGED_BY_GIT
        wanted[ConditionType.EXPIRED] = Wanted("True", reason, f"{reason.meaning} It carries the {left.managed_by}.")
    return snapshot.status.model_copy(
        update={
            "observed_generation": snapshot.meta.generation,
            # What has succeeded is not done again.
            "last_handled_retry_at": requested or snapshot.status.last_handled_retry_at,
            "conditions": with_conditions(snapshot.status.conditions, wanted, snapshot.meta.generation, snapshot.now),
        }
    )


def _queue(snapshot: Snapshot, decision: Decision) -> QueueReport | None:
    """Its place, as far as it is known: after a restart everyone's is told again a little later."""
    before = snapshot.status.queue
    match decision:
        case Queue(position):
            known = before or QueueReport()
            return QueueReport(
                position=position or known.position, since=known.since or snapshot.now.replace(microsecond=0)
            )
        case Await() | Record() if snapshot.job is None:
            return before
        case _:
            return None


def _progress(snapshot: Snapshot, decision: Decision) -> Progress | None:
    match decision:
        case Follow(Reason.RUNNING, _, progress):
            return progress or snapshot.status.progress
        case Succeed(result):
            duration = result.duration_seconds
            return Progress(percent=100, processed_seconds=duration, duration_seconds=duration)
        case _:
            return None


def _attempts(snapshot: Snapshot, decision: Decision) -> tuple[Attempt, ...]:
    return told_of_landlock(_ended_attempts(snapshot, decision), snapshot.entry.attempt if snapshot.entry else None)


def _ended_attempts(snapshot: Snapshot, decision: Decision) -> tuple[Attempt, ...]:
    if isinstance(decision, Succeed) and snapshot.entry and snapshot.entry.attempt:
        parts = frozenset(part.pod for part in snapshot.entry.parts.values())
        return succeeded(snapshot.history, snapshot.entry.attempt.pod, parts, snapshot.now.replace(microsecond=0))
    now = snapshot.now.replace(microsecond=0)
    match decision:
        case Replace(Reason.STALLED as reason, message):
            return given_up(snapshot.history, reason, message, now)
        case Replace(Reason.LOST as reason, message, pods):
            return given_up(snapshot.history, reason, message, now, pods)
        case Replace(Reason.NOT_STARTED, message, _, since) if since and not _told_of(snapshot.history, since):
            return not_started(snapshot.history, since, message, now, snapshot.status.attempts_before_retry or 0)
        case Suspend():
            return given_up(snapshot.history, Reason.SUSPENDED, Reason.SUSPENDED.meaning, now)
    return snapshot.history


def _told_of(attempts: tuple[Attempt, ...], since: datetime) -> bool:
    return any(each.reason == Reason.NOT_STARTED and each.start_time == since for each in attempts)


def _before_retry(snapshot: Snapshot, decision: Decision) -> int | None:
    """The number of the last attempt that does not count any more; of those that nobody saw the ledger knows."""
    if not isinstance(decision, Retry):
        return snapshot.status.attempts_before_retry
    opened = snapshot.entry.attempts_opened if snapshot.entry else 0
    return max([opened, *(attempt.number for attempt in snapshot.history)]) or None


def _start_time(snapshot: Snapshot) -> datetime | None:
    """When the first attempt began."""
    started = [attempt.start_time for attempt in snapshot.history if attempt.start_time]
    return min(started) if started else None


def _completion_time(snapshot: Snapshot, now: datetime) -> datetime:
    return (snapshot.job.completion_time if snapshot.job else None) or now


def realtime_factor(status: ConversionStatus) -> float | None:
    """Seconds of media converted in a second by those attempts that made the mp3; None where none is known to have."""
    made = [attempt for attempt in status.attempts if attempt.reason == Reason.SUCCEEDED]
    started = [attempt.start_time for attempt in made if attempt.start_time]
    ended = [attempt.end_time for attempt in made if attempt.end_time]
    if not started or not ended or status.output is None:
        return None
    # Kubernetes tells whole seconds: what took less than one is taken for one.
    return status.output.duration_seconds / max(1.0, (max(ended) - min(started)).total_seconds())


_STARTING_SECONDS: Final = 3.0
"""Most pods run before that, and then one write tells of both."""


def starting_early(snapshot: Snapshot, decision: Decision) -> float:
    """Seconds for which it need not be told yet that the first attempt is on its way; 0 where there is more to tell."""
    if snapshot.status.reason == Reason.STARTING or snapshot.attempts:
        return 0.0
    match decision:
        case Start():
            return _STARTING_SECONDS
        case Follow(Reason.STARTING, message) if (
            snapshot.job and snapshot.job.created_at and message == on_its_way(snapshot.job.name)
        ):
            age = (snapshot.now - snapshot.job.created_at).total_seconds()
            # A clock that differs from the API server's has it told at once.
            return _STARTING_SECONDS - age if 0 <= age < _STARTING_SECONDS else 0.0
        case _:
            return 0.0


def stored_report(model: type[_Part], document: dict[str, Any] | None, part: str) -> _Part | None:
    """A part of a Conversion's stored status; None where there is none, or nonsense."""
    stored = (document or {}).get("status", {}).get(part)
    try:
        return model.model_validate(stored) if stored else None
    except ValidationError:
        return None
