"""Pauses in the middle of a track, from boxes made here; what ffmpeg reads as it is meant is left to it."""

import io
import struct

import pytest

from video2mp3_worker.containers.edit_lists import Played, Segment, played_of_tracks

NORMAL = 0x10000


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def a_list(*edits: tuple[int, int, int], version: int = 0) -> bytes:
    one = struct.Struct(">QqI" if version else ">IiI")
    entries = b"".join(one.pack(*edit) for edit in edits)
    return box(b"edts", box(b"elst", bytes([version, 0, 0, 0]), struct.pack(">I", len(edits)), entries))


def a_track(edits: bytes, handler: bytes = b"soun", length: int = 0, version: int = 0) -> bytes:
    times = struct.pack(">20xIQ" if version else ">12xII", 48000, length)
    header = box(b"mdhd", bytes([version]), times[1:])
    return box(b"trak", edits, box(b"mdia", header, box(b"hdlr", bytes(8), handler, bytes(12))))


def a_film(*tracks: bytes) -> bytes:
    return box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", bytes(12), struct.pack(">II", 1000, 0)), *tracks)


def found(film: bytes) -> list[tuple[Segment, ...]]:
    return [played.segments for played in played_of_tracks(io.BytesIO(film), len(film))]


PAUSED = ((1000, 0, NORMAL), (2000, -1, NORMAL), (500, 96000, NORMAL))


@pytest.mark.parametrize("version", [0, 1])
def test_a_pause_in_the_middle_becomes_segments(version: int) -> None:
    assert found(a_film(a_track(a_list(*PAUSED, version=version)))) == [(Segment(0.0, 1.0, 2.0), Segment(2.0, 2.5))]


def test_only_audio_tracks_count() -> None:
    film = a_film(a_track(a_list(*PAUSED), b"vide"), a_track(b""), a_track(a_list(*PAUSED)))

    assert [bool(segments) for segments in found(film)] == [False, True]


def test_two_pauses_on_end_are_one() -> None:
    edits = (PAUSED[0], (500, -1, NORMAL), (250, -1, NORMAL))

    assert found(a_film(a_track(a_list(*edits)))) == [(Segment(0.0, 1.0, 0.75),)]


@pytest.mark.parametrize(
    "edits",
    [
        ((1000, 0, NORMAL),),
        ((400, -1, NORMAL), (1000, 0, NORMAL)),
        ((1000, 0, NORMAL), (1000, 48000, NORMAL)),
        ((1000, 48000, NORMAL), (500, -1, NORMAL), (1000, 0, NORMAL)),
        ((1000, 0, NORMAL), (500, -1, NORMAL), (1000, 24000, NORMAL)),
        ((1000, 0, 2 * NORMAL), (500, -1, NORMAL), (1000, 96000, NORMAL)),
        (*PAUSED, (0, 200_000, NORMAL)),
    ],
    ids=["one", "a pause in front", "no pause", "backwards", "overlapping", "at another speed", "without an end"],
)
def test_what_else_there_is_stays_with_ffmpeg(edits: tuple[tuple[int, int, int], ...]) -> None:
    assert found(a_film(a_track(a_list(*edits)))) == [()]


WHOLE = Segment(1024 / 48_000, 49_090 / 48_000)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        (((1001, 1024, NORMAL),), WHOLE),
        (((1002, 1024, NORMAL),), WHOLE),
        (((500, -1, NORMAL), (1001, 1024, NORMAL)), WHOLE),
        (((1000, 1024, NORMAL),), None),
        (((1003, 1024, NORMAL),), None),
        (((1001, 1024, NORMAL // 2),), None),
        (((500, 1024, NORMAL), (501, 25_024, NORMAL)), None),
        ((), None),
    ],
    ids=["rounded down", "rounded up", "later", "an end before", "an end behind", "slower", "two edits", "none"],
)
@pytest.mark.parametrize("version", [0, 1])
def test_an_edit_that_ends_within_a_unit_of_its_media_means_their_end(
    edits: tuple[tuple[int, int, int], ...], expected: Segment | None, version: int
) -> None:
    film = a_film(a_track(a_list(*edits, version=version), length=1024 + 48_066, version=version))

    unit = 0.001 if edits else None
    assert played_of_tracks(io.BytesIO(film), len(film)) == [Played(to_the_end=expected, unit_seconds=unit)]


def test_numbers_that_lie_end_nothing() -> None:
    whole = a_film(a_track(a_list(*PAUSED)))

    for at in range(len(whole)):
        for value in (0x00, 0x7F, 0xFF):
            broken = whole[:at] + bytes([value]) + whole[at + 1 :]
            found(broken)
            found(whole[:at])


def test_a_list_without_bound_is_left_alone() -> None:
    edits = tuple((1, -1, NORMAL) if number % 2 else (1, number * 48, NORMAL) for number in range(101))

    assert found(a_film(a_track(a_list(*edits)))) == [()]
