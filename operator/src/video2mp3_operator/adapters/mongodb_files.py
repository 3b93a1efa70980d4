"""④ Files in GridFS, as the operator reads and removes them."""

import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from video2mp3_contracts.api.conversion import is_file_id
from video2mp3_contracts.ledger.storage import MP3S_DATABASE, VIDEOS_DATABASE
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.objects.unreadable import Count, read_or_skip

Document = dict[str, Any]
_CHUNKS_AT_A_TIME: Final = 64
"""Chunks that one operation removes: 16 MiB at GridFS's default size."""

_CHUNKS: Final = {"length": 1, "chunkSize": 1}
"""What tells how many chunks a file has."""


class MongoFiles:
    """Implements Files, and what of Store is about files alone."""

    _client: AsyncMongoClient[Document]
    _ask: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
    _count: Count
    _indexed: bool

    async def sources(self, file_ids: Collection[str]) -> Mapping[str, SourceFile]:
        """See the port."""
        query = {"_id": {"$in": object_ids(file_ids)}}
        files = self._client[VIDEOS_DATABASE]["fs.files"]
        found = await self._ask(
            lambda: files.find(query, {"length": 1, "metadata.owner": 1, "metadata.sha256": 1}).to_list()
        )
        read = ((str(document["_id"]), read_or_skip("source", document, _source, self._count)) for document in found)
        return {file_id: source for file_id, source in read if source is not None}

    async def remove_source(self, file_id: str, owner: str) -> None:
        """See the port."""
        files = self._client[VIDEOS_DATABASE]["fs.files"]
        for each in object_ids([file_id]):
            query = {"_id": each, "metadata.owner": owner}
            known = await self._ask(partial(files.find_one, query, _CHUNKS))
            if known is not None:
                await self._remove_file(VIDEOS_DATABASE, each, known)

    async def keep_source(self, file_id: str, owner: str, at: datetime) -> None:
        """See the port."""
        files = self._client[VIDEOS_DATABASE]["fs.files"]
        query = {"_id": {"$in": object_ids([file_id])}, "metadata.owner": owner}
        await self._ask(lambda: files.update_one(query, {"$set": {"metadata.retainedAt": at}}))

    async def remove_mp3s(self, uid: str, uploads: Collection[str], keep: str | None) -> None:
        """See the port."""
        files = self._client[MP3S_DATABASE]["fs.files"]
        await self._index_uids()
        made = await self._ask(lambda: files.find({"metadata.conversionUid": uid}, {"_id": 1}).to_list())
        ids = {document["_id"] for document in made} | set(object_ids(uploads))
        await self._remove_files(MP3S_DATABASE, [each for each in ids if str(each) != keep])

    async def _index_uids(self) -> None:
        if not self._indexed:
            files = self._client[MP3S_DATABASE]["fs.files"]
            await self._ask(lambda: files.create_index("metadata.conversionUid", sparse=True))
            self._indexed = True

    async def _remove_files(self, database: str, ids: Iterable[ObjectId]) -> None:
        files = self._client[database]["fs.files"]
        for file_id in ids:
            known = await self._ask(partial(files.find_one, {"_id": file_id}, _CHUNKS))
            await self._remove_file(database, file_id, known)

    async def _remove_file(self, database: str, file_id: ObjectId, known: Document | None) -> None:
        """Chunks first: what is interrupted leaves a file that can still be found and removed.

        Some chunks at a time, so that no single operation grows with the file: it would run into its time limit.
        """
        files, chunks = self._client[database]["fs.files"], self._client[database]["fs.chunks"]
        for first in range(0, _chunk_count(known), _CHUNKS_AT_A_TIME):
            await self._remove_chunks(chunks, file_id, first)
        while (left := await self._ask(partial(chunks.find_one, {"files_id": file_id}, {"n": 1}))) is not None:
            await self._remove_chunks(chunks, file_id, left["n"])
        await self._ask(partial(files.delete_one, {"_id": file_id}))

    async def _remove_chunks(self, chunks: AsyncCollection[Document], file_id: ObjectId, first: int) -> None:
        span = {"$gte": first, "$lt": first + _CHUNKS_AT_A_TIME}
        await self._ask(lambda: chunks.delete_many({"files_id": file_id, "n": span}))

    async def torn(self, database: str, before: datetime, place: str, limit: int) -> tuple[Sequence[str], str]:
        """See the port. One look into the chunks' index for each file."""
        files, chunks = self._client[database]["fs.files"], self._client[database]["fs.chunks"]
        found: list[str] = []
        for _ in range(limit):
            query = {"files_id": span(before, place)}
            chunk = await self._ask(partial(chunks.find_one, query, {"files_id": 1}, sort=[("files_id", 1), ("n", 1)]))
            if chunk is None:
                return found, ""
            place = str(chunk["files_id"])
            if await self._ask(partial(files.find_one, {"_id": chunk["files_id"]}, {"_id": 1})) is None:
                found.append(place)
        return found, place

    async def remove_torn(self, database: str, file_id: str) -> None:
        """See the port."""
        await self._remove_files(database, object_ids([file_id]))


def _source(document: Mapping[str, Any]) -> SourceFile | None:
    """A file without metadata is nobody's, which is not the same as one that belongs to nobody by choice."""
    metadata = document.get("metadata") or {}
    if "owner" not in metadata:
        return None
    return SourceFile(owner=metadata["owner"], size=document["length"], sha256=metadata.get("sha256"))


def _chunk_count(file: Document | None) -> int:
    """How many chunks a whole file has; 0 where there is none, whatever chunks a crash may have left."""
    return 0 if file is None else math.ceil(file["length"] / file["chunkSize"])


def object_ids(file_ids: Collection[str]) -> list[ObjectId]:
    """Those that are ids of files at all."""
    return [ObjectId(file_id) for file_id in file_ids if is_file_id(file_id)]


def span(before: datetime, place: str) -> Document:
    """Ids made before that moment, after that place: an ObjectId begins with the second it was made in."""
    return {"$lt": ObjectId.from_datetime(before)} | ({"$gt": ObjectId(place)} if place else {})
