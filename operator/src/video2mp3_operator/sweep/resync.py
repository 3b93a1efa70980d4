"""④ Full lists now and then, against events that were lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from video2mp3_operator.cache.documents import key_of
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.unreadable import read_or_skip
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import OutsideError, RefusedError, UnavailableError
from video2mp3_operator.ports.systems import Lister
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)

_FIRST_RESYNC_SECONDS: Final = 10.0
"""After the start: by then the watches have had their first lists."""


@dataclass
class Resync:
    """`wake` makes a Conversion due for a reconcile."""

    settings: Settings
    cache: Cache
    lister: Lister
    metrics: Metrics
    wake: Callable[[Key], None]
    unlisted: dict[str | None, OutsideError] = field(default_factory=dict, init=False)
    """Watched namespaces that the last round of lists could not see, and why."""

    async def run(self) -> None:
        """List everything again now and then, until cancelled.

        And soon after the start: what went after the first lists, and before the watches had theirs, no event told.
        """
        pause = min(_FIRST_RESYNC_SECONDS, self.settings.resync_seconds)
        while True:
            await asyncio.sleep(pause)
            pause = self.settings.resync_seconds
            repaired = await self.once()
            if repaired:
                self.metrics.resync_repairs.inc(repaired)
                _log.warning("resync_repaired", count=repaired)

    async def prime(self) -> None:
        """See everything once, so that nothing is decided on half a cache; a namespace that is refused stops nobody.

        Raises UnavailableError, and RefusedError where no namespace at all may be listed.
        """
        self.cache.unseen.update(self.settings.visible_namespaces)
        await self.once()
        away = [error for error in self.unlisted.values() if isinstance(error, UnavailableError)]
        if away or len(self.unlisted) == len(self._namespaces):
            raise next(iter((*away, *self.unlisted.values())))

    @property
    def _namespaces(self) -> tuple[str | None, ...]:
        return self.settings.visible_namespaces or (None,)

    async def once(self) -> int:
        """List all Conversions, Jobs and pods, take in what is news and forget what is gone; answers how many.

        Every Conversion is due afterwards: level-triggered means that a decision may be asked for at any time.
        """
        newest, touched = self.cache.newest, set[Key]()
        uids: dict[str, set[str]] = {"conversion": set(), "job": set(), "pod": set()}
        self.unlisted.clear()
        # Conversions first, everywhere: whose place a Job takes up is known from them.
        for namespace in self.settings.watch_namespaces or (None,):
            await self._take_in(namespace, {"conversion": self.lister.conversions(namespace)}, uids, touched)
        for namespace in self._namespaces:
            lists = {"job": self.lister.jobs(namespace), "pod": self.lister.pods(namespace)}
            await self._take_in(namespace, lists, uids, touched)
        self.cache.unseen.difference_update({namespace or "" for namespace in self._namespaces} - {*self.unlisted})
        self._forget(uids, newest, touched)
        for key in (*map(key_of, self.cache.documents()), *self.cache.orphaned()):
            self.wake(key)
        return len(touched)

    async def _take_in(
        self,
        namespace: str | None,
        lists: Mapping[str, AsyncIterator[dict[str, Any]]],
        uids: Mapping[str, set[str]],
        touched: set[Key],
    ) -> None:
        see: dict[str, Callable[[Mapping[str, Any]], Iterable[Key]]] = {
            "conversion": self._see_conversion,
            "job": lambda job: _keys(self.cache.see_job(job)),
            "pod": lambda pod: _keys(self.cache.see_pod(pod)),
        }
        try:
            for kind, documents in lists.items():
                async for document in documents:
                    uids[kind].add(document["metadata"]["uid"])
                    touched.update(read_or_skip(kind, document, see[kind], self.metrics.skip) or ())
        except (UnavailableError, RefusedError) as error:
            # Refused where a watched namespace has gone, and our Role with it: what is known of it stays known, so that
            # nothing of it is taken for nobody's, and the other namespaces are served on.
            self.unlisted[namespace] = error
            _log.warning("resync_failed", namespace=namespace, error=str(error))

    def _forget(self, uids: Mapping[str, set[str]], newest: int, touched: set[Key]) -> None:
        """What complete lists lack."""
        if None not in self.unlisted:
            unlisted = {namespace for namespace in self.unlisted if namespace}
            touched |= self.cache.retain(uids["conversion"], uids["job"], uids["pod"], newest, unlisted)

    def _see_conversion(self, document: Mapping[str, Any]) -> Iterable[Key]:
        return (key_of(document),) if self.cache.see_conversion(document) else ()


def _keys(seen: Any) -> Iterable[Key]:
    return () if seen is None else (seen.key,)
