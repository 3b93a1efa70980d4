"""Every upload has a sound that no other has, and another's, a hole or silence is noticed."""

import math
from itertools import pairwise

import pytest

from tests.chaos.sound import RATE, Sound, fault_of, sound_of, tone_of


def sine(hertz: float, seconds: float = 2.0, loud: float = 8000.0) -> list[int]:
    return [round(loud * math.sin(math.tau * hertz * n / RATE)) for n in range(int(seconds * RATE))]


def test_a_thousand_uploads_have_a_thousand_tones() -> None:
    tones = sorted(sound_of(number).hertz for number in range(1000))
    assert all(after - before >= 7 for before, after in pairwise(tones))
    assert tones[0] > 100
    assert tones[-1] < RATE / 2.5


@pytest.mark.parametrize("number", [0, 1, 250, 999])
def test_a_tone_is_heard_for_what_it_is(number: int) -> None:
    wanted = sound_of(number)
    heard = Sound(wanted.seconds, tone_of(sine(wanted.hertz), RATE))
    assert heard.hertz == pytest.approx(wanted.hertz, abs=0.5)
    assert fault_of(heard, wanted) == ""


def test_the_tone_next_to_it_is_another() -> None:
    assert fault_of(Sound(2, tone_of(sine(807), RATE)), Sound(2, 800)) == "807.0 Hz instead of 800 Hz"


def test_a_hole_is_no_such_tone() -> None:
    whole = sine(800)
    holed = [*whole[:20_000], *[0] * 1000, *whole[21_000:]]
    assert fault_of(Sound(2, tone_of(holed, RATE)), Sound(2, 800)) != ""


@pytest.mark.parametrize("samples", [[], [0] * 44_100, sine(800, loud=100), sine(800, seconds=0.3), sine(1)])
def test_nothing_to_be_heard_is_no_tone(samples: list[int]) -> None:
    assert tone_of(samples, RATE) == 0


def test_a_wrong_length_is_told() -> None:
    assert fault_of(Sound(1.5, 800), Sound(2, 800)) == "1.50 s instead of 2 s"
    assert fault_of(Sound(2.05, 800), Sound(2, 800)) == ""
