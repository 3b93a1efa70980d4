"""What the fuzz of the gateway takes for wrong, and what it lets pass."""

import json

import pytest

from tests.fuzz.gateway.case import Case, Ending
from tests.fuzz.gateway.cases import case_of
from tests.fuzz.gateway.client import End, Exchange
from tests.fuzz.gateway.judge import documented, wrong_with
from tests.fuzz.gateway.peer import whole_requests
from tests.servers.process import REPOSITORY

CODES = documented(REPOSITORY / "docs" / "api.md")
GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


def problem(told: int, code: str, /, *fields: str, **changed: object) -> bytes:
    """A refusal as all are, but for what is changed."""
    document = {
        "type": f"urn:video2mp3:problem:{code}",
        "status": told,
        "code": code,
        "detail": "No.",
        "requestId": "1",
    }
    body = json.dumps(document | changed).encode()
    own = ["Content-Type: application/problem+json", "Cache-Control: no-store", "X-Request-Id: 1", *fields]
    return answer(f"{told} No", *own, body=body)


def answer(status: str, *fields: str, body: bytes = b"ok\n") -> bytes:
    """An answer on the wire."""
    head = "\r\n".join((f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""))
    return head.encode() + body


def case(sent: bytes = GET, ending: Ending = Ending.HALF_CLOSE) -> Case:
    return Case(1, 2, (sent,), 0.0, ending)


WELL = {
    "an answer": answer("200 OK"),
    "two": answer("200 OK") * 2,
    "to HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
    "after an invitation": b"HTTP/1.1 100 Continue\r\n\r\n" + answer("202 Accepted"),
    "without a body": b"HTTP/1.1 204 No Content\r\n\r\n" + answer("200 OK"),
    "a refusal": problem(404, "not-found"),
    "another": problem(401, "unauthorized", "WWW-Authenticate: Bearer"),
    "busy": problem(503, "too-many-transfers", "Retry-After: 10"),
    "an unknown coding": problem(501, "transfer-coding-unknown"),
}
WRONG = {
    "a fault": (problem(500, "internal-error"), "a fault of the server: 500"),
    "a store away": (problem(503, "service-unavailable", "Retry-After: 10"), "a fault of the server: 503"),
    "busy until when": (problem(503, "too-many-transfers"), "without retry-after"),
    "no challenge": (problem(401, "unauthorized"), "without www-authenticate"),
    "HTML": (answer("404 Not Found", "Content-Type: text/html", "Cache-Control: no-store"), "no problem+json"),
    "a code that no page lists": (problem(400, "bad-request"), "undocumented refusal: 400"),
    "a code of another status": (problem(400, "not-found"), "undocumented refusal: 400"),
    "another id": (problem(404, "not-found", requestId="2"), "contradicts its answer"),
    "another status": (problem(404, "not-found", status=400), "contradicts its answer"),
    "no sentence": (problem(404, "not-found", detail=""), "contradicts its answer"),
    "a list": (
        answer("404 No", "Content-Type: application/problem+json", "Cache-Control: no-store", body=b"[]"),
        "not a",
    ),
    "a redirect": (answer("308 Permanent Redirect", "Location: http://evil.example/"), "undocumented answer: 308"),
    "a client's header": (answer("200 OK", "X-Injected: x"), "nobody of us wrote: ['x-injected']"),
    "a bare line feed": (answer("200 OK", "Location: a\nb"), "no header"),
    "more answers than requests": (answer("200 OK") * 3, "3 answers, and another server sees 1"),
    "two lengths": (answer("200 OK", "Content-Length: 3"), "content-length comes 2 times"),
    "another protocol": (b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "no status line"),
    "a cut body": (answer("200 OK")[:-1], "of 3 bytes of a body 2 came"),
    "a cut head": (b"HTTP/1.1 200 OK\r\nContent-Le", "ends in a head"),
    "too long a body": (answer("200 OK") + b"more", "ends in a head, or is none"),
    "an invitation alone": (b"HTTP/1.1 100 Continue\r\n\r\n", "not answered"),
    "nothing": (b"", "a whole head was not answered"),
}


@pytest.mark.parametrize("received", WELL.values(), ids=WELL)
def test_what_is_documented_is_well(received: bytes) -> None:
    assert not wrong_with(case(), Exchange(received, End.CLOSED, 0.1), CODES)


@pytest.mark.parametrize(("received", "wrong"), WRONG.values(), ids=WRONG)
def test_all_else_is_wrong(received: bytes, wrong: str) -> None:
    assert wrong in wrong_with(case(), Exchange(received, End.CLOSED, 0.1), CODES)


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        (GET * 3, 3),
        (b"\r\n" + GET + b"\r\n" + GET, 2),
        (GET + b"GET /x HT", 1),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(GET) + GET, 1),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET, 2),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" + GET, 0),
        (b"GET /x\r\n\r\n" + GET, 0),
    ],
)
def test_what_another_server_sees(sent: bytes, count: int) -> None:
    assert whole_requests(sent) == count


@pytest.mark.parametrize(
    ("sent", "received", "end", "wrong"),
    [
        (b"GET /x HT", b"", End.CLOSED, ""),
        (b"GET /" + b"x" * 20_000, b"", End.CLOSED, "not answered"),
        (b"GET /x HT", b"", End.RESET, "reset without an answer"),
        (GET, answer("200 OK"), End.RESET, ""),
        (GET, answer("200 OK"), End.HELD, "neither answered nor closed"),
    ],
)
def test_how_it_ends_counts_too(sent: bytes, received: bytes, end: End, wrong: str) -> None:
    found = wrong_with(case(sent), Exchange(received, end, 0.1), CODES)
    assert wrong in found
    assert bool(found) == bool(wrong)


def test_who_hangs_up_is_owed_nothing_but_an_end() -> None:
    assert not wrong_with(case(ending=Ending.HANG_UP), Exchange(b"HTTP/1.1 20", End.LEFT, 0.1), CODES)


def test_a_number_makes_the_same_case_each_time_and_is_kept_whole_in_a_file() -> None:
    cases = [case_of(1, number) for number in range(50)]
    assert cases == [case_of(1, number) for number in range(50)]
    assert len({each.sent for each in cases}) > 45
    assert [Case.from_json(each.as_json()) for each in cases] == cases
