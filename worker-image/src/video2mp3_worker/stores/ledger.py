"""⑥ The conversion's entry in the ledger, as one attempt writes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.ledger import moves, part_moves
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerEntry, LedgerError, LedgerPart, MadePart
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_contracts.runtime import mongo
from video2mp3_worker.ports.errors import Superseded, TryAgain


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except mongo.StoreError as error:
        sentence = "The database that holds the ledger was away."
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, sentence, detail=str(error)) from error


class MongoLedger:
    """The ledger in MongoDB. `token` is this attempt's, and fences off all others once the attempt is open."""

    def __init__(
        self,
        collection: Collection[dict[str, Any]],
        conversion: ConversionRef,
        owner: str,
        attempt: LedgerAttempt,
        now: Callable[[], datetime],
        installation: str = "",
    ) -> None:
        self._collection = collection
        self._conversion = conversion
        self._owner = owner
        self._installation = installation
        self._attempt = attempt
        self._now = now
        self._open = False

    def open_attempt(self) -> LedgerEntry:
        """Become the worker that may write, and answer the entry."""
        entry = self._held(moves.open_attempt(self._conversion, self._owner, self._attempt, self._installation))
        self._open = True
        return entry

    def note_parallelism(self, parts: int) -> None:
        """Note into how many parts the audio is worth splitting. Raises Superseded."""
        self._held(part_moves.note_parallelism(self._uid, self._token, parts))

    def name_upload(self, file_id: str) -> None:
        """Note the mp3 that is about to be written. Raises Superseded."""
        self._held(moves.name_upload(self._uid, self._token, file_id))

    def report_progress(self, progress: Progress) -> None:
        """Say how far the attempt is. Raises Superseded."""
        self._held(moves.report_progress(self._uid, self._token, progress))

    def store_result(self, result: OutputReport) -> OutputReport:
        """Store the result and answer the one that is stored, which may be another worker's. Raises Superseded."""
        entry = self._apply(moves.store_result(self._uid, self._token, result))
        if entry is None:
            with _translated():
                entry = mongo.read(self._collection, self._uid)
        if entry is None or entry.result is None:
            raise Superseded
        return entry.result

    def store_error(self, error: LedgerError) -> None:
        """Leave the attempt's last words, if there is an attempt; of no effect once another worker took over."""
        if self._open:
            self._apply(moves.store_error(self._uid, self._token, error))

    def mark_published(self) -> None:
        """Note that the queue has the message."""
        self._apply(moves.mark_published(self._uid, "succeeded", self._now()))

    @property
    def _uid(self) -> str:
        return self._conversion.uid

    @property
    def _token(self) -> str:
        return self._attempt.token

    def _held(self, move: moves.Move) -> LedgerEntry:
        """Make a move that has no match once another worker took over. Raises Superseded."""
        entry = self._apply(move)
        if entry is None:
            raise Superseded
        return entry

    def _apply(self, move: moves.Move) -> LedgerEntry | None:
        with _translated():
            return mongo.apply(self._collection, move)


class MongoPartLedger(MongoLedger):
    """The ledger in MongoDB, for an attempt at a part. `attempt.part` names it; `parts` is how many there are.

    The token is that of the part's worker, and of the attempt as a whole once this worker joins all parts.
    """

    def __init__(
        self,
        collection: Collection[dict[str, Any]],
        conversion: ConversionRef,
        owner: str,
        attempt: LedgerAttempt,
        now: Callable[[], datetime],
        parts: int,
        installation: str = "",
    ) -> None:
        super().__init__(collection, conversion, owner, attempt, now, installation)
        self._parts = parts
        self._part_open = False

    def open_part(self) -> LedgerEntry:
        """Become the worker that may write this part, and answer the entry."""
        part = LedgerPart(token=self._token, pod=self._attempt.pod, started_at=self._attempt.started_at)
        entry = self._held(part_moves.open_part(self._conversion, self._owner, self._number, part, self._installation))
        self._part_open = True
        return entry

    def name_part_file(self, file_id: str) -> None:
        """Note the file that is about to be written for this part. Raises Superseded."""
        self._held(part_moves.name_part_file(self._uid, self._number, self._token, file_id))

    def finish_part(self, file_id: str, made_of: str, progress: Progress) -> LedgerEntry:
        """Note that this part's file is complete, and answer the entry. Raises Superseded."""
        made = MadePart(file_id=file_id, made_of=made_of, progress=progress)
        return self._held(part_moves.finish_part(self._uid, self._number, self._token, made))

    def claim_join(self) -> LedgerEntry | None:
        """Open the attempt that joins all parts, and answer the entry; None where another worker does or has done."""
        entry = self._apply(part_moves.claim_join(self._uid, self._parts, self._attempt))
        self._open = entry is not None
        return entry

    def report_progress(self, progress: Progress) -> None:
        """Say how far the part is, or the join. Raises Superseded."""
        if self._open:
            super().report_progress(progress)
        else:
            self._held(part_moves.report_part_progress(self._uid, self._number, self._token, progress))

    def store_error(self, error: LedgerError) -> None:
        """Leave the attempt's last words, unless another part's worker left some that are final."""
        if self._open:
            super().store_error(error)
        elif self._part_open:
            self._apply(part_moves.store_part_error(self._uid, self._number, self._token, error))

    @property
    def _number(self) -> int:
        if self._attempt.part is None:
            raise AssertionError("an attempt at a part says which")
        return self._attempt.part
