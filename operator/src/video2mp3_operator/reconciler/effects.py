"""④ What a decision does outside, in the order that survives a crash after any line. Every effect can be repeated."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar, Final

import structlog

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.ledger.documents import LedgerEntry, LedgerFailure
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy import timeouts
from video2mp3_operator.policy.attempts import since_retry
from video2mp3_operator.policy.retry import retry_state
from video2mp3_operator.ports.errors import ConflictError, InvalidError, OutsideError, RefusedError
from video2mp3_operator.ports.systems import ConversionsApi, Ledger
from video2mp3_operator.reconciler.decisions import (
    SUSPENDED_JOB,
    Adopt,
    Await,
    Decision,
    Expire,
    Fail,
    Follow,
    Queue,
    Record,
    Release,
    Replace,
    Rest,
    Retry,
    Start,
    Succeed,
    Suspend,
)
from video2mp3_operator.reconciler.deletion_effects import DeletionEffects
from video2mp3_operator.reconciler.file_effects import FileEffects
from video2mp3_operator.reconciler.job_effects import JobEffects
from video2mp3_operator.reconciler.outbox import Outbox, message_from
from video2mp3_operator.reconciler.snapshot import Snapshot
from video2mp3_operator.scheduling.admission_queue import AdmissionQueue

_log = structlog.get_logger(__name__)
_LOOK_AGAIN_SECONDS: Final = 5.0
_AWAIT_SECONDS: Final = 120.0
_NO_POD_SECONDS: Final = 10.0
"""Between two looks at what the Job controller says of a Job that gets no pod."""


def _on_record(snapshot: Snapshot, job: Job, decision: Replace) -> bool:
    """Whether the status tells already how the attempts ended for which this Job makes way."""
    attempts = since_retry(snapshot.status.attempts, snapshot.status)
    if decision.since is not None:
        return any(each.reason == Reason.NOT_STARTED and each.start_time == decision.since for each in attempts)
    if decision.pods:
        ended = {each.pod for each in attempts if each.end_time}
        return {each.pod for each in snapshot.attempts if each.pod in decision.pods} <= ended
    return retry_state(attempts, is_split=snapshot.is_split).generation > job.generation


def _is_limited(snapshot: Snapshot) -> bool:
    """Whether its time begins with its verdict: the write of that comes back through the watch as nothing new."""
    return snapshot.spec is not None and snapshot.spec.ttl_seconds_after_finished is not None


@dataclass(frozen=True)
class Applied:
    """What came of a decision."""

    decision: Decision
    """What is to be written: another one where the outside did not take what was decided."""

    again: float | None = None
    """Seconds after which to look again, if no event will say so."""

    error: RefusedError | None = None
    """What is to be raised once that is written."""


@dataclass(frozen=True)
class Effects:
    """The effects of decisions."""

    cache: Cache
    admission_queue: AdmissionQueue
    conversions: ConversionsApi
    jobs: JobEffects
    ledger: Ledger
    files: FileEffects
    outbox: Outbox
    deletion: DeletionEffects
    awaiting: set[Key] = field(default_factory=set)
    """Who waits for MongoDB: the sweep, which asks it anyway, wakes them when it is back."""

    async def apply(self, snapshot: Snapshot, decision: Decision) -> Applied:
        """Do what was decided."""
        effect = self._EFFECTS.get(type(decision))
        done = await effect(self, snapshot, decision) if effect else None
        return done if isinstance(done, Applied) else Applied(decision, done)

    async def _await_store(self, snapshot: Snapshot, _decision: Await) -> float:
        self.awaiting.add(snapshot.key)
        return _AWAIT_SECONDS

    async def _start(self, snapshot: Snapshot, decision: Start) -> Applied:
        try:
            await self.jobs.create(snapshot, decision)
        except InvalidError as error:
            self.admission_queue.leave(snapshot.meta.uid)
            failed = Fail(Reason.INVALID_JOB, f"Kubernetes does not take its Job: {error}")
            return Applied(failed, await self._fail(snapshot, failed))
        except RefusedError as error:
            self.admission_queue.leave(snapshot.meta.uid)
            return Applied(Queue(None, f"The API server refused its Job: {error}"), None, error)
        except OutsideError:
            raise
        except Exception:
            # Nobody else is to wait for a place that a fault of ours keeps.
            self.admission_queue.leave(snapshot.meta.uid)
            raise
        # A Job that Kueue is to start was made suspended, and no event will say so: we have seen it already.
        return Applied(SUSPENDED_JOB if snapshot.handed_over else decision)

    async def _retry(self, snapshot: Snapshot, decision: Retry) -> Applied:
        """The failure stands until it was told and its Job is gone: what follows is as of a Conversion that is new."""
        if not snapshot.ledger_known:
            return Applied(Rest(), _LOOK_AGAIN_SECONDS)
        message = message_from(snapshot.entry) if snapshot.entry and snapshot.entry.result is None else None
        if message is not None:
            self.outbox.put(message)
            return Applied(Rest(), _LOOK_AGAIN_SECONDS)
        if snapshot.job is not None:
            return Applied(Rest(), await self.jobs.end(snapshot))
        await self.ledger.reopen(snapshot.meta.uid)
        _log.info("retry_requested", requested_at=snapshot.meta.retry_requested_at)
        return Applied(decision, 0.0)

    async def _record(self, _snapshot: Snapshot, _decision: Record) -> float:
        return 0.0

    async def _suspend(self, snapshot: Snapshot, _decision: Suspend) -> float | None:
        return await self.jobs.end(snapshot)

    async def _adopt(self, snapshot: Snapshot, decision: Adopt) -> float:
        """With the verdict in the ledger it is over: the next look tells, and makes known what was not told before."""
        take_over = self.ledger.inherit if decision.found.retained_at is None else self.ledger.adopt
        if not await take_over(snapshot.ref, decision.found.owner, decision.found):
            raise ConflictError("somebody began to work for it meanwhile")
        _log.info("result_adopted", adopted_from=decision.found.uid)
        return 0.0

    async def _replace(self, snapshot: Snapshot, decision: Replace) -> float | None:
        """The failed attempt is on record before the Job goes: what comes next follows from the record."""
        if snapshot.job is None or not _on_record(snapshot, snapshot.job, decision):
            return 0.0
        return await self.jobs.end(snapshot)

    async def _look_for_turn(self, snapshot: Snapshot, _decision: Queue) -> float | None:
        since = timeouts.queued_since(snapshot.status) or snapshot.now
        left = timeouts.left(since, snapshot.limits.queue_seconds, snapshot.now)
        if snapshot.job_trouble:
            self.cache.bar(snapshot.meta.uid)
            return min(left or 0, _NO_POD_SECONDS)
        return left

    async def _look_for_start(self, snapshot: Snapshot, _decision: Follow) -> float | None:
        """Why a Job gets no pod, nobody tells us: we ask."""
        left = snapshot.left
        asks = (
            snapshot.job is not None
            and snapshot.job.start_time is not None
            and not snapshot.own_pods
            and not snapshot.job.ready
        )
        return min(left, _NO_POD_SECONDS) if asks and left is not None else left

    # --- end of its time ---

    async def _rest(self, snapshot: Snapshot, decision: Rest) -> float | None:
        """Look again when its time is over; of what Git manages only the Job goes then."""
        if decision.lingering is not None and decision.lingering <= 0:
            return await self.jobs.end(snapshot)
        if decision.lifetime is None:
            return decision.lingering
        if not decision.lifetime.over:
            return min(decision.lifetime.remaining.total_seconds(), decision.lingering or inf)
        return await self.jobs.end(snapshot)

    async def _expire(self, snapshot: Snapshot, _decision: Expire) -> None:
        await self.conversions.expire(snapshot.key, snapshot.meta.uid, int(snapshot.meta.resource_version or 0))
        _log.info("conversion_expired")

    async def _release(self, snapshot: Snapshot, _decision: Release) -> float | None:
        return await self.deletion.release(snapshot)

    # --- verdicts ---

    async def _succeed(self, snapshot: Snapshot, decision: Succeed) -> float | None:
        """The source goes before the success is told: once told, nobody looks at this Conversion's files again."""
        spec, entry = snapshot.spec, snapshot.entry
        await self.files.note_fingerprints(snapshot)
        if spec and spec.source.gridfs:
            await self.files.release_source(snapshot, spec.source.gridfs.file_id, snapshot.keeps_source)
        if entry is not None:
            await self.files.remove_leftovers(entry, keep=decision.result.file_id)
        if not decision.published:
            self.outbox.watch(snapshot.meta.uid)
        return 0.0 if _is_limited(snapshot) else None

    async def _fail(self, snapshot: Snapshot, decision: Fail) -> float | None:
        """The ledger first: it fences off a worker that still runs, and a result that came meanwhile wins."""
        entry = snapshot.entry
        if not decision.recorded:
            entry = await self._record_failure(snapshot, decision)
        elif entry is None:
            raise AssertionError("what is recorded has an entry")
        if snapshot.job is not None and not snapshot.job.finished and not decision.job_ends:
            await self.jobs.end(snapshot)
        await self.files.remove_leftovers(entry, keep=None)
        message = message_from(entry)
        if message is not None:
            self.outbox.put(message)
        # Another container may keep the Job from ending.
        return 0.0 if decision.job_ends or _is_limited(snapshot) else None

    async def _record_failure(self, snapshot: Snapshot, decision: Fail) -> LedgerEntry:
        spec = snapshot.spec
        owner = spec.owner if spec else ""
        failure = LedgerFailure(
            reason=decision.reason,
            message=decision.message,
            failed_at=snapshot.now,
            email=(spec.notify.email or "") if spec else "",
            filename=Conversion(metadata=snapshot.meta, spec=spec).filename if spec else "",
        )
        if not await self.ledger.store_failure(snapshot.ref, owner, failure):
            raise ConflictError("a result was stored meanwhile")
        await self.files.note_fingerprints(snapshot)
        uploads = snapshot.entry.uploads if snapshot.entry else ()
        return LedgerEntry(
            uid=snapshot.meta.uid,
            namespace=snapshot.meta.namespace,
            name=snapshot.meta.name,
            owner=owner,
            request_id=snapshot.ref.request_id,
            failure=failure,
            uploads=uploads,
        )

    _EFFECTS: ClassVar[Mapping[type, Callable[[Any, Snapshot, Any], Awaitable[Applied | float | None]]]] = {
        Await: _await_store,
        Start: _start,
        Record: _record,
        Retry: _retry,
        Queue: _look_for_turn,
        Follow: _look_for_start,
        Adopt: _adopt,
        Replace: _replace,
        Suspend: _suspend,
        Succeed: _succeed,
        Fail: _fail,
        Rest: _rest,
        Expire: _expire,
        Release: _release,
    }
    """What is done about each kind of decision; nothing about the others."""
