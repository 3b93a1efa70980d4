"""④ What is known about one Conversion now: from the cache, and asked for where the decision turns on it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from video2mp3_contracts.api.conversion import Conversion, ObjectMeta
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.cache.dataloader import DataLoader
from video2mp3_operator.cache.sets import set_of
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.pods import Pod
from video2mp3_operator.objects.spec_reading import effective_reading, read_spec
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.objects.unreadable import UnreadableEntry
from video2mp3_operator.policy import attempts
from video2mp3_operator.policy.class_choice import Classes, choose, with_class
from video2mp3_operator.policy.result_reuse import description, fingerprints, lost_one
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.policy.stall import StallWatch
from video2mp3_operator.policy.stopwatches import Stopwatches
from video2mp3_operator.policy.timeouts import Limits
from video2mp3_operator.ports.errors import RefusedError, UnavailableError
from video2mp3_operator.ports.systems import Clock, JobsApi
from video2mp3_operator.reconciler.decide import needs_ledger, needs_source
from video2mp3_operator.reconciler.job import KUEUE_QUEUE_LABEL, memory_of
from video2mp3_operator.reconciler.snapshot import Snapshot
from video2mp3_operator.reconciler.status import stored_status

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Observer:
    """Looks, and changes nothing."""

    settings: Settings
    clock: Clock
    cache: Cache
    classes: Classes
    jobs: JobsApi
    entries: DataLoader[LedgerEntry]
    sources: DataLoader[SourceFile]
    retained: DataLoader[LedgerEntry]
    lost: DataLoader[Sequence[LedgerEntry]]
    stalls: StallWatch
    stopwatches: Stopwatches

    def forget(self, key: Key) -> None:
        """It is gone: nothing is waited for any more."""
        self.stopwatches.forget(key)

    async def observe(self, document: dict[str, Any], meta: ObjectMeta) -> Snapshot:
        """Everything that the decision turns on but its turn, and no more than that is asked for. Changes nothing."""
        status, job = stored_status(document), self.cache.job(meta.uid)
        said = read_spec(document["spec"])
        choice = choose(
            None if said.trouble else said.spec,
            status,
            has_job=job is not None,
            in_set=bool(set_of(document)),
            classes=self.classes,
        )
        reading, settings = effective_reading(said, choice.resolved), with_class(self.settings, choice.resolved)
        snapshot = Snapshot(
            meta=meta,
            spec=reading.spec,
            class_choice=choice,
            invalid=reading.trouble,
            keeps_mp3=reading.keeps_mp3,
            keeps_source=reading.keeps_source,
            status=status,
            now=self.clock(),
            job=job,
            pods=self.cache.pods(meta.uid),
            source_limit=settings.max_source_bytes,
            allowed_hosts=self.settings.allowed_hosts,
            limits=self._limits().of(reading.spec),
            memory=memory_of(settings),
            quiet_seconds=self.stalls.quiet_seconds(meta.uid),
            handed_over=KUEUE_QUEUE_LABEL in meta.labels,
            turn=None,
        )
        changes: dict[str, Any] = {
            "pods": snapshot.pods if snapshot.finished else await self._pods(snapshot.job, snapshot.pods)
        }
        changes["history"] = attempts.history(
            snapshot.status.attempts,
            changes["pods"],
            snapshot.now.replace(microsecond=0),
            snapshot.status.attempts_before_retry or 0,
        )
        verdict_stands = snapshot.finished and not snapshot.retry_requested
        if needs_ledger(meta, snapshot.job, changes["pods"], verdict_stands):
            changes |= await self._ledger(meta.uid)
        else:
            changes["entry"] = self.cache.entries.get(meta.uid)
        snapshot = replace(snapshot, **changes)
        snapshot = replace(snapshot, watched_seconds=self.stopwatches.watch(snapshot.key, _waited_for(snapshot)))
        if _asks_why(snapshot):
            snapshot = replace(snapshot, job_trouble=await self._job_trouble(snapshot))
        if needs_source(snapshot):
            snapshot = replace(snapshot, **await self._source(snapshot))
            snapshot = replace(snapshot, retained=await self._retained(snapshot))
        return snapshot

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
        if job.parts == 1 and any(pod.exit_code is not None and pod.job_uid == job.uid for pod in pods):
            return pods
        for document in await self.jobs.pods_of(job.namespace, job.conversion_uid):
            self.cache.see_pod(document)
        return self.cache.pods(job.conversion_uid)

    async def _job_trouble(self, snapshot: Snapshot) -> str:
        """Why its Job gets no pod; "" where nobody says so, or nobody answers: it is asked for again."""
        try:
            return await self.jobs.trouble_of(snapshot.job.namespace, snapshot.job.uid) if snapshot.job else ""
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

    async def _source(self, snapshot: Snapshot) -> dict[str, Any]:
        gridfs = snapshot.spec.source.gridfs if snapshot.spec else None
        if gridfs is None:
            return {}
        try:
            return {"source": await self.sources.get(gridfs.file_id)}
        except UnavailableError as error:
            _log.warning("source_unavailable", error=str(error))
            return {"source_known": False}

    async def _retained(self, snapshot: Snapshot) -> LedgerEntry | None:
        """Asked for only where nobody has begun to work for it."""
        if (
            snapshot.spec is None
            or not snapshot.source_known
            or (snapshot.entry and (snapshot.entry.attempt or snapshot.entry.parts))
        ):
            return None
        filename = Conversion(metadata=snapshot.meta, spec=snapshot.spec).filename
        made_of = fingerprints(snapshot.spec, filename, snapshot.source.sha256 if snapshot.source else None)
        known, source_gone = (
            (description(snapshot.spec, filename), *made_of),
            snapshot.source is None and not snapshot.spec.source.url,
        )
        try:
            entries = await self.lost.get("/".join(snapshot.key)) or ()
            lost = lost_one(snapshot.ref, snapshot.spec.owner, known, source_gone=source_gone, entries=entries)
            if lost is not None:
                return lost
            for fingerprint in made_of:
                found = await self.retained.get(fingerprint)
                if found is not None:
                    return found
        except UnavailableError as error:
            _log.warning("ledger_unavailable", error=str(error))
        return None


def _waited_for(snapshot: Snapshot) -> Hashable:
    """What others date and we must not take their word for: a deletion, or the start or the end of a pod."""
    if snapshot.meta.deletion_timestamp is not None:
        return (snapshot.meta.uid, "deletion")
    wait = snapshot.wait
    return wait and (snapshot.meta.uid, wait.awaited, wait.since)


def _asks_why(snapshot: Snapshot) -> bool:
    """Whether its Job has been looked at by the Job controller and has no pod."""
    job = snapshot.job
    if (
        job is None
        or snapshot.finished
        or snapshot.own_pods
        or job.failed
        or job.ready
        or snapshot.meta.deletion_timestamp
    ):
        return False
    return job.start_time is not None and not (job.finished or job.deleting or job.suspended)
