"""⑥ The conversion's entry in the ledger, as one attempt writes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from video2mp3_contracts import ledger as moves
from video2mp3_contracts import mongo
from video2mp3_contracts.ledger import LedgerAttempt, LedgerEntry, LedgerError
from video2mp3_contracts.message import ConversionRef
from video2mp3_contracts.reasons import Reason
from video2mp3_contracts.status import OutputReport, Progress
from video2mp3_worker.errors import Superseded, TryAgain


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
    ) -> None:
        self._collection = collection
        self._conversion = conversion
        self._owner = owner
        self._attempt = attempt
        self._now = now
        self._open = False

    def open_attempt(self) -> LedgerEntry:
        """Become the worker that may write, and answer the entry."""
        entry = self._apply(moves.open_attempt(self._conversion, self._owner, self._attempt))
        if entry is None:
            raise Superseded
        self._open = True
        return entry

    def name_upload(self, file_id: str) -> None:
        """Note the mp3 that is about to be written. Raises Superseded."""
        if self._apply(moves.name_upload(self._uid, self._token, file_id)) is None:
            raise Superseded

    def report_progress(self, progress: Progress) -> None:
        """Say how far the attempt is. Raises Superseded."""
        if self._apply(moves.report_progress(self._uid, self._token, progress)) is None:
            raise Superseded

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

    def _apply(self, move: moves.Move) -> LedgerEntry | None:
        with _translated():
            return mongo.apply(self._collection, move)
