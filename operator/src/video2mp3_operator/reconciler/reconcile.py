"""④ One Conversion: snapshot → decide → admission → effects → one status write. Level-triggered and idempotent.

Whatever line it dies at, the next run finds the world as it is and goes on from there: names follow from uids, verdicts
are stored before they are told, and what is told twice is told alike.
"""

from dataclasses import dataclass, replace
from typing import Any

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.status import ConversionStatus
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key, version_of
from video2mp3_operator.policy.attempts import newly_ended
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import ConflictError, GoneError
from video2mp3_operator.ports.systems import Clock, ConversionsApi, JobsApi
from video2mp3_operator.reconciler.decide import admit, decide
from video2mp3_operator.reconciler.decisions import Decision, Fail, Queue, Record, Release, Start, Succeed
from video2mp3_operator.reconciler.effects import Effects
from video2mp3_operator.reconciler.observer import Observer
from video2mp3_operator.reconciler.snapshot import Snapshot
from video2mp3_operator.reconciler.status import (
    build_status,
    realtime_factor,
    starting_early,
)
from video2mp3_operator.reconciler.status_patch import only_progress, progress_due, status_patch
from video2mp3_operator.scheduling.admission_queue import AdmissionQueue
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
    cache: Cache
    admission_queue: AdmissionQueue
    conversions: ConversionsApi
    jobs: JobsApi
    observer: Observer
    effects: Effects
    events: EventRecorder
    metrics: Metrics

    async def reconcile(self, key: Key) -> float | None:
        """Bring one Conversion a step on; answers the seconds after which to look again, if no event will say so."""
        await self._clear_up_after_others(key)
        document = self.cache.conversion(key)
        if document is None:
            self.observer.forget(key)
            return None
        meta = ObjectMeta.model_validate(document["metadata"])
        if self.cache.taken(meta.uid):
            # That its Job is gone an event says. Whose Conversion it is, is not ours to settle.
            self.admission_queue.leave(meta.uid)
            return None
        with structlog.contextvars.bound_contextvars(**meta.ref.log_fields):
            try:
                snapshot = await self.observer.observe(document, meta)
                if not self.cache.knows(key, snapshot.meta.uid):
                    self.admission_queue.leave(snapshot.meta.uid)
                    return 0.0  # It went while we looked; another of its name may be there.
                if snapshot.class_choice.served_by not in ("", self.settings.instance):
                    self.admission_queue.leave(snapshot.meta.uid)
                    return None
                decision = decide(snapshot)
                if isinstance(decision, Start) and not snapshot.handed_over:
                    snapshot = replace(snapshot, turn=self._ask_for_turn(snapshot))
                    decision = admit(snapshot)
                return await self._bring_on(key, document, snapshot, decision)
            except ConflictError:
                await self._look_again(key)
                raise
            except GoneError:
                self.cache.forget_conversion(key, document["metadata"]["uid"])
                self.admission_queue.leave(document["metadata"]["uid"])
                return None

    async def _bring_on(
        self, key: Key, document: dict[str, Any], snapshot: Snapshot, decision: Decision
    ) -> float | None:
        if not isinstance(decision, Queue | Record | Start):
            self.admission_queue.leave(snapshot.meta.uid)
        version = await self._hold(key, document, snapshot)
        applied = await self.effects.apply(snapshot, decision)
        if isinstance(decision, Release) and applied.again is None:
            return None
        early = starting_early(snapshot, applied.decision)
        if early:
            self._tell_of_start(snapshot, applied.decision)
            return early if applied.again is None else min(early, applied.again)
        await self._report(key, document, version, snapshot, applied.decision)
        if applied.error is not None:
            raise applied.error
        return applied.again

    # --- admission ---

    def _ask_for_turn(self, snapshot: Snapshot) -> Turn:
        """Take its place in the queue, and hear whether its turn has come."""
        return self.admission_queue.ask(
            Candidate(
                uid=snapshot.meta.uid,
                key=snapshot.key,
                owner=snapshot.spec.owner if snapshot.spec else "",
                priority=snapshot.spec.priority if snapshot.spec else 0,
                created_at=snapshot.meta.creation_timestamp or snapshot.now,
                pods=snapshot.parts,
                class_name=snapshot.class_choice.resolved.class_name if snapshot.class_choice.resolved else "",
            )
        )

    # --- write ---

    async def _clear_up_after_others(self, key: Key) -> None:
        """End the Jobs of Conversions of this name that are gone, though somebody took our finalizer off.

        Where Jobs run in the Conversion's own namespace Kubernetes does it.
        """
        if not self.settings.serves(key.namespace) or key.namespace in self.cache.unseen:
            return
        for job in self.cache.strays(key):
            if not job.deleting and await self.jobs.delete(job.namespace, job.name, job.uid):
                _log.info("job_deleted", job=job.name, namespace=key.namespace, conversion=key.name)

    async def _hold(self, key: Key, document: dict[str, Any], snapshot: Snapshot) -> int:
        """Put our finalizer on before anything is made that it must remove, and again where somebody took it off.

        A finished one without it would leave its mp3 behind, unknown to whoever looks for it. Answers the
        resourceVersion.
        """
        held = names.FINALIZER in snapshot.meta.finalizers
        if held or snapshot.meta.deletion_timestamp is not None:
            return version_of(document)
        wanted = (*snapshot.meta.finalizers, names.FINALIZER)
        changed = await self.conversions.set_finalizers(key, wanted, version_of(document))
        self.cache.see_conversion(changed)
        return version_of(changed)

    async def _report(
        self, key: Key, document: dict[str, Any], version: int, snapshot: Snapshot, decision: Decision
    ) -> None:
        """Write the status if it says anything new."""
        status = build_status(snapshot, decision)
        patch = status_patch(document["status"], status) if status else {}
        if not status or not patch or self._too_soon(snapshot, patch):
            return
        self.cache.see_conversion(await self.conversions.patch_status(key, patch, version))
        self.events.record(snapshot.meta, happenings(snapshot.status, status), snapshot.now)
        for attempt in newly_ended(snapshot.status.attempts, status.attempts):
            self.metrics.attempts.labels(attempt.reason).inc()
            if attempt.landlock is False:
                self.metrics.attempts_without_landlock.inc()
        if isinstance(decision, Succeed | Fail):
            self._count_verdict(status)

    def _tell_of_start(self, snapshot: Snapshot, decision: Decision) -> None:
        """An Event tells of it at once, though the status does not yet."""
        status = build_status(snapshot, decision) if isinstance(decision, Start) else None
        if status:
            self.events.record(snapshot.meta, happenings(snapshot.status, status), snapshot.now)

    def _too_soon(self, snapshot: Snapshot, patch: dict[str, Any]) -> bool:
        """Progress and the place in the queue are told coarsely: each write wakes everyone who watches."""
        if not only_progress(patch):
            return False
        fresh = snapshot.entry.progress if snapshot.entry else None
        due = progress_due(snapshot.status.progress, fresh, self.settings.progress_write_seconds)
        moved = position_due(snapshot.status.queue, (patch.get("queue") or {}).get("position"))
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
            self.cache.see_conversion(await self.conversions.get(key))
        except GoneError:
            self.cache.forget_conversion(key)
