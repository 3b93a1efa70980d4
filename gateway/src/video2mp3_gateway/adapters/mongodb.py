"""②⑨ The two file stores in MongoDB, laid out as the GridFS specification says, so that every GridFS client reads them.

The driver's own GridFS classes are not used: they collect 48 MB before they write, and fetch 16 MB at a time, for each
file. Here a file passes in pieces of about 1 MiB in both directions.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import pymongo
import structlog
from bson import Int64, ObjectId
from pymongo import ASCENDING, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.ledger.storage import LEDGER_COLLECTION, FileMetadata
from video2mp3_contracts.runtime.mongo import Document
from video2mp3_gateway.ports.systems import (
    DependencyUnavailable,
    FileVanished,
    KeptMp3,
    StillShown,
    StoredMp3,
    StoredSource,
)

CHUNK_BYTES: Final = 255 * 1024
"""The specification's default, which keeps a chunk and its overhead within one storage block of 256 KiB."""

CHUNKS_PER_WRITE: Final = 4
CHUNKS_PER_READ: Final = 4
_CHUNKS_PER_DELETE: Final = 4096
"""About 1 GiB: few enough to be deleted within the time limit of an operation."""

_FILES_WRITE_CONCERN: Final = WriteConcern(w="majority", j=True)
"""A file is there when its document is on disk on most members. Chunks written before it then are so too."""

_OPERATION_SECONDS: Final = 15
"""For one operation, its retries included. The client's own limits are the contracts'."""

_ABORT_SECONDS: Final = 5
"""For each operation that cleans up after a failure: somebody waits for the answer, and a sweep can do it later."""

_log = structlog.get_logger(__name__)
_Documents = Database[Document]


@contextmanager
def _bounded(seconds: float = _OPERATION_SECONDS) -> Iterator[None]:
    """One operation: it ends in time, and its failure is one of ours."""
    try:
        with pymongo.timeout(seconds):
            yield
    except PyMongoError as error:
        raise DependencyUnavailable("mongodb", f"{type(error).__name__}: {error}") from error


def _ping(database: _Documents) -> None:
    with _bounded():
        database.command("ping")


class GridFSSources:
    """② Uploaded videos."""

    def __init__(self, database: _Documents, installation: str = "") -> None:
        self._database = database
        self._installation = installation or None
        self._indexed = False

    def begin(self, owner: str, filename: str, content_type: str) -> "GridFSUpload":
        """Start a file."""
        self._ensure_indexes()
        metadata = FileMetadata(owner=owner, content_type=content_type, kind="source", installation=self._installation)
        return GridFSUpload(self._database, filename, metadata)

    def delete(self, file_id: str) -> None:
        """Remove a file and its chunks."""
        _delete(self._database, ObjectId(file_id), _ABORT_SECONDS)

    def ping(self) -> None:
        """Ask the server for a sign of life."""
        _ping(self._database)

    def _ensure_indexes(self) -> None:
        """Create the specification's indexes, once for each process; it does no harm if they are there."""
        if self._indexed:
            return
        with _bounded():
            self._database.fs.files.create_index([("filename", ASCENDING), ("uploadDate", ASCENDING)])
            self._database.fs.chunks.create_index([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)
        self._indexed = True


class GridFSUpload:
    """A file on its way into GridFS: chunks first, the file's document last. Until then nobody sees it."""

    def __init__(self, database: _Documents, filename: str, metadata: FileMetadata) -> None:
        self._database = database
        self._filename = filename
        self._metadata = metadata
        self._key = ObjectId()
        self.file_id = str(self._key)
        self._pending = bytearray()
        self._chunks = 0
        self._size = 0
        self._digest = hashlib.sha256()
        self._finished = False

    def write(self, data: bytes) -> None:
        """Append, and store what makes a full write."""
        self._digest.update(data)
        self._size += len(data)
        self._pending += data
        while len(self._pending) >= CHUNK_BYTES * CHUNKS_PER_WRITE:
            self._store(CHUNK_BYTES * CHUNKS_PER_WRITE)

    def finish(self) -> StoredSource:
        """Store the rest and the file's document."""
        if self._pending:
            self._store(len(self._pending))
        sha256 = self._digest.hexdigest()
        now = datetime.now(UTC)
        metadata = self._metadata.model_copy(update={"sha256": sha256, "uploaded_at": now})
        document = {
            "_id": self._key,
            "filename": self._filename,
            "length": Int64(self._size),
            "chunkSize": CHUNK_BYTES,
            "uploadDate": now,
            "metadata": metadata.as_document(),
        }
        with _bounded():
            self._database.fs.files.with_options(write_concern=_FILES_WRITE_CONCERN).insert_one(document)
        self._finished = True
        return StoredSource(self.file_id, self._size, sha256)

    def _store(self, size: int) -> None:
        with memoryview(self._pending) as pending:
            documents = [
                {
                    "files_id": self._key,
                    "n": self._chunks + index,
                    "data": bytes(pending[start : min(start + CHUNK_BYTES, size)]),
                }
                for index, start in enumerate(range(0, size, CHUNK_BYTES))
            ]
        # Counted before they are sent: after an error nobody knows which of them arrived.
        self._chunks += len(documents)
        with _bounded():
            self._database.fs.chunks.insert_many(documents)
        del self._pending[:size]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self._abort()

    def _abort(self) -> None:
        """Remove what was written. What cannot be removed now has no file, by which a later sweep knows it."""
        try:
            _delete(self._database, self._key, _ABORT_SECONDS)
        except DependencyUnavailable as error:
            _log.warning("upload_left_behind", file_id=self.file_id, chunks=self._chunks, error=str(error))


def _delete(database: _Documents, key: ObjectId, seconds: float) -> None:
    """Delete a file: its document, so that nobody finds it any more, then its chunks from the last to the first.

    `seconds` is for each operation; how many there are depends on the file's size.
    """
    with _bounded(seconds):
        database.fs.files.delete_one({"_id": key})
    while (last := _last_chunk(database, key, seconds)) is not None:
        with _bounded(seconds):
            database.fs.chunks.delete_many({"files_id": key, "n": {"$gt": last - _CHUNKS_PER_DELETE}})


def _last_chunk(database: _Documents, key: ObjectId, seconds: float) -> int | None:
    with _bounded(seconds):
        chunk = database.fs.chunks.find_one({"files_id": key}, {"n": 1}, sort=[("n", pymongo.DESCENDING)])
    return None if chunk is None else int(chunk["n"])


_KEPT: Final = {"retainedAt": {"$exists": True}}


class GridFSMp3s:
    """⑨ Converted files."""

    def __init__(self, database: _Documents) -> None:
        self._database = database
        self._indexed = False

    def find(self, file_id: str, owner: str) -> StoredMp3 | None:
        """The file, if it belongs to this account."""
        with _bounded():
            document = self._database.fs.files.find_one({"_id": ObjectId(file_id), "metadata.owner": owner})
        if document is None:
            return None
        metadata = FileMetadata.model_validate(document["metadata"])
        return StoredMp3(
            file_id=file_id,
            filename=document.get("filename") or f"{file_id}.mp3",
            content_type=metadata.content_type,
            size=int(document["length"]),
            etag=metadata.sha256 or file_id,
            chunk_size=int(document["chunkSize"]),
        )

    def read(self, mp3: StoredMp3, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`. Each step is a query of its own: no cursor waits for a slow client."""
        last = (stop - 1) // mp3.chunk_size
        for first in range(start // mp3.chunk_size, last + 1, CHUNKS_PER_READ):
            numbers = range(first, min(first + CHUNKS_PER_READ, last + 1))
            for number, data in zip(numbers, self._chunks(mp3, numbers), strict=True):
                offset = number * mp3.chunk_size
                yield data[max(0, start - offset) : stop - offset]

    def kept(self, owner: str, limit: int, before: str) -> list[KeptMp3]:
        """The ledger tells which outlived their Conversion."""
        query: Document = {"owner": owner} | _KEPT | ({"result.fileId": {"$lt": before}} if before else {})
        with _bounded():
            self._ensure_index()
            documents = list(self._ledger.find(query).sort("result.fileId", pymongo.DESCENDING).limit(limit))
        entries = [LedgerEntry.model_validate(each) for each in documents]
        return [
            KeptMp3(each.result.file_id, each.result.filename, each.result.size, each.retained_at)
            for each in entries
            if each.result and each.retained_at
        ]

    def delete_kept(self, file_id: str, owner: str) -> bool:
        """The file first: what is interrupted is still found by its entry."""
        with _bounded():
            self._ensure_index()
            entry = self._ledger.find_one({"owner": owner, "result.fileId": file_id} | _KEPT, {"_id": 1})
            adopted = entry and self._ledger.find_one({"adoptedFrom": entry["_id"]}, {"_id": 1})
        if adopted:
            raise StillShown
        if entry is None:
            return False
        if self.find(file_id, owner) is not None:
            _delete(self._database, ObjectId(file_id), _OPERATION_SECONDS)
        end = moves.forget(entry["_id"], datetime.now(UTC))
        with _bounded():
            self._ledger.update_one(end.filter, end.update)
        return True

    @property
    def _ledger(self) -> Collection[Document]:
        return self._database[LEDGER_COLLECTION]

    def _ensure_index(self) -> None:
        if not self._indexed:
            self._ledger.create_index(
                [("owner", ASCENDING), ("result.fileId", ASCENDING)], partialFilterExpression=_KEPT, name="kept"
            )
            self._ledger.create_index("adoptedFrom", sparse=True)
            self._indexed = True

    def _chunks(self, mp3: StoredMp3, numbers: range) -> list[bytes]:
        wanted = {"files_id": ObjectId(mp3.file_id), "n": {"$gte": numbers.start, "$lt": numbers.stop}}
        with _bounded():
            found = list(self._database.fs.chunks.find(wanted).sort("n", ASCENDING))
        if [chunk["n"] for chunk in found] != list(numbers):
            raise FileVanished(f"chunks of {mp3.file_id} are missing")
        return [chunk["data"] for chunk in found]
