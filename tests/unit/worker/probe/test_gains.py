"""What a source says of its loudness: ReplayGain and R128, whole, sparse and absurd."""

import pytest

from video2mp3_worker.probe.gains import Gains, said


@pytest.mark.parametrize(
    ("tags", "codec", "expected"),
    [
        ({}, "mp3", None),
        ({"replaygain_track_gain": "-7.10 dB"}, "mp3", Gains(track=-7.1)),
        ({"replaygain_track_gain": "+3.5"}, "flac", Gains(track=3.5)),
        ({"replaygain_album_gain": "0.00 DB", "replaygain_album_peak": "0.99"}, "aac", Gains(album=0, album_peak=0.99)),
        (
            {"replaygain_track_gain": "-1 dB", "replaygain_reference_loudness": "89.0 dB"},
            "vorbis",
            Gains(track=-1, reference="89.0 dB"),
        ),
        ({"replaygain_track_peak": "0.5"}, "mp3", None),
        ({"r128_track_gain": "-1280", "r128_album_gain": "256"}, "opus", Gains(track=0, album=6)),
        ({"r128_track_gain": "0", "replaygain_track_gain": "-1 dB"}, "opus", Gains(track=5)),
        ({"r128_track_gain": "0", "replaygain_track_gain": "-1 dB"}, "flac", Gains(track=-1)),
        ({"r128_track_gain": "0"}, "flac", Gains(track=5)),
        ({"replaygain_track_gain": "-1 dB"}, "opus", Gains(track=-1)),
    ],
)
def test_gains_are_found_under_the_names_that_they_have(
    tags: dict[str, str], codec: str, expected: Gains | None
) -> None:
    assert said(tags, codec) == expected


@pytest.mark.parametrize("text", ["", "loud", "1e9 dB", "nan", "-inf dB", "1000 dB", "-3 dB; rm", "٣ LUFS", "--1"])
def test_what_is_no_gain_is_none(text: str) -> None:
    assert said({"replaygain_track_gain": text, "r128_track_gain": text}, "mp3") is None


def test_peaks_and_references_without_sense_are_left_out() -> None:
    tags = {"replaygain_track_gain": "-1 dB", "replaygain_track_peak": "-2", "replaygain_reference_loudness": "loud"}

    assert said(tags, "mp3") == Gains(track=-1)


def test_they_are_written_in_one_form() -> None:
    assert Gains(track=-7.1, track_peak=0.5, album=0, reference="89.0 dB").fields == {
        "REPLAYGAIN_TRACK_GAIN": "-7.10 dB",
        "REPLAYGAIN_TRACK_PEAK": "0.500000",
        "REPLAYGAIN_ALBUM_GAIN": "0.00 dB",
        "REPLAYGAIN_REFERENCE_LOUDNESS": "89.0 dB",
    }


def test_behind_a_gain_players_have_less_to_add_and_peaks_are_higher() -> None:
    found = Gains(track=-7, track_peak=0.5, album_peak=0.25).behind(6)

    assert (found.track, found.album) == (-13, None)
    assert (found.track_peak, found.album_peak) == (pytest.approx(0.998, abs=0.001), pytest.approx(0.499, abs=0.001))
