"""The ID3 tag."""

from io import BytesIO

import pytest
from mutagen.id3 import ID3

from tests.unit.worker.pictures import a_jpeg, a_png
from video2mp3_contracts.output import Tags
from video2mp3_worker.chapters import Chapter
from video2mp3_worker.images import picture
from video2mp3_worker.tags import merged, render


def read(fields: dict[str, str]) -> ID3:
    return ID3(BytesIO(render(fields)))


def test_what_was_asked_for_overrides_the_source() -> None:
    assert merged({"title": "old", "artist": "Ada"}, Tags(title="new", track="3/12")) == {
        "title": "new",
        "artist": "Ada",
        "track": "3/12",
    }


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("title", " two\nlines\0 ", "two lines"),
        ("title", "x" * 999, "x" * 256),
        ("comment", "y" * 9999, "y" * 1024),
        ("date", "2026-03-01T10:00:00.000Z", "2026-03-01T10:00:00"),
        ("date", "2026", "2026"),
        ("track", "07/12 of it", "07/12"),
        ("artist", "\ud800broken", "broken"),
        ("artist", "next\x85line \x9b31mred", "next line  31mred"),
    ],
)
def test_what_the_source_says_is_cleaned(name: str, value: str, expected: str) -> None:
    assert merged({name: value}, Tags()) == {name: expected}


@pytest.mark.parametrize(("name", "value"), [("date", "yesterday"), ("track", "first"), ("title", "\x01\x02")])
def test_what_makes_no_sense_is_left_out(name: str, value: str) -> None:
    assert merged({name: value}, Tags()) == {}


def test_every_field_is_written_in_utf8() -> None:
    tag = read(
        {
            "title": "Ein Käfer 🐞",
            "artist": "Ζωή",
            "album": "A",
            "album_artist": "B",
            "composer": "C",
            "genre": "Jazz",
            "date": "2026-03-01",
            "track": "3/12",
            "comment": "说",
        }
    )

    assert tag.version == (2, 4, 0)
    texts = {frame.FrameID: str(frame.text[0]) for frame in tag.values()}
    assert texts == {
        "TIT2": "Ein Käfer 🐞", "TPE1": "Ζωή", "TALB": "A", "TPE2": "B", "TCOM": "C", "TCON": "Jazz",
        "TDRC": "2026-03-01", "TRCK": "3/12", "COMM": "说",
    }  # fmt: skip
    assert {frame.encoding for frame in tag.values()} == {3}


def test_a_date_that_is_no_timestamp_is_kept_in_a_field_of_its_own() -> None:
    assert read({"date": "spring 2026"})["TXXX:DATE"].text == ["spring 2026"]


def test_nothing_to_say_is_no_tag() -> None:
    assert render({}) == b""


@pytest.mark.parametrize(("data", "mime"), [(a_jpeg(), "image/jpeg"), (a_png(), "image/png")])
def test_the_cover_is_written_as_the_front(data: bytes, mime: str) -> None:
    tag = ID3(BytesIO(render({}, picture(data))))

    (frame,) = tag.getall("APIC")
    assert (frame.type, frame.mime, frame.data) == (3, mime, data)


def test_a_long_title_of_a_chapter_is_cut_between_letters() -> None:
    tag = ID3(BytesIO(render({}, chapters=[Chapter(0, 1, "x" + "说" * 100)])))

    assert tag["CHAP:chp0"].sub_frames["TIT2"].text == ["x" + "说" * 39]


def test_chapters_are_listed_in_a_table_of_contents() -> None:
    tag = ID3(BytesIO(render({"title": "T"}, chapters=[Chapter(0, 1.2346, "Käfer\n" + "x" * 999), Chapter(1.2346, 4)])))

    (contents,) = tag.getall("CTOC")
    first, second = (tag[f"CHAP:{name}"] for name in contents.child_element_ids)
    assert int(contents.flags) == 0b11
    assert (first.start_time, first.end_time, second.start_time, second.end_time) == (0, 1235, 1235, 4000)
    assert first.start_offset == first.end_offset == 0xFFFFFFFF
    assert first.sub_frames["TIT2"].text == ["Käfer " + "x" * 113]
    assert len(second.sub_frames) == 0
