"""④ One Conversion: observe → decide → apply → one status write. Level-triggered and idempotent.

Whatever line it dies at, the next run finds the world as it is and goes on from there: names follow from uids, verdicts
are stored before they are told, and what is told twice is told alike.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import Conversion, ObjectMeta
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import ConversionStatus
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.cache.dataloader import Batched
from video2mp3_operator.cache.store import View
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.metadata import Key, version_of
from video2mp3_operator.objects.pods import Pod
from video2mp3_operator.objects.spec_reading import read_spec
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.objects.unreadable import UnreadableEntry
from video2mp3_operator.policy import attempts
from video2mp3_operator.policy.attempts import newly_ended
from video2mp3_operator.policy.result_reuse import description, fingerprints, lost_one
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.policy.stall import StallWatch
from video2mp3_operator.policy.stopwatches import Waits
from video2mp3_operator.policy.timeouts import Limits
from video2mp3_operator.ports.errors import ConflictError, GoneError, InvalidError, RefusedError, UnavailableError
from video2mp3_operator.ports.systems import Clock, ConversionsApi, JobsApi
from video2mp3_operator.reconciler.decide import decide, needs_ledger, needs_source
from video2mp3_operator.reconciler.decisions import SUSPENDED_JOB, Decision, Fail, Queue, Release, Start, Succeed
from video2mp3_operator.reconciler.effects import Applier
from video2mp3_operator.reconciler.job import KUEUE_QUEUE_LABEL, memory_of
from video2mp3_operator.reconciler.snapshot import Observation
from video2mp3_operator.reconciler.status import (
    build_status,
    only_progress,
    progress_due,
    realtime_factor,
    starting_early,
    status_patch,
    stored_status,
)
from video2mp3_operator.scheduling.admission_queue import AdmissionDesk
from video2mp3_operator.scheduling.ordering import Candidate, Turn
from video2mp3_operator.scheduling.position_updates import position_due
from video2mp3_operator.telemetry.events import EventRecorder, happenings
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """All that a reconcile works with."""

    settings: Settings
    clock: Clock
    view: View
    desk: AdmissionDesk
    conversions: ConversionsApi
    jobs: JobsApi
    entries: Batched[LedgerEntry]
    sources: Batched[SourceFile]
    retained: Batched[LedgerEntry]
    lost: Batched[Sequence[LedgerEntry]]
    applier: Applier
    events: EventRecorder
    metrics: Metrics
    stalls: StallWatch
    waits: Waits

    async def reconcile(self, key: Key) -> float | None:
        """Bring one Conversion a step on; answers the seconds after which to look again, if no event will say so."""
        await self._clear_up_after_others(key)
        document = self.view.conversion(key)
        if document is None:
            self.waits.forget(key)
            return None
        meta = ObjectMeta.model_validate(document["metadata"])
        if self.view.taken(meta.uid):
            # That its Job is gone an event says. Whose Conversion it is, is not ours to settle.
            self.desk.leave(meta.uid)
            return None
        with structlog.contextvars.bound_contextvars(**meta.ref.log_fields):
            try:
                seen = await self.observe(document, meta)
                if not self.view.knows(key, seen.meta.uid):
                    self.desk.leave(seen.meta.uid)
                    return 0.0  # It went while we looked; another of its name may be there.
                seen = replace(seen, turn=self._turn(seen))
                return await self._bring_on(key, document, seen, decide(seen))
            except ConflictError:
                await self._look_again(key)
                raise
            except GoneError:
                self.view.forget_conversion(key, document["metadata"]["uid"])
                self.desk.leave(document["metadata"]["uid"])
                return None

    async def _bring_on(
        self, key: Key, document: dict[str, Any], seen: Observation, decision: Decision
    ) -> float | None:
        if not isinstance(decision, Queue | Start):
            self.desk.leave(seen.meta.uid)
        version = await self._hold(key, document, seen)
        try:
            again = await self.applier.apply(seen, decision)
        except InvalidError as error:
            if not isinstance(decision, Start):
                raise
            self.desk.leave(seen.meta.uid)
            decision = Fail(Reason.INVALID_JOB, f"Kubernetes does not take its Job: {error}")
            again = await self.applier.apply(seen, decision)
        except RefusedError as error:
            if not isinstance(decision, Start):
                raise
            self.desk.leave(seen.meta.uid)
            await self._report(key, document, version, seen, Queue(None, f"The API server refused its Job: {error}"))
            raise
        if isinstance(decision, Release) and again is None:
            return None
        # A Job that Kueue is to start was made suspended, and no event will say so: we have seen it already.
        handed_over = isinstance(decision, Start) and seen.handed_over
        told = SUSPENDED_JOB if handed_over else decision
        early = starting_early(seen, told)
        if early:
            self._tell_of_start(seen, told)
            return early if again is None else min(early, again)
        await self._report(key, document, version, seen, told)
        limited = seen.spec is not None and seen.spec.ttl_seconds_after_finished is not None
        # Our own status write comes back through the watch as nothing new.
        return 0.0 if limited and isinstance(decision, Succeed | Fail) else again

    # --- observe ---

    async def observe(self, document: dict[str, Any], meta: ObjectMeta) -> Observation:
        """Everything that the decision turns on but its turn, and no more than that is asked for. Changes nothing."""
        reading = read_spec(document["spec"])
        spec = reading.spec
        seen = Observation(
            meta=meta,
            spec=spec,
            invalid=reading.trouble,
            keeps_mp3=reading.keeps_mp3,
            keeps_source=reading.keeps_source,
            status=stored_status(document),
            now=self.clock(),
            job=self.view.job(meta.uid),
            pods=self.view.pods(meta.uid),
            source_limit=self.settings.max_source_bytes,
            allowed_hosts=self.settings.allowed_hosts,
            limits=self._limits().of(spec),
            memory=memory_of(self.settings),
            quiet_seconds=self.stalls.quiet_seconds(meta.uid),
            handed_over=KUEUE_QUEUE_LABEL in meta.labels,
        )
        changes: dict[str, Any] = {"pods": seen.pods if seen.finished else await self._pods(seen.job, seen.pods)}
        changes["attempts"] = attempts.history(seen.status.attempts, changes["pods"], seen.now.replace(microsecond=0))
        if needs_ledger(meta, seen.job, changes["pods"], seen.finished):
            changes |= await self._ledger(meta.uid)
        else:
            changes["entry"] = self.view.entries.get(meta.uid)
        seen = replace(seen, **changes)
        seen = replace(seen, watched_seconds=self.waits.watch(seen.key, _waited_for(seen)))
        if _asks_why(seen):
            seen = replace(seen, job_trouble=await self._job_trouble(seen))
        if needs_source(seen):
            seen = replace(seen, **await self._source(seen))
            seen = replace(seen, retained=await self._retained(seen))
        return seen

    def _limits(self) -> Limits:
        settings = self.settings
        return Limits(
            settings.queue_seconds,
            settings.worker_start_seconds,
            settings.worker_stall_seconds,
            settings.outage_seconds,
            settings.lost_seconds,
        )

    async def _pods(self, job: Job | None, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        """The pods; asked for where a Job has failed and the watch has not told yet how its pods ended."""
        if job is None or job.failed_reason is None:
            return pods
        if job.parts == 1 and any(pod.exit_code is not None for pod in pods):
            return pods
        for document in await self.jobs.pods_of(job.namespace, job.conversion_uid):
            self.view.see_pod(document)
        return self.view.pods(job.conversion_uid)

    async def _job_trouble(self, seen: Observation) -> str:
        """Why its Job gets no pod; "" where nobody says so, or nobody answers: it is asked for again."""
        try:
            return await self.jobs.trouble_of(seen.job.namespace, seen.job.uid) if seen.job else ""
        except (UnavailableError, RefusedError) as error:
            _log.warning("job_events_unavailable", error=str(error))
            return ""

    async def _ledger(self, uid: str) -> dict[str, Any]:
        try:
            entry = await self.entries.get(uid)
        except UnavailableError as error:
            _log.warning("ledger_unavailable", error=str(error))
            return {"ledger_known": False}
        if isinstance(entry, UnreadableEntry):
            return {"ledger_known": False, "ledger_trouble": entry.why}
        return {"entry": entry}

    async def _source(self, seen: Observation) -> dict[str, Any]:
        gridfs = seen.spec.source.gridfs if seen.spec else None
        if gridfs is None:
            return {}
        try:
            return {"source": await self.sources.get(gridfs.file_id)}
        except UnavailableError as error:
            _log.warning("source_unavailable", error=str(error))
            return {"source_known": False}

    async def _retained(self, seen: Observation) -> LedgerEntry | None:
        """Asked for only where nobody has begun to work for it."""
        if seen.spec is None or not seen.source_known or (seen.entry and (seen.entry.attempt or seen.entry.parts)):
            return None
        filename = Conversion(metadata=seen.meta, spec=seen.spec).filename
        made_of = fingerprints(seen.spec, filename, seen.source.sha256 if seen.source else None)
        known, source_gone = (
            (description(seen.spec, filename), *made_of),
            seen.source is None and not seen.spec.source.url,
        )
        try:
            entries = await self.lost.get("/".join(seen.key)) or ()
            lost = lost_one(seen.ref, seen.spec.owner, known, source_gone=source_gone, entries=entries)
            if lost is not None:
                return lost
            for fingerprint in made_of:
                found = await self.retained.get(fingerprint)
                if found is not None:
                    return found
        except UnavailableError as error:
            _log.warning("ledger_unavailable", error=str(error))
        return None

    def _turn(self, seen: Observation) -> Turn:
        """Its turn, which it takes its place in line for: only who would start if it had come asks for it."""
        would_start = decide(replace(seen, turn=Turn(admitted=True)))
        if not isinstance(would_start, Start) or seen.handed_over or seen.spec is None:
            return Turn(admitted=False)
        return self.desk.ask(
            Candidate(
                uid=seen.meta.uid,
                key=seen.key,
                owner=seen.spec.owner,
                priority=seen.spec.priority,
                created_at=seen.meta.creation_timestamp or seen.now,
                pods=seen.parts,
            )
        )

    # --- write ---

    async def _clear_up_after_others(self, key: Key) -> None:
        """End the Jobs of Conversions of this name that are gone, though somebody took our finalizer off.

        Where Jobs run in the Conversion's own namespace Kubernetes does it.
        """
        if not self.settings.serves(key.namespace) or key.namespace in self.view.unseen:
            return
        for job in self.view.strays(key):
            if not job.deleting and await self.jobs.delete(job.namespace, job.name, job.uid):
                _log.info("job_deleted", job=job.name, namespace=key.namespace, conversion=key.name)

    async def _hold(self, key: Key, document: dict[str, Any], seen: Observation) -> int:
        """Put our finalizer on before anything is made that it must remove, and again where somebody took it off.

        A finished one without it would leave its mp3 behind, unknown to whoever looks for it. Answers the
        resourceVersion.
        """
        held = names.FINALIZER in seen.meta.finalizers
        if held or seen.meta.deletion_timestamp is not None:
            return version_of(document)
        wanted = (*seen.meta.finalizers, names.FINALIZER)
        changed = await self.conversions.set_finalizers(key, wanted, version_of(document))
        self.view.see_conversion(changed)
        return version_of(changed)

    async def _report(
        self, key: Key, document: dict[str, Any], version: int, seen: Observation, decision: Decision
    ) -> None:
        """Write the status if it says anything new."""
        status = build_status(seen, decision)
        patch = status_patch(document["status"], status) if status else {}
        if not status or not patch or self._too_soon(seen, patch):
            return
        self.view.see_conversion(await self.conversions.patch_status(key, patch, version))
        self.events.record(seen.meta, happenings(seen.status, status), seen.now)
        for attempt in newly_ended(seen.status.attempts, status.attempts):
            self.metrics.attempts.labels(attempt.reason).inc()
            if attempt.landlock is False:
                self.metrics.attempts_without_landlock.inc()
        if isinstance(decision, Succeed | Fail):
            self._count_verdict(status)

    def _tell_of_start(self, seen: Observation, decision: Decision) -> None:
        """An Event tells of it at once, though the status does not yet."""
        status = build_status(seen, decision) if isinstance(decision, Start) else None
        if status:
            self.events.record(seen.meta, happenings(seen.status, status), seen.now)

    def _too_soon(self, seen: Observation, patch: dict[str, Any]) -> bool:
        """Progress and the place in the queue are told coarsely: each write wakes everyone who watches."""
        if not only_progress(patch):
            return False
        fresh = seen.entry.progress if seen.entry else None
        due = progress_due(seen.status.progress, fresh, self.settings.progress_write_seconds)
        moved = position_due(seen.status.queue, (patch.get("queue") or {}).get("position"))
        return not (("progress" in patch and due) or ("queue" in patch and moved))

    def _count_verdict(self, status: ConversionStatus) -> None:
        self.metrics.finished.labels(status.phase, status.reason).inc()
        if status.start_time and status.completion_time:
            ran = (status.completion_time - status.start_time).total_seconds()
            self.metrics.run_seconds.observe(max(0.0, ran))
        factor = realtime_factor(status)
        if factor is not None:
            self.metrics.realtime_factor.observe(factor)
        _log.info("conversion_finished", phase=status.phase, reason=status.reason, message=status.message)

    async def _look_again(self, key: Key) -> None:
        """After a conflict: what the watch has not told yet."""
        try:
            self.view.see_conversion(await self.conversions.get(key))
        except GoneError:
            self.view.forget_conversion(key)


def _waited_for(seen: Observation) -> Hashable:
    """What others date and we must not take their word for: a deletion, or the start or the end of a pod."""
    if seen.meta.deletion_timestamp is not None:
        return (seen.meta.uid, "deletion")
    wait = seen.wait
    return wait and (seen.meta.uid, wait.awaited, wait.since)


def _asks_why(seen: Observation) -> bool:
    """Whether its Job has been looked at by the Job controller and has no pod."""
    job = seen.job
    if job is None or seen.finished or seen.own_pods or job.failed or job.ready or seen.meta.deletion_timestamp:
        return False
    return job.start_time is not None and not (job.finished or job.deleting or job.suspended)
