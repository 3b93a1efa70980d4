"""Loudness: what ffmpeg says, and the gain that follows."""

import pytest

from video2mp3_contracts.reasons import Reason
from video2mp3_worker.errors import Refused
from video2mp3_worker.loudness import Loudness, parse

SUMMARY = """
[Parsed_ebur128_1 @ 0x55] Summary:

  Integrated loudness:
    I:         {0} LUFS
    Threshold: -33.3 LUFS

  Loudness range:
    LRA:         0.6 LU
    Threshold: -43.3 LUFS
    LRA low:   -23.4 LUFS
    LRA high:  -22.8 LUFS

  True peak:
    Peak:      {1} dBFS
size=N/A time=00:00:10.00 bitrate=N/A speed= 303x
"""


def test_the_summary_is_read() -> None:
    assert parse("I: -1.0 LUFS Peak: 3.0 dBFS\n" + SUMMARY.format("-23.1", "-6.2")) == Loudness(-23.1, -6.2)


@pytest.mark.parametrize(
    ("integrated", "true_peak", "wanted", "gain"),
    [
        ("-23.0", "-10.0", -16, 7.0),
        ("-10.0", "0.5", -16, -6.0),
        ("-23.0", "-3.0", -16, 2.0),
        ("-30.0", "0.0", -16, -1.0),
        ("-70.0", "-inf", -16, 0.0),
        ("-inf", "-inf", -16, 0.0),
        ("nan", "nan", -16, 0.0),
    ],
    ids=["louder", "quieter", "held by a peak", "made quieter for a peak", "silence", "nothing", "no number"],
)
def test_the_gain_reaches_the_loudness_unless_peaks_forbid_it(
    integrated: str, true_peak: str, wanted: float, gain: float
) -> None:
    assert parse(SUMMARY.format(integrated, true_peak)).gain(wanted) == pytest.approx(gain)


def test_without_a_summary_there_was_no_sound() -> None:
    with pytest.raises(Refused) as refused:
        parse("video:0kB audio:0kB")

    assert refused.value.reason is Reason.NO_AUDIO
