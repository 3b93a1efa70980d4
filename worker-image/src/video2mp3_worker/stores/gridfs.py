"""②⑥ GridFS: sources are read from the database `videos`, mp3s are written to the database `mp3s`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any, Final

import pymongo
from bson import ObjectId
from pydantic import ValidationError
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.ledger.storage import MP3S_DATABASE, VIDEOS_DATABASE, FileMetadata
from video2mp3_worker.ports.errors import Refused, TryAgain
from video2mp3_worker.ports.systems import SourceFile

_BATCH_BYTES: Final = 2 * 1024**2
"""Of one query: little memory, and quickly repeated when the connection breaks. The next is asked for meanwhile."""

_CHUNK_BYTES: Final = 1024**2
"""Of the files written here. MongoDB's documents end at 16 MB."""

_WRITE_CHUNKS: Final = 8
"""Written at once: few round trips, and little memory."""

_QUERY_SECONDS: Final = 30
_REMOVE_SECONDS: Final = 10
_REMOVE_CHUNKS: Final = 64
"""Removed at once, so that a large file's removal gets on even where it cannot be finished in time."""

_Client = MongoClient[dict[str, Any]]


@contextmanager
def _answering(seconds: float) -> Iterator[None]:
    """Limit the operations within to so many seconds, and translate pymongo's errors."""
    try:
        with pymongo.timeout(seconds):
            yield
    except PyMongoError as error:
        sentence = "The database that holds the files was away."
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, sentence, detail=type(error).__name__) from error


class GridFSSources:
    """The sources in the default bucket of `videos`."""

    def __init__(self, client: _Client) -> None:
        self._files = client[VIDEOS_DATABASE]["fs.files"]
        self._chunks = client[VIDEOS_DATABASE]["fs.chunks"]

    def find(self, file_id: str) -> SourceFile | None:
        """Look a source up; None when there is none."""
        with _answering(_QUERY_SECONDS):
            found = self._files.find_one({"_id": ObjectId(file_id)})
        if found is None:
            return None
        return SourceFile(file_id, int(found["length"]), int(found["chunkSize"]), _metadata(found.get("metadata")))

    def chunks(self, source: SourceFile, numbers: Sequence[int]) -> Iterator[bytes]:
        """Read chunks by their numbers, in batches of bounded size, one of them ahead of what is taken."""
        step = max(_BATCH_BYTES // source.chunk_bytes, 1)
        coming: Future[list[bytes]] | None = None
        ahead = ThreadPoolExecutor(1)
        try:
            for start in range(0, len(numbers), step):
                ready, coming = coming, ahead.submit(self._batch, source, numbers[start : start + step])
                if ready is not None:
                    yield from ready.result()
            if coming is not None:
                yield from coming.result()
        finally:
            # Who is to stop does not wait for an answer.
            ahead.shutdown(wait=False, cancel_futures=True)

    def _batch(self, source: SourceFile, numbers: Sequence[int]) -> list[bytes]:
        first, last = numbers[0], numbers[-1]
        in_a_row = last - first + 1 == len(numbers)
        which = {"$gte": first, "$lte": last} if in_a_row else {"$in": list(numbers)}
        wanted = {"files_id": ObjectId(source.file_id), "n": which}
        with _answering(_QUERY_SECONDS):
            found = list(self._chunks.find(wanted, {"_id": 0, "n": 1, "data": 1}).sort("n", pymongo.ASCENDING))
        pieces = [bytes(chunk["data"]) for chunk in found]
        expected = [min(source.chunk_bytes, source.length - n * source.chunk_bytes) for n in numbers]
        if [chunk["n"] for chunk in found] != list(numbers) or list(map(len, pieces)) != expected:
            raise Refused(Reason.TRUNCATED, "The stored source is not complete: a part of it is missing.")
        return pieces


class GridFSMp3s:
    """The mp3s in the default bucket of `mp3s`."""

    def __init__(self, client: _Client) -> None:
        self._files = client[MP3S_DATABASE]["fs.files"]
        self._chunks = client[MP3S_DATABASE]["fs.chunks"]

    def new_id(self) -> str:
        """An id that no file has."""
        return str(ObjectId())

    def write(self, file_id: str, filename: str, metadata: FileMetadata, content: Iterable[bytes]) -> None:
        """Store a file; its document, which makes it a file, comes last.

        By MongoDB's GridFS specification: pymongo's own upload gathers 48 MB before it sends anything.
        """
        self._ensure_indexes()
        length, chunks = 0, enumerate(_in_chunks(content))
        while some := list(islice(chunks, _WRITE_CHUNKS)):
            with _answering(_QUERY_SECONDS):
                self._chunks.insert_many({"files_id": ObjectId(file_id), "n": n, "data": chunk} for n, chunk in some)
            length += sum(len(chunk) for _, chunk in some)
        with _answering(_QUERY_SECONDS):
            self._files.insert_one(
                {
                    "_id": ObjectId(file_id),
                    "length": length,
                    "chunkSize": _CHUNK_BYTES,
                    "uploadDate": datetime.now(UTC),
                    "filename": filename,
                    "metadata": metadata.as_document(),
                }
            )

    def _ensure_indexes(self) -> None:
        with _answering(_QUERY_SECONDS):
            self._files.create_index([("filename", pymongo.ASCENDING), ("uploadDate", pymongo.ASCENDING)])
            self._chunks.create_index([("files_id", pymongo.ASCENDING), ("n", pymongo.ASCENDING)], unique=True)

    def read(self, file_id: str) -> Iterator[bytes]:
        """Read a file that was stored whole, a chunk at a time."""
        with _answering(_QUERY_SECONDS):
            file = self._files.find_one({"_id": ObjectId(file_id)})
        left = int(file["length"]) if file else 0
        for n in count():
            if file is not None and left <= 0:
                return
            with _answering(_QUERY_SECONDS):
                chunk = self._chunks.find_one({"files_id": ObjectId(file_id), "n": n})
            if file is None or chunk is None:
                raise TryAgain(
                    Reason.SERVICE_UNAVAILABLE, "A stored part of the sound is missing in GridFS.", detail=file_id
                )
            left -= len(chunk["data"])
            yield bytes(chunk["data"])

    def remove(self, file_id: str, watch: Callable[[], None] = lambda: None) -> None:
        """Remove a file's document, then its chunks. Chunks without a document are what a killed worker leaves."""
        with _answering(_REMOVE_SECONDS):
            self._files.delete_one({"_id": ObjectId(file_id)})
        while self._remove_chunks(ObjectId(file_id)):
            watch()

    def _remove_chunks(self, file_id: ObjectId) -> bool:
        """Remove the first chunks that are there; answer whether there were any."""
        with _answering(_REMOVE_SECONDS):
            first = self._chunks.find_one({"files_id": file_id}, {"n": 1}, sort=[("n", pymongo.ASCENDING)])
            if first is None:
                return False
            self._chunks.delete_many({"files_id": file_id, "n": {"$lt": first["n"] + _REMOVE_CHUNKS}})
            return True


def _in_chunks(content: Iterable[bytes]) -> Iterator[bytes]:
    rest = bytearray()
    for piece in content:
        rest += piece
        while len(rest) >= _CHUNK_BYTES:
            yield bytes(rest[:_CHUNK_BYTES])
            del rest[:_CHUNK_BYTES]
    if rest:
        yield bytes(rest)


def _metadata(document: Mapping[str, Any] | None) -> FileMetadata | None:
    try:
        return FileMetadata.model_validate(document)
    except ValidationError:
        return None
