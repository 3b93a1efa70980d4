"""④ The ledger, for all that run: progress, results, workers that stand still, and what the outbox owes."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import structlog

from video2mp3_contracts.api.status import Progress
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.unreadable import UnreadableEntry
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.policy.stall import StallWatch, sign_of
from video2mp3_operator.ports.errors import UnavailableError
from video2mp3_operator.ports.systems import Clock, Ledger
from video2mp3_operator.reconciler.outbox import Outbox, message_from
from video2mp3_operator.reconciler.progress import overall
from video2mp3_operator.reconciler.recipient import Recipient, recipient_of
from video2mp3_operator.reconciler.status import stored_report
from video2mp3_operator.reconciler.status_patch import progress_due

_log = structlog.get_logger(__name__)
_SHORTEST_PAUSE_SECONDS: Final = 0.1
_READ_IN_A_SECOND: Final = 100
"""Ledger entries, as far as `sweep_seconds` lets it."""


@dataclass
class LedgerPolling:
    """`wake` makes a Conversion due for a reconcile."""

    settings: Settings
    clock: Clock
    cache: Cache
    ledger: Ledger
    outbox: Outbox
    wake: Callable[[Key], None]
    awaiting: set[Key]
    """Who waits for MongoDB."""

    stalls: StallWatch
    _scanned: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Read the ledger for all that run, until cancelled."""
        while True:
            try:
                await self.once()
            except UnavailableError as error:
                _log.warning("sweep_waits", error=str(error))
            await self._pause()

    async def _pause(self) -> None:
        """Until the next round: a result is known a moment after its worker stored it, where only few are asked about.

        The kubelet tells of a pod's end up to a second later. The more run, the longer the pause: so many documents a
        second are read at the most.
        """
        passed = 0.0
        while passed < self.settings.sweep_seconds:
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)
            passed += _SHORTEST_PAUSE_SECONDS
            running = len(self.cache.live())
            if running and passed >= running / _READ_IN_A_SECOND:
                return

    async def once(self) -> None:
        """One round: progress and results of those that run, and whether results were published."""
        if not self._scanned:
            await self._scan_outbox()
        live = set(self.cache.live())
        asked = live | self.outbox.watched
        found = await self.ledger.entries(asked)
        # One that cannot be read is told by its own reconcile.
        entries = {uid: entry for uid, entry in found.items() if not isinstance(entry, UnreadableEntry)}
        self._wake_awaiting()
        for uid, entry in entries.items():
            if uid in live:
                self._follow_entry(uid, entry)
        self._watch_for_stalls(live)
        for uid in self.cache.entries.keys() - live:
            del self.cache.entries[uid]
        self.outbox.settle(asked, entries, live, self._recipients(self.outbox.watched & entries.keys()))

    def _watch_for_stalls(self, live: set[str]) -> None:
        """Whose worker shows no sign of life for too long, is looked at."""
        working = (uid for uid in live if any(pod.works for pod in self.cache.pods(uid)))
        running = {uid: job for uid in working if (job := self.cache.job(uid))}
        signs = {uid: sign_of(self.cache.entries.get(uid), self.cache.pods(uid)) for uid in running}
        self.stalls.look(signs, self.clock())
        for uid, job in running.items():
            if self.stalls.quiet_seconds(uid) >= self.settings.worker_stall_seconds:
                self.wake(job.key)

    def _follow_entry(self, uid: str, entry: LedgerEntry) -> None:
        before = self.cache.entries.get(uid)
        self.cache.entries[uid] = entry
        job = self.cache.job(uid)
        if job is None:
            return
        judged = entry.result is not None or entry.failure is not None
        is_split = entry.parallelism is not None and job.parts < entry.parallelism
        fresh = overall(entry)
        if judged or is_split or (fresh != overall(before) and self._due(job.key, fresh)):
            self.wake(job.key)

    def _due(self, key: Key, fresh: Progress | None) -> bool:
        """Whether the status has not told of progress for long enough."""
        written = stored_report(Progress, self.cache.conversion(key), "progress")
        return progress_due(written, fresh, self.settings.progress_write_seconds)

    def _wake_awaiting(self) -> None:
        """MongoDB answers: those who waited for it go on."""
        for key in self.awaiting:
            self.wake(key)
        self.awaiting.clear()

    async def _scan_outbox(self) -> None:
        """Once after the start: what the one before us stored and did not publish."""
        async for entry in self.ledger.unpublished():
            if entry.result is not None and entry.uid in self.cache.live():
                self.outbox.watch(entry.uid)
                continue
            recipient = self._recipients([entry.uid]).get(entry.uid)
            if entry.result is not None and recipient is None:
                continue  # Whom to tell is known again when its Conversion is made again.
            message = message_from(entry, recipient)
            if message is not None:
                self.outbox.put(message)
        self._scanned = True

    def _recipients(self, uids: Iterable[str]) -> dict[str, Recipient]:
        """Whom to tell, for Conversions that still exist."""
        wanted = set(uids)
        if not wanted:
            return {}
        return {
            document["metadata"]["uid"]: recipient_of(document, self.clock())
            for document in self.cache.documents()
            if document["metadata"]["uid"] in wanted
        }
