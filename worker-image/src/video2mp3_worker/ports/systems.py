"""What the worker needs of the outside, as interfaces. The adapters are in `stores`, and `source.http_client`.

Every method raises TryAgain when its service is away; those of the web raise BrokenOffError.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.ledger.documents import LedgerEntry, LedgerError
from video2mp3_contracts.ledger.storage import FileMetadata
from video2mp3_contracts.messaging.message import ConversionFinished


@dataclass(frozen=True)
class SourceFile:
    """A stored source. `length` in bytes."""

    file_id: str
    length: int
    chunk_bytes: int
    metadata: FileMetadata | None
    """None when the file carries none that could be understood."""


class Sources(Protocol):
    """② The sources that users uploaded."""

    def find(self, file_id: str) -> SourceFile | None:
        """Look a source up; None when there is none."""

    def chunks(self, source: SourceFile, numbers: Sequence[int]) -> Iterator[bytes]:
        """Read chunks by their numbers, which ascend. Raises Refused when one is missing or has the wrong length."""


class BrokenOffError(Exception):
    """A web server could not be reached, was too slow, or ended before its answer did. The text names no address."""


class Answer(Protocol):
    """A web server's answer."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields by their names, whatever their case."""

    def blocks(self) -> Iterator[bytes]:
        """The content as it is sent, to its end. Raises BrokenOffError where it ends early."""


class Web(Protocol):
    """The public internet."""

    def ask(self, url: str, headers: Mapping[str, str], watch: Callable[[], None]) -> AbstractContextManager[Answer]:
        """GET an address, following nothing; `watch` is called a few times a second while anything is waited for.

        Raises Refused where the host has no public address, or does not prove who it is, and BrokenOffError.
        """


class Mp3s(Protocol):
    """The finished mp3s."""

    def new_id(self) -> str:
        """An id that no file has."""

    def write(self, file_id: str, filename: str, metadata: FileMetadata, content: Iterable[bytes]) -> None:
        """Store a file under an id. It is there whole, or only as leftovers that `remove` removes."""

    def read(self, file_id: str) -> Iterator[bytes]:
        """Read a file that was stored whole. Raises TryAgain when it is not there."""

    def remove(self, file_id: str, watch: Callable[[], None] = lambda: None) -> None:
        """Remove a file, or what there is of it; nothing to remove is fine. `watch` is called on the way.

        What is gone stays gone when this is cut short.
        """


class Ledger(Protocol):
    """The conversion's entry in the ledger, for one attempt."""

    def open_attempt(self) -> LedgerEntry:
        """Become the worker that may write, and answer the entry."""

    def note_parallelism(self, parts: int) -> None:
        """Note into how many parts the audio is worth splitting. Raises Superseded."""

    def name_upload(self, file_id: str) -> None:
        """Note the mp3 that is about to be written. Raises Superseded."""

    def report_progress(self, progress: Progress) -> None:
        """Say how far the attempt is. Raises Superseded."""

    def store_result(self, result: OutputReport) -> OutputReport:
        """Store the result and answer the one that is stored, which may be another worker's. Raises Superseded."""

    def store_error(self, error: LedgerError) -> None:
        """Leave the attempt's last words."""

    def mark_published(self) -> None:
        """Note that the queue has the message."""


class PartLedger(Protocol):
    """The conversion's entry in the ledger, for one attempt at one part of the audio."""

    def open_part(self) -> LedgerEntry:
        """Become the worker that may write this part, and answer the entry."""

    def name_part_file(self, file_id: str) -> None:
        """Note the file that is about to be written for this part. Raises Superseded."""

    def finish_part(self, file_id: str, made_of: str, progress: Progress) -> LedgerEntry:
        """Note that this part's file is complete, and answer the entry. Raises Superseded."""

    def claim_join(self) -> LedgerEntry | None:
        """Open the attempt that joins all parts, and answer the entry; None where another worker does or has done."""


class Queue(Protocol):
    """⑦ The `mp3` queue."""

    def publish(self, message: ConversionFinished) -> None:
        """Publish a message and return when the broker has it safely."""
