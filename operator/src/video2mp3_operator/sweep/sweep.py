"""④ What goes round instead of a timer for each object: admission, the ledger, and lists against lost events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog
from pydantic import ValidationError

from video2mp3_contracts.api.status import Progress, QueueReport, Report
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.cache.documents import key_of
from video2mp3_operator.cache.store import View
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.unreadable import UnreadableEntry, read_or_skip
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.policy.stall import StallWatch, sign_of
from video2mp3_operator.ports.errors import OutsideError, RefusedError, UnavailableError
from video2mp3_operator.ports.systems import Clock, Ledger, Lister
from video2mp3_operator.reconciler.outbox import Outbox, message_from
from video2mp3_operator.reconciler.progress import overall
from video2mp3_operator.reconciler.recipient import Recipient, recipient_of
from video2mp3_operator.reconciler.status import progress_due
from video2mp3_operator.scheduling.admission_queue import AdmissionDesk
from video2mp3_operator.scheduling.ordering import Candidate
from video2mp3_operator.scheduling.position_updates import furthest_off
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)
_Part = TypeVar("_Part", bound=Report)
_ADMISSION_SECONDS: Final = 0.2
"""A place that came free stays empty for at most this long; the line is judged no more often."""

_PLACES_SECONDS: Final = 5.0
_PLACES_TOLD: Final = 20
"""How often, and how many at most, are told a new place in the queue: four writes in a second, however long it is."""

_FIRST_RESYNC_SECONDS: Final = 10.0
"""After the start: by then the watches have had their first lists."""

_FIRST_HEARING_ROUNDS: Final = 150
"""After so many rounds, 30 s, the hearing ends in any case."""


@dataclass
class Sweep:
    """The rounds. `wake` makes a Conversion due for a reconcile."""

    settings: Settings
    clock: Clock
    view: View
    desk: AdmissionDesk
    ledger: Ledger
    lister: Lister
    outbox: Outbox
    metrics: Metrics
    wake: Callable[[Key], None]
    idle: Callable[[], bool]
    """Whether every Conversion that is due has been looked at."""

    awaiting: set[Key]
    stalls: StallWatch
    unlisted: dict[str | None, OutsideError] = field(default_factory=dict, init=False)
    """Watched namespaces that the last round of lists could not see, and why."""

    _scanned: bool = field(default=False, init=False)

    # --- admission ---

    async def admit(self) -> None:
        """Give places that came free to those who wait, until cancelled.

        At first everyone is heard: whoever happens to be looked at first after a restart does not go first for that.
        """
        for _ in range(_FIRST_HEARING_ROUNDS):
            await asyncio.sleep(_ADMISSION_SECONDS)
            if self.idle():
                break
        while True:
            self.desk.review()
            await asyncio.sleep(_ADMISSION_SECONDS)

    async def place(self) -> None:
        """Tell those who wait how the line has moved, until cancelled."""
        while True:
            await asyncio.sleep(_PLACES_SECONDS)
            self.place_once()

    def place_once(self) -> None:
        """One round: whose place is told least truly, is looked at."""
        for candidate in furthest_off(self.desk.line(), self._told_place, _PLACES_TOLD):
            self.wake(candidate.key)

    def _told_place(self, candidate: Candidate) -> QueueReport | None:
        return _stored(QueueReport, self.view.conversion(candidate.key), "queue")

    # --- ledger ---

    async def follow(self) -> None:
        """Read the ledger for all that run, until cancelled."""
        while True:
            try:
                await self.follow_once()
            except UnavailableError as error:
                _log.warning("sweep_waits", error=str(error))
            await asyncio.sleep(self.settings.sweep_seconds)

    async def follow_once(self) -> None:
        """One round: progress and results of those that run, and whether results were published."""
        if not self._scanned:
            await self._scan_outbox()
        live = set(self.view.live())
        asked = live | self.outbox.watched
        found = await self.ledger.entries(asked)
        # One that cannot be read is told by its own reconcile.
        entries = {uid: entry for uid, entry in found.items() if not isinstance(entry, UnreadableEntry)}
        self._wake_awaiting()
        for uid, entry in entries.items():
            if uid in live:
                self._follow_entry(uid, entry)
        self._watch_for_stalls(live)
        for uid in self.view.entries.keys() - live:
            del self.view.entries[uid]
        self.outbox.settle(asked, entries, live, self._recipients(self.outbox.watched & entries.keys()))

    def _watch_for_stalls(self, live: set[str]) -> None:
        """Whose worker shows no sign of life for too long, is looked at."""
        working = (uid for uid in live if any(pod.works for pod in self.view.pods(uid)))
        running = {uid: job for uid in working if (job := self.view.job(uid))}
        signs = {uid: sign_of(self.view.entries.get(uid), self.view.pods(uid)) for uid in running}
        self.stalls.look(signs, self.clock())
        for uid, job in running.items():
            if self.stalls.quiet_seconds(uid) >= self.settings.worker_stall_seconds:
                self.wake(job.key)

    def _follow_entry(self, uid: str, entry: LedgerEntry) -> None:
        before = self.view.entries.get(uid)
        self.view.entries[uid] = entry
        job = self.view.job(uid)
        if job is None:
            return
        judged = entry.result is not None or entry.failure is not None
        divided = entry.parallelism is not None and job.parts < entry.parallelism
        fresh = overall(entry)
        if judged or divided or (fresh != overall(before) and self._due(job.key, fresh)):
            self.wake(job.key)

    def _due(self, key: Key, fresh: Progress | None) -> bool:
        """Whether the status has not told of progress for long enough."""
        told = _stored(Progress, self.view.conversion(key), "progress")
        return progress_due(told, fresh, self.settings.progress_write_seconds)

    def _wake_awaiting(self) -> None:
        """MongoDB answers: those who waited for it go on."""
        for key in self.awaiting:
            self.wake(key)
        self.awaiting.clear()

    async def _scan_outbox(self) -> None:
        """Once after the start: what the one before us stored and did not publish."""
        async for entry in self.ledger.unpublished():
            if entry.result is not None and entry.uid in self.view.live():
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
            for document in self.view.documents()
            if document["metadata"]["uid"] in wanted
        }

    # --- lists ---

    async def resync(self) -> None:
        """List everything again now and then, until cancelled.

        And soon after the start: what went after the first lists, and before the watches had theirs, no event told.
        """
        pause = min(_FIRST_RESYNC_SECONDS, self.settings.resync_seconds)
        while True:
            await asyncio.sleep(pause)
            pause = self.settings.resync_seconds
            repaired = await self.resync_once()
            if repaired:
                self.metrics.resync_repairs.inc(repaired)
                _log.warning("resync_repaired", count=repaired)

    async def prime(self) -> None:
        """See everything once, so that nothing is decided on half a view; a namespace that is refused stops nobody.

        Raises UnavailableError, and RefusedError where no namespace at all may be listed.
        """
        self.view.unseen.update(self.settings.visible_namespaces)
        await self.resync_once()
        away = [error for error in self.unlisted.values() if isinstance(error, UnavailableError)]
        if away or len(self.unlisted) == len(self._namespaces):
            raise next(iter((*away, *self.unlisted.values())))

    @property
    def _namespaces(self) -> tuple[str | None, ...]:
        return self.settings.visible_namespaces or (None,)

    async def resync_once(self) -> int:
        """List all Conversions, Jobs and pods, take in what is news and forget what is gone; answers how many.

        Every Conversion is due afterwards: level-triggered means that a decision may be asked for at any time.
        """
        newest, touched = self.view.newest, set[Key]()
        uids: dict[str, set[str]] = {"conversion": set(), "job": set(), "pod": set()}
        self.unlisted.clear()
        # Conversions first, everywhere: whose place a Job takes up is known from them.
        for namespace in self.settings.watch_namespaces or (None,):
            await self._take_in(namespace, {"conversion": self.lister.conversions(namespace)}, uids, touched)
        for namespace in self._namespaces:
            lists = {"job": self.lister.jobs(namespace), "pod": self.lister.pods(namespace)}
            await self._take_in(namespace, lists, uids, touched)
        self.view.unseen.difference_update({namespace or "" for namespace in self._namespaces} - {*self.unlisted})
        self._forget(uids, newest, touched)
        for key in (*map(key_of, self.view.documents()), *self.view.orphaned()):
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
            "job": lambda job: _keys(self.view.see_job(job)),
            "pod": lambda pod: _keys(self.view.see_pod(pod)),
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
            touched |= self.view.retain(uids["conversion"], uids["job"], uids["pod"], newest, unlisted)

    def _see_conversion(self, document: Mapping[str, Any]) -> Iterable[Key]:
        return (key_of(document),) if self.view.see_conversion(document) else ()


def _stored(model: type[_Part], document: dict[str, Any] | None, part: str) -> _Part | None:
    """A part of a Conversion's stored status; None where there is none, or nonsense."""
    stored = (document or {}).get("status", {}).get(part)
    try:
        return model.model_validate(stored) if stored else None
    except ValidationError:
        return None


def _keys(seen: Any) -> Iterable[Key]:
    return () if seen is None else (seen.key,)
