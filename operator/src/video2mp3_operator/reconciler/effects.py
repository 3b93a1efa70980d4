"""④ What a decision does outside, in the order that survives a crash after any line. Every effect can be repeated."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar, Final

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.ledger.documents import LedgerEntry, LedgerFailure
from video2mp3_operator.cache.store import View
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy import timeouts
from video2mp3_operator.policy.retry import tries
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import ConflictError, UnavailableError
from video2mp3_operator.ports.systems import ConversionsApi, JobsApi, Ledger
from video2mp3_operator.reconciler.decisions import (
    Adopt,
    Await,
    Decision,
    Expire,
    Fail,
    Follow,
    Queue,
    Release,
    Replace,
    Rest,
    Start,
    Succeed,
    Suspend,
)
from video2mp3_operator.reconciler.file_effects import FileEffects
from video2mp3_operator.reconciler.job import build_job
from video2mp3_operator.reconciler.outbox import Outbox, message_from
from video2mp3_operator.reconciler.recipient import Recipient
from video2mp3_operator.reconciler.snapshot import Observation
from video2mp3_operator.scheduling.admission_queue import AdmissionDesk
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)
_LOOK_AGAIN_SECONDS: Final = 5.0
_AWAIT_SECONDS: Final = 120.0
_NO_POD_SECONDS: Final = 10.0
"""Between two looks at what the Job controller says of a Job that gets no pod."""


def _on_record(seen: Observation, job: Job, decision: Replace) -> bool:
    """Whether the status tells already how the attempts ended for which this Job makes way."""
    told = seen.status.attempts
    if decision.since is not None:
        return any(each.reason == Reason.NOT_STARTED and each.start_time == decision.since for each in told)
    if decision.pods:
        ended = {each.pod for each in told if each.end_time}
        return {each.pod for each in seen.attempts if each.pod in decision.pods} <= ended
    return tries(told, divided=seen.divided).generation > job.generation


@dataclass(frozen=True)
class Applier:
    """The effects of decisions."""

    settings: Settings
    view: View
    desk: AdmissionDesk
    conversions: ConversionsApi
    jobs: JobsApi
    ledger: Ledger
    files: FileEffects
    outbox: Outbox
    metrics: Metrics
    awaiting: set[Key] = field(default_factory=set)
    """Who waits for MongoDB: the sweep, which asks it anyway, wakes them when it is back."""

    async def apply(self, seen: Observation, decision: Decision) -> float | None:
        """Do what was decided; answers the seconds after which to look again, if no event will say so."""
        effect = self._EFFECTS.get(type(decision))
        return await effect(self, seen, decision) if effect else None

    async def _await_store(self, seen: Observation, _decision: Await) -> float:
        self.awaiting.add(seen.key)
        return _AWAIT_SECONDS

    async def _start(self, seen: Observation, decision: Start) -> None:
        if seen.spec is None:
            raise AssertionError("an invalid spec is never started")
        manifest = build_job(
            Conversion(metadata=seen.meta, spec=seen.spec),
            self.settings,
            decision.source_bytes,
            decision.tries,
            decision.parts,
        )
        self.view.see_job(await self.jobs.create(manifest))
        self.desk.leave(seen.meta.uid)
        if self.view.taken(seen.meta.uid):
            raise ConflictError("another release began to work for it meanwhile")
        self.metrics.jobs_created.inc()
        if seen.meta.creation_timestamp:
            waited = (seen.now - seen.meta.creation_timestamp).total_seconds()
            self.metrics.start_seconds.observe(max(0.0, waited))
        _log.info("job_created", job=manifest["metadata"]["name"], owner=seen.spec.owner)

    async def _suspend(self, seen: Observation, _decision: Suspend) -> float | None:
        return await self._end_job(seen)

    async def _adopt(self, seen: Observation, decision: Adopt) -> float:
        """With the verdict in the ledger it is over: the next look tells, and makes known what was not told before."""
        take_over = self.ledger.inherit if decision.found.retained_at is None else self.ledger.adopt
        if not await take_over(seen.ref, decision.found.owner, decision.found):
            raise ConflictError("somebody began to work for it meanwhile")
        _log.info("result_adopted", adopted_from=decision.found.uid)
        return 0.0

    async def _replace(self, seen: Observation, decision: Replace) -> float | None:
        """The failed attempt is on record before the Job goes: what comes next follows from the record."""
        if seen.job is None or not _on_record(seen, seen.job, decision):
            return 0.0
        return await self._end_job(seen)

    async def _end_job(self, seen: Observation) -> float | None:
        """Delete the Job. That it is gone an event says, unless it went before our watch began: then look again now."""
        job = seen.job
        if job is None or job.deleting:
            return None
        if await self.jobs.delete(job.namespace, job.name, job.uid):
            _log.info("job_deleted", job=job.name)
            return None
        self.view.lose_job(job)
        return 0.0

    async def _look_for_turn(self, seen: Observation, _decision: Queue) -> float | None:
        since = timeouts.queued_since(seen.status) or seen.now
        left = timeouts.left(since, seen.limits.queue_seconds, seen.now)
        if seen.job_trouble:
            self.view.bar(seen.meta.uid)
            return min(left or 0, _NO_POD_SECONDS)
        return left

    async def _look_for_start(self, seen: Observation, _decision: Follow) -> float | None:
        """Why a Job gets no pod, nobody tells us: we ask."""
        left = seen.left
        asks = seen.job is not None and seen.job.start_time is not None and not seen.own_pods and not seen.job.ready
        return min(left, _NO_POD_SECONDS) if asks and left is not None else left

    # --- end of its time ---

    async def _rest(self, seen: Observation, decision: Rest) -> float | None:
        """Look again when its time is over; of what Git manages only the Job goes then."""
        if decision.lingering is not None and decision.lingering <= 0:
            return await self._end_job(seen)
        if decision.lifetime is None:
            return decision.lingering
        if not decision.lifetime.over:
            return min(decision.lifetime.remaining.total_seconds(), decision.lingering or inf)
        return await self._end_job(seen)

    async def _expire(self, seen: Observation, _decision: Expire) -> None:
        await self.conversions.expire(seen.key, seen.meta.uid, int(seen.meta.resource_version or 0))
        _log.info("conversion_expired")

    # --- verdicts ---

    async def _succeed(self, seen: Observation, decision: Succeed) -> None:
        """The source goes before the success is told: once told, nobody looks at this Conversion's files again."""
        spec, entry = seen.spec, seen.entry
        await self.files.note_fingerprints(seen)
        if spec and spec.source.gridfs:
            await self.files.release_source(seen, spec.source.gridfs.file_id, seen.keeps_source)
        if entry is not None:
            await self.files.remove_leftovers(entry, keep=decision.result.file_id)
        if not decision.published:
            self.outbox.watch(seen.meta.uid)

    async def _fail(self, seen: Observation, decision: Fail) -> float | None:
        """The ledger first: it fences off a worker that still runs, and a result that came meanwhile wins."""
        entry = seen.entry
        if not decision.recorded:
            entry = await self._record(seen, decision)
        elif entry is None:
            raise AssertionError("what is recorded has an entry")
        if seen.job is not None and not seen.job.finished and not decision.job_ends:
            await self._end_job(seen)
        await self.files.remove_leftovers(entry, keep=None)
        message = message_from(entry)
        if message is not None:
            self.outbox.put(message)
        # Another container may keep the Job from ending.
        return 0.0 if decision.job_ends else None

    async def _record(self, seen: Observation, decision: Fail) -> LedgerEntry:
        spec = seen.spec
        owner = spec.owner if spec else ""
        failure = LedgerFailure(
            reason=decision.reason,
            message=decision.message,
            failed_at=seen.now,
            email=(spec.notify.email or "") if spec else "",
            filename=Conversion(metadata=seen.meta, spec=spec).filename if spec else "",
        )
        if not await self.ledger.store_failure(seen.ref, owner, failure):
            raise ConflictError("a result was stored meanwhile")
        await self.files.note_fingerprints(seen)
        uploads = seen.entry.uploads if seen.entry else ()
        return LedgerEntry(
            uid=seen.meta.uid,
            namespace=seen.meta.namespace,
            name=seen.meta.name,
            owner=owner,
            request_id=seen.ref.request_id,
            failure=failure,
            uploads=uploads,
        )

    # --- deletion ---

    async def _release(self, seen: Observation, _decision: Release) -> float | None:
        """End the worker, deal with the files, let go; each wait is bounded by the time since the deletion."""
        if await self._end_job(seen) is not None:
            return 0.0
        by_clock = seen.now - (seen.meta.deletion_timestamp or seen.now)
        waited = min(by_clock.total_seconds(), seen.watched_seconds)
        running = seen.job is not None or any(not pod.ended for pod in seen.pods)
        if running and waited < self.settings.deletion_grace_seconds:
            return _LOOK_AGAIN_SECONDS
        patient = waited < self.settings.release_after_seconds
        if patient and self._owes(seen):
            return _LOOK_AGAIN_SECONDS
        if not await self._deal_with_files(seen):
            if patient:
                return _LOOK_AGAIN_SECONDS
            self.metrics.abandoned.inc()
            _log.warning("deletion_abandoned_files", waited_seconds=waited)
        await self._let_go(seen)
        return None

    def _owes(self, seen: Observation) -> bool:
        """Whether a message must still go out before the ledger forgets what it says.

        A success whose mp3 is removed with it is not worth telling.
        """
        entry = seen.entry
        if entry is None or (entry.result is not None and not seen.keeps_mp3):
            return False
        email = (seen.spec.notify.email or "") if seen.spec else ""
        message = message_from(entry, Recipient(email))
        if message is not None:
            self.outbox.put(message)
        return message is not None

    async def _deal_with_files(self, seen: Observation) -> bool:
        """Remove what is to be removed; False while the store is away."""
        if not seen.ledger_known:
            return False
        try:
            await self.files.remove_all(seen)
        except UnavailableError as error:
            _log.warning("deletion_waits", error=str(error))
            return False
        return True

    async def _let_go(self, seen: Observation) -> None:
        left = tuple(finalizer for finalizer in seen.meta.finalizers if finalizer != names.FINALIZER)
        await self.conversions.set_finalizers(seen.key, left, int(seen.meta.resource_version or 0))
        self.view.forget_conversion(seen.key, seen.meta.uid)
        _log.info("conversion_released")

    _EFFECTS: ClassVar[Mapping[type, Callable[[Any, Observation, Any], Awaitable[float | None]]]] = {
        Await: _await_store,
        Start: _start,
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
