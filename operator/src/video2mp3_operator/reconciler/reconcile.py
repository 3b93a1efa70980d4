"""④ One Conversion: observe → decide → apply → one status write. Level-triggered and idempotent.

Whatever line it dies at, the next run finds the world as it is and goes on from there: names follow from uids, verdicts
are stored before they are told, and what is told twice is told alike.
"""

from dataclasses import dataclass, replace
from typing import Any

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import ConversionStatus
from video2mp3_operator.cache.store import View
from video2mp3_operator.objects.metadata import Key, version_of
from video2mp3_operator.policy.attempts import newly_ended
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import ConflictError, GoneError, InvalidError, RefusedError
from video2mp3_operator.ports.systems import Clock, ConversionsApi, JobsApi
from video2mp3_operator.reconciler.decide import decide
from video2mp3_operator.reconciler.decisions import SUSPENDED_JOB, Decision, Fail, Queue, Release, Start, Succeed
from video2mp3_operator.reconciler.effects import Applier
from video2mp3_operator.reconciler.observe import Observer
from video2mp3_operator.reconciler.snapshot import Observation
from video2mp3_operator.reconciler.status import (
    build_status,
    only_progress,
    progress_due,
    realtime_factor,
    starting_early,
    status_patch,
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
    observer: Observer
    applier: Applier
    events: EventRecorder
    metrics: Metrics

    async def reconcile(self, key: Key) -> float | None:
        """Bring one Conversion a step on; answers the seconds after which to look again, if no event will say so."""
        await self._clear_up_after_others(key)
        document = self.view.conversion(key)
        if document is None:
            self.observer.forget(key)
            return None
        meta = ObjectMeta.model_validate(document["metadata"])
        if self.view.taken(meta.uid):
            # That its Job is gone an event says. Whose Conversion it is, is not ours to settle.
            self.desk.leave(meta.uid)
            return None
        with structlog.contextvars.bound_contextvars(**meta.ref.log_fields):
            try:
                seen = await self.observer.observe(document, meta)
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

    # --- admission ---

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
