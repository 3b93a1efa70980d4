"""Sounds of the kinds that encoders find different: any length, rate and number of channels, the same on every run."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]
"""Samples by channels; full scale is 1."""

_STEPS = 2**23

_TONES = ((0.5, 220.0, 0.0), (0.3, 997.0, 0.4), (0.2, 3150.0, 1.1))
"""Amplitude, Hz, and how far the right channel is ahead (radians)."""


def sound(kind: str, peak_db: float, rate: int, channels: int, count: int) -> Sound:
    """So many samples of a kind, the largest of them `peak_db` over full scale, with the precision of 24 bits."""
    both = KINDS[kind](np.arange(count) / rate, rate)
    heard = both if channels == 2 else both.mean(axis=1, keepdims=True)
    scaled = heard * (10 ** (peak_db / 20) / np.abs(heard).max())
    return np.rint(scaled * _STEPS) / _STEPS


def _tones(times: Sound, rate: int) -> Sound:
    heard = [tone for tone in _TONES if tone[1] < 0.4 * rate]
    left = sum(size * np.sin(2 * np.pi * pitch * times) for size, pitch, _ in heard)
    right = sum(size * np.sin(2 * np.pi * pitch * times + ahead) for size, pitch, ahead in heard)
    return np.stack([left, right], axis=1)


def _syllables(times: Sound, rate: int) -> Sound:
    """A voice: harmonics of a pitch that moves, four syllables a second, and a pause after each third."""
    pitch = 2 * np.pi * np.cumsum(120 + 25 * np.sin(2 * np.pi * 0.7 * times)) / rate
    highest = int(0.45 * rate / 150)
    voice = sum(np.sin(number * pitch) / number for number in range(1, min(highest, 40)))
    opened = np.clip(np.sin(2 * np.pi * 4 * times), 0, None) ** 0.7 * (np.floor(times * 4) % 4 < 3)
    heard = voice * opened
    return np.stack([heard, heard], axis=1)


def _pink(times: Sound, _rate: int) -> Sound:
    chance = np.random.default_rng(7)
    shared, *apart = (_pinkened(chance.standard_normal(len(times))) for _ in range(3))
    return np.stack([shared + 0.5 * each for each in apart], axis=1)


def _pinkened(white: Sound) -> Sound:
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return np.fft.irfft(spectrum, len(white))


def _music(times: Sound, _rate: int) -> Sound:
    """Plucked notes that wander between the channels, over a beat."""
    chance = np.random.default_rng(11)
    notes, places = 110 * 2 ** (chance.integers(0, 36, 400) / 12), chance.random(400)
    number = np.floor(times * 5).astype(int)
    age, beat_age = times * 5 % 1 / 5, times * 2 % 1 / 2
    phase = 2 * np.pi * notes[number] * age
    tone = (np.sin(phase) + np.sin(2 * phase) / 2 + np.sin(3 * phase) / 3) * np.exp(-6 * age)
    beat = chance.standard_normal(len(times)) * np.exp(-50 * beat_age) * 0.5
    place = places[number]
    return np.stack([tone * place + beat, tone * (1 - place) + beat], axis=1)


def _clicks(times: Sound, rate: int) -> Sound:
    """In digital silence: three a second at the left, two at the right."""
    number = np.arange(len(times))
    left, right = number % (rate // 3) < 3, -(number % (rate // 2) < 2).astype(float)
    return np.stack([left.astype(float), right], axis=1)


def _attacks(times: Sound, _rate: int) -> Sound:
    """Castanets: bursts of noise that die away in milliseconds, twelve a second."""
    chance = np.random.default_rng(13)
    return chance.standard_normal((len(times), 2)) * np.exp(-(times % (1 / 12)) / 0.005)[:, np.newaxis]


def _tail(times: Sound, rate: int) -> Sound:
    """Digital silence, and then a tone that dies away."""
    since = times - times[-1] * 0.4
    alive = np.where(since > 0, np.exp(-1.5 * np.clip(since, 0, None)), 0.0)
    return _tones(times, rate) * alive[:, np.newaxis]


KINDS: dict[str, Callable[[Sound, int], Sound]] = {
    "tones": _tones,
    "syllables": _syllables,
    "pink": _pink,
    "music": _music,
    "clicks": _clicks,
    "attacks": _attacks,
    "tail": _tail,
}
