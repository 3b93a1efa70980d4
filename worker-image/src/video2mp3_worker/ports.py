"""What the worker needs of the outside, as interfaces. The adapters are `gridfs`, `ledger` and `queue`.

Every method raises TryAgain when its service is away.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from video2mp3_contracts.ledger import LedgerEntry, LedgerError
from video2mp3_contracts.message import ConversionFinished
from video2mp3_contracts.status import OutputReport, Progress
from video2mp3_contracts.storage import FileMetadata


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


class Mp3s(Protocol):
    """The finished mp3s."""

    def new_id(self) -> str:
        """An id that no file has."""

    def write(self, file_id: str, filename: str, metadata: FileMetadata, content: Iterable[bytes]) -> None:
        """Store a file under an id. It is there whole, or only as leftovers that `remove` removes."""

    def remove(self, file_id: str, watch: Callable[[], None] = lambda: None) -> None:
        """Remove a file, or what there is of it; nothing to remove is fine. `watch` is called on the way.

        What is gone stays gone when this is cut short.
        """


class Ledger(Protocol):
    """The conversion's entry in the ledger, for one attempt."""

    def open_attempt(self) -> LedgerEntry:
        """Become the worker that may write, and answer the entry."""

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


class Queue(Protocol):
    """⑦ The `mp3` queue."""

    def publish(self, message: ConversionFinished) -> None:
        """Publish a message and return when the broker has it safely."""
