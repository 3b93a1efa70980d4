"""What is wrong with an exchange, by what the documents promise to whoever calls.

Pure.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.fuzz.gateway.answers import Answer, NotAnAnswer, answers_in
from tests.fuzz.gateway.case import Case, Ending
from tests.fuzz.gateway.client import End, Exchange
from tests.fuzz.gateway.peer import whole_requests
from video2mp3_contracts.runtime.problem import PROBLEM_CONTENT_TYPE
from video2mp3_contracts.server.limits import MAX_HEAD_BYTES

_ACCEPTED: Final = 202
_GOOD: Final = frozenset({200, _ACCEPTED, 204, 303})
"""206 and 304 would need an mp3, and there is none."""

_BUSY: Final = frozenset({"too-many-transfers", "transfer-coding-unknown"})
"""The 5xx that may come where nothing is away and nothing is wrong with the gateway."""

_HEADERS: Final = frozenset(
    {
        *("server", "date", "connection", "content-type", "content-length", "cache-control", "x-content-type-options"),
        *("x-request-id", "location", "allow", "www-authenticate", "retry-after", "content-security-policy"),
        "referrer-policy",
    }
)
"""No other is ours: it would be the client's own."""

_DEMANDED: Final = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}
_ROW: Final = re.compile(r"^\| `([a-z-]+)` \| (\d{3}) ", re.MULTILINE)
_WHOLE_HEAD: Final = re.compile(rb"\n\r?\n")


def documented(page: Path) -> dict[str, int]:
    """The codes of problems with their status, as docs/api.md lists them."""
    return {code: int(status) for code, status in _ROW.findall(page.read_text())}


def accepted(exchange: Exchange) -> list[dict[str, Any]]:
    """What the gateway said that it took, in what of the answers can be read."""
    try:
        answers = answers_in(exchange.received)
    except NotAnAnswer:
        return []
    return [json.loads(answer.body) for answer in answers if answer.status == _ACCEPTED]


def wrong_with(case: Case, exchange: Exchange, codes: Mapping[str, int]) -> str:
    """A sentence, or "" where all is well. `codes` are the documented ones."""
    if exchange.end is End.HELD:
        return f"it was neither answered nor closed in {exchange.seconds:.0f} s"
    if case.ending is Ending.HANG_UP:
        return ""
    try:
        answers = answers_in(exchange.received)
        wrong = next(filter(None, (_wrong_answer(answer, codes) for answer in answers)), "")
        return wrong or _too_many(case, answers) or _missing(case, exchange, answers)
    except NotAnAnswer as error:
        return f"no answer as HTTP has it: {error}"


def _too_many(case: Case, answers: list[Answer]) -> str:
    """Bytes that are one request's body for a proxy must be no request here. One more may have been refused unread."""
    answered = sum(not answer.interim for answer in answers)
    seen = whole_requests(case.sent)
    return f"{answered} answers, and another server sees {seen} whole requests" if answered > seen + 1 else ""


def _missing(case: Case, exchange: Exchange, answers: list[Answer]) -> str:
    if answers and not answers[-1].interim:
        return ""
    if exchange.end is End.RESET:
        return "it was reset without an answer"
    whole = _WHOLE_HEAD.search(case.sent) or len(case.sent) > MAX_HEAD_BYTES
    return "a whole head was not answered" if whole else ""


def _wrong_answer(answer: Answer, codes: Mapping[str, int]) -> str:
    if strange := {name for name, _ in answer.fields} - _HEADERS:
        return f"a header that nobody of us wrote: {sorted(strange)}" if not answer.interim else ""
    if answer.interim:
        return "" if answer.status == 100 else f"an interim answer {answer.status}"
    if answer.status < 400:
        return "" if answer.status in _GOOD else f"an undocumented answer: {answer.status} {answer.fields}"
    return _wrong_refusal(answer, codes)


def _wrong_refusal(answer: Answer, codes: Mapping[str, int]) -> str:
    told = f"{answer.status} {answer.body[:300]!r}"
    if answer.value("content-type") != PROBLEM_CONTENT_TYPE or answer.value("cache-control") != "no-store":
        return f"a refusal that is no problem+json, or may be stored: {told} {answer.fields}"
    if (needed := _DEMANDED.get(answer.status)) and not answer.value(needed):
        return f"a refusal without {needed}: {told}"
    return _wrong_problem(answer, codes) if answer.body else ""


def _wrong_problem(answer: Answer, codes: Mapping[str, int]) -> str:
    told = f"{answer.status} {answer.body[:300]!r}"
    try:
        problem = json.loads(answer.body)
        code, sentence = problem["code"], problem["detail"]
        said = (problem["type"], problem["status"], problem["requestId"])
    except (ValueError, KeyError, TypeError):
        return f"not a problem as documented: {told}"
    if said != (f"urn:video2mp3:problem:{code}", answer.status, answer.value("x-request-id")) or not sentence:
        return f"a problem that contradicts its answer: {told}"
    if codes.get(code) != answer.status:
        return f"an undocumented refusal: {told}"
    return f"a fault of the server: {told}" if answer.status >= 500 and code not in _BUSY else ""
