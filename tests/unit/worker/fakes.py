"""Working stand-ins for the worker's ports, which a test can switch off."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.unit.worker.builders import OWNER, SOURCE_ID, a_media, a_track
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerEntry, LedgerError, LedgerMessage, LedgerPart
from video2mp3_contracts.ledger.storage import FileMetadata
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_worker.encoder.pieces import Span
from video2mp3_worker.ports.errors import Superseded, TryAgain
from video2mp3_worker.ports.systems import SourceFile
from video2mp3_worker.probe.media import Media
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Mp3
from video2mp3_worker.transcode.encode import Encoded
from video2mp3_worker.transcode.levelling import Level
from video2mp3_worker.transcode.mp3_file import Mp3File
from video2mp3_worker.transcode.plan import Plan, decide

_THEN = datetime(2026, 3, 1, tzinfo=UTC)
MP3_MADE_AT = datetime(2026, 3, 1, 11, 59, 50, tzinfo=UTC)


def mp3_id(number: int) -> str:
    """The id of an mp3, by how many were begun before it."""
    return f"{int(MP3_MADE_AT.timestamp()):08x}{number:016x}"


class Killed(BaseException):
    """SIGKILL: nothing of the worker's runs after it."""


@dataclass
class Outside:
    """Everything outside of a worker. `before` is called with the name of each call, and may raise."""

    uploads: list[str] = field(default_factory=list)
    token: str = ""
    parts: dict[int, LedgerPart] = field(default_factory=dict)
    joining: int | None = None
    parallelism: int | None = None
    result: OutputReport | None = None
    adopted_from: str | None = None
    predecessor: str | None = None
    published: bool = False
    progress: list[Progress] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, FileMetadata] = field(default_factory=dict)
    halves: set[str] = field(default_factory=set)
    messages: list[ConversionFinished] = field(default_factory=list)
    sources: dict[str, bytes] = field(default_factory=lambda: {SOURCE_ID: b"film" * 100})
    calls: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _name: None
    after: Callable[[str], None] = lambda _name: None

    def call(self, name: str) -> None:
        self.calls.append(name)
        self.before(name)

    def strays(self) -> set[str]:
        """Files that nobody will ever ask for."""
        kept = {self.result.file_id} if self.result else set()
        return (set(self.files) | self.halves) - kept


@dataclass
class FakeLedger:
    """One worker's view of the ledger."""

    outside: Outside
    token: str
    errors: list[LedgerError] = field(default_factory=list)

    def open_attempt(self) -> LedgerEntry:
        self.outside.call("open_attempt")
        self.outside.token = self.token
        messages = {"succeeded": LedgerMessage(published_at=_THEN)} if self.outside.published else {}
        entry = LedgerEntry(
            uid="uid-1",
            attempt=LedgerAttempt(token=self.token, started_at=_THEN),
            uploads=tuple(self.outside.uploads),
            parallelism=self.outside.parallelism,
            result=self.outside.result,
            adopted_from=self.outside.adopted_from,
            predecessor=self.outside.predecessor,
            messages=messages,
        )
        self.outside.after("open_attempt")
        return entry

    def note_parallelism(self, parts: int) -> None:
        self._write("note_parallelism")
        self.outside.parallelism = parts
        self.outside.after("note_parallelism")

    def name_upload(self, file_id: str) -> None:
        self._write("name_upload")
        self.outside.uploads.append(file_id)
        self.outside.after("name_upload")

    def report_progress(self, progress: Progress) -> None:
        self._write("report_progress")
        self.outside.progress.append(progress)

    def store_result(self, result: OutputReport) -> OutputReport:
        self.outside.call("store_result")
        if self.outside.result is None:
            if self.outside.token != self.token:
                raise Superseded
            self.outside.result = result
        self.outside.after("store_result")
        return self.outside.result

    def store_error(self, error: LedgerError) -> None:
        self.errors.append(error)

    def mark_published(self) -> None:
        self.outside.call("mark_published")
        self.outside.published = True
        self.outside.after("mark_published")

    def _write(self, name: str) -> None:
        self.outside.call(name)
        if self.outside.token != self.token:
            raise Superseded


@dataclass
class FakePartLedger(FakeLedger):
    """One part's worker's view of the ledger."""

    number: int = 0
    parts: int = 2

    def open_part(self) -> LedgerEntry:
        self.outside.call("open_part")
        opened = {"token": self.token, "started_at": _THEN}
        before = self.outside.parts.get(self.number)
        self.outside.parts[self.number] = before.model_copy(update=opened) if before else LedgerPart(**opened)
        self.outside.after("open_part")
        return self._entry()

    def name_part_file(self, file_id: str) -> None:
        part = self._own("name_part_file")
        self.outside.uploads.append(file_id)
        named = {"files": (*part.files, file_id), "file_id": None, "made_of": ""}
        self.outside.parts[self.number] = part.model_copy(update=named)
        self.outside.joining, self.outside.token = None, ""
        self.outside.after("name_part_file")

    def finish_part(self, file_id: str, made_of: str, progress: Progress) -> LedgerEntry:
        made = {"file_id": file_id, "made_of": made_of, "progress": progress}
        self.outside.parts[self.number] = self._own("finish_part").model_copy(update=made)
        self.outside.after("finish_part")
        return self._entry()

    def claim_join(self) -> LedgerEntry | None:
        complete = all(
            number in self.outside.parts and self.outside.parts[number].file_id for number in range(self.parts)
        )
        own = self._own("claim_join")
        free = self.outside.joining in (None, self.number) and own.token == self.token
        if not complete or not free or self.outside.result:
            return None
        self.outside.joining, self.outside.token = self.number, self.token
        self.outside.after("claim_join")
        return self._entry()

    def _own(self, name: str) -> LedgerPart:
        self.outside.call(name)
        part = self.outside.parts[self.number]
        if part.token != self.token:
            raise Superseded
        return part

    def _entry(self) -> LedgerEntry:
        joining = self.outside.joining
        messages = {"succeeded": LedgerMessage(published_at=_THEN)} if self.outside.published else {}
        return LedgerEntry(
            uid="uid-1",
            attempt=None
            if joining is None
            else LedgerAttempt(token=self.outside.token, part=joining, started_at=_THEN),
            uploads=tuple(self.outside.uploads),
            parts=dict(self.outside.parts),
            result=self.outside.result,
            messages=messages,
        )


@dataclass
class FakeFiles:
    """The sources and the mp3s."""

    outside: Outside
    chunk_bytes: int = 100
    owner: str = OWNER
    sha256: str | None = None
    taken: list[int] = field(default_factory=list)
    """Numbers of the chunks that were."""

    def find(self, file_id: str) -> SourceFile | None:
        self.outside.call("find")
        content = self.outside.sources.get(file_id)
        if content is None:
            return None
        metadata = FileMetadata(owner=self.owner, content_type="video/mp4", sha256=self.sha256)
        return SourceFile(file_id, len(content), self.chunk_bytes, metadata)

    def chunks(self, source: SourceFile, numbers: Sequence[int]) -> Iterator[bytes]:
        self.outside.call("chunks")
        content = self.outside.sources[source.file_id]
        for number in numbers:
            self.taken.append(number)
            yield content[number * self.chunk_bytes : (number + 1) * self.chunk_bytes]

    def new_id(self) -> str:
        return mp3_id(len(self.outside.uploads))

    def read(self, file_id: str) -> Iterator[bytes]:
        self.outside.call("read")
        yield self.outside.files[file_id]

    def write(self, file_id: str, filename: str, metadata: FileMetadata, content: Iterable[bytes]) -> None:
        self.outside.halves.add(file_id)
        self.outside.call("write")
        self.outside.files[file_id] = b"".join(content)
        self.outside.metadata[file_id] = metadata
        self.outside.halves.discard(file_id)
        self.outside.after("write")

    def remove(self, file_id: str, watch: Callable[[], None] = lambda: None) -> None:
        self.outside.call("remove")
        watch()
        self.outside.files.pop(file_id, None)
        self.outside.halves.discard(file_id)


@dataclass
class FakeQueue:
    """The broker."""

    outside: Outside

    def publish(self, message: ConversionFinished) -> None:
        self.outside.call("publish")
        self.outside.messages.append(message)
        self.outside.after("publish")


@dataclass
class FakeConverter:
    """Makes an mp3 of anything."""

    outside: Outside
    seconds: float = 60.0
    notes: tuple[str, ...] = ()

    def convert(self, source: LocalSource, destination: Path, output: Output) -> Mp3:
        self.outside.call("convert")
        return self._mp3(destination, b"sound of " + source.path.read_bytes()[:4], output)

    def plan(self, source: LocalSource, output: Output) -> tuple[Media, Plan]:
        self.outside.call("plan")
        media = a_media(a_track(duration_seconds=self.seconds), duration_seconds=self.seconds)
        return media, decide(media, output, WorkerLimits())

    def convert_part(self, source: LocalSource, destination: Path, media: Media, plan: Plan, span: Span) -> Encoded:
        self.outside.call("convert_part")
        destination.write_bytes(b"from %d " % span.first)
        return Encoded(30.0)

    def join(
        self,
        parts: Iterable[bytes],
        source: LocalSource,
        destination: Path,
        media: Media,
        plan: Plan,
        output: Output,
        heard: Level | None = None,
    ) -> Mp3:
        self.outside.call("join")
        return self._mp3(destination, b"".join(parts), output)

    def _mp3(self, file: Path, sound: bytes, output: Output) -> Mp3:
        content = Mp3File(file)
        with content.opened() as opened:
            opened.write(sound)
        encoding = f"VBR V{output.encoding.vbr}, 44100 Hz, stereo"
        return Mp3(file, content, b"tag ", 60.0, "f" * 64, 17, encoding, self.notes)


def away(name: str) -> Callable[[str], None]:
    """For `before` or `after`: the service behind one call is away."""

    def check(called: str) -> None:
        if called == name:
            raise TryAgain(Reason.SERVICE_UNAVAILABLE, "It is away.")

    return check


def killed(name: str) -> Callable[[str], None]:
    """For `before` or `after`: the worker is killed at one call."""

    def check(called: str) -> None:
        if called == name:
            raise Killed

    return check


def at_ease(_called: str) -> None:
    """For `before` or `after`: nothing happens."""
