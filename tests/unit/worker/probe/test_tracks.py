"""Which track becomes the mp3 where nobody asked for one, what is said of that, and when to look further first."""

from typing import Any

import pytest

from tests.unit.worker.builders import a_media, a_track
from video2mp3_contracts.api.output import AudioTrack as WantedTrack
from video2mp3_worker.probe.media import AudioTrack
from video2mp3_worker.probe.tracks import choose_track, needs_further_look

MONO: dict[str, Any] = {"channels": 1, "codec": "pcm_s16le"}


@pytest.mark.parametrize(
    ("case", "tracks", "chosen", "note"),
    [
        ("one", [a_track()], 0, ""),
        ("the first", [a_track(0), a_track(1)], 0, ""),
        ("the default", [a_track(0), a_track(1, default=True)], 1, ""),
        ("no decoder", [a_track(0, codec=""), a_track(1)], 1, "0 is in a format that cannot be read here (unknown)"),
        ("a default without a decoder", [a_track(0), a_track(1, codec="ac4", default=True)], 0, "be read here (ac4)"),
        ("without packets", [a_track(0, sample_rate=0, channels=0), a_track(1)], 1, "Audio track 0 has no sound in it"),
        ("an empty index", [a_track(0, packets=0), a_track(1, packets=9)], 1, "Audio track 0 has no sound in it"),
        ("never seen", [a_track(0), a_track(1, start_seconds=0.0)], 1, "Audio track 0 has no sound in it"),
        ("a description", [a_track(0, is_programme=False), a_track(1)], 1, "Audio track 0 is a commentary"),
        ("a default commentary", [a_track(0), a_track(1, is_programme=False, default=True)], 0, "track 1 is a comm"),
        ("nothing but descriptions", [a_track(0, is_programme=False), a_track(1, is_programme=False)], 0, ""),
        ("better a description than none", [a_track(0, is_programme=False), a_track(1, codec="")], 0, ""),
        ("nothing of use", [a_track(0, codec=""), a_track(1, codec="")], 0, ""),
        ("two halves", [a_track(0, **MONO), a_track(1, **MONO)], 0, "2 mono audio tracks, which may be the left and"),
        ("two languages", [a_track(0, **MONO, language="de"), a_track(1, **MONO, language="en")], 0, ""),
        ("two programmes", [a_track(0, **MONO, beside=(0.0,)), a_track(1, **MONO, beside=(9.0,))], 0, ""),
        ("one longer", [a_track(0, **MONO), a_track(1, **MONO, duration_seconds=61.0)], 0, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_where_nobody_asked(case: str, tracks: list[AudioTrack], chosen: int, note: str) -> None:
    choice = choose_track(a_media(*tracks), None)

    assert choice.track.index == chosen
    assert bool(choice.notes) is bool(note)
    assert all(note in said and said.endswith("Ask for another by output.audioTrack.index.") for said in choice.notes)


def test_who_asks_for_a_track_gets_it_without_a_word() -> None:
    media = a_media(a_track(0), a_track(1, is_programme=False), a_track(2, codec=""))

    for index in range(3):
        choice = choose_track(media, WantedTrack(index=index))
        assert (choice.track.index, choice.notes) == (index, ())


def test_of_a_language_the_programme_is_meant() -> None:
    described = a_track(0, language="de", is_programme=False)

    assert choose_track(a_media(described, a_track(1, language="de")), WantedTrack(language="de")).track.index == 1
    assert choose_track(a_media(described, a_track(1, language="en")), WantedTrack(language="de")).track.index == 0


@pytest.mark.parametrize(
    ("case", "format_name", "tracks", "expected"),
    [
        ("a late track in a format without a list", "flv", [], True),
        ("no track in a format with a list", "avi", [], False),
        ("an index knows", "mov,mp4", [a_track(packets=0)], False),
        ("a track without sound so far", "mpegts", [a_track(sample_rate=0, channels=0)], True),
        ("two tracks, and nothing of the first came yet", "mpegts", [a_track(), a_track(1)], True),
        ("all is known and seen", "mpegts", [a_track(start_seconds=0.0), a_track(1)], False),
        ("no other to take", "matroska,webm", [a_track()], False),
        ("nothing could decode it", "mpegts", [a_track(codec="", sample_rate=0), a_track(1)], False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_when_to_look_further(case: str, format_name: str, tracks: list[AudioTrack], expected: bool) -> None:
    assert needs_further_look(a_media(*tracks, format=format_name)) is expected
