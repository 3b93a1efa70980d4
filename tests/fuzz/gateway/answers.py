"""The answers on a connection, read strictly: what a careless client would let pass is wrong here.

Pure.
"""

import re
from dataclasses import dataclass
from typing import Final

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9]) [\t\x20-\x7e]*\Z")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)\Z")
_HEAD_END: Final = b"\r\n\r\n"
_WITHOUT_BODY: Final = (204, 304)


class NotAnAnswer(Exception):
    """What came is no HTTP. The text says what of it."""


@dataclass(frozen=True)
class Answer:
    """One of them."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def interim(self) -> bool:
        """Whether the real one follows."""
        return self.status < 200

    def values(self, name: str) -> list[str]:
        """All values of a header; names in small letters."""
        return [value for each, value in self.fields if each == name]

    def value(self, name: str) -> str:
        """The one value of a header; "" where there is none. Raises NotAnAnswer where there are several."""
        values = self.values(name)
        if len(values) > 1:
            raise NotAnAnswer(f"{name} comes {len(values)} times")
        return values[0] if values else ""


def answers_in(received: bytes) -> list[Answer]:
    """All of them, whole. Raises NotAnAnswer."""
    found = []
    while received:
        answer, received = _next(received)
        found.append(answer)
    return found


def is_answered(received: bytes) -> bool:
    """Whether a whole answer has come that is no interim one."""
    try:
        return any(not answer.interim for answer in answers_in(received))
    except NotAnAnswer:
        return False


def _next(received: bytes) -> tuple[Answer, bytes]:
    head, end, rest = received.partition(_HEAD_END)
    if not end:
        raise NotAnAnswer(f"it ends in a head, or is none: {received[:200]!r}")
    status_line, *lines = head.split(b"\r\n")
    if not (found := _STATUS_LINE.match(status_line)):
        raise NotAnAnswer(f"no status line: {status_line[:200]!r}")
    answer = Answer(int(found[1]), tuple(_field(line) for line in lines), b"")
    size = _body_bytes(answer, rest)
    if size > len(rest):
        raise NotAnAnswer(f"of {size} bytes of a body {len(rest)} came")
    return Answer(answer.status, answer.fields, rest[:size]), rest[size:]


def _field(line: bytes) -> tuple[str, str]:
    if not (found := _FIELD.match(line)):
        raise NotAnAnswer(f"no header: {line[:200]!r}")
    return found[1].decode("latin-1").lower(), found[2].decode("latin-1")


def _body_bytes(answer: Answer, rest: bytes) -> int:
    """By its length; an answer to HEAD tells one too, and then the next answer or the end follows at once."""
    if answer.interim or answer.status in _WITHOUT_BODY or not rest or rest.startswith(b"HTTP/1."):
        return 0
    length = answer.value("content-length")
    if not length.isdecimal():
        raise NotAnAnswer(f"no length: {answer.fields}")
    return int(length)
