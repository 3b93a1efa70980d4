"""⑥ What a web server's answer says about a source. Pure. Source: RFC 9110 (HTTP semantics)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.ports.systems import BrokenOffError

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that the next try may not meet."""

_GONE: Final = frozenset({404, 410})
_WANTS_LOGIN: Final = frozenset({401, 403, 407})
_LIKE_ANOTHER_CLOCK: Final = timedelta(seconds=60)
"""So much younger than the answer, a date of change may be that of two contents (RFC 9110, 8.8.2.2)."""

Headers = Mapping[str, str]
"""Header fields by their names, whatever their case."""


@dataclass(frozen=True)
class Part:
    """Which bytes of the source an answer holds."""

    start: int
    total: int | None
    """Bytes of the whole source; None where the server does not say."""

    validator: str
    """Proves that a later answer is about the same bytes; "" where there is no such proof."""


def part_of(status: int, headers: Headers) -> Part | None:
    """What an answer with content holds; None where that cannot be understood."""
    if status == HTTPStatus.OK:
        return Part(0, _number(headers.get("Content-Length")), _validator(headers))
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", "").strip())
    if status != HTTPStatus.PARTIAL_CONTENT or found is None:
        return None
    return Part(int(found[1]), _number(found[3]), _validator(headers))


def judge(status: int, headers: Headers, host: str) -> None:
    """Raise BrokenOffError for an answer that may pass, and Refused for one that another try would get again.

    `host` is whose answer it is.
    """
    if status in _PASSING:
        raise BrokenOffError(f"{host} answered {status}.")
    if status in _GONE:
        raise Refused(Reason.SOURCE_NOT_FOUND, f"{host} has no file at that address (it answered {status}).")
    if status in _WANTS_LOGIN:
        sentence = f"{host} does not hand the file out without a login (it answered {status})."
        raise Refused(Reason.SOURCE_REFUSED, sentence)
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise Refused(Reason.SOURCE_REFUSED, f"{host} does not hand the file out (it answered {status}).")
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        sentence = f"{host} sends the file compressed by {encoding[:20]!r}, though it was asked not to."
        raise Refused(Reason.SOURCE_REFUSED, sentence)


def _validator(headers: Headers) -> str:
    """A strong validator, for If-Range: an entity tag, or a date that cannot be that of two contents."""
    tag = headers.get("ETag", "").strip()
    if re.fullmatch(r'"[\x21\x23-\x7e\x80-\xff]*"', tag):
        return tag
    if tag:
        return ""
    changed, answered = headers.get("Last-Modified", ""), headers.get("Date", "")
    try:
        strong = parsedate_to_datetime(answered) - parsedate_to_datetime(changed) >= _LIKE_ANOTHER_CLOCK
    except (ValueError, TypeError):
        return ""
    return changed if strong else ""


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,18}", text.strip()) else None
