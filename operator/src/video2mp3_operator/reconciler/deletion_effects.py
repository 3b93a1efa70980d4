"""④ What is done about a Conversion that is being deleted. Every effect can be repeated."""

from dataclasses import dataclass
from typing import Final

import structlog

from video2mp3_contracts.api import names
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import UnavailableError
from video2mp3_operator.ports.systems import ConversionsApi
from video2mp3_operator.reconciler.file_effects import FileEffects
from video2mp3_operator.reconciler.job_effects import JobEffects
from video2mp3_operator.reconciler.outbox import Outbox, message_from
from video2mp3_operator.reconciler.recipient import Recipient
from video2mp3_operator.reconciler.snapshot import Snapshot
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)
_LOOK_AGAIN_SECONDS: Final = 5.0


@dataclass(frozen=True)
class DeletionEffects:
    """The part of the effects that lets a Conversion go."""

    settings: Settings
    cache: Cache
    conversions: ConversionsApi
    jobs: JobEffects
    files: FileEffects
    outbox: Outbox
    metrics: Metrics

    async def release(self, snapshot: Snapshot) -> float | None:
        """End the worker, deal with the files, let go; each wait is bounded by the time since the deletion."""
        if await self.jobs.end(snapshot) is not None:
            return 0.0
        by_clock = snapshot.now - (snapshot.meta.deletion_timestamp or snapshot.now)
        waited = min(by_clock.total_seconds(), snapshot.watched_seconds)
        running = snapshot.job is not None or any(not pod.ended for pod in snapshot.pods)
        if running and waited < self.settings.deletion_grace_seconds:
            return _LOOK_AGAIN_SECONDS
        patient = waited < self.settings.release_after_seconds
        if patient and self._owes(snapshot):
            return _LOOK_AGAIN_SECONDS
        if not await self._deal_with_files(snapshot):
            if patient:
                return _LOOK_AGAIN_SECONDS
            self.metrics.abandoned.inc()
            _log.warning("deletion_abandoned_files", waited_seconds=waited)
        await self._let_go(snapshot)
        return None

    def _owes(self, snapshot: Snapshot) -> bool:
        """Whether a message must still go out before the ledger forgets what it says.

        A success whose mp3 is removed with it is not worth telling.
        """
        entry = snapshot.entry
        if entry is None or (entry.result is not None and not snapshot.keeps_mp3):
            return False
        email = (snapshot.spec.notify.email or "") if snapshot.spec else ""
        message = message_from(entry, Recipient(email))
        if message is not None:
            self.outbox.put(message)
        return message is not None

    async def _deal_with_files(self, snapshot: Snapshot) -> bool:
        """Remove what is to be removed; False while the store is away."""
        if not snapshot.ledger_known:
            return False
        try:
            await self.files.remove_all(snapshot)
        except UnavailableError as error:
            _log.warning("deletion_waits", error=str(error))
            return False
        return True

    async def _let_go(self, snapshot: Snapshot) -> None:
        left = tuple(finalizer for finalizer in snapshot.meta.finalizers if finalizer != names.FINALIZER)
        await self.conversions.set_finalizers(snapshot.key, left, int(snapshot.meta.resource_version or 0))
        self.cache.forget_conversion(snapshot.key, snapshot.meta.uid)
        _log.info("conversion_released")
