"""Removing what belongs to a Conversion: all of a file, what a crash left of one, its entry, and nothing else."""

from datetime import UTC, datetime, timedelta

import gridfs
import pytest
from bson import ObjectId

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.operator.operator_process import INSTALLATION
from tests.integration.operator.store import ask
from tests.servers import MongoDBServer
from video2mp3_contracts.api.status import OutputReport
from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerEntry
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_contracts.runtime import mongo
from video2mp3_operator.adapters.mongodb import MongoStore
from video2mp3_operator.objects.unreadable import UnreadableEntry

pytestmark = ON_FERRETDB_TOO

SMALL_CHUNK = 1024


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


def test_a_deleted_conversion_sends_no_second_email_and_takes_no_late_worker(mongodb: MongoDBServer) -> None:
    """Its message may be delivered twice, the second time after the deletion."""
    conversion, now = ConversionRef(uid="uid-1", namespace="default", name="talk"), datetime.now(UTC)
    lease = timedelta(minutes=1)
    with mongodb.client() as client:
        entries = client["mp3s"]["conversions"]
        for move in (
            moves.open_attempt(conversion, "a@example.com", LedgerAttempt(token="first", started_at=now)),
            moves.claim_send("uid-1", "succeeded", "claim", now, lease),
            moves.mark_sent("uid-1", "succeeded", "claim", now),
        ):
            assert mongo.apply(entries, move) is not None
        ask(mongodb, lambda store: store.remove("uid-1"))
        late = LedgerAttempt(token="late", started_at=now)
        assert mongo.apply(entries, moves.open_attempt(conversion, "a@example.com", late)) is None
        again = moves.claim_send("uid-1", "succeeded", "again", now + 2 * lease, lease)
        assert mongo.apply(entries, again) is None
        assert set(entries.find_one({"_id": "uid-1"}) or {}) >= {"_id", "messages", "orphanedAt"}
        assert entries.count_documents({"attempt": {"$exists": True}}) == 0


def test_a_worker_that_still_runs_or_starts_late_stores_nothing_once_its_conversion_goes(
    mongodb: MongoDBServer,
) -> None:
    """The Job is deleted in the background, and a node may never say that its pod has ended."""
    conversion, now = ConversionRef(uid="uid-1", namespace="default", name="talk"), datetime.now(UTC)
    result = OutputReport(
        file_id=str(ObjectId()), filename="talk.mp3", size=1, duration_seconds=1, sha256="0" * 64, encoding="vbr 2"
    )
    with mongodb.client() as client:
        entries = client["mp3s"]["conversions"]

        def move(each: moves.Move) -> LedgerEntry | None:
            return mongo.apply(entries, each)

        assert move(moves.open_attempt(conversion, "a@example.com", LedgerAttempt(token="runs", started_at=now)))
        assert move(moves.name_upload("uid-1", "runs", result.file_id))
        ask(mongodb, lambda store: store.shut("uid-1"))
        ask(mongodb, lambda store: store.shut("uid-2"))
        found = LedgerEntry.model_validate(entries.find_one({"_id": "uid-1"}))
        assert found.uploads == (result.file_id,)
        for finish in (lambda: None, lambda: ask(mongodb, lambda store: store.remove("uid-1"))):
            finish()
            assert move(moves.name_upload("uid-1", "runs", str(ObjectId()))) is None
            assert move(moves.store_result("uid-1", "runs", result)) is None
            for uid in ("uid-1", "uid-2"):
                late = conversion.model_copy(update={"uid": uid})
                opened = moves.open_attempt(late, "a@example.com", LedgerAttempt(token="late", started_at=now))
                assert move(opened) is None
        assert entries.count_documents({"$or": [{"attempt": {"$exists": True}}, {"result": {"$exists": True}}]}) == 0


def test_what_goes_with_its_conversion_is_told_to_nobody(mongodb: MongoDBServer) -> None:
    """The operator was killed after it had shut the entry and before it had removed the files."""
    with mongodb.client() as client:
        entries = client["mp3s"]["conversions"]
        failure = {"reason": "NoAudio", "message": "It has no sound.", "failedAt": datetime.now(UTC)}
        entries.insert_many([{"_id": uid, "failure": failure} for uid in ("stays", "goes")])

        async def scan(store: MongoStore) -> None:
            await store.shut("goes")
            assert [entry.uid async for entry in store.unpublished()] == ["stays"]

        ask(mongodb, scan)


def test_documents_of_the_ledger_that_cannot_be_read_are_skipped_and_hide_no_other(mongodb: MongoDBServer) -> None:
    """Nobody takes what is there and cannot be read for nothing: its mp3 would be taken for nobody's."""
    long_ago, soon = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    failure = {"reason": "NoAudio", "message": "It has no sound.", "failedAt": long_ago}
    with mongodb.client() as client:
        client["mp3s"]["conversions"].insert_many(
            [
                {"_id": f"uid-{n}", "installation": INSTALLATION, "failure": failure if n % 2 else "yesterday"}
                for n in range(1, 7)
            ]
        )

    async def questions(store: MongoStore) -> None:
        entries = await store.entries(["uid-1", "uid-2"])
        assert [isinstance(entries[uid], UnreadableEntry) for uid in ("uid-1", "uid-2")] == [False, True]
        assert [entry.uid for entry in await store.entries_since(soon, "", 3)] == ["uid-1", "uid-3", "uid-5"]
        assert [entry.uid async for entry in store.unpublished()] == ["uid-1", "uid-3", "uid-5"]

    ask(mongodb, questions)


def test_a_scan_of_the_ledger_goes_through_all_of_it_piece_by_piece(
    mongodb: MongoDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video2mp3_operator.adapters.mongodb._SCANNED_AT_A_TIME", 3)
    failure = {"reason": "NoAudio", "message": "It has no sound.", "failedAt": datetime(2026, 1, 1, tzinfo=UTC)}
    with mongodb.client() as client:
        client["mp3s"]["conversions"].insert_many(
            [{"_id": f"uid-{n}"} | ({"failure": failure} if n in (1, 5, 7) else {}) for n in range(1, 8)]
        )

    async def question(store: MongoStore) -> list[str]:
        return [entry.uid async for entry in store.unpublished()]

    assert ask(mongodb, question) == ["uid-1", "uid-5", "uid-7"]
