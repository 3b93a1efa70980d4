"""① Forms taken apart as they arrive."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gateway.builders import BOUNDARY, a_field, a_file, form
from tests.unit.gateway.fakes import reader
from video2mp3_gateway.upload.filenames import display_name
from video2mp3_gateway.upload.form_data import unmistakable
from video2mp3_gateway.upload.multipart import (
    MAX_PART_HEAD_BYTES,
    READ_BYTES,
    FileBegins,
    FileData,
    FormField,
    MalformedBody,
    Part,
    boundary_of,
    parts,
)


def taken(body: bytes, piece: int | None = None) -> list[Part]:
    """The form's parts, with each file's data joined."""
    found: list[Part] = []
    for part in parts(reader(body, piece=piece), BOUNDARY.encode()):
        if isinstance(part, FileData) and isinstance(found[-1], FileData):
            found[-1] = FileData(found[-1].data + part.data)
        else:
            found.append(part)
    return found


@given(content=st.binary(max_size=2000), piece=st.integers(1, 300))
@settings(max_examples=200)
def test_any_content_in_any_pieces_arrives_as_it_was_sent(content: bytes, piece: int) -> None:
    body = form(a_field("output", "{}"), a_file(b"x" + content))
    assert taken(body, piece) == [
        FormField("output", b"{}"),
        FileBegins("file", "talk.mp4", "video/mp4"),
        FileData(b"x" + content),
    ]


def test_nothing_of_the_boundary_becomes_content_wherever_the_data_at_hand_ends() -> None:
    """The decoder used to let a line break's first byte through when it saw all but the very last hyphen."""
    body = form(a_file(b"x" * 100))
    for cut in range(1, len(body)):
        pieces = iter([body[:cut], body[cut:], b""])
        found = list(parts(lambda _size, pieces=pieces: next(pieces), BOUNDARY.encode()))
        assert b"".join(part.data for part in found if isinstance(part, FileData)) == b"x" * 100, cut


@given(st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", BOUNDARY.encode(), b"x"]), max_size=40), st.integers(1, 9))
def test_content_that_looks_like_a_boundary_arrives_as_it_was_sent(pieces: list[bytes], piece: int) -> None:
    content = b"x" + b"".join(pieces) + b"x"
    if b"\n--" + BOUNDARY.encode() in content or b"\r--" + BOUNDARY.encode() in content:
        return  # it is one
    assert taken(form(a_file(content)), piece)[-1] == FileData(content)


@given(body=st.binary(max_size=500))
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        taken(body)


@pytest.mark.parametrize("content", [b"\r\n" * 1_000_000, b"\x00" * 2_000_000, b"--" * 1_000_000])
def test_little_is_held_at_a_time(content: bytes) -> None:
    body = form(a_file(content))
    tracemalloc.start()
    largest = max(len(part.data) for part in parts(reader(body), BOUNDARY.encode()) if isinstance(part, FileData))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert largest <= READ_BYTES + 100
    assert peak < 8 * READ_BYTES


NAMES: dict[str, tuple[str, str, str]] = {
    "Chromium and Firefox": ('filename="talk.mp4"', "talk.mp4", "talk.mp4"),
    "a path from a script": ('filename="C:\\fakepath\\a.mp4"', "C:\\fakepath\\a.mp4", "a.mp4"),
    "a path on a network": ('filename="\\\\server\\films\\a.mp4"', "\\\\server\\films\\a.mp4", "a.mp4"),
    "a backslash at the end": ('filename="a\\"', "a\\", "a"),
    "Chromium, a quote": ('filename="the %22best%22.mp4"', 'the "best".mp4', 'the "best".mp4'),
    "Chromium, ends of lines": ('filename="a%0D%0Ab.mp4"', "a\r\nb.mp4", "a b.mp4"),
    "a percent sign": ('filename="100%25.mp4"', "100%25.mp4", "100%25.mp4"),
    "curl before 7.81, a quote": ('filename="the \\"best\\".mp4"', 'the "best".mp4', 'the "best".mp4'),
    "a semicolon": ('filename="a; b=c.mp4"', "a; b=c.mp4", "a; b=c.mp4"),
    "Chromium, beyond ASCII": ('filename="Größe 講演.mp4"', "Größe 講演.mp4", "Größe 講演.mp4"),
    "both names": ("filename=\"a_.mp4\"; filename*=UTF-8''%C3%A4.mp4", "ä.mp4", "ä.mp4"),
    "both names, the other way": ("filename*=UTF-8''%C3%A4.mp4; filename=\"a_.mp4\"", "ä.mp4", "ä.mp4"),
    "a charset nobody knows": ("filename=\"a.mp4\"; filename*=klingon''%C3%A4.mp4", "a.mp4", "a.mp4"),
    "Latin-1": ("filename*=iso-8859-1'de'%E4.mp4", "ä.mp4", "ä.mp4"),
    "a token": ("filename=talk.mp4", "talk.mp4", "talk.mp4"),
    "in capitals": ('FILENAME="talk.mp4"', "talk.mp4", "talk.mp4"),
    "empty": ('filename=""', "", ""),
}


@pytest.mark.parametrize(("written", "meant", "shown"), NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("first", [True, False])
def test_names_as_clients_write_them(written: str, meant: str, shown: str, *, first: bool) -> None:
    parameters = f'{written}; name="file"' if first else f'name="file"; {written}'
    head = f"Content-Disposition: form-data; {parameters}\r\nContent-Type: video/mp4\r\n\r\n"
    assert taken(form(head.encode() + b"x")) == [FileBegins("file", meant, "video/mp4"), FileData(b"x")]
    assert display_name(meant) == shown


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_name_arrives_as_a_browser_sent_it(name: str) -> None:
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    [begins, _] = taken(form(a_file(b"x", escaped)))
    assert isinstance(begins, FileBegins)
    assert begins.filename == escaped.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


@pytest.mark.parametrize("piece", [";", '"', '" ', "; a=", '"; a', " ", '; a="', "\\"])
def test_a_hostile_head_is_read_at_once(piece: str) -> None:
    head = 'form-data; name="file"; filename="' + piece * (MAX_PART_HEAD_BYTES // len(piece) - 100)
    began = time.process_time()
    unmistakable(head + "x")
    assert time.process_time() - began < 1


def test_a_field_keeps_its_backslash() -> None:
    assert taken(form(a_field("out\\put", "x"))) == [FormField("out\\put", b"x")]


BOUNDARIES = {
    "multipart/form-data; boundary=abc": b"abc",
    'multipart/form-data; boundary="a b"': b"a b",
    "Multipart/Form-Data; charset=utf-8; boundary=abc": b"abc",
    "multipart/form-data": None,
    "multipart/form-data; boundary=": None,
    "multipart/form-data; boundary=" + "x" * 300: None,
    "multipart/form-data; boundary=ü": None,
    "multipart/mixed; boundary=abc": None,
    "video/mp4": None,
    "": None,
}


@pytest.mark.parametrize(("content_type", "boundary"), BOUNDARIES.items())
def test_the_boundary_of_a_content_type(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary
