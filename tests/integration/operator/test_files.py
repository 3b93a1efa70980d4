"""Removing files from GridFS: all of a file, what a crash left of one, and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable

import gridfs
from bson import ObjectId

from tests.servers import MongoDBServer
from video2mp3_operator.adapters.mongodb import MongoStore

SMALL_CHUNK = 1024


def ask(mongodb: MongoDBServer, question: Callable[[MongoStore], Awaitable[None]]) -> None:
    async def run() -> None:
        store = MongoStore(mongodb.uri, timeout_seconds=30)
        try:
            await question(store)
        finally:
            await store.close()

    asyncio.run(run())


def test_every_chunk_of_a_large_source_goes_and_no_other(mongodb: MongoDBServer) -> None:
    with mongodb.client() as client:
        bucket = gridfs.GridFSBucket(client["videos"], chunk_size_bytes=SMALL_CHUNK)
        large = bucket.upload_from_stream("large.mp4", bytes(200 * SMALL_CHUNK), metadata={"owner": "a@example.com"})
        other = bucket.upload_from_stream("other.mp4", bytes(3 * SMALL_CHUNK), metadata={"owner": "a@example.com"})
        ask(mongodb, lambda store: store.remove_source(str(large), "a@example.com"))
        assert client["videos"]["fs.files"].distinct("_id") == [other]
        assert client["videos"]["fs.chunks"].distinct("files_id") == [other]


def test_somebody_elses_source_stays(mongodb: MongoDBServer) -> None:
    with mongodb.client() as client:
        bucket = gridfs.GridFSBucket(client["videos"])
        hers = bucket.upload_from_stream("hers.mp4", b"film", metadata={"owner": "b@example.com"})
        ask(mongodb, lambda store: store.remove_source(str(hers), "a@example.com"))
        assert client["videos"]["fs.files"].distinct("_id") == [hers]


def test_chunks_that_a_crash_left_without_a_file_go(mongodb: MongoDBServer) -> None:
    """A removal that was interrupted may have taken the first ones already."""
    lost = ObjectId()
    with mongodb.client() as client:
        chunks = client["mp3s"]["fs.chunks"]
        chunks.insert_many([{"files_id": lost, "n": n, "data": b"sound"} for n in range(70, 170)])
        ask(mongodb, lambda store: store.remove_mp3s("uid-1", [str(lost)], keep=None))
        assert chunks.count_documents({}) == 0
