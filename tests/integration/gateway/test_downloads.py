"""⑨ Downloads from a real store over real connections."""

import hashlib
import os
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import gridfs
import pytest
import requests
from bson import ObjectId

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.gateway.conftest import ALICE, Installation
from tests.servers.process import await_condition
from video2mp3_contracts.ledger.storage import FileMetadata

BOB = "bob@example.com"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MEBIBYTE = 1024**2


def an_mp3(installation: Installation, content: bytes, filename: str = "Rede über Öl.mp3", **options: int) -> str:
    """Store an mp3 of Alice's, the way any GridFS client does."""
    digest = hashlib.sha256(content).hexdigest()
    metadata = FileMetadata(owner=ALICE, content_type="audio/mpeg", sha256=digest, kind="mp3", conversion_uid="uid")
    bucket = gridfs.GridFS(installation.mp3s)
    return str(bucket.put(content, filename=filename, metadata=metadata.as_document(), **options))


def download(installation: Installation, fid: str, account: str = ALICE, **headers: str) -> requests.Response:
    sent = installation.authorized(account) | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(f"{installation.gateway.url}/download", params={"fid": fid}, headers=sent, timeout=60)


@ON_FERRETDB_TOO
def test_the_mp3_arrives_as_it_was_stored(installation: Installation) -> None:
    content = os.urandom(3_000_000)
    answer = download(installation, an_mp3(installation, content))
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''Rede%20%C3%BCber%20%C3%96l.mp3")


def test_curl_saves_each_name_and_saves_it_again(installation: Installation, tmp_path: Path) -> None:
    """As the emails say it. curl refuses to write over a file, and `.mp3` was every name without a Latin letter."""
    names = {"講演.mp3": "JiangYan.mp3", "Привет.mp3": "Privet.mp3", "Straße.mp3": "Strasse.mp3"}
    for number, name in enumerate(names):
        fid = an_mp3(installation, b"sound" * number, name)
        url = f"{installation.gateway.url}/download?fid={fid}"
        token = installation.authorized()["Authorization"]
        command = ["curl", "-sS", "-OJ", "-H", f"Authorization: {token}", url]
        subprocess.run(command, cwd=tmp_path, timeout=60, check=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names.values())


def keep(installation: Installation, fid: str, owner: str = ALICE, **more: str) -> str:
    """The Conversion of an mp3 goes, and the mp3 stays; answers its uid."""
    output = {"fileId": fid, "filename": "talk.mp3", "bytes": 3, "durationSeconds": 1.0, "sha256": "", "encoding": ""}
    entry = {"_id": f"uid-{fid}", "owner": owner, "result": output, **(more or {"retainedAt": NOW})}
    installation.mp3s.conversions.insert_one(entry)
    return str(entry["_id"])


def test_what_outlived_its_conversion_is_listed_and_deleted_by_its_owner(installation: Installation) -> None:
    first, second, other = (an_mp3(installation, b"mp3") for _ in range(3))
    uid = keep(installation, first)
    keep(installation, second)
    keep(installation, other, owner=BOB)
    url, mine, theirs = f"{installation.gateway.url}/mp3s", installation.authorized(), installation.authorized(BOB)
    page = requests.get(url, params={"limit": 1}, headers=mine, timeout=60).json()
    assert [each["fileId"] for each in page["mp3s"]] == [second]
    page = requests.get(url, params={"limit": 1, "continue": page["continue"]}, headers=mine, timeout=60).json()
    assert [(each["fileId"], each["keptAt"], each["bytes"]) for each in page["mp3s"]] == [
        (first, "2026-03-01T12:00:00Z", 3)
    ]
    assert requests.delete(f"{url}/{first}", headers=theirs, timeout=60).status_code == 404
    shown = keep(installation, "f" * 24, adoptedFrom=uid)
    assert requests.delete(f"{url}/{first}", headers=mine, timeout=60).status_code == 409
    installation.mp3s.conversions.delete_one({"_id": shown})
    assert requests.delete(f"{url}/{first}", headers=mine, timeout=60).status_code == 204
    assert requests.delete(f"{url}/{first}", headers=mine, timeout=60).status_code == 404
    assert installation.mp3s.fs.chunks.distinct("files_id") == [ObjectId(second), ObjectId(other)]
    # Bob's entry names a file of Alice's: his word does not remove it.
    assert requests.delete(f"{url}/{other}", headers=theirs, timeout=60).status_code == 204
    assert download(installation, other).status_code == 200


@pytest.mark.parametrize("chunk", [1000, 255 * 1024])
@pytest.mark.parametrize(("start", "stop"), [(0, 1), (999, 1001), (1000, 2000), (3999, 4001), (12_345, 399_999)])
def test_a_part_arrives_from_any_chunk(installation: Installation, chunk: int, start: int, stop: int) -> None:
    content = os.urandom(400_000)
    fid = an_mp3(installation, content, chunkSize=chunk)
    answer = download(installation, fid, Range=f"bytes={start}-{stop - 1}")
    assert (answer.status_code, answer.content) == (206, content[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/400000"


@ON_FERRETDB_TOO
def test_a_broken_download_is_taken_up_again(installation: Installation) -> None:
    content = os.urandom(2_000_000)
    fid = an_mp3(installation, content)
    first = download(installation, fid, Range="bytes=0-999999")
    rest = download(installation, fid, Range="bytes=1000000-", If_Range=first.headers["ETag"])
    assert first.content + rest.content == content
    assert download(installation, fid, If_None_Match=first.headers["ETag"]).status_code == 304


def test_somebody_elses_file_and_none_look_the_same(installation: Installation) -> None:
    fid = an_mp3(installation, b"secret")
    theirs, nothing = download(installation, fid, BOB), download(installation, str(ObjectId()), BOB)
    assert (theirs.status_code, nothing.status_code) == (404, 404)
    strip = {"requestId": ""}
    assert theirs.json() | strip == nothing.json() | strip


def test_a_file_without_an_owner_is_nobodys(installation: Installation) -> None:
    fid = str(gridfs.GridFS(installation.mp3s).put(b"left over", filename="x.mp3"))
    assert download(installation, fid).status_code == 404


def test_a_source_is_no_download(installation: Installation) -> None:
    sent = {"file": ("talk.mp4", b"a video")}
    url = f"{installation.gateway.url}/upload"
    fid = requests.post(url, files=sent, headers=installation.authorized(), timeout=20).json()["fileId"]
    assert download(installation, fid).status_code == 404


def test_a_large_file_passes_in_little_memory(restarted: Installation) -> None:
    installation = restarted
    content = os.urandom(MEBIBYTE) * 40
    fid = an_mp3(installation, content)
    download(installation, an_mp3(installation, b"x"))
    before = installation.gateway.resident_bytes()
    assert hashlib.sha256(download(installation, fid).content).digest() == hashlib.sha256(content).digest()
    assert installation.gateway.resident_bytes("VmHWM") - before < 16 * MEBIBYTE


def test_a_file_that_goes_while_it_is_read_breaks_the_download(installation: Installation) -> None:
    """Half a file must not look like a whole one: the connection ends before the promised length."""
    fid = an_mp3(installation, os.urandom(30 * MEBIBYTE))
    with requests.get(
        f"{installation.gateway.url}/download",
        params={"fid": fid},
        headers=installation.authorized(),
        stream=True,
        timeout=60,
    ) as answer:
        pieces = answer.iter_content(MEBIBYTE)
        next(pieces)
        gridfs.GridFS(installation.mp3s).delete(ObjectId(fid))
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for _ in pieces:
                pass


def test_places_of_clients_that_go_away_are_given_back(installation: Installation) -> None:
    fid = an_mp3(installation, os.urandom(30 * MEBIBYTE))
    head = f"GET /download?fid={fid} HTTP/1.1\r\nHost: gateway\r\n"
    head += f"Authorization: {installation.authorized()['Authorization']}\r\n\r\n"
    for _ in range(20):
        with socket.create_connection((installation.gateway.host, installation.gateway.port), timeout=20) as connection:
            connection.sendall(head.encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    await_condition(lambda: _running(installation) == 0, seconds=20, what="a place was not given back")


def _running(installation: Installation) -> float:
    [line] = [
        line
        for line in installation.gateway.metrics().splitlines()
        if line.startswith('video2mp3_gateway_transfers_running{kind="download"}')
    ]
    return float(line.split()[-1])


def test_a_store_that_is_away(installation: Installation) -> None:
    fid = an_mp3(installation, b"x")
    installation.mongodb.stop()
    answer = download(installation, fid)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    installation.mongodb.start()
    assert download(installation, fid).status_code == 200
