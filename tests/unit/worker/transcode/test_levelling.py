"""Loudness: what ffmpeg says, and what follows from it."""

from collections.abc import Callable

import pytest

from video2mp3_contracts.api.output import Encoding
from video2mp3_contracts.api.output import Loudness as Wanted
from video2mp3_worker.transcode.levelling import Level, Levelling, Loudness, encoder_gain, read_summary, settled

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

  Sample peak:
    Peak:      {1} dBFS

  True peak:
    Peak:      {2} dBFS
size=N/A time=00:00:10.00 bitrate=N/A speed= 303x
"""


def gained(target: float) -> Wanted:
    return Wanted(integrated_lufs=target)


def limited(target: float) -> Wanted:
    return Wanted(integrated_lufs=target, mode="limit")


def never(_levelling: Levelling) -> Loudness:
    raise AssertionError("it was listened to again")


def test_the_last_summary_is_read_and_its_higher_peak() -> None:
    said = SUMMARY.format("-70.0", "-inf", "-inf") + SUMMARY.format("-23.1", "-6.2", "-6.4")

    assert read_summary(said) == Loudness(-23.1, -6.2)


@pytest.mark.parametrize("said", ["", "video:0kB audio:0kB", "I: -1.0 LUFS\nPeak: 3.0 dBFS", "Summary:\n  I: many"])
def test_what_is_no_summary_says_nothing(said: str) -> None:
    assert read_summary(said) is None


@pytest.mark.parametrize(
    ("integrated", "true_peak", "target", "gain"),
    [
        ("-23.0", "-10.0", -16, 7.0),
        ("-10.0", "0.5", -16, -6.0),
        ("-23.0", "-3.0", -16, 1.95),
        ("-30.0", "0.0", -16, -1.05),
        ("-70.0", "-inf", -16, 0.0),
        ("-inf", "-inf", -16, 0.0),
        ("nan", "nan", -16, 0.0),
    ],
    ids=["louder", "quieter", "held by a peak", "made quieter for a peak", "silence", "nothing", "no number"],
)
def test_one_gain_reaches_the_loudness_unless_peaks_forbid_it(
    integrated: str, true_peak: str, target: float, gain: float
) -> None:
    heard = read_summary(SUMMARY.format(integrated, "-inf", true_peak))
    assert heard is not None

    level = settled(gained(target), heard, never)

    assert level.levelling == Levelling(pytest.approx(gain))


@pytest.mark.parametrize(
    ("encoding", "gain"),
    [
        (Encoding(vbr=9), 0.0),
        (Encoding(cbr=32), -0.446),
        (Encoding(cbr=160), -0.446),
        (Encoding(cbr=192), -0.265),
        (Encoding(cbr=224), -0.175),
        (Encoding(cbr=320), 0.0),
    ],
)
def test_lame_itself_makes_constant_bit_rates_quieter(encoding: Encoding, gain: float) -> None:
    assert encoder_gain(encoding) == pytest.approx(gain, abs=0.001)


@pytest.mark.parametrize("wanted", [gained(-16), limited(-16)])
def test_what_is_reached_is_not_told(wanted: Wanted) -> None:
    level = settled(wanted, Loudness(-23.0, -10.0), never)

    assert level == Level(Levelling(7.0), Loudness(-16.0, -3.0))


def test_what_peaks_forbid_is_told_with_what_is_reached() -> None:
    level = settled(gained(-16), Loudness(-23.0, -3.0), never)

    assert level.reached == Loudness(pytest.approx(-21.05), pytest.approx(-1.05))
    (note,) = level.notes
    assert note == (
        "The loudness of -16 LUFS is not reached: the sound has -21.1 LUFS, since its peaks allow no more;"
        " output.loudness.mode: limit holds them down."
    )


@pytest.mark.parametrize("wanted", [gained(-16), limited(-16)])
def test_silence_has_no_loudness_and_that_is_told(wanted: Wanted) -> None:
    level = settled(wanted, Loudness(-70.0, float("-inf")), never)

    assert level.levelling == Levelling()
    assert level.notes[0].endswith(
        "the sound is silent, fainter than -70 LUFS or shorter than 0.4 s, and so has none; it was left as it is."
    )


@pytest.mark.parametrize("heard", [Loudness(-23.0, -3.0), Loudness(-70.0, float("-inf"))])
def test_what_is_only_measured_is_left_as_it_is(heard: Loudness) -> None:
    assert settled(Wanted(mode="measureOnly"), heard, never) == Level(Levelling(), heard)


@pytest.mark.parametrize(("was", "target"), [(-68.0, -16.0), (-12.0, -69.0)])
def test_what_is_so_faint_that_some_of_it_does_not_count_is_heard_again(was: float, target: float) -> None:
    """Near the absolute gate a gain changes the loudness by more or less than itself."""

    def listen(levelling: Levelling) -> Loudness:
        reached = was + levelling.gain
        return Loudness(round(reached - 2.3 if was < -60 else max(reached + 2.3, -69.5), 1), -20.0)

    level = settled(gained(target), Loudness(was, -20.0 if was > -60 else -60.0), listen)

    assert level.reached.integrated == pytest.approx(target, abs=0.1)
    assert level.notes == ()


def a_limiter(share: float, over: float, most: float = 0.0) -> Callable[[Levelling], Loudness]:
    """Of a sound of -23 LUFS: what is over -18 comes through by a share. True peaks are over the ceiling."""

    def listen(levelling: Levelling) -> Loudness:
        assert levelling.ceiling is not None
        plain = -23.0 + levelling.gain
        return Loudness(round(min(plain, -18 + share * (plain + 18), most), 1), levelling.ceiling + over)

    return listen


@pytest.mark.parametrize("share", [1.0, 0.9, 0.5, 0.25])
@pytest.mark.parametrize("over", [-0.2, 0.0, 0.6, 2.0])
def test_a_limiter_is_turned_up_until_it_is_loud_enough(share: float, over: float) -> None:
    level = settled(limited(-12), Loudness(-23.0, -3.0), a_limiter(share, over))

    assert level.reached.integrated == pytest.approx(-12, abs=0.2)
    assert level.reached.true_peak <= -1.0
    assert level.notes == ()


def test_what_no_limiter_reaches_is_told() -> None:
    level = settled(limited(-8), Loudness(-23.0, -3.0), a_limiter(0.5, 0.0, most=-11.0))

    assert level.reached.integrated == -11
    assert "the sound has -11.0 LUFS, since a limiter comes no closer" in level.notes[0]


def test_where_no_limiter_holds_the_peaks_one_gain_it_is() -> None:
    def useless(_levelling: Levelling) -> Loudness:
        return Loudness(-12.0, 3.0)

    level = settled(limited(-12), Loudness(-23.0, -3.0), useless)

    assert level.levelling == Levelling(pytest.approx(1.95))
    assert level.notes
