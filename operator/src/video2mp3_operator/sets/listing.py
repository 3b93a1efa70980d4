"""④ All ConversionSets, listed at the start and now and then, against events that were lost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from video2mp3_operator.cache.sets import SetCache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.unreadable import read_or_skip
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import GoneError, RefusedError, UnavailableError
from video2mp3_operator.ports.systems import SetsApi
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SetListing:
    """`wake` makes a set due for a reconcile."""

    settings: Settings
    sets: SetCache
    api: SetsApi
    metrics: Metrics
    wake: Callable[[Key], None]

    async def run(self) -> None:
        """List them again and again, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self.settings.resync_seconds)

    async def once(self) -> None:
        """List all; every set is due afterwards. Of a namespace that cannot be listed nothing is forgotten."""
        for namespace in self.settings.watch_namespaces or (None,):
            before = self.sets.newest
            try:
                found = await self._see(namespace)
            except GoneError:
                return  # a cluster that does not know the kind has none
            except (RefusedError, UnavailableError) as error:
                _log.warning("sets_not_listed", namespace=namespace, error=str(error))
                continue
            for key in self.sets.known:
                known = self.sets.get(key)
                # What the watch told of meanwhile was made after the list.
                old = known is not None and known.version <= before
                if old and key not in found and namespace in (None, key.namespace):
                    self.sets.forget(key)
        for key in self.sets.known:
            self.wake(key)

    async def _see(self, namespace: str | None) -> set[Key]:
        found: set[Key] = set()
        async for document in self.api.sets(namespace):
            metadata = document["metadata"]
            found.add(Key(metadata["namespace"], metadata["name"]))
            read_or_skip("conversionset", document, self.sets.see, self.metrics.skip)
        return found
