"""Sounds of the kinds that encoders find different: made here, the same on every run."""

import math
import random
from array import array
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice

_FULL_SCALE = 2**31 - 1
_HEADROOM = 4


def _music(rate: int) -> Iterator[tuple[float, float]]:
    chance = random.Random(1)
    notes = [(110 * 2 ** (chance.randrange(36) / 12), chance.random()) for _ in range(64)]
    phase = 0.0
    for n in range(10**9):
        note, pan = notes[n * 4 // rate % len(notes)]
        age = n % (rate // 4) / rate
        phase += math.tau * note / rate
        tone = (math.sin(phase) + math.sin(2 * phase) / 2 + math.sin(3 * phase) / 3) * math.exp(-4 * age) * 0.4
        beat = chance.uniform(-0.4, 0.4) * math.exp(-60 * age)
        yield tone * pan + beat, tone * (1 - pan) + beat


def _speech(rate: int) -> Iterator[tuple[float, float]]:
    chance, low, lower = random.Random(2), 0.0, 0.0
    for n in range(10**9):
        second = n / rate
        voiced = math.sin(math.tau * 3.1 * second) > -0.3 and second % 2 < 1.6
        source = (
            (1.0 if n % (rate // 120) == 0 else 0.0) if math.sin(math.tau * 1.7 * second) > 0 else chance.gauss(0, 0.1)
        )
        low += 0.3 * (source * voiced - low)
        lower += 0.3 * (low - lower)
        yield lower * 3, lower * 3


def _silence(_rate: int) -> Iterator[tuple[float, float]]:
    while True:
        yield 0.0, 0.0


def _clicks(rate: int) -> Iterator[tuple[float, float]]:
    for n in range(10**9):
        yield (0.95 if n % (rate // 3) < 3 else 0.0), (-0.95 if n % (rate // 2) < 2 else 0.0)


def _noise(_rate: int) -> Iterator[tuple[float, float]]:
    chance = random.Random(3)
    while True:
        yield chance.uniform(-1, 1), chance.uniform(-1, 1)


SOUNDS: dict[str, Callable[[int], Iterator[tuple[float, float]]]] = {
    "music": _music,
    "speech": _speech,
    "silence": _silence,
    "clicks": _clicks,
    "noise": _noise,
}


@cache
def samples(kind: str, rate: int, channels: int, count: int) -> bytes:
    """Interleaved signed 32-bit samples, at a quarter of their size, as the encoder takes them."""
    values = array("i")
    for left, right in islice(SOUNDS[kind](rate), count):
        for value in (left, right)[:channels]:
            values.append(round(max(-1.0, min(1.0, value)) * _FULL_SCALE / _HEADROOM))
    return values.tobytes()
