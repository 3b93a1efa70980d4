"""④ Looks through all that is stored for what nothing wants any more, some at a time, and does as `rules` judges.

The administrator's dry run looks through all of it at once, and does nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import structlog

from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.ledger.storage import MP3S_DATABASE, VIDEOS_DATABASE
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.gc.rules import Halt, Rules, Verdict, halt, held, judge, judge_entry, mp3_wanted
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.stored import Presence, StoredFile
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import UnavailableError
from video2mp3_operator.ports.systems import Clock, Files, Ledger, Store
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)
_PAGE: Final = 200
"""Files, entries or torn files that one query asks for."""

_PAGES: Final = 20
"""Pages of each kind in one round: all of a hundred thousand files are looked at in about two hours."""

_TORN: Final = {"chunks of videos": VIDEOS_DATABASE, "chunks of mp3s": MP3S_DATABASE}
_DATABASES: Final = {"upload": VIDEOS_DATABASE, "mp3": MP3S_DATABASE}
KINDS: Final = ("upload", "entry", "mp3", *_TORN)


class Finding(NamedTuple):
    """One thing, and what is to be done about it."""

    kind: str
    name: str
    """A file's id, or a Conversion's uid."""

    verdict: Verdict
    thing: StoredFile | LedgerEntry
    held: bool = False
    """Judged, but not removed before somebody has looked."""


@dataclass
class Collector:
    """The rounds. Each kind has its own place where the next round goes on; at the end it begins anew."""

    settings: Settings
    clock: Clock
    cache: Cache
    ledger: Ledger
    files: Files
    store: Store
    metrics: Metrics
    cluster: Callable[[], str]
    """What tells this cluster from all others; "" while that is not known."""

    _halted: dict[str, Halt | None] = field(default_factory=dict, init=False)
    """Of each kind that was counted: why nothing of it is removed."""

    _places: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def halted(self) -> dict[str, str]:
        """Of which kinds nothing is removed, and why."""
        return {kind: str(reason) for kind, reason in self._halted.items() if reason is not None}

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self.settings.orphan_sweep_seconds)
            try:
                await self.sweep_once()
            except UnavailableError as error:
                _log.warning("orphan_sweep_waits", error=str(error))

    async def sweep_once(self) -> None:
        """One round through some of everything. In a cluster that has no name yet, none."""
        if not self.settings.installation or not self.cluster():
            return
        rules = self._rules()
        presence = await self.store.appear(self.cluster(), rules.now)
        for kind in KINDS:
            for _ in range(_PAGES):
                page, self._places[kind] = await self._look(kind, self._places.get(kind, ""), rules)
                for finding in page:
                    await self._act(self._weighed(finding, presence, rules), rules.now)
                if not self._places[kind]:
                    await self._take_census(kind, presence, rules)
                    break

    async def findings(self) -> AsyncIterator[Finding]:
        """All that is to be done about anything, if it were done now; nothing is changed."""
        rules, presence = self._rules(), await self.store.presence(self.cluster())
        for kind in KINDS:
            await self._take_census(kind, presence, rules)
            place, more = "", True
            while more:
                page, place = await self._look(kind, place, rules, noting=False)
                for finding in page:
                    yield self._weighed(finding, presence, rules)
                more = bool(place)

    def _rules(self) -> Rules:
        settings = self.settings
        retention = timedelta(days=settings.retained_days) if settings.retained_days else None
        return Rules(settings.installation, self.clock(), timedelta(days=settings.orphan_days), retention)

    # --- look ---

    async def _look(self, kind: str, place: str, rules: Rules, noting: bool = True) -> tuple[list[Finding], str]:
        """A page of one kind, judged, and where the next begins; "" where this was the last."""
        before = rules.now - timedelta(seconds=self.settings.orphan_grace_seconds)
        if kind in _TORN:
            return await self._torn(kind, place, before, rules, noting)
        read, judged = self._pages(kind)
        page = await read(before, place, _PAGE)
        findings = await judged(page, rules)
        return findings, findings[-1].name if len(page) == _PAGE else ""

    def _pages(
        self, kind: str
    ) -> tuple[
        Callable[[datetime, str, int], Awaitable[Sequence[Any]]],
        Callable[[Sequence[Any], Rules], Awaitable[list[Finding]]],
    ]:
        if kind == "upload":
            return self.store.uploads, self._uploads
        return (self.store.entries_since, self._entries) if kind == "entry" else (self.store.mp3s, self._mp3s)

    async def _uploads(self, page: Sequence[StoredFile], rules: Rules) -> list[Finding]:
        wanted = self.cache.sources()
        return [Finding("upload", each.file_id, judge(each, each.file_id in wanted, rules), each) for each in page]

    async def _entries(self, page: Sequence[LedgerEntry], rules: Rules) -> list[Finding]:
        present, watched = self.cache.uids(), self.settings.watch_namespaces
        heirs = await self.ledger.entries({each.heir for each in page if each.heir})
        findings = []
        for each in page:
            namesake = self.cache.conversion(Key(each.namespace, each.name))
            verdict = judge_entry(each, present, watched, namesake, rules)
            heir = heirs.get(each.heir or "")
            if heir is not None and heir.predecessor == each.uid:
                verdict = Verdict.HAND_OVER
            findings.append(Finding("entry", each.uid, verdict, each))
        return findings

    async def _mp3s(self, page: Sequence[StoredFile], rules: Rules) -> list[Finding]:
        entries = await self.ledger.entries({file.conversion_uid for file in page})
        present = self.cache.uids()
        return [
            Finding("mp3", each.file_id, judge(each, mp3_wanted(each, entries, present), rules), each) for each in page
        ]

    async def _torn(
        self, kind: str, place: str, before: datetime, rules: Rules, noting: bool
    ) -> tuple[list[Finding], str]:
        """Chunks whose file was never finished, or whose removal was interrupted: nobody can read them or say whose."""
        torn, place = await self.store.torn(_TORN[kind], before, place, _PAGE)
        if noting:
            await self.store.note_torn(_TORN[kind], torn, rules.now)
        since = await self.store.torn_since(_TORN[kind], torn)
        found = [StoredFile(each, installation=rules.installation, unwanted_since=since.get(each)) for each in torn]
        return [Finding(kind, each.file_id, judge(each, wanted=False, rules=rules), each) for each in found], place

    # --- whether what was judged may go ---

    async def _take_census(self, kind: str, presence: Presence, rules: Rules) -> None:
        """All of a kind was looked at, and what nothing wants is marked: see whether that can be right."""
        if kind in _TORN:
            return
        reason = halt(await self.store.census(kind, presence.confirmed_at), presence, rules)
        if reason is not None and reason is not self._halted.get(kind):
            _log.error("orphan_sweep_halted", kind=kind, reason=reason)
        self._halted[kind] = reason
        for each in Halt:
            self.metrics.sweep_halted.labels(kind, each).set(each is reason)

    def _weighed(self, finding: Finding, presence: Presence, rules: Rules) -> Finding:
        """The finding, held back where nothing may be removed; before the first count nothing may."""
        if finding.verdict is not Verdict.REMOVE or finding.kind in _TORN:
            return finding
        waits = finding.kind not in self._halted or held(finding.thing, self._halted[finding.kind], presence)
        return finding._replace(held=waits)

    # --- act ---

    async def _act(self, finding: Finding, now: datetime) -> None:
        kind, name = finding.kind, finding.name
        match finding.verdict:
            case Verdict.MARK:
                await self.store.mark(kind, name, now)
                _log.info("orphan_marked", kind=kind, orphan=name)
            case Verdict.UNMARK:
                await self.store.unmark(kind, name)
            case Verdict.KEEP:
                await self.ledger.retain(name, now)
                _log.warning("orphan_kept", kind=kind, orphan=name)
            case Verdict.HAND_OVER if isinstance(finding.thing, LedgerEntry):
                await self._hand_over(finding.thing)
            case Verdict.REMOVE if not finding.held and await self._removed(finding):
                self.metrics.orphans_removed.labels(kind).inc()
                _log.info("orphan_removed", kind=kind, orphan=name)

    async def _hand_over(self, entry: LedgerEntry) -> None:
        """To a Conversion that was restored together with its status; or the end of an inheritance that broke off."""
        document = self.cache.conversion(Key(entry.namespace, entry.name))
        if document is not None and document["metadata"]["uid"] not in (entry.uid, entry.heir):
            ref = ObjectMeta.model_validate(document["metadata"]).ref
            await self.ledger.inherit(ref, entry.owner, entry)
        elif entry.heir is not None:
            await self.ledger.bequeath(entry.uid, entry.heir)

    async def _removed(self, finding: Finding) -> bool:
        """Remove it; False where it is wanted again since, or was never ours."""
        kind, name, thing = finding.kind, finding.name, finding.thing
        if kind in _TORN:
            await self.store.remove_torn(_TORN[kind], name)
            return True
        if isinstance(thing, LedgerEntry):
            return await self.remove_entry(thing)
        if thing.unwanted_since is None or not await self.store.doom(kind, name, thing.unwanted_since):
            return False
        await self.store.remove_torn(_DATABASES[kind], name)
        return True

    async def remove_entry(self, entry: LedgerEntry) -> bool:
        """Remove an entry and its files; False where it is wanted since.

        It is shut first, which keeps everyone away; it goes last, since it names what is to be removed.
        """
        if entry.retained_at is not None:
            gone = await self.ledger.expire(entry.uid, entry.retained_at)
        else:
            gone = entry.unwanted_since is not None and await self.store.doom("entry", entry.uid, entry.unwanted_since)
        if gone:
            await self.files.remove_mp3s(entry.uid, entry.uploads, None)
            await self.ledger.remove(entry.uid)
        return gone
