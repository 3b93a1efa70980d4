"""⑥⑦ One attempt, from the request to the published message.

A worker may be killed between any two lines. What makes the next attempt end well, whichever line that was:

- `open_attempt` fences off every worker before this one: only the holder of the last token can store a result;
- an mp3's id is noted before its first byte, so all that was ever begun is known, and removed by the next attempt;
- the result is stored before the message is published, and an attempt that finds a result does nothing but publish.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from video2mp3_contracts.ledger import LedgerEntry
from video2mp3_contracts.message import ConversionFinished
from video2mp3_contracts.reasons import Reason
from video2mp3_contracts.status import OutputReport
from video2mp3_contracts.storage import FileMetadata
from video2mp3_contracts.worker import WorkerRequest
from video2mp3_worker.convert import Converter, Mp3
from video2mp3_worker.errors import Refused, Superseded, TryAgain
from video2mp3_worker.fetch import fetch
from video2mp3_worker.ports import Ledger, Mp3s, Queue, Sources, Web
from video2mp3_worker.reporter import Reporter
from video2mp3_worker.stop import Stop

_BLOCK_BYTES: Final = 1024**2
_log = structlog.get_logger("video2mp3_worker.run")


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
    now: datetime

    def run(self) -> OutputReport:
        """Make this conversion succeed, as far as it has not yet. Raises Refused or TryAgain."""
        entry = self.ledger.open_attempt()
        result = entry.result or self._make(entry)
        self._publish(result, entry)
        return result

    def _make(self, entry: LedgerEntry) -> OutputReport:
        _refuse_if_given_up(entry)
        self._remove_leftovers(entry)
        with _empty_folder(self.scratch / "attempt") as folder:
            source = folder / "source"
            fetched = fetch(self.request, self.sources, self.web, source, self._while_fetching)
            _log.info("source fetched", size=source.stat().st_size, fetched=fetched)
            mp3 = self.converter.convert(source, folder / "output.mp3", self.request.output)
            _log.info("source converted", size=mp3.size, duration_seconds=mp3.duration_seconds, notes=mp3.notes)
            return self._store(mp3)

    def _while_fetching(self) -> None:
        self.stop.check()
        self.reporter.report(0.0, None)

    def _at_work(self) -> None:
        self.stop.check()
        self.reporter.repeat()

    def _remove_leftovers(self, entry: LedgerEntry) -> None:
        for file_id in entry.uploads:
            self.mp3s.remove(file_id, self._at_work)
            _log.info("leftover removed", file_id=file_id)

    def _store(self, mp3: Mp3) -> OutputReport:
        file_id = self.mp3s.new_id()
        self.ledger.name_upload(file_id)
        with self._removed_unless_stored(file_id):
            self.mp3s.write(file_id, self.request.filename, self._metadata(mp3), self._content(mp3))
            self.stop.check()
        stored = self._store_result(file_id, mp3)
        if stored.file_id != file_id:
            self.mp3s.remove(file_id)
        _log.info("result stored", file_id=stored.file_id, own=stored.file_id == file_id)
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
        )
        try:
            return self.ledger.store_result(result)
        except Superseded:
            # An answer, and it says that this file will never be the result. Whoever took over, gave up or deleted
            # the Conversion may have removed the files before this one was complete, and will not look again.
            with contextlib.suppress(TryAgain):
                self.mp3s.remove(file_id)
            raise

    @contextlib.contextmanager
    def _removed_unless_stored(self, file_id: str) -> Iterator[None]:
        try:
            yield
        except (TryAgain, OSError):
            # Where this fails too, the ledger's list of uploads brings the next attempt here.
            with contextlib.suppress(TryAgain):
                self.mp3s.remove(file_id)
            raise

    def _metadata(self, mp3: Mp3) -> FileMetadata:
        return FileMetadata(
            owner=self.request.owner,
            content_type="audio/mpeg",
            sha256=mp3.sha256,
            kind="mp3",
            conversion_uid=self.request.conversion.uid,
            uploaded_at=self.now,
        )

    def _content(self, mp3: Mp3) -> Iterator[bytes]:
        if mp3.tag:
            yield mp3.tag
        with mp3.file.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                self._at_work()
                yield block

    def _publish(self, result: OutputReport, entry: LedgerEntry) -> None:
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
            )
        )
        _log.info("message published", file_id=result.file_id)
        # If this fails, the message is published once more later: it has the same id, and is one email.
        self.ledger.mark_published()


def _refuse_if_given_up(entry: LedgerEntry) -> None:
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
