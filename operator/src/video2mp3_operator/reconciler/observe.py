"""④ What is known about one Conversion now: from the cache, and asked for where the decision turns on it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from video2mp3_contracts.api.conversion import Conversion, ObjectMeta
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.cache.dataloader import Batched
from video2mp3_operator.cache.store import View
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.pods import Pod
from video2mp3_operator.objects.spec_reading import read_spec
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.objects.unreadable import UnreadableEntry
from video2mp3_operator.policy import attempts
from video2mp3_operator.policy.result_reuse import description, fingerprints, lost_one
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.policy.stall import StallWatch
from video2mp3_operator.policy.stopwatches import Waits
from video2mp3_operator.policy.timeouts import Limits
from video2mp3_operator.ports.errors import RefusedError, UnavailableError
from video2mp3_operator.ports.systems import Clock, JobsApi
from video2mp3_operator.reconciler.decide import needs_ledger, needs_source
from video2mp3_operator.reconciler.job import KUEUE_QUEUE_LABEL, memory_of
from video2mp3_operator.reconciler.snapshot import Observation
from video2mp3_operator.reconciler.status import stored_status

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Observer:
    """Looks, and changes nothing."""

    settings: Settings
    clock: Clock
    view: View
    jobs: JobsApi
    entries: Batched[LedgerEntry]
    sources: Batched[SourceFile]
    retained: Batched[LedgerEntry]
    lost: Batched[Sequence[LedgerEntry]]
    stalls: StallWatch
    waits: Waits

    def forget(self, key: Key) -> None:
        """It is gone: nothing is waited for any more."""
        self.waits.forget(key)

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
