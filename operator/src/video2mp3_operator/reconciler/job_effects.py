"""⑤ Jobs made and ended. Each effect can be repeated: names follow from uids."""

from dataclasses import dataclass

import structlog

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.policy.class_choice import with_class
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import ConflictError
from video2mp3_operator.ports.systems import JobsApi
from video2mp3_operator.reconciler.decisions import Start
from video2mp3_operator.reconciler.job import build_job
from video2mp3_operator.reconciler.snapshot import Snapshot
from video2mp3_operator.scheduling.admission_queue import AdmissionQueue
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class JobEffects:
    """The part of the effects that touches Jobs."""

    settings: Settings
    cache: Cache
    admission_queue: AdmissionQueue
    jobs: JobsApi
    metrics: Metrics

    async def create(self, snapshot: Snapshot, decision: Start) -> None:
        """Create the Job. Raises ConflictError, InvalidError, RefusedError, UnavailableError."""
        if snapshot.spec is None:
            raise AssertionError("an invalid spec is never started")
        manifest = build_job(
            Conversion(metadata=snapshot.meta, spec=snapshot.spec),
            with_class(self.settings, snapshot.class_choice.resolved),
            decision.source_bytes,
            decision.retry_state,
            decision.parts,
            snapshot.class_choice.resolved.class_name if snapshot.class_choice.resolved else "",
        )
        self.cache.see_job(await self.jobs.create(manifest))
        self.admission_queue.leave(snapshot.meta.uid)
        if self.cache.taken(snapshot.meta.uid):
            raise ConflictError("another release began to work for it meanwhile")
        self.metrics.jobs_created.inc()
        if snapshot.meta.creation_timestamp:
            waited = (snapshot.now - snapshot.meta.creation_timestamp).total_seconds()
            self.metrics.start_seconds.observe(max(0.0, waited))
        _log.info("job_created", job=manifest["metadata"]["name"], owner=snapshot.spec.owner)

    async def end(self, snapshot: Snapshot) -> float | None:
        """Delete the Job. That it is gone an event says, unless it went before our watch began: then look again now."""
        job = snapshot.job
        if job is None or job.deleting:
            return None
        if await self.jobs.delete(job.namespace, job.name, job.uid):
            _log.info("job_deleted", job=job.name)
            return None
        self.cache.lose_job(job)
        return 0.0
