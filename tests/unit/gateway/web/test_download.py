"""⑨ What a download gives."""

import pytest
from werkzeug.test import TestResponse

from tests.unit.gateway.builders import ALICE, BOB, Gateway, problem, token_of
from video2mp3_gateway.server.capacity import MAX_DOWNLOADS, MAX_DOWNLOADS_PER_ACCOUNT

CONTENT = bytes(range(100))


class Scene:
    """A gateway with one mp3 of Alice's."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.gateway = Gateway()
        self.mp3 = self.gateway.mp3s.add(ALICE, content)
        self.etag = f'"{self.mp3.etag}"'

    def get(
        self,
        account: str = ALICE,
        method: str = "GET",
        fid: str | None = None,
        *,
        buffered: bool = True,
        **headers: str,
    ) -> TestResponse:
        sent = token_of(account) | {name.replace("_", "-"): value for name, value in headers.items()}
        query = {"fid": self.mp3.file_id if fid is None else fid}
        return self.gateway.client.open("/download", method=method, query_string=query, headers=sent, buffered=buffered)


def test_the_whole_file() -> None:
    scene = Scene()
    answer = scene.get()
    assert (answer.status_code, answer.data) == (200, CONTENT)
    assert {name: answer.headers[name] for name in DESCRIBED} == {
        "Content-Type": "audio/mpeg",
        "Content-Length": "100",
        "Content-Disposition": "attachment; filename=\"talk.mp3\"; filename*=UTF-8''talk.mp3",
        "ETag": scene.etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    assert scene.gateway.metric("video2mp3_gateway_downloads_total", outcome="complete") == 1
    assert scene.gateway.metric("video2mp3_gateway_download_bytes_total") == 100


DESCRIBED = (
    "Content-Type",
    "Content-Length",
    "Content-Disposition",
    "ETag",
    "Accept-Ranges",
    "Cache-Control",
    "X-Content-Type-Options",
)


def test_the_id_may_be_in_capitals() -> None:
    scene = Scene()
    assert scene.get(fid=scene.mp3.file_id.upper()).data == CONTENT


RANGES = {
    "the first bytes": ("bytes=0-9", 206, CONTENT[:10], "bytes 0-9/100"),
    "from somewhere on": ("bytes=90-", 206, CONTENT[90:], "bytes 90-99/100"),
    "the last bytes": ("bytes=-5", 206, CONTENT[-5:], "bytes 95-99/100"),
    "one byte": ("bytes=42-42", 206, CONTENT[42:43], "bytes 42-42/100"),
    "beyond the end": ("bytes=98-5000", 206, CONTENT[98:], "bytes 98-99/100"),
    "more last bytes than there are": ("bytes=-5000", 206, CONTENT, "bytes 0-99/100"),
    "several": ("bytes=0-1,5-6", 200, CONTENT, None),
    "another unit": ("chapters=1-2", 200, CONTENT, None),
    "no byte at all": ("bytes=-0", 200, CONTENT, None),
    "nonsense": ("bytes=a-b", 200, CONTENT, None),
    "the wrong way round": ("bytes=9-0", 200, CONTENT, None),
}


@pytest.mark.parametrize(("wanted", "status", "content", "given"), RANGES.values(), ids=RANGES.keys())
def test_a_part_of_the_file(wanted: str, status: int, content: bytes, given: str | None) -> None:
    answer = Scene().get(Range=wanted)
    assert (answer.status_code, answer.data) == (status, content)
    assert answer.headers.get("Content-Range") == given
    assert answer.content_length == len(content)


def test_a_part_behind_the_end() -> None:
    answer = Scene().get(Range="bytes=100-")
    assert (answer.status_code, problem(answer)["code"]) == (416, "range-not-satisfiable")
    assert answer.headers["Content-Range"] == "bytes */100"


def test_a_part_only_if_the_file_is_still_the_same() -> None:
    scene = Scene()
    assert scene.get(Range="bytes=0-9", If_Range=scene.etag).status_code == 206
    assert scene.get(Range="bytes=0-9", If_Range='"another"').status_code == 200
    assert scene.get(Range="bytes=0-9", If_Range=f"W/{scene.etag}").status_code == 200
    assert scene.get(Range="bytes=0-9", If_Range="Sun, 01 Mar 2026 12:00:00 GMT").status_code == 200


@pytest.mark.parametrize("header", ["{etag}", "W/{etag}", '"x", {etag}', "*"])
def test_what_is_known_already_is_not_sent_again(header: str) -> None:
    scene = Scene()
    answer = scene.get(If_None_Match=header.format(etag=scene.etag))
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", scene.etag)


def test_another_version_is_sent() -> None:
    assert Scene().get(If_None_Match='"another"').status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}])
def test_head_tells_of_the_whole_file_without_reading_it(headers: dict[str, str]) -> None:
    scene = Scene()
    scene.gateway.mp3s.switch.off("read")
    answer = scene.get(method="HEAD", **headers)
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "100")
    assert answer.headers["ETag"] == scene.etag


def test_what_belongs_to_somebody_else_is_not_there() -> None:
    """The two answers differ in nothing that a client can see, but the request's own id."""
    scene = Scene()
    theirs = scene.get(account=BOB)
    nobodys = scene.get(account=BOB, fid="0" * 24)
    malformed = scene.get(account=BOB, fid="../etc/passwd")
    answers = [theirs, nobodys, malformed]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({(problem(answer)["detail"], problem(answer)["code"]) for answer in answers}) == 1
    assert len({frozenset(set(answer.headers.keys())) for answer in answers}) == 1


@pytest.mark.parametrize("fid", ["{$gt:0}", "0" * 23, "0" * 25, "g" * 24, "\x00" * 24, "\uff10" * 24])
def test_what_is_no_file_id_is_not_there(fid: str) -> None:
    assert Scene().get(fid=fid).status_code == 404


def test_a_query_without_a_file_is_refused() -> None:
    answer = Scene().get(fid="")
    assert (answer.status_code, problem(answer)["code"]) == (400, "bad-parameter")


def test_without_a_token_nothing_is_said() -> None:
    scene = Scene()
    answer = scene.gateway.client.get("/download", query_string={"fid": scene.mp3.file_id})
    assert answer.status_code == 401


@pytest.mark.parametrize("step", ["find", "read"])
def test_a_store_that_is_away(step: str) -> None:
    scene = Scene()
    scene.gateway.mp3s.switch.off(step)
    answer = scene.get()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert problem(answer)["code"] == "service-unavailable"


def test_a_file_that_is_removed_meanwhile_is_not_there() -> None:
    scene = Scene()
    mp3s = scene.gateway.mp3s
    found = mp3s.find
    mp3s.find = lambda file_id, owner: (found(file_id, owner), mp3s.files.clear())[0]  # type: ignore[method-assign]
    assert scene.get().status_code == 404


def test_an_empty_file_is_empty() -> None:
    answer = Scene(b"").get()
    assert (answer.status_code, answer.data, answer.content_length) == (200, b"", 0)


def test_places_are_given_back() -> None:
    scene = Scene()
    for _ in range(MAX_DOWNLOADS + 1):
        assert scene.get().data == CONTENT
    assert scene.gateway.metric("video2mp3_gateway_transfers_running", kind="download") == 0


def test_one_account_does_not_take_every_place() -> None:
    scene = Scene()
    open_ones = [scene.get(buffered=False) for _ in range(MAX_DOWNLOADS_PER_ACCOUNT)]
    assert (
        scene.gateway.metric("video2mp3_gateway_transfers_running", kind="download")
        == MAX_DOWNLOADS_PER_ACCOUNT
        < MAX_DOWNLOADS
    )
    refused = scene.get()
    assert (refused.status_code, problem(refused)["code"]) == (429, "too-many-of-yours")
    open_ones.pop().close()
    assert scene.get().status_code == 200
    assert scene.gateway.metric("video2mp3_gateway_downloads_total", outcome="cut") == 1
    for answer in open_ones:
        answer.close()
