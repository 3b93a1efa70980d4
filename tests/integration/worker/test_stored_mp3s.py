"""⑥ Storing an mp3, and removing what an attempt left: in steps that each end in time."""

import random
from collections.abc import Iterator

import gridfs
import pytest
from bson import ObjectId

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.worker.installation import OWNER, Installation
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.ledger.storage import FileMetadata
from video2mp3_worker.ports.errors import TryAgain
from video2mp3_worker.stores.gridfs import GridFSMp3s

pytestmark = ON_FERRETDB_TOO

_CHUNKS = 200


def a_large_leftover(installation: Installation) -> str:
    """Chunks without a file, as many as those of a long mp3."""
    left = ObjectId()
    with installation.mongodb.client() as client:
        client["mp3s"]["fs.chunks"].insert_many([{"files_id": left, "n": n, "data": b"x"} for n in range(_CHUNKS)])
    return str(left)


def test_a_large_leftover_is_removed_step_by_step(installation: Installation) -> None:
    left, kept = a_large_leftover(installation), installation.leave_half_an_mp3()
    remaining: list[int] = []

    with installation.mongodb.client() as client:
        GridFSMp3s(client).remove(left, lambda: remaining.append(installation.stray_chunks()))
        chunks = client["mp3s"]["fs.chunks"]
        assert [str(chunk["files_id"]) for chunk in chunks.find()] == [kept]

    assert len(remaining) > 2
    assert remaining == sorted(remaining, reverse=True)


def test_a_removal_that_was_cut_short_is_taken_up_where_it_ended(installation: Installation) -> None:
    left = a_large_leftover(installation)

    def away() -> None:
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, "It is away.")

    with installation.mongodb.client() as client:
        with pytest.raises(TryAgain):
            GridFSMp3s(client).remove(left, away)
        assert 0 < installation.stray_chunks() < _CHUNKS

        GridFSMp3s(client).remove(left)

    assert installation.stray_chunks() == 0


def test_a_file_is_stored_as_every_client_of_gridfs_reads_it(installation: Installation) -> None:
    content = random.Random(7).randbytes(9 * 1024**2 + 5)
    with installation.mongodb.client() as client:
        mp3s = GridFSMp3s(client)
        file_id = mp3s.new_id()
        metadata = FileMetadata(owner=OWNER, content_type="audio/mpeg", kind="mp3")

        mp3s.write(file_id, "film.mp3", metadata, [content[:10], content[10 : 5 * 1024**2], content[5 * 1024**2 :]])

        stored = gridfs.GridFSBucket(client["mp3s"]).open_download_stream(ObjectId(file_id))
        assert stored.read() == content
        assert (stored.filename, stored.length, stored.metadata) == ("film.mp3", len(content), metadata.as_document())
        assert stored.upload_date is not None
        assert [index["key"] for index in client["mp3s"]["fs.chunks"].list_indexes() if index.get("unique")] == [
            {"files_id": 1, "n": 1}
        ]


def test_a_file_whose_content_fails_is_no_file_and_can_be_removed(installation: Installation) -> None:
    def content() -> Iterator[bytes]:
        yield bytes(10 * 1024**2)
        raise TryAgain(Reason.STOPPED, "Asked to stop.")

    with installation.mongodb.client() as client:
        mp3s = GridFSMp3s(client)
        file_id = mp3s.new_id()
        with pytest.raises(TryAgain):
            mp3s.write(file_id, "film.mp3", FileMetadata(owner=OWNER, content_type="audio/mpeg"), content())
        assert installation.mp3s() == []
        assert installation.stray_chunks() > 0

        mp3s.remove(file_id)

    assert installation.stray_chunks() == 0


def test_a_whole_file_is_removed_with_its_document(installation: Installation) -> None:
    with installation.mongodb.client() as client:
        mp3s = GridFSMp3s(client)
        file_id = mp3s.new_id()
        metadata = FileMetadata(owner=OWNER, content_type="audio/mpeg", kind="mp3")
        mp3s.write(file_id, "film.mp3", metadata, [b"sound" * 1000])
        assert len(installation.mp3s()) == 1

        mp3s.remove(file_id)
        mp3s.remove(file_id)

    assert installation.mp3s() == []
    assert installation.stray_chunks() == 0
