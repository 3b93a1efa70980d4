"""ffprobe's JSON, complete, sparse and absurd."""

from typing import Any

import pytest

from video2mp3_worker.probe.chapters import Chapter
from video2mp3_worker.probe.gains import Gains
from video2mp3_worker.probe.media import AttachedPicture, AudioTrack, parse_media


def a_document(**audio: Any) -> dict[str, Any]:
    return {
        "format": {"format_name": "matroska,webm", "duration": "12.5", "tags": {"TITLE": "Käfer", "encoder": "x"}},
        "streams": [
            {"codec_type": "video", "codec_name": "h264"},
            {"codec_type": "audio", "codec_name": "aac"} | audio,
        ],
    }


def test_an_ordinary_file() -> None:
    document = a_document(
        sample_rate="48000", channels=6, duration="12.4", tags={"language": "deu"}, disposition={"default": 1},
        bit_rate="128000", start_time="0.023",
    )  # fmt: skip

    media = parse_media(document, 1000)

    assert (media.format, media.size, media.duration_seconds, media.streams) == ("matroska,webm", 1000, 12.5, 2)
    assert media.tags == {"title": "Käfer"}
    assert media.tracks == (
        AudioTrack(0, "aac", 48000, 6, 12.4, "deu", default=True, bit_rate=128_000, start_seconds=0.023),
    )


@pytest.mark.parametrize(
    ("sample_format", "expected"),
    [("s16", True), ("s32p", True), ("u8", True), ("fltp", False), ("dbl", False), ("", False), (None, False)],
)
def test_whether_the_decoder_gives_whole_numbers(sample_format: str | None, expected: bool) -> None:
    (track,) = parse_media(a_document(sample_fmt=sample_format), 1000).tracks

    assert track.is_integer is expected


@pytest.mark.parametrize("value", ["N/A", "", None, "nan", "inf", "-5", "0", [], {}])
def test_a_duration_without_sense_is_unknown(value: object) -> None:
    assert parse_media(a_document(duration=value), 1).tracks[0].duration_seconds is None


def test_an_empty_answer_is_a_file_without_tracks() -> None:
    assert parse_media({}, 5).tracks == ()


def test_ogg_keeps_its_tags_with_the_stream() -> None:
    document = a_document(tags={"ARTIST": "Ada", "title": "of the stream"})

    assert parse_media(document, 1).tags == {"artist": "Ada", "title": "Käfer"}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"lyrics": "of mp4"}, {"lyrics": "of mp4"}),
        (
            {"TRACKNUMBER": "7", "track": "7", "TRACKTOTAL": "12", "TOTALDISCS": "2", "disc": "1"},
            {"track": "7/12", "disc": "1/2"},
        ),
        ({"track": "7/10", "TRACKTOTAL": "12", "disc": "1", "DISCTOTAL": "two"}, {"track": "7/10", "disc": "1"}),
        ({"lyrics-eng": "of ID3"}, {"lyrics": "of ID3"}),
        ({"lyrics-a note-deu": "noted", "lyrics-eng": "of ID3"}, {"lyrics": "of ID3"}),
        ({"UNSYNCEDLYRICS": "of Vorbis", "LYRICS": "first"}, {"lyrics": "first"}),
        ({"UNSYNCEDLYRICS": "of Vorbis"}, {"lyrics": "of Vorbis"}),
        ({"WM/Lyrics": "of Windows", "WM/Year": "2026-03-01"}, {"lyrics": "of Windows", "date": "2026-03-01"}),
        ({"disc": "1/2", "comment": "one\ntwo"}, {"disc": "1/2", "comment": "one\ntwo"}),
    ],
)
def test_tags_are_known_by_the_names_of_their_formats(tags: dict[str, str], expected: dict[str, str]) -> None:
    assert parse_media({"format": {"tags": tags}}, 1).tags == expected


def test_what_is_said_of_the_loudness_of_a_whole_file_is_said_of_its_only_track() -> None:
    def gains(*streams: dict[str, str]) -> list[Gains | None]:
        document = {
            "format": {"tags": {"REPLAYGAIN_TRACK_GAIN": "-3 dB"}},
            "streams": [{"codec_type": "audio", "codec_name": "opus", "tags": tags} for tags in streams],
        }
        return [track.gains for track in parse_media(document, 1).tracks]

    assert gains({}) == [Gains(track=-3)]
    assert gains({"R128_TRACK_GAIN": "512"}) == [Gains(track=7)]
    assert gains({}, {"R128_TRACK_GAIN": "512"}) == [None, Gains(track=7)]


def test_undetermined_is_no_language() -> None:
    assert parse_media(a_document(tags={"language": "und"}), 1).tracks[0].language == ""


def a_picture(index: object, tags: dict[str, str], **disposition: int) -> dict[str, Any]:
    return {
        "codec_type": "video", "codec_name": "mjpeg", "index": index, "tags": tags,
        "disposition": {"attached_pic": 1} | disposition,
    }  # fmt: skip


def test_pictures_that_belong_to_the_file_are_found() -> None:
    document = a_document() | {
        "streams": [
            {"codec_type": "video", "codec_name": "mjpeg", "index": 0, "disposition": {"attached_pic": 0}},
            a_picture(1, {"comment": "Band/Orchestra"}),
            a_picture(2, {"COMMENT": "Cover (front)"}),
            a_picture(3, {"filename": "cover.png"}),
            a_picture(4, {}, timed_thumbnails=1),
            a_picture("?", {}),
        ]
    }

    assert parse_media(document, 1).pictures == (
        AttachedPicture(1),
        AttachedPicture(2, is_front=True),
        AttachedPicture(3, is_front=True),
    )


@pytest.mark.parametrize(
    ("format_name", "expected"), [("mpegts", Chapter(0.0, 2.5, "Käfer")), ("mp3", Chapter(1.5, 4.0, "Käfer"))]
)
def test_chapters_are_counted_from_the_beginning_of_the_file(format_name: str, expected: Chapter) -> None:
    document = {
        "format": {"format_name": format_name, "start_time": "1.5"},
        "chapters": [
            {"id": 1, "start_time": "1.500000", "end_time": "4.000000", "tags": {"TITLE": "Käfer"}},
            {"id": 2, "start_time": "N/A", "end_time": "4.000000"},
            {"id": 3},
        ],
    }

    assert parse_media(document, 1).chapters == (expected,)
