"""The ledger's side of adoption, in a real MongoDB."""

from datetime import UTC, datetime

import gridfs
from bson import ObjectId

from tests.integration.operator.store import ask
from tests.servers import MongoDBServer
from video2mp3_contracts import ledger as moves
from video2mp3_contracts.ledger import LedgerAttempt
from video2mp3_contracts.message import ConversionRef
from video2mp3_contracts.status import OutputReport
from video2mp3_operator.adapters.mongodb import MongoStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWNER = "a@example.com"


def ref(uid: str) -> ConversionRef:
    return ConversionRef(uid=uid, namespace="media", name="talk")


def a_result_of(mongodb: MongoDBServer, uid: str, *, file_owner: str = OWNER) -> str:
    """A Conversion that has succeeded; answers its mp3's id."""
    with mongodb.client() as client:
        file_id = gridfs.GridFSBucket(client["mp3s"]).upload_from_stream(
            "talk.mp3", b"sound", metadata={"owner": file_owner, "conversionUid": uid}
        )
        attempt = LedgerAttempt(token="t", started_at=NOW)
        result = OutputReport(
            file_id=str(file_id), filename="talk.mp3", size=5, duration_seconds=1, sha256="0" * 64, encoding="vbr 2"
        )
        for move in (moves.open_attempt(ref(uid), OWNER, attempt), moves.store_result(uid, "t", result)):
            client["mp3s"]["conversions"].update_one(move.filter, move.update, upsert=move.upsert)
    return str(file_id)


def retain(mongodb: MongoDBServer, uid: str, fingerprint: str) -> None:
    async def moved(store: MongoStore) -> None:
        await store.note_fingerprints(uid, [fingerprint, f"{fingerprint}-content"])
        await store.note_fingerprints(uid, [fingerprint])
        await store.retain(uid, NOW)

    ask(mongodb, moved)


def test_a_retained_result_is_found_and_taken_over_once(mongodb: MongoDBServer) -> None:
    file_id = a_result_of(mongodb, "uid-1")
    assert ask(mongodb, lambda store: store.retained(["print"])) == {}
    retain(mongodb, "uid-1", "print")
    found = ask(mongodb, lambda store: store.retained(["print-content", "unknown"]))
    entry = found["print-content"]
    assert (entry.uid, entry.fingerprints) == ("uid-1", ("print", "print-content"))
    assert ask(mongodb, lambda store: store.adopt(ref("uid-2"), OWNER, entry))
    assert not ask(mongodb, lambda store: store.adopt(ref("uid-2"), OWNER, entry))
    taken = ask(mongodb, lambda store: store.entries(["uid-2"]))["uid-2"]
    assert taken.result is not None
    assert (taken.result.file_id, taken.adopted_from, taken.owner, taken.uploads) == (file_id, "uid-1", OWNER, ())
    # Whoever took it over goes, and the file stays.
    ask(mongodb, lambda store: store.remove_mp3s("uid-2", taken.uploads, keep=None))
    assert "print" in ask(mongodb, lambda store: store.retained(["print"]))


def test_a_file_that_is_gone_or_somebody_elses_is_not_found(mongodb: MongoDBServer) -> None:
    gone = a_result_of(mongodb, "uid-3")
    a_result_of(mongodb, "uid-4", file_owner="b@example.com")
    for uid in ("uid-3", "uid-4"):
        retain(mongodb, uid, f"print-{uid}")
    with mongodb.client() as client:
        gridfs.GridFSBucket(client["mp3s"]).delete(ObjectId(gone))
    assert ask(mongodb, lambda store: store.retained(["print-uid-3", "print-uid-4"])) == {}


def test_who_has_a_worker_adopts_nothing(mongodb: MongoDBServer) -> None:
    a_result_of(mongodb, "uid-5")
    retain(mongodb, "uid-5", "print-5")
    entry = ask(mongodb, lambda store: store.retained(["print-5"]))["print-5"]
    with mongodb.client() as client:
        move = moves.open_attempt(ref("uid-6"), OWNER, LedgerAttempt(token="t", started_at=NOW))
        client["mp3s"]["conversions"].update_one(move.filter, move.update, upsert=True)
    assert not ask(mongodb, lambda store: store.adopt(ref("uid-6"), OWNER, entry))
