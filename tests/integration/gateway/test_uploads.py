"""①②③ Uploads over real connections into a real store."""

import hashlib
import http.client
import itertools
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import gridfs
import pytest
import requests

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.gateway.conftest import ALICE, Installation, settings_for
from tests.integration.gateway.gateway_server import BOUNDARY, GatewayServer, form_closing, form_opening
from tests.servers.process import await_condition

MEBIBYTE = 1024**2
CONTAINER_BYTES = 128 * MEBIBYTE
NOTHING = (0, 0, 0)


def upload(installation: Installation, content: bytes, filename: str = "talk.mp4") -> requests.Response:
    return requests.post(
        f"{installation.gateway.url}/upload",
        files={"file": (filename, content, "video/mp4")},
        headers=installation.authorized(),
        timeout=60,
    )


def content_of(installation: Installation, file_id: object) -> bytes:
    chunks = installation.videos.fs.chunks.find({"files_id": file_id}).sort("n")
    return b"".join(chunk["data"] for chunk in chunks)


@pytest.mark.parametrize("size", [1, 255 * 1024, 4 * 255 * 1024, 4 * 255 * 1024 + 1, 3_000_000])
def test_what_is_stored_is_what_was_sent(installation: Installation, size: int) -> None:
    content = os.urandom(size)
    answer = upload(installation, content)
    assert answer.status_code == 202, answer.text
    [file] = installation.videos.fs.files.find()
    assert str(file["_id"]) == answer.json()["fileId"]
    assert (file["filename"], file["length"], file["chunkSize"]) == ("talk.mp4", size, 255 * 1024)
    assert file["metadata"] == {
        "owner": ALICE,
        "contentType": "video/mp4",
        "kind": "source",
        "sha256": hashlib.sha256(content).hexdigest(),
        "uploadedAt": file["uploadDate"],
    }
    assert content_of(installation, file["_id"]) == content
    [(name, conversion)] = installation.kubernetes.objects.items()
    assert name == answer.json()["conversion"]
    seconds = conversion["spec"]["ttlSecondsAfterFinished"]
    assert seconds == answer.json()["ttlSecondsAfterFinished"] == 30 * 24 * 3600


@ON_FERRETDB_TOO
def test_every_gridfs_client_reads_it(restarted: Installation) -> None:
    """The driver's own reader, which the gateway does without, agrees on the layout."""
    installation = restarted
    content = os.urandom(2_000_000)
    upload(installation, content)
    [file] = installation.videos.fs.files.find()
    assert gridfs.GridFSBucket(installation.videos).open_download_stream(file["_id"]).read() == content
    indexes = installation.videos.fs.chunks.index_information()
    assert any(index["key"] == [("files_id", 1), ("n", 1)] and index.get("unique") for index in indexes.values())


def test_memory_stays_flat_whatever_the_size(restarted: Installation) -> None:
    installation = restarted
    gateway = installation.gateway
    assert upload(installation, b"x" * MEBIBYTE).status_code == 202
    small = gateway.resident_bytes()
    piece = os.urandom(MEBIBYTE)
    answer = gateway.upload(installation.auth.token(ALICE), itertools.repeat(piece, 300), 300 * MEBIBYTE)
    assert answer.status == 202, answer.read()
    peak = gateway.resident_bytes("VmHWM")
    assert peak < CONTAINER_BYTES
    assert peak - small < 24 * MEBIBYTE
    digest = hashlib.sha256()
    for _ in range(300):
        digest.update(piece)
    assert json.loads(answer.read())["sha256"] == digest.hexdigest()


def test_a_body_of_unknown_length_is_taken_too(installation: Installation) -> None:
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), length=None)
    for piece in (b"x" * 1000, b"y" * 500_000, form_closing()):
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    connection.send(b"0\r\n\r\n")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["bytes"]) == (202, 501_000)


@ON_FERRETDB_TOO
def test_a_client_that_goes_away_leaves_nothing(installation: Installation) -> None:
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), 50 * MEBIBYTE)
    connection.send(b"x" * 10 * MEBIBYTE)
    await_condition(lambda: installation.stored[1] > 0, seconds=20, what="nothing was stored on the way")
    connection.close()
    await_condition(lambda: installation.stored == NOTHING, seconds=20, what="something was left behind")


def test_a_client_that_goes_away_in_a_chunked_body_leaves_nothing(installation: Installation) -> None:
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), length=None)
    connection.send(b"%x\r\n" % (50 * MEBIBYTE) + b"x" * 10 * MEBIBYTE)
    await_condition(lambda: installation.stored[1] > 0, seconds=20, what="nothing was stored on the way")
    connection.close()
    await_condition(lambda: installation.stored == NOTHING, seconds=20, what="something was left behind")


@pytest.mark.parametrize("bad", [b"x\r\n", b"5\r\nvideo--", b"5;\rx\r\nvideo\r\n", b"0\r\n folded: x\r\n\r\n"])
def test_chunks_that_are_none_are_told_and_leave_nothing(installation: Installation, bad: bytes) -> None:
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), length=None)
    connection.send(b"%x\r\n%s\r\n" % (MEBIBYTE, b"x" * MEBIBYTE) + bad)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (400, "malformed-request")
    assert installation.stored == NOTHING


def test_a_body_that_grows_too_large_is_refused_while_it_comes(installation: Installation, tmp_path: Path) -> None:
    """Nothing told its length, so it is counted; the answer comes before the body's end."""
    settings = settings_for(
        installation.auth, installation.kubernetes, installation.mongodb.uri_of("gateway"), tmp_path
    )
    with GatewayServer(settings | {"GATEWAY_MAX_UPLOAD_BYTES": str(5 * MEBIBYTE)}) as small:
        connection = small.begin_upload(installation.auth.token(ALICE), length=None)
        connection.send(b"%x\r\n" % (50 * MEBIBYTE) + b"x" * 6 * MEBIBYTE)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["maxBytes"]) == (413, 5 * MEBIBYTE)
    assert installation.stored == NOTHING


def test_the_body_is_not_asked_for_before_the_token_was_checked(installation: Installation) -> None:
    """A client that waits for leave (curl does) never sends a body that is refused."""
    answer = _expecting(installation, "Bearer nonsense")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer.lower()
    assert b'"code":"unauthorized"' in answer


def test_the_body_is_asked_for_when_it_is_wanted(installation: Installation) -> None:
    answer = _expecting(installation, f"Bearer {installation.auth.token(ALICE)}")
    assert answer == b"HTTP/1.1 100 Continue\r\n\r\n"


def _expecting(installation: Installation, authorization: str) -> bytes:
    """What comes back to an upload's head, before any of its body is sent."""
    head = (
        "POST /upload HTTP/1.1\r\nHost: gateway\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nAuthorization: {authorization}\r\n\r\n"
    )
    with socket.create_connection((installation.gateway.host, installation.gateway.port), timeout=20) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)
        while answer.startswith(b"HTTP/1.1 4") and (more := connection.recv(65536)):
            answer += more
    return answer


def test_a_refused_body_does_not_keep_the_connection(installation: Installation) -> None:
    """Sent anyway, it must not be taken for the next request."""
    with socket.create_connection((installation.gateway.host, installation.gateway.port), timeout=20) as connection:
        connection.sendall(
            b"POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100000\r\n\r\nGET /healthz HTTP/1.1"
        )
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.count(b"HTTP/1.1") == 1


@ON_FERRETDB_TOO
def test_a_store_that_goes_away_meanwhile(installation: Installation) -> None:
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), 50 * MEBIBYTE)
    connection.send(b"x" * 5 * MEBIBYTE)
    await_condition(lambda: installation.stored[1] > 0, seconds=20, what="nothing was stored on the way")
    installation.mongodb.kill()
    answer = _send_until_answered(connection, 45 * MEBIBYTE)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "10"
    assert json.loads(answer.read())["code"] == "service-unavailable"
    installation.mongodb.start()
    files, _chunks, conversions = installation.stored
    assert (files, conversions) == (0, 0), "only chunks may be left: the store was gone when they were to be removed"


def _send_until_answered(connection: http.client.HTTPConnection, length: int) -> http.client.HTTPResponse:
    try:
        for _ in range(length // MEBIBYTE):
            connection.send(b"x" * MEBIBYTE)
    except OSError:
        pass  # It answered and closed while we were sending.
    return connection.getresponse()


def test_a_store_that_hangs_is_given_up(installation: Installation) -> None:
    assert upload(installation, b"x").status_code == 202
    installation.mongodb.pause()
    answer = upload(installation, b"x" * 5 * MEBIBYTE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    installation.mongodb.resume()
    assert upload(installation, b"x").status_code == 202


@pytest.mark.parametrize("faults", [["lost"], ["closed"], [500], [503, "lost"]], ids=str)
def test_the_conversion_is_created_once_whatever_happens_on_the_way(
    installation: Installation, faults: list[int | str]
) -> None:
    installation.kubernetes.failures = faults
    assert upload(installation, b"a video").status_code == 202
    assert installation.stored == (1, 1, 1)


@pytest.mark.parametrize("faults", [[500] * 3, ["lost"] * 3, [422], [403]], ids=str)
def test_without_a_conversion_the_video_goes(installation: Installation, faults: list[int | str]) -> None:
    installation.kubernetes.failures = faults
    answer = upload(installation, os.urandom(2 * MEBIBYTE))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json()["code"] == "conversion-not-created"
    assert installation.stored == NOTHING


@ON_FERRETDB_TOO
def test_killed_while_a_video_comes_in_only_chunks_are_left(installation: Installation) -> None:
    """They belong to no file, and their id tells since when they have been there: a sweep can tell them for sure."""
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), 50 * MEBIBYTE)
    connection.send(b"x" * 5 * MEBIBYTE)
    await_condition(lambda: installation.stored[1] > 0, seconds=20, what="nothing was stored on the way")
    installation.gateway.kill()
    connection.close()
    files, chunks, conversions = installation.stored
    assert (files, conversions) == (0, 0)
    assert chunks > 0
    [key] = installation.videos.fs.chunks.distinct("files_id")
    assert abs((datetime.now(UTC) - key.generation_time).total_seconds()) < 60
    installation.gateway.start()
    assert upload(installation, b"a video").status_code == 202


@ON_FERRETDB_TOO
def test_killed_before_the_conversion_is_created_the_file_is_left_whole(installation: Installation) -> None:
    """No Conversion names it, and it says since when it has been there: a sweep can tell it for sure."""
    installation.kubernetes.failures = ["stalled"]
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), MEBIBYTE)
    connection.send(b"x" * MEBIBYTE + form_closing())
    await_condition(lambda: not installation.kubernetes.failures, seconds=20, what="no Conversion was asked for")
    installation.gateway.kill()
    connection.close()
    [file] = installation.videos.fs.files.find()
    assert (file["length"], file["metadata"]["uploadedAt"]) == (MEBIBYTE, file["uploadDate"])
    assert installation.stored[2] == 0


def test_an_upload_that_runs_at_the_end_is_finished(installation: Installation) -> None:
    """SIGTERM stops new connections; what runs may end."""
    connection = installation.gateway.begin_upload(installation.auth.token(ALICE), 5 * MEBIBYTE)
    connection.send(b"x" * 3 * MEBIBYTE)
    await_condition(lambda: installation.stored[1] > 0, seconds=20, what="nothing was stored on the way")
    installation.gateway.ask_to_stop()
    connection.send(b"x" * 2 * MEBIBYTE + form_closing())
    assert connection.getresponse().status == 202
    assert installation.stored[2] == 1
    installation.gateway.stop()


def test_hostile_names_arrive_harmless(installation: Installation) -> None:
    content = form_opening("../../\u202egpj\xfc.exe").replace("\xfc".encode(), b"\xfc") + b"x" + form_closing()
    answer = requests.post(
        f"{installation.gateway.url}/upload",
        data=content,
        headers=installation.authorized() | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        timeout=20,
    )
    assert answer.status_code == 202, answer.text
    [file] = installation.videos.fs.files.find()
    assert file["filename"] == "gpj\ufffd.exe"
    assert answer.json()["filename"] == "gpj\ufffd.exe.mp3"
