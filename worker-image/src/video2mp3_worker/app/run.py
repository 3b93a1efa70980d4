"""⑥⑦ One attempt, from the request to the published message.

A worker may be killed between any two lines. What makes the next attempt end well, whichever line that was:

- `open_attempt` fences off every worker before this one: only the holder of the last token can store a result;
- an mp3's id is noted before its first byte, so all that was ever begun is known, and removed by the next attempt;
- the result is stored before the message is published, and an attempt that finds a result does nothing but publish.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import structlog

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.retention import made_at
from video2mp3_contracts.api.status import OutputReport
from video2mp3_contracts.jobs.worker import Division, WorkerRequest
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.ledger.storage import FileMetadata
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_worker.app.reporter import Reporter
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused, Superseded, TryAgain
from video2mp3_worker.ports.systems import Ledger, Mp3s, Queue, Sources, Web
from video2mp3_worker.source.fetch import fetch
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3
from video2mp3_worker.transcode.parallelism import worthwhile_parts

_BLOCK_BYTES: Final = 1024**2
_log = structlog.get_logger("video2mp3_worker.app.run")


@dataclass(frozen=True)
class Worker:
    """Everything that one attempt works with."""

    request: WorkerRequest
    ledger: Ledger
    sources: Sources
    web: Web | None
    """None where the source is no address."""

    mp3s: Mp3s
    queue: Queue
    reporter: Reporter
    converter: Converter
    stop: Stop
    scratch: Path
    now: Callable[[], datetime]

    def run(self) -> OutputReport | None:
        """Make this conversion succeed, as far as it has not yet. Raises Refused or TryAgain.

        None where the audio is to be split among several workers.
        """
        entry = self.ledger.open_attempt()
        result = entry.result or self._make(entry)
        if result is not None:
            self.publish(result, entry)
        return result

    def _make(self, entry: LedgerEntry) -> OutputReport | None:
        refuse_if_given_up(entry)
        if entry.parallelism is not None:
            return None
        self.remove_leftovers(entry.uploads)
        with self.fetched_source() as source:
            if self.request.division is not None and self._splits(source, self.request.division):
                return None
            mp3 = self.converter.convert(source, source.path.with_name("output.mp3"), self.request.output)
            with contextlib.closing(mp3.content):
                source.wait(self.at_work)
                _log.info("source_converted", size=mp3.size, duration_seconds=mp3.duration_seconds, notes=mp3.notes)
                return self.store(mp3)

    @contextlib.contextmanager
    def fetched_source(self) -> Iterator[LocalSource]:
        """The source, in a folder that is removed with all that is in it.

        It may still be coming: wait for all of it before anything is stored.
        """
        with _empty_folder(self.scratch / "attempt") as folder:
            fetched = fetch(self.request, self.sources, self.web, folder / "source", self._while_fetching)
            source = fetched.source
            _log.info("source_at_hand", size=source.size, fetched=fetched.size, coming=source.is_partial())
            try:
                yield source
            except Refused:
                # Where the source is not what was stored, that says more than what is wrong with it.
                source.wait(self._while_fetching)
                raise
            finally:
                source.close()

    def _splits(self, source: LocalSource, division: Division) -> bool:
        """Whether the audio is to be split among several workers; then that is noted, and the operator sees to it."""
        _, plan = self.converter.plan(source, self.request.output)
        # What is copied is done sooner than others could start.
        parts = 1 if plan.may_copy else worthwhile_parts(plan.duration_seconds, division)
        if parts > 1:
            self.ledger.note_parallelism(parts)
            _log.info("audio_split", parts=parts, duration_seconds=plan.duration_seconds)
        return parts > 1

    def _while_fetching(self) -> None:
        self.stop.check()
        self.reporter.report(0.0, None)

    def at_work(self) -> None:
        """Called now and then by what takes long: shows a sign of life, and raises where it is to stop."""
        self.stop.check()
        self.reporter.repeat()

    def remove_leftovers(self, file_ids: Iterable[str]) -> None:
        """Remove what workers before this one began and did not finish."""
        for file_id in file_ids:
            self.mp3s.remove(file_id, self.at_work)
            _log.info("leftover_removed", file_id=file_id)

    def store(self, mp3: Mp3) -> OutputReport:
        """Store the mp3 and then the result; answer the result that is stored, which may be another worker's."""
        file_id = self.mp3s.new_id()
        self.ledger.name_upload(file_id)
        with self._removed_unless_stored(file_id):
            self.mp3s.write(file_id, self.request.filename, self._metadata("mp3", mp3.sha256), self._content(mp3))
            self.stop.check()
        stored = self._store_result(file_id, mp3)
        if stored.file_id != file_id:
            self.mp3s.remove(file_id)
        _log.info("result_stored", file_id=stored.file_id, own=stored.file_id == file_id)
        return stored

    def _store_result(self, file_id: str, mp3: Mp3) -> OutputReport:
        """Store the result. Without an answer the file may be it: then it stays, for the next attempt to judge."""
        result = OutputReport(
            file_id=file_id,
            filename=self.request.filename,
            size=mp3.size,
            duration_seconds=mp3.duration_seconds,
            sha256=mp3.sha256,
            encoding=mp3.encoding,
            notes=mp3.notes,
        )
        try:
            return self.ledger.store_result(result)
        except Superseded:
            # An answer, and it says that this file will never be the result. Whoever took over, gave up or deleted
            # the Conversion may have removed the files before this one was complete, and will not look again.
            with contextlib.suppress(TryAgain):
                self.mp3s.remove(file_id)
            raise

    def write_part(self, file_id: str, file: Path) -> None:
        """Store a part of the audio, whole or not at all."""
        with self._removed_unless_stored(file_id):
            self.mp3s.write(file_id, self.request.filename, self._metadata("part", None), self._blocks(file))
            self.stop.check()

    @contextlib.contextmanager
    def _removed_unless_stored(self, file_id: str) -> Iterator[None]:
        try:
            yield
        except (TryAgain, OSError):
            # Where this fails too, the ledger's list of uploads brings the next attempt here.
            with contextlib.suppress(TryAgain):
                self.mp3s.remove(file_id)
            raise

    def _metadata(self, kind: Literal["mp3", "part"], sha256: str | None) -> FileMetadata:
        return FileMetadata(
            # No account is called "": nobody can download a part.
            owner=self.request.owner if kind == "mp3" else "",
            content_type="audio/mpeg" if kind == "mp3" else "application/octet-stream",
            sha256=sha256,
            kind=kind,
            conversion_uid=self.request.conversion.uid,
            uploaded_at=self.now(),
            installation=self.request.installation or None,
        )

    def _content(self, mp3: Mp3) -> Iterator[bytes]:
        if mp3.tag:
            yield mp3.tag
        for block in mp3.content.blocks():
            self.at_work()
            yield block

    def _blocks(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                self.at_work()
                yield block

    def publish(self, result: OutputReport, entry: LedgerEntry) -> None:
        """Announce the result, unless that is known to be done."""
        if entry.published("succeeded"):
            return
        self.queue.publish(
            ConversionFinished(
                kind="succeeded",
                conversion=self.request.conversion,
                owner=self.request.owner,
                email=self.request.email,
                file_id=result.file_id,
                filename=result.filename,
                size=result.size,
                duration_seconds=result.duration_seconds,
                reason=Reason.SUCCEEDED,
                message="The mp3 is ready.",
                notes=result.notes,
                expires_at=self._expires_at(result, entry),
            )
        )
        _log.info("message_published", file_id=result.file_id)
        # If this fails, the message is published once more later: it has the same id, and is one email.
        self.ledger.mark_published()

    def _expires_at(self, result: OutputReport, entry: LedgerEntry) -> datetime | None:
        """Until when the mp3 is surely there, whichever attempt says it and however late.

        Its time begins when the Conversion has finished, and the operator may say so as soon as the result is stored.
        Of a result that was taken over from another Conversion, that moment is not known here.
        """
        seconds = self.request.ttl_seconds
        if seconds is None or entry.adopted_from is not None or entry.predecessor is not None:
            return None
        return made_at(result.file_id) + timedelta(seconds=seconds)


def refuse_if_given_up(entry: LedgerEntry) -> None:
    """Raise where there is nothing to be made any more."""
    if entry.failure is not None:
        raise Refused(Reason.BAD_REQUEST, f"The conversion was given up before: {entry.failure.message}")


@contextlib.contextmanager
def _empty_folder(folder: Path) -> Iterator[Path]:
    """A new folder, whatever an earlier attempt left in its place; removed at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
