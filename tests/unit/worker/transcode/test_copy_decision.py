"""When an mp3 is the one that was asked for."""

import pytest

from tests.unit.worker.builders import a_track
from video2mp3_contracts.api.output import Encoding, Loudness, Output, Trim
from video2mp3_worker.encoder.frame_copy import Copied
from video2mp3_worker.transcode.copy_decision import difference, in_words, may_be_copied

MP3 = a_track(codec="mp3")


@pytest.mark.parametrize(
    ("track", "output", "expected"),
    [
        (MP3, Output(), True),
        (MP3, Output(encoding=Encoding(cbr=320)), True),
        (MP3, Output(trim=Trim()), True),
        (MP3, Output(trim=Trim(start=0)), True),
        (MP3, Output(trim=Trim(start=1)), False),
        (MP3, Output(trim=Trim(end=10)), False),
        (MP3, Output(loudness=Loudness(integrated_lufs=-16)), False),
        (MP3, Output(loudness=Loudness(integrated_lufs=-16, mode="limit")), False),
        (MP3, Output(loudness=Loudness(mode="measureOnly")), True),
        (a_track(codec="mp2"), Output(), False),
        (a_track(), Output(), False),
    ],
)
def test_nothing_is_to_be_done_to_it(track, output: Output, expected: bool) -> None:  # type: ignore[no-untyped-def]
    assert may_be_copied(track, output, 44_100, 2, 0.0) is expected


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1)])
def test_another_rate_or_number_of_channels_is_encoded(rate: int, channels: int) -> None:
    assert not may_be_copied(MP3, Output(), rate, channels, 0.0)


@pytest.mark.parametrize(("lead", "expected"), [(0.0, True), (0.09, True), (0.11, False)])
def test_sound_that_begins_later_than_the_picture_is_encoded(lead: float, expected: bool) -> None:
    """It has silence before it then."""
    assert may_be_copied(MP3, Output(), 44_100, 2, lead) is expected


def made(average: float, bit_rate: int | None = None, level: int | None = None) -> Copied:
    return Copied(60.0, average, bit_rate, level)


@pytest.mark.parametrize(
    ("found", "wanted", "is_same"),
    [
        (made(128, 128), Encoding(cbr=128), True),
        (made(128, 128), Encoding(cbr=192), False),
        (made(192, 192), Encoding(cbr=128), False),
        (made(128), Encoding(cbr=128), False),
        (made(128, 128), Encoding(vbr=2), True),
        (made(190, None), Encoding(vbr=2), True),
        (made(191, None), Encoding(vbr=2), False),
        (made(320, 320), Encoding(vbr=0), False),
        (made(250, None, level=2), Encoding(vbr=2), True),
        (made(250, None, level=4), Encoding(vbr=2), True),
        (made(250, None, level=0), Encoding(vbr=2), False),
        (made(150, None, level=0), Encoding(vbr=2), True),
        (made(64, 64), Encoding(vbr=9), True),
        (made(80, 80), Encoding(vbr=9), False),
    ],
)
def test_the_bit_rate(found: Copied, wanted: Encoding, is_same: bool) -> None:
    assert (difference(found, wanted, 44_100, 2) == "") is is_same


@pytest.mark.parametrize(
    ("rate", "channels", "most"), [(48_000, 2, 190), (44_100, 1, 95), (22_050, 2, 95), (22_050, 1, 47.5)]
)
def test_a_level_gives_less_for_less_sound(rate: int, channels: int, most: float) -> None:
    assert not difference(made(most), Encoding(vbr=2), rate, channels)
    assert "V2 gives" in difference(made(most + 0.1), Encoding(vbr=2), rate, channels)


def test_people_are_told_how_it_is_encoded() -> None:
    assert in_words(made(128, 128)) == "CBR 128 kbit/s"
    assert in_words(made(187.4)) == "VBR 187 kbit/s"
    assert in_words(made(187.4, level=2)) == "VBR V2"
