"""Looking through what lies in a real MongoDB for what is nobody's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import gridfs
from bson import ObjectId

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.operator.operator_process import INSTALLATION
from tests.integration.operator.store import ask
from tests.servers import MongoDBServer
from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import LedgerAttempt
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_contracts.runtime import mongo
from video2mp3_operator.adapters.mongodb import MongoStore
from video2mp3_operator.objects.stored import Census, Presence, StoredFile

pytestmark = ON_FERRETDB_TOO

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BEFORE = LONG_AGO + timedelta(days=1)
OWNER = "a@example.com"


def store_file(mongodb: MongoDBServer, database: str, second: int, metadata: dict[str, Any] | None) -> str:
    """A file that was begun so many seconds after LONG_AGO."""
    file_id = ObjectId.from_datetime(LONG_AGO + timedelta(seconds=second))
    metadata = {"installation": INSTALLATION} | metadata if metadata else None
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
    store_file(mongodb, "mp3s", 6, {"owner": OWNER, "kind": "mp3", "conversionUid": "u", "installation": "elsewhere"})
    store_file(mongodb, "mp3s", 7, {"owner": OWNER, "kind": "mp3", "conversionUid": "u", "installation": None})
    assert ask(mongodb, lambda store: store.mp3s(BEFORE, "", 9)) == [StoredFile(made, OWNER, "uid-1", INSTALLATION)]
    assert ask(mongodb, lambda store: store.mp3s(BEFORE, "", 9), installation="") == []


def test_old_entries_are_those_that_nothing_was_written_to_since(mongodb: MongoDBServer) -> None:
    later = BEFORE + timedelta(hours=1)
    with mongodb.client() as client:
        client["mp3s"]["conversions"].insert_many(
            {"installation": INSTALLATION} | entry
            for entry in [
                {"_id": "orphan-0", "attempt": {"token": "t", "startedAt": LONG_AGO}, "installation": "elsewhere"},
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


def test_a_mark_is_set_once_and_looked_at_again_when_the_file_goes(mongodb: MongoDBServer) -> None:
    upload = store_file(mongodb, "videos", 20, {"owner": OWNER, "kind": "source"})
    theirs = store_file(mongodb, "videos", 21, {"owner": OWNER, "kind": "source", "installation": "elsewhere"})
    first, second = BEFORE, BEFORE + timedelta(days=7)

    async def swept(store: MongoStore) -> None:
        for file_id in (upload, theirs):
            await store.mark("upload", file_id, first)
            await store.mark("upload", file_id, second)
        [found] = await store.uploads(BEFORE, "", 9)
        assert (found.file_id, found.unwanted_since) == (upload, first)
        assert await store.census("upload", None) == Census(1, 1)
        assert await store.census("upload", first) == Census(1, 0)
        assert not await store.doom("upload", upload, second)
        assert not await store.doom("upload", theirs, first)
        await store.unmark("upload", upload)
        assert not await store.doom("upload", upload, first)
        await store.mark("upload", upload, second)
        assert await store.doom("upload", upload, second)
        await store.remove_torn("videos", upload)
        assert await store.census("upload", None) == Census(0, 0)

    ask(mongodb, swept)
    with mongodb.client() as client:
        assert client["videos"]["fs.chunks"].distinct("files_id") == [ObjectId(theirs)]


def test_an_entry_that_is_doomed_takes_no_worker_any_more(mongodb: MongoDBServer) -> None:
    with mongodb.client() as client:
        client["mp3s"]["conversions"].insert_one({"_id": "uid-1", "installation": INSTALLATION})

    async def doomed(store: MongoStore) -> bool:
        await store.mark("entry", "uid-1", BEFORE)
        return await store.doom("entry", "uid-1", BEFORE)

    assert ask(mongodb, doomed)
    late = LedgerAttempt(token="t", started_at=BEFORE)
    with mongodb.client() as client:
        opened = moves.open_attempt(ConversionRef(uid="uid-1", namespace="n", name="n"), OWNER, late)
        assert mongo.apply(client["mp3s"]["conversions"], opened) is None


def test_torn_files_are_remembered(mongodb: MongoDBServer) -> None:
    later = BEFORE + timedelta(days=1)
    ask(mongodb, lambda store: store.note_torn("videos", ["a"], BEFORE))
    assert ask(mongodb, lambda store: store.torn_since("videos", ["a", "b"])) == {"a": BEFORE}
    ask(mongodb, lambda store: store.note_torn("videos", ["a", "b"], later))
    assert ask(mongodb, lambda store: store.torn_since("videos", ["a", "b"])) == {"a": BEFORE, "b": later}
    assert ask(mongodb, lambda store: store.torn_since("mp3s", ["a"])) == {}


def test_a_cluster_learns_of_others_under_its_name(mongodb: MongoDBServer) -> None:
    later = BEFORE + timedelta(days=1)
    assert ask(mongodb, lambda store: store.appear("one", BEFORE)) == Presence()
    assert ask(mongodb, lambda store: store.appear("two", later)) == Presence(BEFORE)
    assert ask(mongodb, lambda store: store.presence("one")) == Presence(later)
    assert ask(mongodb, lambda store: store.appear("one", BEFORE), installation="elsewhere") == Presence()
    ask(mongodb, lambda store: store.confirm(later))
    assert ask(mongodb, lambda store: store.presence("one")) == Presence(None, later)


def test_what_an_older_version_or_another_name_left_is_claimed(mongodb: MongoDBServer) -> None:
    source = {"owner": OWNER, "kind": "source"}
    nameless = store_file(mongodb, "videos", 30, source | {"installation": None})
    renamed = store_file(mongodb, "videos", 31, source | {"installation": "old/name"})
    with mongodb.client() as client:
        client["mp3s"]["conversions"].insert_one({"_id": "uid-1"})
    assert ask(mongodb, lambda store: store.uploads(BEFORE, "", 9)) == []
    assert ask(mongodb, lambda store: store.claim("")) == 2
    assert ids(ask(mongodb, lambda store: store.uploads(BEFORE, "", 9))) == [nameless]
    assert ask(mongodb, lambda store: store.claim("old/name")) == 1
    assert ids(ask(mongodb, lambda store: store.uploads(BEFORE, "", 9))) == [nameless, renamed]
    assert len(ask(mongodb, lambda store: store.entries_since(BEFORE, "", 9))) == 1
