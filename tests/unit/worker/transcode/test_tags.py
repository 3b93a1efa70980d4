"""The ID3 tag."""

from io import BytesIO
from typing import Any

import pytest
from mutagen.id3 import ID3

from tests.unit.worker.pictures import a_jpeg, a_png
from video2mp3_contracts.api.tags import Tags
from video2mp3_worker.probe.chapters import Chapter
from video2mp3_worker.transcode.images import picture
from video2mp3_worker.transcode.tags import free_texts, merged, render, words_beside

VERSIONS = (3, 4)
NUMBERS = ("TYER", "TDAT", "TIME", "TRCK", "TPOS")


def read(fields: dict[str, str], version: int = 3, **more: Any) -> ID3:
    """As it is written: mutagen would make the frames of the newer version of older ones."""
    return ID3(BytesIO(render(fields, version=version, **more)), translate=False)


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
        ("artist", "next\x85line \x9b31mred", "next line 31mred"),
        ("title", "gpj.\u202eexe", "gpj.exe"),
        ("comment", "one\r\ntwo\rthree\n\n  four\tfive \n\n", "one\ntwo\nthree\n\nfour five"),
        ("lyrics", "la\x07\u2028la\n\nla", "la\nla\n\nla"),
        ("lyrics", "z" * 99_999, "z" * 16_384),
        ("date", "2026-03-01 10:15", "2026-03-01T10:15"),
        ("date", "2026-13-45", "2026"),
        ("date", "2026-02-00T10:00", "2026-02"),
        ("disc", "1/2, the first", "1/2"),
    ],
)
def test_what_the_source_says_is_cleaned(name: str, value: str, expected: str) -> None:
    assert merged({name: value}, Tags()) == {name: expected}


@pytest.mark.parametrize(
    ("name", "value"),
    [("date", "yesterday"), ("track", "first"), ("disc", "A"), ("title", "\x01\x02"), ("lyrics", "\n \n")],
)
def test_what_no_frame_can_hold_is_in_none(name: str, value: str) -> None:
    assert merged({name: value}, Tags()) == {}


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ({"date": "3 May 2021", "track": "3 of 12", "disc": "1/2", "title": "A1"}, {}),
        (
            {"date": "yesterday", "track": "A1", "disc": "the first"},
            {"DATE": "yesterday", "TRACK": "A1", "DISC": "the first"},
        ),
        ({"date": "2026-13-45", "track": "07/12 of it"}, {"DATE_TEXT": "2026-13-45", "TRACK_TEXT": "07/12 of it"}),
        ({"date": "\u202e \x00", "track": "x" * 999}, {"TRACK": "x" * 256}),
    ],
    ids=["held", "not held", "held in part", "cleaned"],
)
def test_what_no_frame_can_hold_becomes_a_free_text(source: dict[str, str], texts: dict[str, str]) -> None:
    assert words_beside(source, Tags()) == texts


def test_the_words_of_a_field_that_was_asked_for_are_the_sources_no_more() -> None:
    assert words_beside({"date": "yesterday", "track": "A1"}, Tags(date="2026", track="")) == {}


@pytest.mark.parametrize(("version", "written"), [(3, "((17)"), (4, "(17)")], ids=["2.3", "2.4"])
def test_a_genre_in_brackets_is_no_number_of_one(version: int, written: str) -> None:
    """ID3v2.3.0, 4.2.1: "If the refinement should begin with a "(" character it should be replaced with "(("."""
    assert read({"genre": "(17)"}, version)["TCON"].text == [written]


def test_lines_that_were_asked_for_end_as_id3_wants_it() -> None:
    wanted = Tags(comment="one\r\ntwo\n", lyrics="\nla\n\n  la", title="one\u2028line")

    assert merged({}, wanted) == {"comment": "one\ntwo", "lyrics": "\nla\n\n  la", "title": "one\u2028line"}


EVERY_FIELD = {
    "title": "Ein Käfer 🐞",
    "artist": "Ζωή",
    "album": "A",
    "album_artist": "B",
    "composer": "C",
    "genre": "Jazz",
    "date": "2026-03-01T10:15:30",
    "track": "3/12",
    "disc": "1/2",
    "comment": "说\nand more",
    "lyrics": "la\n\nla",
}
WRITTEN = {
    "TIT2": "Ein Käfer 🐞", "TPE1": "Ζωή", "TALB": "A", "TPE2": "B", "TCOM": "C", "TCON": "Jazz", "TRCK": "3/12",
    "TPOS": "1/2", "COMM::und": "说\nand more", "USLT::und": "la\n\nla",
}  # fmt: skip


def test_every_field_is_written_as_old_players_read_it() -> None:
    """In UTF-16, but for numbers: ID3v2.3, chapter 3.3."""
    tag = read(EVERY_FIELD)

    found = {name: str(frame) for name, frame in tag.items()}
    assert tag.version == (2, 3, 0)
    assert found == WRITTEN | {"TYER": "2026", "TDAT": "0103", "TIME": "1015"}
    assert {int(frame.encoding) for frame in tag.values() if frame.FrameID not in NUMBERS} == {1}
    assert {int(tag[name].encoding) for name in NUMBERS} == {0}


def test_every_field_is_written_as_newer_players_read_it() -> None:
    tag = read(EVERY_FIELD, version=4)

    assert tag.version == (2, 4, 0)
    assert {name: str(frame) for name, frame in tag.items()} == WRITTEN | {"TDRC": "2026-03-01 10:15:30"}
    assert {int(frame.encoding) for frame in tag.values()} == {3}


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026", {"TYER": "2026"}),
        ("2026-03", {"TYER": "2026"}),
        ("2026-03-01", {"TYER": "2026", "TDAT": "0103"}),
        ("2026-03-01 10", {"TYER": "2026", "TDAT": "0103"}),
        ("2026-12-31 23:59", {"TYER": "2026", "TDAT": "3112", "TIME": "2359"}),
    ],
)
def test_of_a_date_the_older_version_holds_what_it_has_frames_for(date: str, expected: dict[str, str]) -> None:
    assert {name: str(frame) for name, frame in read({"date": date}).items()} == expected


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("date", ["spring 2026", "2026-13-45"])
def test_a_date_that_is_no_timestamp_is_kept_in_a_field_of_its_own(date: str, version: int) -> None:
    assert {name: str(frame) for name, frame in read({"date": date}, version).items()} == {"TXXX:DATE": date}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_number_that_is_none_is_written_as_a_text(version: int) -> None:
    assert read({"track": "Ä1"}, version)["TRCK"].text == ["Ä1"]


@pytest.mark.parametrize("version", VERSIONS)
def test_free_texts_have_names_of_their_own(version: int) -> None:
    tag = read({"date": "in spring"}, version, texts={"Stimmung": "fröhlich", "DATE": "2026"})

    assert {name: str(frame) for name, frame in tag.items()} == {"TXXX:Stimmung": "fröhlich", "TXXX:DATE": "2026"}


def test_free_texts_that_were_asked_for_override_and_leave_out() -> None:
    own = {"REPLAYGAIN_TRACK_GAIN": "-3.00 dB", "REPLAYGAIN_TRACK_PEAK": "0.5"}

    assert free_texts(own, Tags()) == own
    assert free_texts(own, Tags(custom={"replaygain_track_gain": "", "Mood": "calm"})) == {
        "REPLAYGAIN_TRACK_PEAK": "0.5",
        "Mood": "calm",
    }


def test_nothing_to_say_is_no_tag() -> None:
    assert render({}) == b""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("data", "mime"), [(a_jpeg(), "image/jpeg"), (a_png(), "image/png")])
def test_the_cover_is_written_as_the_front(data: bytes, mime: str, version: int) -> None:
    tag = read({}, version, cover=picture(data))

    (frame,) = tag.getall("APIC")
    assert (frame.type, frame.mime, frame.data) == (3, mime, data)


@pytest.mark.parametrize(("version", "expected"), [(3, "x" + "说" * 100), (4, "x" + "说" * 39)], ids=["2.3", "2.4"])
def test_a_long_title_of_a_chapter_is_cut_between_letters(version: int, expected: str) -> None:
    tag = read({}, version, chapters=[Chapter(0, 1, "x" + "说" * 100)])

    assert tag["CHAP:chp0"].sub_frames["TIT2"].text == [expected]


@pytest.mark.parametrize("version", VERSIONS)
def test_chapters_are_listed_in_a_table_of_contents(version: int) -> None:
    tag = read({"title": "T"}, version, chapters=[Chapter(0, 1.2346, "Käfer\n" + "x" * 99), Chapter(1.2346, 4)])

    (contents,) = tag.getall("CTOC")
    first, second = (tag[f"CHAP:{name}"] for name in contents.child_element_ids)
    assert int(contents.flags) == 0b11
    assert (first.start_time, first.end_time, second.start_time, second.end_time) == (0, 1235, 1235, 4000)
    assert first.start_offset == first.end_offset == 0xFFFFFFFF
    assert first.sub_frames["TIT2"].text == ["Käfer " + "x" * 99]
    assert len(second.sub_frames) == 0
