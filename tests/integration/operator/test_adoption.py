"""The ledger's side of adoption, in a real MongoDB."""

from datetime import UTC, datetime, timedelta

import gridfs
from bson import ObjectId

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.operator.operator_process import INSTALLATION
from tests.integration.operator.store import ask
from tests.servers import MongoDBServer
from video2mp3_contracts.api.status import OutputReport
from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import LedgerAttempt
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_contracts.runtime import mongo
from video2mp3_operator.adapters.mongodb import MongoStore

pytestmark = ON_FERRETDB_TOO

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


def a_lost_one(mongodb: MongoDBServer, uid: str) -> str:
    """A Conversion that succeeded, told its owner, and is gone though nobody deleted it; answers its mp3's id."""
    file_id = a_result_of(mongodb, uid)
    with mongodb.client() as client:
        moved = [
            moves.note_fingerprints(uid, ("print",)),
            moves.mark_published(uid, "succeeded", NOW),
            moves.claim_send(uid, "succeeded", "claim", NOW, timedelta(minutes=1)),
            moves.mark_sent(uid, "succeeded", "claim", NOW),
        ]
        for move in moved:
            client["mp3s"]["conversions"].update_one(move.filter, move.update)
        client["mp3s"]["conversions"].update_one({"_id": uid}, {"$set": {"installation": INSTALLATION}})
    return file_id


def test_a_lost_ones_place_is_taken_with_its_files_and_what_was_told(mongodb: MongoDBServer) -> None:
    file_id = a_lost_one(mongodb, "uid-1")
    assert ask(mongodb, lambda store: store.lost(["media/talk"]), installation="elsewhere") == {}
    [entry] = ask(mongodb, lambda store: store.lost(["media/talk", "media/other"]))["media/talk"]
    assert ask(mongodb, lambda store: store.inherit(ref("uid-2"), OWNER, entry))
    with mongodb.client() as client:
        taken = client["mp3s"]["conversions"].find_one({"_id": "uid-2"}) or {}
        assert (taken["result"]["fileId"], taken["predecessor"], taken["installation"]) == (
            file_id,
            "uid-1",
            INSTALLATION,
        )
        assert client["mp3s"]["fs.files"].distinct("metadata.conversionUid") == ["uid-2"]
        again = moves.claim_send("uid-2", "succeeded", "again", NOW + timedelta(hours=1), timedelta(minutes=1))
        assert mongo.apply(client["mp3s"]["conversions"], again) is None
        # A message of the lost one that is still on its way says nothing new either.
        late = moves.claim_send("uid-1", "succeeded", "late", NOW + timedelta(hours=1), timedelta(minutes=1))
        assert mongo.apply(client["mp3s"]["conversions"], late) is None
    assert ask(mongodb, lambda store: store.lost(["media/talk"]))["media/talk"][0].uid == "uid-2"


def test_only_one_takes_a_lost_ones_place(mongodb: MongoDBServer) -> None:
    a_lost_one(mongodb, "uid-1")
    [entry] = ask(mongodb, lambda store: store.lost(["media/talk"]))["media/talk"]
    with mongodb.client() as client:
        move = moves.name_heir(entry, "uid-3")
        assert mongo.apply(client["mp3s"]["conversions"], move) is not None
    assert not ask(mongodb, lambda store: store.inherit(ref("uid-2"), OWNER, entry))


def test_what_was_deleted_or_has_lost_its_mp3_is_no_lost_one(mongodb: MongoDBServer) -> None:
    gone = a_lost_one(mongodb, "uid-1")
    a_lost_one(mongodb, "uid-2")
    ask(mongodb, lambda store: store.shut("uid-2"))
    with mongodb.client() as client:
        gridfs.GridFSBucket(client["mp3s"]).delete(ObjectId(gone))
    assert ask(mongodb, lambda store: store.lost(["media/talk"])) == {}
