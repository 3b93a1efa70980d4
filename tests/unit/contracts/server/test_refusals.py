"""Every answer of the server's own is a problem that clients can read."""

import email
import json

import pytest
from gunicorn.http import errors

from video2mp3_contracts.server import refusals


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.LimitRequestHeaders("limit request headers fields size"), 431, "head-too-large"),
        (errors.LimitRequestLine(5000, 4094), 414, "address-too-long"),
        (errors.InvalidRequestLine("GET"), 400, "malformed-request"),
        (errors.InvalidHeaderName("a b"), 400, "malformed-request"),
        (errors.InvalidChunkSize(b"x"), 400, "malformed-request"),
        (errors.ExpectationFailed("coffee"), 417, "expectation-failed"),
        (errors.UnsupportedTransferCoding("gzip"), 501, "transfer-coding-unknown"),
        (errors.InvalidResponseHeader("Location"), 500, "internal-error"),
        (errors.InvalidResponseHeaderName("a b"), 500, "internal-error"),
        (RuntimeError("a bug"), 500, "internal-error"),
    ],
)
def test_each_error_has_its_problem(error: Exception, status: int, code: str) -> None:
    problem = refusals.problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert str(error) not in problem.detail, "what a client sent is not sent back"


def test_the_answer_is_whole_by_itself() -> None:
    head, _, body = refusals.answer(refusals.head_too_slow()).partition(b"\r\n\r\n")
    first, _, lines = head.partition(b"\r\n")
    assert first == b"HTTP/1.1 408 Request Timeout"
    headers = email.message_from_bytes(lines)
    assert (headers["Connection"], headers["Content-Type"]) == ("close", "application/problem+json")
    assert int(headers["Content-Length"]) == len(body)
    document = json.loads(body)
    assert (document["status"], document["code"]) == (408, "head-too-slow")
    assert document["requestId"] == headers["X-Request-Id"] != ""
