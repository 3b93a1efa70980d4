"""①②③ What becomes of an upload, good or bad."""

import hashlib
import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from pydantic import ValidationError
from werkzeug.test import TestResponse

from tests.unit.gateway.builders import (
    ALICE,
    BOUNDARY,
    MAX_BYTES,
    Gateway,
    a_field,
    a_file,
    form,
    multipart,
    problem,
    token_of,
)
from tests.unit.gateway.fakes import reader
from video2mp3_contracts.api.output import Output


def post_untouchable(gateway: Gateway, headers: dict[str, str], length: int = 100) -> TestResponse:
    """Send an upload whose body must not be read."""
    return post_stream(gateway, reader(b"", then=AssertionError("the body was read")), headers, length)


def post_stream(
    gateway: Gateway, read: Callable[[int], bytes], headers: dict[str, str], length: int = 100
) -> TestResponse:
    """Send an upload whose body comes from a connection, as a server hands it to the application."""
    environ = {
        "wsgi.input": SimpleNamespace(read=read),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": str(length),
        "CONTENT_TYPE": headers.get("Content-Type", ""),
    }
    return gateway.client.post("/upload", headers=headers, environ_overrides=environ)


def test_a_video_becomes_a_file_and_a_conversion() -> None:
    gateway = Gateway()
    answer = gateway.upload(a_file(b"the video", "Mein Vortrag.mp4"))
    assert answer.status_code == 202
    [file_id] = gateway.sources.files
    assert answer.json == {
        "fileId": file_id,
        "conversion": f"upload-{file_id}",
        "filename": "Mein Vortrag.mp3",
        "className": None,
        "bytes": 9,
        "sha256": hashlib.sha256(b"the video").hexdigest(),
        "ttlSecondsAfterFinished": 30 * 86_400,
        "statusUrl": f"/conversions/upload-{file_id}",
    }
    assert answer.headers["Location"] == f"/conversions/upload-{file_id}"
    assert gateway.sources.chunks[file_id] == b"the video"
    assert gateway.sources.files[file_id] == {
        "owner": ALICE,
        "filename": "Mein Vortrag.mp4",
        "content_type": "video/mp4",
    }
    assert gateway.metric("video2mp3_gateway_uploads_total", outcome="accepted") == 1
    assert gateway.metric("video2mp3_gateway_upload_bytes_total") == 9


def test_the_conversion_says_what_is_wanted_and_whose_it_is() -> None:
    gateway = Gateway()
    answer = gateway.upload(a_file())
    [file_id] = gateway.sources.files
    [conversion] = gateway.conversions.there.values()
    assert conversion.manifest() == {
        "apiVersion": "video2mp3.dev/v1",
        "kind": "Conversion",
        # The finalizer is there from the start: deleted before an operator has seen it, it would leave its video.
        "metadata": {
            "name": f"upload-{file_id}",
            "namespace": "people",
            "finalizers": ["video2mp3.dev/files"],
            "annotations": {"video2mp3.dev/request-id": answer.headers["X-Request-Id"]},
        },
        "spec": {
            "source": {"gridfs": {"fileId": file_id}},
            "output": {"filename": "talk.mp3"},
            "owner": ALICE,
            "notify": {"email": ALICE},
            "ttlSecondsAfterFinished": 30 * 86_400,
        },
    }


@pytest.mark.parametrize(("days", "seconds"), [(7, 604_800), (0.5, 43_200), (366, 31_622_400), (0, None)])
def test_how_long_it_stays_is_set_and_told(days: float, seconds: int | None) -> None:
    gateway = Gateway(settings={"retention_days": days})
    answer = gateway.upload(a_file())
    [conversion] = gateway.conversions.there.values()
    assert answer.json["ttlSecondsAfterFinished"] == seconds
    assert conversion.manifest()["spec"].get("ttlSecondsAfterFinished") == seconds
    shown = gateway.client.get(answer.json["statusUrl"], headers=token_of(ALICE)).json
    assert (shown["ttlSecondsAfterFinished"], shown["expiresAt"]) == (seconds, None)


@pytest.mark.parametrize("days", [-1, 367, float("nan")])
def test_a_time_that_no_conversion_may_have_is_refused_at_the_start(days: float) -> None:
    with pytest.raises(ValidationError, match="retention_days"):
        Gateway(settings={"retention_days": days})


@pytest.mark.parametrize("before", [True, False], ids=["before-the-file", "after-the-file"])
def test_options_are_those_of_the_resource(before: bool) -> None:
    options = a_field("output", '{"encoding": {"cbr": 192}, "tags": {"title": "Talk"}, "trim": {"start": "00:01:00"}}')
    parts = [options, a_file()] if before else [a_file(), options]
    output = Gateway().uploaded(*parts).manifest()["spec"]["output"]
    assert output == {
        "filename": "talk.mp3",
        "encoding": {"cbr": 192},
        "tags": {"title": "Talk"},
        "trim": {"start": "00:01:00"},
    }


def test_the_longest_lyrics_have_room_however_json_writes_them() -> None:
    tags = {"lyrics": "说\n" * 8192, "custom": {f"{number:064}": "说" * 256 for number in range(16)}}
    spec = Gateway().uploaded(a_file(), a_field("output", json.dumps({"tags": tags}))).spec
    assert (spec.output.tags.lyrics, spec.output.tags.custom) == (tags["lyrics"], tags["custom"])


@pytest.mark.parametrize(("said", "wanted"), [("true", {"allowTruncated": True}), ("false", {})])
def test_what_is_there_of_a_cut_video_may_be_asked_for(said: str, wanted: dict[str, bool]) -> None:
    source = Gateway().uploaded(a_file(), a_field("allowTruncated", said)).manifest()["spec"]["source"]
    assert source == wanted | {"gridfs": source["gridfs"]}


def test_an_output_name_of_ones_own_is_made_safe() -> None:
    output = Gateway().uploaded(a_file(), a_field("output", '{"filename": "a\\u202eb.mp3"}')).spec.output
    assert output == Output(filename="ab.mp3")


def test_links_start_with_the_public_address() -> None:
    answer = Gateway(settings={"public_url": "https://mp3.example.com/"}).upload(a_file())
    assert answer.json["statusUrl"] == f"https://mp3.example.com/conversions/{answer.json['conversion']}"
    assert answer.headers["Location"] == answer.json["statusUrl"]


REFUSED = {
    "no-part": ([], 400, "no-file"),
    "no-file-but-options": ([a_field("output", "{}")], 400, "no-file"),
    "the-file-is-text": ([a_field("file", "talk.mp4")], 400, "no-file"),
    "nothing-chosen-in-the-browser": ([a_file(b"", "")], 400, "no-filename"),
    "a-name-that-is-a-folder": ([a_file(filename="../../")], 400, "no-filename"),
    "a-name-that-cannot-be-seen": ([a_file(filename="\u202e\u200b")], 400, "no-filename"),
    "empty": ([a_file(b"")], 400, "empty-file"),
    "two-files": ([a_file(), a_file()], 400, "several-files"),
    "a-part-without-a-name": ([b"Content-Disposition: form-data\r\n\r\nx"], 400, "malformed-body"),
    "a-part-without-a-disposition": ([b"Content-Type: text/plain\r\n\r\nx"], 400, "malformed-body"),
    "a-huge-field": ([a_field("output", " " * 200_000)], 400, "malformed-body"),
    "very-many-parts": ([a_file(), *[a_field("output", "{}")] * 40], 400, "malformed-body"),
    "options-twice": ([a_field("output", "{}"), a_field("output", "{}"), a_file()], 400, "malformed-body"),
    "options-as-a-file": ([a_file(b"{}", name="output")], 400, "malformed-body"),
    "one-byte-too-large": ([a_file(b"x" * (MAX_BYTES + 1))], 413, "too-large"),
    "an-unknown-field": ([a_field("bitrate", "192"), a_file()], 422, "invalid-options"),
    "an-unknown-field-after-the-file": ([a_file(), a_field("bitrate", "192")], 422, "invalid-options"),
    "an-unknown-file": ([a_file(name="video")], 422, "invalid-options"),
    "options-that-are-no-json": ([a_file(), a_field("output", "loud")], 422, "invalid-options"),
    "allowed-twice": ([a_field("allowTruncated", "true")] * 2 + [a_file()], 400, "malformed-body"),
    "allowed-as-a-file": ([a_file(b"true", name="allowTruncated")], 400, "malformed-body"),
    "neither-true-nor-false": ([a_field("allowTruncated", "yes"), a_file()], 422, "invalid-options"),
    "options-that-are-not-supported": ([a_file(), a_field("output", '{"codec": "aac"}')], 422, "invalid-options"),
}


@pytest.mark.parametrize(("parts", "status", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_upload_leaves_nothing(parts: list[bytes], status: int, code: str) -> None:
    gateway = Gateway()
    answer = gateway.upload(*parts)
    assert (answer.status_code, problem(answer)["code"]) == (status, code)
    assert gateway.stored == []
    assert gateway.metric("video2mp3_gateway_uploads_total", outcome=code) == 1
    assert gateway.metric("video2mp3_http_problems_total", code=code) == 1


def test_a_part_with_a_huge_head_leaves_nothing() -> None:
    gateway = Gateway(settings={"max_upload_bytes": 10**6})
    answer = gateway.upload(a_file(filename="x" * 400_000))
    assert (answer.status_code, problem(answer)["code"]) == (400, "malformed-body")
    assert gateway.stored == []


POSITION = 'seconds from 0 to 999999, such as 90 or "90.5", or "HH:MM:SS.mmm", such as "00:01:30.500"'


@pytest.mark.parametrize(
    ("value", "field", "words"),
    [
        ('{"codec": "aac"}', "output.codec", "output.codec: unknown field"),
        (
            '{"encoding": {"vbr": 12}}',
            "output.encoding.vbr",
            "output.encoding.vbr: Input should be less than or equal to 9",
        ),
        (
            '{"encoding": {"vbr": 2, "cbr": 128}}',
            "output.encoding",
            "set exactly one of output.encoding.vbr and output.encoding.cbr",
        ),
        ('{"trim": {"start": "1:30"}}', "output.trim.start", f"output.trim.start must be {POSITION}"),
        ('{"trim": {"end": 90.5}}', "output.trim.end", f"output.trim.end must be {POSITION}"),
        ('{"trim": {"end": true}}', "output.trim.end", f"output.trim.end must be {POSITION}"),
        (
            '{"filename": "a/b.mp3"}',
            "output.filename",
            "output.filename must be a file's name: not empty, . or .., and without /, \\ and control characters",
        ),
        ("loud", "output", "output: Invalid JSON: expected value at line 1 column 1"),
    ],
)
def test_unsupported_options_are_named_and_what_is_allowed_is_said(value: str, field: str, words: str) -> None:
    refused = problem(Gateway().upload(a_file(), a_field("output", value)))
    assert refused["errors"] == [{"field": field, "message": words.removeprefix(f"{field}: ")}]
    assert refused["detail"] == f"The options are not supported: {words}. Nothing was stored."


def test_an_unknown_field_is_named() -> None:
    refused = problem(Gateway().upload(a_field("bit\u202erate", "192"), a_file()))
    assert refused["errors"] == [{"field": "bitrate", "message": "unknown field"}]
    assert "'bitrate'" in refused["detail"]


def test_the_largest_video_that_is_allowed_is_taken() -> None:
    assert Gateway().upload(a_file(b"x" * MAX_BYTES)).status_code == 202


def test_without_a_token_the_body_is_not_touched() -> None:
    gateway = Gateway()
    answer = post_untouchable(gateway, multipart())
    assert problem(answer)["code"] == "unauthorized"
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="video2mp3"'


@pytest.mark.parametrize("header", ["Bearer nonsense", "bearer  nonsense", "Bearer a b"])
def test_with_a_bad_token_the_body_is_not_touched(header: str) -> None:
    answer = post_untouchable(Gateway(), multipart() | {"Authorization": header})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert "log in again" in problem(answer)["detail"]


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer "])
def test_other_credentials_are_none(header: str) -> None:
    answer = post_untouchable(Gateway(), multipart() | {"Authorization": header})
    assert answer.status_code == 401
    assert "error=" not in answer.headers["WWW-Authenticate"]


def test_a_body_that_is_too_large_by_its_own_words_is_not_touched() -> None:
    answer = post_untouchable(Gateway(), multipart() | token_of(ALICE), length=10**9)
    assert answer.status_code == 413
    assert problem(answer)["maxBytes"] == MAX_BYTES


@pytest.mark.parametrize(
    "content_type",
    ["", "video/mp4", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x"],
)
def test_a_body_that_is_no_form_is_not_touched(content_type: str) -> None:
    answer = post_untouchable(Gateway(), token_of(ALICE) | {"Content-Type": content_type})
    assert (answer.status_code, problem(answer)["code"]) == (400, "no-file")


@pytest.mark.parametrize("cut", [0, 10, 60, 180, -3])
def test_a_body_that_ends_too_early_leaves_nothing(cut: int) -> None:
    gateway = Gateway()
    whole = form(a_file(b"x" * 500))
    answer = post_stream(gateway, reader(whole[:cut]), multipart() | token_of(ALICE), len(whole))
    assert answer.status_code == 400
    assert problem(answer)["code"] == "malformed-body"
    assert gateway.stored == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (TimeoutError("timed out"), 408, "upload-stalled"),
        (ConnectionResetError("reset by peer"), 400, "upload-incomplete"),
    ],
)
def test_a_connection_that_breaks_leaves_nothing(error: Exception, status: int, code: str) -> None:
    gateway = Gateway()
    sent = form(a_file(b"x" * 500))[:-100]
    answer = post_stream(gateway, reader(sent, piece=50, then=error), multipart() | token_of(ALICE))
    assert (answer.status_code, problem(answer)["code"]) == (status, code)
    assert gateway.stored == []


@pytest.mark.parametrize("step", ["begin", "write", "finish"])
def test_a_store_that_is_away_leaves_nothing(step: str) -> None:
    gateway = Gateway()
    gateway.sources.switch.off(step)
    answer = gateway.upload(a_file())
    assert (answer.status_code, problem(answer)["code"]) == (503, "service-unavailable")
    assert answer.headers["Retry-After"] == "10"
    assert gateway.stored == []
    assert gateway.metric("video2mp3_gateway_uploads_total", outcome="service-unavailable") == 1


def test_while_no_key_is_known_the_body_is_not_touched() -> None:
    gateway = Gateway()
    gateway.tokens.switch.off("account")
    answer = post_untouchable(gateway, multipart() | token_of(ALICE))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_an_upload_that_outlasts_the_drain_leaves_nothing() -> None:
    gateway = Gateway()
    gateway.drain._clock = lambda: 1000.0
    gateway.drain.begin()
    gateway.drain._clock = lambda: 2000.0
    answer = gateway.upload(a_file())
    assert (answer.status_code, problem(answer)["code"]) == (503, "restarting")
    assert gateway.stored == []


def test_hostile_names_are_stored_harmless() -> None:
    gateway = Gateway()
    conversion = gateway.uploaded(a_file(filename=b"..\\..\\etc/\x07gpj.\xe2\x80\xae\xff\xfe.exe.mp4"))
    [details] = gateway.sources.files.values()
    assert details["filename"] == "gpj.\ufffd\ufffd.exe.mp4"
    assert conversion.filename == "gpj.\ufffd\ufffd.exe.mp3"


def test_a_boundary_in_the_video_does_not_end_it() -> None:
    content = f"\r\n--{BOUNDARY[:-1]}\r\n--{BOUNDARY}x".encode() * 5
    gateway = Gateway()
    gateway.upload(a_file(content))
    assert [bytes(stored) for stored in gateway.sources.chunks.values()] == [content]


def test_the_answer_is_not_cached_and_not_sniffed() -> None:
    headers = Gateway().upload(a_file()).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_options_survive_the_trip_into_the_manifest_unchanged() -> None:
    """What is sent as `output` is what the resource's `output` would be, but for the file's name."""
    options = {"channels": "mono", "sampleRate": 44100, "loudness": {"integratedLufs": -16}}
    wanted = Gateway().uploaded(a_field("output", json.dumps(options)), a_file()).manifest()["spec"]["output"]
    assert wanted == options | {"filename": "talk.mp3"}
