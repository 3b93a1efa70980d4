"""Forms of uploads that are nearly right, and sometimes are.

Pure: the same chance makes the same bytes.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.fuzz.gateway.texts import any_text

_BOUNDARY: Final = b"the-boundary"
_BOUNDARIES: Final = (
    b"B", b"-", b"--", b"----x", b"a b", b"'()+_,-./:=?", b"x" * 70, b"x" * 200, b"(.*)+$", b"\\", b"[", b"boundary=b",
    b"%0d%0a", b"\xc3\xa9",
)  # fmt: skip
_DISPOSITIONS: Final = (
    b"", b"form-data", b"form-data; name", b"form-data; name=", b'form-data; name=""', b'form-data; name="file',
    b"attachment", b'form-data; filename="a.mp4"', b'form-data; name="file"; filename',
    b'form-data; name="file"; filename=""', b"form-data; filename*=x",
    b'form-data; name="file"; name="output"; filename="a"', b'form-data; name="file"; filename="a"; filename="b"',
    b"file; file; file", b"form-data; name*=utf-8''file; filename*=utf-8''%ff%00",
    b"form-data; name=\"file\"; filename*=utf-7''+2AA-", b'form-data; name="\\',
    b'form-data; name="file"; filename*0=a; filename*1=b', b'form-data; name="file"; filename="' + b"\\" * 9000 + b'"',
    b'form-data; name="file"; filename="' + b'";' * 5000 + b'"', b"form-data; " + b"a=" * 9000,
    b"form-data" + b";" * 30_000, b'form-data;name="file";filename="a\r\n b.mp4"',
    b"form-data; name=\xff; filename=\xff", b'form-data; name="file\0"; filename="a"',
)  # fmt: skip
_CONTENT_TYPES: Final = (
    b"video/mp4", b"", b"multipart/mixed; boundary=the-boundary", b"text/plain; charset=utf-7", b"x" * 9000, b"a/b\0",
    b"video/\xff", b"/",
)  # fmt: skip
_FIELDS: Final = (b"file", b"output", b"allowTruncated", b"FILE", b"file[]", b"$where", b"__proto__", b"")


@dataclass
class Part:
    """A part of a form."""

    disposition: bytes
    content: bytes
    fields: list[bytes] = field(default_factory=list)


@dataclass
class Form:
    """A form as it is being made."""

    parts: list[Part]
    boundary: bytes = _BOUNDARY
    written: bytes = _BOUNDARY
    """The boundary that stands between the parts."""

    content_type: bytes = b"multipart/form-data; boundary="
    line_end: bytes = b"\r\n"
    preamble: bytes = b""
    closing: bytes = b"--\r\n"

    @property
    def kind(self) -> bytes:
        """The Content-Type of the request."""
        return self.content_type + self.boundary

    def __bytes__(self) -> bytes:
        end = self.line_end
        parts = [
            end.join(
                (b"--" + self.written, b"Content-Disposition: " + part.disposition, *part.fields, b"", part.content)
            )
            for part in self.parts
        ]
        return self.preamble + end.join((*parts, b"--" + self.written)) + self.closing


def a_form(chance: random.Random) -> Form:
    """A form that is right, but for what its file is called and what it asks for."""
    parts = [_a_file(chance)]
    if chance.random() < 0.4:
        parts.append(Part(b'form-data; name="output"', _options(chance)))
    if chance.random() < 0.2:
        parts.append(Part(b'form-data; name="allowTruncated"', chance.choice((b"true", b"false", b"True", b"", b"1"))))
    chance.shuffle(parts)
    return Form(parts)


def spoil(form: Form, chance: random.Random) -> None:
    """Do one thing to it."""
    chance.choice(_SPOILS)(form, chance)


def _a_file(chance: random.Random) -> Part:
    name = "talk.mp4" if chance.random() < 0.3 else any_text(chance)
    written = name.encode(errors="surrogatepass")
    if chance.random() < 0.7:
        written = written.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b'"', b"%22")
    return Part(b'form-data; name="file"; filename="' + written + b'"', _content(chance), [b"Content-Type: video/mp4"])


def _content(chance: random.Random) -> bytes:
    size = chance.choice((0, 1, 100, 5000, 70_000, 300_000))
    return chance.choice(
        (
            b"x" * size,
            b"\r\n--the-boundar" * (size // 14),
            b"\r" * size,
            b"\n-" * (size // 2),
            b"\r\n" * (size // 2),
            b"--the-boundary",
        )
    )


def _options(chance: random.Random) -> bytes:
    """What is asked for: the fields that there are, with values that they have and others."""
    wanted = {chance.choice(_OPTIONS): _an_option(chance) for _ in range(chance.randrange(4))}
    if chance.random() < 0.5:
        return json.dumps(wanted).encode()
    depth = chance.choice((10, 300, 5000))
    return chance.choice(
        (
            b"", b"null", b"[]", b"1", b"NaN", b"{", b'{"a"', b"[" * depth, b'{"tags":' * depth + b"1" + b"}" * depth,
            b"\xff", b"\xef\xbb\xbf{}", b'{"filename":"\\ud800"}', b'{"filename":"a","filename":"b"}',
            b'{"sampleRate":' + b"9" * depth + b"}", b" " * 200_000, b"{}\0",
        )
    )  # fmt: skip


_OPTIONS: Final = ("filename", "encoding", "sampleRate", "channels", "trim", "loudness", "audioTrack", "tags", "colour")


def _an_option(chance: random.Random) -> object:
    text = any_text(chance)
    return chance.choice(
        (
            text, None, True, -1, 0, 44100, 1e300, 10**30, [], {}, [text], {text: text}, {"vbr": 2},
            {"cbr": chance.randrange(400)}, {"vbr": text}, {"start": text},
            {"start": 1, "end": "00:00:0" + str(chance.randrange(10))}, {"integratedLufs": -16}, {"index": -1},
            {"language": text}, {"title": text, "custom": {text: text}}, {"id3Version": 2.4}, "mono",
            {"comment": text * 99},
        )
    )  # fmt: skip


def _boundary(form: Form, chance: random.Random) -> None:
    form.boundary = form.written = chance.choice(_BOUNDARIES)


def _lying_boundary(form: Form, chance: random.Random) -> None:
    form.written = chance.choice(
        (
            *_BOUNDARIES,
            form.boundary[:-1],
            form.boundary + b"x",
            form.boundary + b" ",
            b"-" + form.boundary,
            form.boundary.upper(),
        )
    )


def _kind(form: Form, chance: random.Random) -> None:
    form.content_type = chance.choice(
        (
            b"multipart/form-data;boundary=", b'multipart/form-data; boundary="', b"multipart/mixed; boundary=",
            b"text/plain; boundary=", b"multipart/form-data; charset=utf-16; boundary=",
            b"Multipart/Form-Data; x=y; BOUNDARY=", b"multipart/form-data; boundary*=utf-8''",
            b"multipart/form-data; boundary=a; boundary=", b"multipart/form-data, boundary=",
        )
    )  # fmt: skip


def _disposition(form: Form, chance: random.Random) -> None:
    if form.parts:
        chance.choice(form.parts).disposition = chance.choice(_DISPOSITIONS)


def _field_name(form: Form, chance: random.Random) -> None:
    name = chance.choice((*_FIELDS, any_text(chance).encode(errors="surrogatepass")))
    form.parts.append(
        Part(b'form-data; name="' + name + b'"' + chance.choice((b"", b'; filename="a"')), _content(chance))
    )


def _twice(form: Form, chance: random.Random) -> None:
    if form.parts:
        form.parts += [chance.choice(form.parts)] * chance.choice((1, 1, 2, 30, 40))


def _without(form: Form, chance: random.Random) -> None:
    if form.parts:
        del form.parts[chance.randrange(len(form.parts))]


def _part_fields(form: Form, chance: random.Random) -> None:
    if form.parts:
        fields = chance.choice(form.parts).fields
        fields += [
            chance.choice(
                (
                    b"Content-Transfer-Encoding: base64",
                    b"Content-Length: 1",
                    b"no colon",
                    b": x",
                    b"\0: \0",
                    b" folded",
                    b"X: " + b"y" * 70_000,
                    b"X: y",
                    b"\xff: \xff",
                )
            )
        ]
        fields.append(b"Content-Type: " + chance.choice(_CONTENT_TYPES))


def _lines(form: Form, chance: random.Random) -> None:
    form.line_end = chance.choice((b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\n\r\n"))


def _preamble(form: Form, chance: random.Random) -> None:
    form.preamble = chance.choice(
        (b"\r\n", b"\n", b"x", b"x" * 70_000, b"--the-boundary--\r\n", b"--the-boundar\r\n", b"\0")
    )


def _closing(form: Form, chance: random.Random) -> None:
    form.closing = chance.choice(
        (
            b"",
            b"-",
            b"--",
            b"\r\n",
            b"--x",
            b"--\r\nepilogue",
            b"--\r\n" + b"x" * 300_000,
            b" --\r\n",
            b"--\r\n--the-boundary\r\n",
        )
    )


_SPOILS: Final[tuple[Callable[[Form, random.Random], None], ...]] = (
    _boundary, _lying_boundary, _lying_boundary, _kind, _disposition, _disposition, _disposition, _field_name,
    _field_name, _twice, _without, _part_fields, _part_fields, _lines, _preamble, _closing, _closing,
)  # fmt: skip
