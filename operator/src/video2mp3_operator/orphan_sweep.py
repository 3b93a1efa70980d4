"""④ Collects what is nobody's any more, some at a time, round after round through all that is stored."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from video2mp3_operator.errors import UnavailableError
from video2mp3_operator.metrics import Metrics
from video2mp3_operator.orphans import orphaned_entry, orphaned_mp3, orphaned_upload
from video2mp3_operator.ports import Clock, Files, Ledger, Store
from video2mp3_operator.settings import Settings
from video2mp3_operator.view import View

_log = structlog.get_logger(__name__)
_PAGE: Final = 200
"""Files, entries or torn files looked at in one round."""


@dataclass
class OrphanSweep:
    """The rounds. Each kind has its own place where the next round goes on; at the end it begins anew."""

    settings: Settings
    clock: Clock
    view: View
    ledger: Ledger
    files: Files
    store: Store
    metrics: Metrics
    _places: dict[str, str] = field(default_factory=dict, init=False)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self.settings.orphan_sweep_seconds)
            try:
                await self.sweep_once()
            except UnavailableError as error:
                _log.warning("orphan_sweep_waits", error=str(error))

    async def sweep_once(self) -> None:
        """One round through some of everything."""
        before = self.clock() - timedelta(seconds=self.settings.orphan_grace_seconds)
        await self._page("upload", self.store.uploads, before, self._uploads)
        await self._page("entry", self.store.entries_since, before, self._entries)
        await self._page("mp3", self.store.mp3s, before, self._mp3s)
        for database in ("videos", "mp3s"):
            await self._torn(database, before)

    async def _page(
        self,
        kind: str,
        read: Callable[[datetime, str, int], Awaitable[Sequence[Any]]],
        before: datetime,
        collect: Callable[[Sequence[Any]], Awaitable[None]],
    ) -> None:
        page = await read(before, self._places.get(kind, ""), _PAGE)
        await collect(page)
        self._go_on(kind, page[-1] if len(page) == _PAGE else None)

    def _go_on(self, kind: str, last: Any) -> None:
        self._places[kind] = "" if last is None else getattr(last, "file_id", None) or last.uid

    async def _uploads(self, page: Sequence[Any]) -> None:
        wanted = self.view.sources()
        for file in page:
            if orphaned_upload(file, wanted):
                await self.files.remove_source(file.file_id, file.owner)
                self._tell("upload", file.file_id)

    async def _entries(self, page: Sequence[Any]) -> None:
        for entry in page:
            if orphaned_entry(entry, self.view.uids(), self.settings.watch_namespaces):
                await self.files.remove_mp3s(entry.uid, entry.uploads, None)
                await self.ledger.remove(entry.uid)
                self._tell("entry", entry.uid)

    async def _mp3s(self, page: Sequence[Any]) -> None:
        entries = await self.ledger.entries({file.conversion_uid for file in page})
        for file in page:
            if orphaned_mp3(file, entries.keys(), self.view.uids()):
                await self.files.remove_mp3s(file.conversion_uid, [file.file_id], None)
                self._tell("mp3", file.file_id)

    async def _torn(self, database: str, before: datetime) -> None:
        """Chunks whose file was never finished, or whose removal was interrupted."""
        kind = f"chunks of {database}"
        torn, place = await self.store.torn(database, before, self._places.get(kind, ""), _PAGE)
        for file_id in torn:
            await self.store.remove_torn(database, file_id)
            self._tell("chunks", file_id)
        self._places[kind] = place

    def _tell(self, kind: str, name: str) -> None:
        self.metrics.orphans_removed.labels(kind).inc()
        _log.info("orphan_removed", kind=kind, orphan=name)
