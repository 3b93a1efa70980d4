"""① Takes a multipart/form-data body (RFC 7578) apart while it arrives, in constant memory and without temporary files.

werkzeug's decoder does the parsing; this module feeds it, bounds it, and says in three kinds of event what came.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio import multipart

from video2mp3_gateway.upload.form_data import unmistakable

READ_BYTES: Final = 256 * 1024
"""How much is asked of the connection at a time."""

MAX_PART_HEAD_BYTES: Final = 64 * 1024
"""The largest preamble or part's head. A file's name is the only long thing there."""

MAX_FIELD_BYTES: Final = 192 * 1024
"""The largest value of a form field: JSON may write each letter of long lyrics in six bytes."""

MAX_PARTS: Final = 32

_LONGEST_BOUNDARY_EXTRA: Final = 64
"""More than a boundary has around it: a line break, four hyphens, a line break, and white space that nobody sends."""


class MalformedBody(Exception):
    """The body is not what its Content-Type says, or ended before its end. The text is for the sender."""


@dataclass(frozen=True)
class FormField:
    """A form field that is not a file, as a whole."""

    name: str
    value: bytes


@dataclass(frozen=True)
class FileBegins:
    """A file's head. FileData with its content follow, until something else does."""

    field: str
    filename: str
    content_type: str


@dataclass(frozen=True)
class FileData:
    """Some bytes of the file that began last."""

    data: bytes


Part = FormField | FileBegins | FileData


def boundary_of(content_type: str) -> bytes | None:
    """The boundary that a Content-Type names, or None if it is not multipart/form-data with one."""
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not 0 < len(boundary) <= 200 or not boundary.isascii():
        return None
    return boundary.encode()


def parts(read: Callable[[int], bytes], boundary: bytes) -> Iterator[Part]:
    """What the body holds, in its order. `read` gives up to so many bytes and b"" at the end. Raises MalformedBody."""
    decoder = _Decoder(boundary, max_form_memory_size=READ_BYTES + MAX_PART_HEAD_BYTES, max_parts=MAX_PARTS)
    field: _FieldValue | None = None
    for event in _events(decoder, read):
        match event:
            case multipart.File():
                yield FileBegins(_name(event), event.filename, event.headers.get("Content-Type", ""))
            case multipart.Field():
                field = _FieldValue(_name(event))
            case multipart.Data() if field:
                field.add(event.data)
                if not event.more_data:
                    yield field.whole()
                    field = None
            case multipart.Data() if event.data:
                yield FileData(event.data)


class _Decoder(multipart.MultipartDecoder):
    """werkzeug's decoder, mended in three places.

    It takes part heads in any encoding: some clients send names in their own, and a name is shown, never trusted.

    It reads names as browsers write them, see `form_data`; the original (3.1) takes a backslash for an escape.

    And it keeps what may be the beginning of a boundary until the rest has come. The original (3.1) lets the line
    break's first byte through as content when the data at hand ends between the two last hyphens of a form.
    """

    def _last_partial_boundary_index(self, data: bytes | bytearray) -> int:
        beginning = max(0, len(data) - len(self.boundary) - _LONGEST_BOUNDARY_EXTRA)
        found = multipart.LINE_BREAK_RE.search(data, beginning)
        if found is None:
            return len(data)
        between_cr_and_lf = found.start() == beginning > 0 and data[beginning - 1 : beginning + 1] == b"\r\n"
        return found.start() - 1 if between_cr_and_lf else found.start()

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        headers = super()._parse_headers(bytes(data).decode(errors="replace").encode())
        if disposition := headers.get("Content-Disposition"):
            headers["Content-Disposition"] = unmistakable(disposition)
        return headers


class _FieldValue:
    """Collects a form field's value."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._value = bytearray()

    def add(self, data: bytes) -> None:
        if len(self._value) + len(data) > MAX_FIELD_BYTES:
            raise MalformedBody(f"the form field {self._name[:100]!r} has more than {MAX_FIELD_BYTES} bytes")
        self._value += data

    def whole(self) -> FormField:
        return FormField(self._name, bytes(self._value))


def _name(event: multipart.File | multipart.Field) -> str:
    # werkzeug's annotation says str, but a part without a name gives None.
    name: str | None = event.name
    if name is None:
        raise MalformedBody("a part of the form has no name")
    return name


def _events(decoder: _Decoder, read: Callable[[int], bytes]) -> Iterator[multipart.Event]:
    while True:
        event = _next(decoder)
        while isinstance(event, multipart.NeedData):
            _feed(decoder, read(READ_BYTES))
            event = _next(decoder)
        if isinstance(event, multipart.Epilogue):
            return
        yield event


def _next(decoder: _Decoder) -> multipart.Event:
    try:
        return decoder.next_event()
    except RequestEntityTooLarge as error:
        raise MalformedBody(f"the form has more than {MAX_PARTS} parts") from error
    except ValueError as error:
        if decoder.complete:
            raise MalformedBody("the body ended before the form did") from error
        raise MalformedBody("the body is no valid multipart/form-data") from error


def _feed(decoder: _Decoder, data: bytes) -> None:
    try:
        decoder.receive_data(data or None)
    except RequestEntityTooLarge as error:
        raise MalformedBody(f"the head of a part of the form has more than {MAX_PART_HEAD_BYTES} bytes") from error
