"""④ The ledger and the files in MongoDB, by pymongo's asyncio client."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import DuplicateKeyError, PyMongoError

from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import ORPHANED_AT, PARTS_OPENED_AT, LedgerEntry, LedgerFailure
from video2mp3_contracts.ledger.storage import (
    INSTALLATION,
    LEDGER_COLLECTION,
    MP3S_DATABASE,
    UNWANTED_SINCE,
    VIDEOS_DATABASE,
)
from video2mp3_contracts.messaging.message import ConversionRef, MessageKind
from video2mp3_operator.adapters.mongodb_files import MongoFiles, object_ids, span
from video2mp3_operator.adapters.mongodb_sweep import MongoSweep
from video2mp3_operator.objects.stored import StoredFile
from video2mp3_operator.objects.unreadable import Count, UnreadableEntry, read_entry
from video2mp3_operator.ports.errors import UnavailableError
from video2mp3_operator.ports.systems import Clock, Stopwatch

Document = dict[str, Any]
_Answer = TypeVar("_Answer")
_REST_SECONDS: Final = 2.0
"""After MongoDB did not answer, everyone is told so at once for this long: time limits do not add up."""


_SCANNED_AT_A_TIME: Final = 1000
"""Ledger entries that one operation of a scan looks at."""


_UNPUBLISHED: Final = {
    # What goes with its Conversion is told to nobody.
    ORPHANED_AT: {"$exists": False},
    "$or": [
        {"result": {"$exists": True}, "messages.succeeded.publishedAt": {"$exists": False}},
        {
            "failure": {"$exists": True},
            "result": {"$exists": False},
            "messages.failed.publishedAt": {"$exists": False},
        },
    ],
}


class MongoStore(MongoFiles, MongoSweep):
    """Implements Ledger, Files and Store."""

    def __init__(
        self,
        uri: str,
        timeout_seconds: float,
        clock: Clock,
        installation: str = "",
        count: Count = lambda _kind: None,
        elapsed: Stopwatch = time.monotonic,
    ) -> None:
        """`count` is told of each document that cannot be read."""
        milliseconds = int(timeout_seconds * 1000)
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(
            uri,
            appname="video2mp3-operator",
            tz_aware=True,
            timeoutMS=milliseconds,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
        )
        self._ledger = self._client[MP3S_DATABASE][LEDGER_COLLECTION]
        self._count = count
        self._clock = clock
        self._elapsed = elapsed
        self._resting_until = 0.0
        self._installation = installation
        self._indexed = False
        self._fingerprints_indexed = False
        self._names_indexed = False

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        if self._elapsed() < self._resting_until:
            raise UnavailableError("MongoDB did not answer a moment ago")
        try:
            return await question()
        except DuplicateKeyError:
            raise
        except PyMongoError as error:
            self._resting_until = self._elapsed() + _REST_SECONDS
            raise UnavailableError(f"MongoDB did not answer: {type(error).__name__}") from error

    # --- Ledger ---

    async def entries(self, uids: Collection[str]) -> Mapping[str, LedgerEntry]:
        """See the port. Asked for none it still asks, so that the answer says whether MongoDB is there."""
        query = {"_id": {"$in": list(uids)}}
        found = await self._ask(lambda: self._ledger.find(query).to_list())
        return {document["_id"]: read_entry(document, self._count) for document in found}

    async def store_failure(self, conversion: ConversionRef, owner: str, failure: LedgerFailure) -> bool:
        """See the port."""
        return await self._won(moves.store_failure(conversion, owner, failure, self._installation))

    async def reopen(self, uid: str) -> None:
        """See the port."""
        await self._move(moves.reopen(uid))

    async def mark_published(self, uid: str, kind: MessageKind, at: datetime) -> None:
        """See the port."""
        await self._move(moves.mark_published(uid, kind, at))

    async def note_fingerprints(self, uid: str, fingerprints: Sequence[str]) -> None:
        """See the port."""
        await self._move(moves.note_fingerprints(uid, tuple(fingerprints)))

    async def retain(self, uid: str, at: datetime) -> None:
        """See the port."""
        await self._move(moves.retain(uid, at))

    async def retained(self, fingerprints: Collection[str]) -> Mapping[str, LedgerEntry]:
        """See the port."""
        if not self._fingerprints_indexed:
            await self._ask(lambda: self._ledger.create_index("fingerprints", sparse=True))
            self._fingerprints_indexed = True
        query: Document = {"fingerprints": {"$in": list(fingerprints)}, "retainedAt": {"$exists": True}}
        query |= self._ours_or_nobodys()
        documents = await self._ask(lambda: self._ledger.find(query).sort("retainedAt").to_list())
        entries = self._readable(documents)
        owners = await self._owners([entry.result.file_id for entry in entries if entry.result])
        kept = [entry for entry in entries if entry.result and owners.get(entry.result.file_id) == entry.owner]
        return {each: entry for entry in kept for each in entry.fingerprints}

    async def _owners(self, file_ids: Collection[str]) -> Mapping[str, str]:
        if not file_ids:
            return {}
        query = {"_id": {"$in": object_ids(file_ids)}}
        files = self._client[MP3S_DATABASE]["fs.files"]
        found = await self._ask(lambda: files.find(query, {"metadata.owner": 1}).to_list())
        return {str(each["_id"]): (each.get("metadata") or {}).get("owner", "") for each in found}

    async def adopt(self, conversion: ConversionRef, owner: str, source: LedgerEntry) -> bool:
        """See the port."""
        return await self._won(moves.adopt(conversion, owner, source, self._installation))

    async def lost(self, names: Collection[str]) -> Mapping[str, Sequence[LedgerEntry]]:
        """See the port."""
        if not self._names_indexed:
            await self._ask(lambda: self._ledger.create_index([("name", 1), ("namespace", 1)]))
            self._names_indexed = True
        # No `$or`, for which some engines look through all entries: what is left of so few names is told apart below.
        query: Document = {
            "name": {"$in": [name.partition("/")[2] for name in names]},
            ORPHANED_AT: {"$exists": False},
            "retainedAt": {"$exists": False},
        }
        query |= self._ours_or_nobodys()
        found = self._readable(await self._ask(lambda: self._ledger.find(query).to_list()))
        entries = [each for each in found if each.result or each.failure]
        owners = await self._owners([entry.result.file_id for entry in entries if entry.result])
        by_name: dict[str, list[LedgerEntry]] = {}
        for entry in entries:
            name = f"{entry.namespace}/{entry.name}"
            if name in names and (entry.result is None or owners.get(entry.result.file_id) == entry.owner):
                by_name.setdefault(name, []).append(entry)
        return by_name

    async def inherit(self, conversion: ConversionRef, owner: str, source: LedgerEntry) -> bool:
        """See the port. Whatever line it dies at, the sweep or the next try goes on from there."""
        claimed = await self._ask(
            lambda: self._ledger.find_one_and_update(*_of(moves.name_heir(source, conversion.uid)))
        )
        if claimed is None or not await self._won(moves.inherit(conversion, owner, source, self._installation)):
            return False
        await self.bequeath(source.uid, conversion.uid)
        return True

    async def bequeath(self, uid: str, heir: str) -> None:
        """See the port."""
        files = self._client[MP3S_DATABASE]["fs.files"]
        await self._index_uids()
        change: Document = {"$set": {"metadata.conversionUid": heir}, "$unset": {"metadata.unwantedSince": ""}}
        await self._ask(lambda: files.update_many({"metadata.conversionUid": uid}, change))
        await self.remove(uid)

    async def expire(self, uid: str, retained_at: datetime) -> bool:
        """See the port."""
        await self._ask(lambda: self._ledger.create_index("adoptedFrom", sparse=True))
        if await self._ask(lambda: self._ledger.find_one({"adoptedFrom": uid}, {"_id": 1})) is not None:
            return False
        due, end = {"_id": uid, "retainedAt": retained_at}, moves.shut(uid, retained_at).update
        done = await self._ask(lambda: self._ledger.update_one(due, end))
        return bool(done.matched_count)

    def _ours_or_nobodys(self) -> Document:
        """The filter of entries that may be taken up: one's own, and those of older versions, which have no name."""
        return {INSTALLATION: {"$in": [self._installation, "", None]}}

    async def _won(self, move: moves.Move) -> bool:
        """Make a move that upserts; False where a duplicate key says, also at a second look, that others were first."""
        for _ in range(moves.UPSERT_LOOKS):
            with suppress(DuplicateKeyError):
                await self._move(move)
                return True
        return False

    async def _move(self, move: moves.Move) -> None:
        await self._ask(lambda: self._ledger.update_one(move.filter, move.update, upsert=move.upsert))

    async def unpublished(self) -> AsyncIterator[LedgerEntry]:
        """See the port. No index would serve it; so it goes through all, and no single operation grows with them."""
        query = _UNPUBLISHED | self._ours_or_nobodys()
        place: str | None = ""
        while place is not None:
            last = await self._ask(self._ids_after(place).skip(_SCANNED_AT_A_TIME - 1).limit(1).to_list)
            until = last[0]["_id"] if last else None
            span = {"$gt": place} | ({} if until is None else {"$lte": until})
            for entry in self._readable(await self._ask(self._ledger.find(query | {"_id": span}).to_list)):
                yield entry
            place = until

    def _ids_after(self, place: str) -> AsyncCursor[Document]:
        return self._ledger.find({"_id": {"$gt": place}}, {"_id": 1}).sort("_id")

    async def shut(self, uid: str) -> None:
        """See the port."""
        await self._move(moves.shut(uid, self._clock()))

    async def remove(self, uid: str) -> None:
        """See the port."""
        await self._move(moves.forget(uid, self._clock()))

    # --- Store ---

    async def uploads(self, before: datetime, place: str, limit: int) -> Sequence[StoredFile]:
        """See the port."""
        ours = {"metadata.kind": "source", "metadata.retainedAt": {"$exists": False}}
        return await self._files(VIDEOS_DATABASE, ours, span(before, place), limit)

    async def mp3s(self, before: datetime, place: str, limit: int) -> Sequence[StoredFile]:
        """See the port."""
        return await self._files(MP3S_DATABASE, {"metadata.kind": {"$in": ["mp3", "part"]}}, span(before, place), limit)

    async def _files(self, database: str, query: Document, span: Document, limit: int) -> Sequence[StoredFile]:
        files = self._client[database]["fs.files"]
        found = files.find(query | self._ours("metadata.") | {"_id": span}, {"metadata": 1}).sort("_id").limit(limit)
        return [_stored_file(each) for each in await self._ask(found.to_list)]

    async def entries_since(self, before: datetime, place: str, limit: int) -> Sequence[LedgerEntry]:
        """See the port."""
        recent = [
            {field: {"$gte": before}}
            for field in ("attempt.startedAt", PARTS_OPENED_AT, "progress.updatedAt", "failure.failedAt")
        ]
        query: Document = {"$nor": [*recent, {ORPHANED_AT: {"$exists": True}}], **self._ours("")}
        page: list[LedgerEntry] = []
        while (missing := limit - len(page)) > 0:
            after = query | {"_id": {"$gt": place}}
            found = await self._ask(self._ledger.find(after).sort("_id").limit(missing).to_list)
            page += self._readable(found)
            if len(found) < missing:
                break
            place = found[-1]["_id"]
        return page

    async def retained_entries(self, place: str, limit: int) -> Sequence[LedgerEntry]:
        """See the port."""
        query = self._ours("") | {"retainedAt": {"$exists": True}, "_id": {"$gt": place}}
        return self._readable(await self._ask(self._ledger.find(query).sort("_id").limit(limit).to_list))

    def _readable(self, documents: Sequence[Document]) -> list[LedgerEntry]:
        entries = (read_entry(document, self._count) for document in documents)
        return [entry for entry in entries if not isinstance(entry, UnreadableEntry)]


def _of(move: moves.Move) -> tuple[Document, Document]:
    return move.filter, move.update


def _stored_file(document: Document) -> StoredFile:
    metadata = document["metadata"]
    return StoredFile(
        str(document["_id"]),
        metadata.get("owner", ""),
        metadata.get("conversionUid", ""),
        metadata.get(INSTALLATION) or "",
        metadata.get(UNWANTED_SINCE),
    )
