"""Every refusal of the gateway, provoked: the page's table of their words is what comes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gunicorn.http import errors
from werkzeug.test import TestResponse

from tests.builders import a_class
from tests.unit.gateway.builders import ALICE, BOB, Gateway, a_field, a_file, form, multipart, token_of
from tests.unit.gateway.fakes import reader
from tests.unit.gateway.test_documentation import answerable
from tests.unit.gateway.web.test_upload import post_stream
from video2mp3_contracts.runtime.problem import Problem
from video2mp3_contracts.server.refusals import head_too_large, head_too_slow, problem_of
from video2mp3_gateway.server.capacity import MAX_DOWNLOADS_PER_ACCOUNT

API = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
LARGEST = 5 * 1024**3
Way = Callable[[Gateway], TestResponse]


def uploading(*parts: bytes) -> Way:
    """An upload of these parts."""
    return lambda gateway: gateway.upload(*parts)


def choosing(name: str) -> Way:
    """An upload of a class, where two are offered."""

    def way(gateway: Gateway) -> TestResponse:
        gateway.classes.documents = [a_class("speech", offered=True), a_class("music", offered=True)]
        return gateway.upload(a_file(), query=f"?class={name}")

    return way


def trying_a_good_one(gateway: Gateway) -> TestResponse:
    """A retry of what has not failed."""
    name = gateway.uploaded(a_file()).metadata.name
    return asking("POST", f"/conversions/{name}/retry")(gateway)


def asking(method: str, path: str, **headers: str) -> Way:
    """A request of Alice's."""
    return lambda gateway: gateway.client.open(path, method=method, headers=token_of(ALICE) | headers)


def breaking(error: Exception) -> Way:
    """An upload whose connection ends so."""
    body = form(a_file(b"x" * 500))[:180]
    return lambda gateway: post_stream(gateway, reader(body, then=error), multipart() | token_of(ALICE), 1000)


def huge(gateway: Gateway) -> TestResponse:
    """An upload that says it has more bytes than is allowed."""
    return post_stream(gateway, reader(b""), multipart() | token_of(ALICE), 2 * LARGEST)


def ending(gateway: Gateway) -> TestResponse:
    """An upload that outlasts the end of the gateway."""
    gateway.drain._clock = lambda: 1000.0
    gateway.drain.begin()
    gateway.drain._clock = lambda: 2000.0
    return gateway.upload(a_file())


def downloading(*accounts: str) -> Way:
    """One download more than the last of these accounts, or all together, may have."""

    def way(gateway: Gateway) -> TestResponse:
        paths = {account: f"/download?fid={gateway.mp3s.add(account, b'sound').file_id}" for account in accounts}
        busy = [
            gateway.client.get(paths[account], headers=token_of(account), buffered=False)
            for account in accounts[: max(1, len(accounts) - 1)]
            for _ in range(MAX_DOWNLOADS_PER_ACCOUNT)
        ]
        answer = gateway.client.get(paths[accounts[-1]], headers=token_of(accounts[-1]))
        for each in busy:
            each.close()
        return answer

    return way


def behind_the_end(gateway: Gateway) -> TestResponse:
    """A range of an mp3 that it does not have."""
    mp3 = gateway.mp3s.add(ALICE, b"x" * 100)
    return asking("GET", f"/download?fid={mp3.file_id}", Range="bytes=100-")(gateway)


def taken_over(gateway: Gateway) -> TestResponse:
    """The deletion of an mp3 that a Conversion shows."""
    mp3 = gateway.mp3s.add(ALICE, b"x")
    gateway.mp3s.keep(mp3)
    gateway.mp3s.shown.add(mp3.file_id)
    return asking("DELETE", f"/mp3s/{mp3.file_id}")(gateway)


def without_kubernetes(gateway: Gateway) -> TestResponse:
    """A list while Kubernetes is away."""
    gateway.conversions.switch.off("newest")
    return asking("GET", "/conversions")(gateway)


def not_converted(gateway: Gateway) -> TestResponse:
    """An upload whose Conversion Kubernetes refuses."""
    gateway.conversions.refuses = True
    return gateway.upload(a_file())


WAYS: dict[str, Way] = {
    "bad-parameter": asking("GET", "/conversions?limit=0"),
    "class-not-offered": choosing("loud"),
    "conversion-not-created": not_converted,
    "empty-file": uploading(a_file(b"")),
    "invalid-options": uploading(a_file(), a_field("output", '{"encoding": {"cbr": 5}}')),
    "malformed-body": uploading(b"Content-Type: text/plain\r\n\r\nx"),
    "method-not-allowed": asking("PUT", "/conversions"),
    "no-file": uploading(),
    "no-filename": uploading(a_file(filename="../../")),
    "not-failed": trying_a_good_one,
    "not-found": asking("GET", "/conversions/talk"),
    "range-not-satisfiable": behind_the_end,
    "restarting": ending,
    "service-unavailable": without_kubernetes,
    "several-files": uploading(a_file(), a_file()),
    "still-shown": taken_over,
    "too-large": huge,
    "too-many-of-yours": downloading(ALICE),
    "too-many-transfers": downloading(ALICE, BOB, "carol@example.com"),
    "unauthorized": lambda gateway: gateway.client.get("/conversions"),
    "unknown-parameter": asking("GET", "/conversions?phase=Running"),
    "upload-incomplete": breaking(ConnectionResetError("reset by peer")),
    "upload-stalled": breaking(TimeoutError("timed out")),
}
"""How each comes about in the application, by its code."""

BEFORE: dict[str, Problem] = {
    "address-too-long": problem_of(errors.LimitRequestLine(5000, 4094)),
    "expectation-failed": problem_of(errors.ExpectationFailed("x")),
    "head-too-large": head_too_large(),
    "head-too-slow": head_too_slow(),
    "internal-error": problem_of(RuntimeError()),
    "malformed-request": problem_of(errors.InvalidRequestLine("x")),
    "transfer-coding-unknown": problem_of(errors.UnsupportedTransferCoding("x")),
}
"""Those of the server, before or around the application."""


def answer_to(code: str) -> dict[str, Any]:
    """The problem's document."""
    if code in BEFORE:
        return BEFORE[code].document("")
    response = WAYS[code](Gateway(settings={"max_upload_bytes": LARGEST}))
    assert response.content_type == "application/problem+json"
    return dict(response.json)


def words() -> dict[str, str]:
    """The rows of the page's table, by their code."""
    [table] = re.findall(r"^\| code \| status, title and detail \|\n.*?\n\n", API + "\n", re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", table, re.MULTILINE))


@pytest.mark.parametrize("code", [*WAYS, *BEFORE])
def test_a_refusal_says_what_the_page_says(code: str) -> None:
    answer = answer_to(code)
    assert answer["code"] == code
    assert words().get(code) == f"{answer['status']} {answer['title']}: {answer['detail']}"


def test_every_refusal_is_provoked_and_in_the_table() -> None:
    codes = {code for _, code in answerable()}
    assert set(WAYS) | set(BEFORE) == codes
    assert list(words()) == sorted(codes)
