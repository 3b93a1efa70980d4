"""Looking through what lies in a real MongoDB for what is nobody's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import gridfs
from bson import ObjectId

from tests.integration.operator.store import ask
from tests.servers import MongoDBServer
from video2mp3_operator.observed import StoredFile

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BEFORE = LONG_AGO + timedelta(days=1)
OWNER = "a@example.com"


def store_file(mongodb: MongoDBServer, database: str, second: int, metadata: dict[str, Any] | None) -> str:
    """A file that was begun so many seconds after LONG_AGO."""
    file_id = ObjectId.from_datetime(LONG_AGO + timedelta(seconds=second))
    with mongodb.client() as client:
        gridfs.GridFSBucket(client[database]).upload_from_stream_with_id(file_id, "f", b"x" * 10, metadata=metadata)
    return str(file_id)


def ids(files: Sequence[StoredFile]) -> list[str]:
    return [file.file_id for file in files]


def test_old_uploads_come_in_pages_without_those_that_stay(mongodb: MongoDBServer) -> None:
    source = {"owner": OWNER, "kind": "source"}
    first, second, kept = (store_file(mongodb, "videos", n, source) for n in (1, 2, 3))
    store_file(mongodb, "videos", 4, None)
    store_file(mongodb, "videos", 2 * 86400, source)
    ask(mongodb, lambda store: store.keep_source(first, "b@example.com", BEFORE))
    ask(mongodb, lambda store: store.keep_source(kept, OWNER, BEFORE))
    assert ids(ask(mongodb, lambda store: store.uploads(BEFORE, "", 1))) == [first]
    assert ids(ask(mongodb, lambda store: store.uploads(BEFORE, first, 9))) == [second]


def test_old_mp3s_tell_whose_they_are(mongodb: MongoDBServer) -> None:
    made = store_file(mongodb, "mp3s", 5, {"owner": OWNER, "kind": "mp3", "conversionUid": "uid-1"})
    assert ask(mongodb, lambda store: store.mp3s(BEFORE, "", 9)) == [StoredFile(made, OWNER, "uid-1")]


def test_old_entries_are_those_that_nothing_was_written_to_since(mongodb: MongoDBServer) -> None:
    later = BEFORE + timedelta(hours=1)
    with mongodb.client() as client:
        client["mp3s"]["conversions"].insert_many(
            [
                {"_id": "orphan-1", "attempt": {"token": "t", "startedAt": LONG_AGO}},
                {"_id": "orphan-2", "failure": {"reason": "r", "message": "m", "failedAt": LONG_AGO}},
                {"_id": "orphan-3", "failure": {"reason": "r", "message": "m", "failedAt": later}},
                {"_id": "orphan-4", "attempt": {"token": "t", "startedAt": later}},
                {"_id": "orphan-5", "attempt": {"token": "t", "startedAt": LONG_AGO}, "progress": {"updatedAt": later}},
                {"_id": "orphan-6", "orphanedAt": LONG_AGO},
            ]
        )
    entries = ask(mongodb, lambda store: store.entries_since(BEFORE, "orphan-", 9))
    assert [entry.uid for entry in entries] == ["orphan-1", "orphan-2"]
    assert [entry.uid for entry in ask(mongodb, lambda store: store.entries_since(BEFORE, "orphan-1", 1))] == [
        "orphan-2"
    ]


def test_chunks_without_a_file_are_found_and_go(mongodb: MongoDBServer) -> None:
    whole = store_file(mongodb, "videos", 10, {"owner": OWNER, "kind": "source"})
    torn, fresh = ObjectId.from_datetime(LONG_AGO + timedelta(seconds=11)), ObjectId()
    with mongodb.client() as client:
        chunks = client["videos"]["fs.chunks"]
        chunks.insert_many([{"files_id": each, "n": n, "data": b"x"} for each in (torn, fresh) for n in range(3)])
        place = str(ObjectId.from_datetime(LONG_AGO + timedelta(seconds=9)))
        found, left_at = ask(mongodb, lambda store: store.torn("videos", BEFORE, place, 1))
        assert (found, left_at) == ([], whole)
        assert ask(mongodb, lambda store: store.torn("videos", BEFORE, whole, 9)) == ([str(torn)], "")
        ask(mongodb, lambda store: store.remove_torn("videos", str(torn)))
        assert set(chunks.distinct("files_id")) >= {ObjectId(whole), fresh}
        assert torn not in chunks.distinct("files_id")
