"""⑥⑦ One attempt at one part of long audio, whose parts are made by several workers at the same time.

Each worker encodes its part and stores that unpacked; whoever finds all parts complete joins them, and goes on as
`run` does. What makes every crash harmless, beside what `run` says:

- `open_part` fences off every worker of the same part before this one; the other parts' workers are not concerned;
- a part's file is noted before its first byte, and the part is complete only by another note, after its last one;
- `claim_join` gives one part's workers the join for good. A worker that dies while it joins is followed by that part's
  next one, which finds all parts complete and joins them.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import structlog

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.ledger.documents import LedgerEntry, LedgerPart
from video2mp3_worker.app.run import Worker, refuse_if_given_up
from video2mp3_worker.encoder import lame
from video2mp3_worker.encoder.parts import VERSION
from video2mp3_worker.ports.errors import Refused, Superseded, TryAgain
from video2mp3_worker.ports.systems import PartLedger
from video2mp3_worker.probe.media import Media
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.levelling import Level
from video2mp3_worker.transcode.parallelism import span_of
from video2mp3_worker.transcode.plan import Plan

_VERSION: Final = f"{VERSION}:"
_log = structlog.get_logger("video2mp3_worker.app.run_part")


@dataclass(frozen=True)
class PartWorker:
    """Everything that one attempt at part `number` works with; `worker` makes one mp3 of all parts."""

    number: int
    ledger: PartLedger
    worker: Worker

    def run(self) -> OutputReport | None:
        """Make this part, as far as it is not made yet; and the mp3, where no part is missing then.

        None where that is another worker's. Raises Refused or TryAgain.
        """
        entry = self.ledger.open_part()
        result = entry.result or self._make(entry)
        if result is not None:
            self.worker.publish(result, entry)
        if entry.result is not None:
            self._remove_parts(entry)
        return result

    def _make(self, entry: LedgerEntry) -> OutputReport | None:
        refuse_if_given_up(entry)
        own = entry.parts[self.number]
        self.worker.remove_leftovers(file_id for file_id in own.files if file_id != own.file_id)
        if _is_complete(own) and not self._may_join(entry):
            return None
        with self.worker.fetched_source() as source:
            media, plan = self.worker.converter.plan(source, self.worker.request.output)
            made_of = self._made_of(source, plan)
            heard = None
            if own.file_id is None or own.made_of != made_of:
                entry, heard = self._encode(source, media, plan, made_of)
            if not self._may_join(entry):
                return None
            _refuse_if_different(entry, made_of)
            return self._join(source, media, plan, heard)

    @property
    def parts(self) -> int:
        """How many there are."""
        return self.worker.request.parts or 1

    def _may_join(self, entry: LedgerEntry) -> bool:
        """Whether all parts are complete, and no other part's workers have the join."""
        found = [entry.parts.get(number) for number in range(self.parts)]
        joining = entry.attempt.part if entry.attempt else None
        return all(part is not None and _is_complete(part) for part in found) and joining in (None, self.number)

    def _made_of(self, source: LocalSource, plan: Plan) -> str:
        what = repr((source.size, plan, self.parts))
        return f"{_VERSION}{lame.build(lame.load())}:{hashlib.sha256(what.encode()).hexdigest()}"

    def _encode(self, source: LocalSource, media: Media, plan: Plan, made_of: str) -> tuple[LedgerEntry, Level | None]:
        """Encode and store this part; answer the entry in which it is complete, and how loud all of the audio is."""
        encoded = source.path.with_name("part")
        span = span_of(plan, self.number, self.parts)
        made = self.worker.converter.convert_part(source, encoded, media, plan, span)
        source.wait(self.worker.at_work)
        _log.info("part_converted", part=self.number, size=encoded.stat().st_size, duration_seconds=made.seconds)
        file_id = self.worker.mp3s.new_id()
        self.ledger.name_part_file(file_id)
        self.worker.write_part(file_id, encoded)
        encoded.unlink()
        progress = Progress(processed_seconds=round(made.seconds, 3), duration_seconds=plan.duration_seconds)
        try:
            return self.ledger.finish_part(file_id, made_of, progress), made.level
        except Superseded:
            # As with an mp3: this file will never be the part, and nobody else may look for it again.
            with contextlib.suppress(TryAgain):
                self.worker.mp3s.remove(file_id)
            raise

    def _join(self, source: LocalSource, media: Media, plan: Plan, heard: Level | None) -> OutputReport | None:
        entry = self.ledger.claim_join()
        if entry is None:
            return None
        self.worker.remove_leftovers(set(entry.uploads) - set(_files_of_parts(entry)))
        destination, output = source.path.with_name("output.mp3"), self.worker.request.output
        if _is_mixed(entry):
            # Audio is the work of one LAME: of which, depends on the node.
            _log.info("parts_mixed", parts=self.parts)
            mp3 = self.worker.converter.convert(source, destination, output)
        else:
            mp3 = self.worker.converter.join(self._content(entry), source, destination, media, plan, output, heard)
        with contextlib.closing(mp3.content):
            source.wait(self.worker.at_work)
            _log.info("parts_joined", parts=self.parts, size=mp3.size, duration_seconds=mp3.duration_seconds)
            result = self.worker.store(mp3)
        self._remove_parts(entry)
        return result

    def _remove_parts(self, entry: LedgerEntry) -> None:
        """They have served. Where this fails, the operator removes what is not the result."""
        with contextlib.suppress(TryAgain):
            for file_id in _files_of_parts(entry):
                self.worker.mp3s.remove(file_id)

    def _content(self, entry: LedgerEntry) -> Iterator[bytes]:
        for number in range(self.parts):
            file_id = entry.parts[number].file_id
            assert file_id is not None  # noqa: S101 - the claim says so
            for piece in self.worker.mp3s.read(file_id):
                self.worker.at_work()
                yield piece


def _files_of_parts(entry: LedgerEntry) -> list[str]:
    return [file_id for part in entry.parts.values() for file_id in part.files]


def _is_complete(part: LedgerPart) -> bool:
    """Whether its file is there, in the format of today: what another version of the worker left is made anew."""
    return part.file_id is not None and part.made_of.startswith(_VERSION)


def _is_mixed(entry: LedgerEntry) -> bool:
    """Whether its parts were encoded by different builds of LAME."""
    return len({part.made_of.rpartition(":")[0] for part in entry.parts.values()}) > 1


def _refuse_if_different(entry: LedgerEntry, made_of: str) -> None:
    source = made_of.rpartition(":")[2]
    if any(part.made_of.rpartition(":")[2] != source for part in entry.parts.values()):
        raise Refused(
            Reason.BAD_REQUEST, "The source changed while it was converted: its parts do not belong together."
        )
