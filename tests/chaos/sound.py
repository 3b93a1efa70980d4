"""A sound of its own for each upload, and whether an mp3 is that sound."""

import subprocess
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

RATE: Final = 22_050
"""Samples in a second, of what is listened to."""

_LOWEST, _STEP, _TONES = 200, 7, 1000
_SECONDS_ALLOWED = 0.1
_HERTZ_ALLOWED = _STEP / 2
_EDGE_SECONDS = 0.2
"""At both ends a tone that starts or ends is none yet, or no more."""

_QUIET = 500
"""Of 32,768: the loudest sample of what nobody hears."""


class Sound(NamedTuple):
    """A tone."""

    seconds: float
    hertz: float


def sound_of(number: int) -> Sound:
    """The sound of an upload by its number: among a thousand no two have the same tone."""
    return Sound(2 + number % 4, _LOWEST + _STEP * (number * 617 % _TONES))


def fault_of(heard: Sound, wanted: Sound) -> str:
    """What is wrong with what is heard; "" where nothing is."""
    if abs(heard.seconds - wanted.seconds) > _SECONDS_ALLOWED:
        return f"{heard.seconds:.2f} s instead of {wanted.seconds:g} s"
    if abs(heard.hertz - wanted.hertz) > _HERTZ_ALLOWED:
        return f"{heard.hertz:.1f} Hz instead of {wanted.hertz:g} Hz"
    return ""


def listen(mp3: Path) -> Sound:
    """Decode a file. Raises CalledProcessError where it is no media, and its errors count as such."""
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", str(mp3)]
    form = ["-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"]
    done = subprocess.run([*argv, *form], capture_output=True, timeout=60, check=True)
    samples = array("h", done.stdout)
    return Sound(len(samples) / RATE, tone_of(samples, RATE))


def tone_of(samples: Sequence[int], rate: int) -> float:
    """The tone in Hz, from the first to the last of its waves; 0 for silence. A hole counts as missing waves."""
    edge = int(_EDGE_SECONDS * rate)
    middle = samples[edge:-edge]
    if max(middle, default=0) < _QUIET:
        return 0.0
    rises = [at for at in range(1, len(middle)) if middle[at - 1] < 0 <= middle[at]]
    if len(rises) < 2:
        return 0.0
    return (len(rises) - 1) * rate / (_exact(middle, rises[-1]) - _exact(middle, rises[0]))


def _exact(samples: Sequence[int], at: int) -> float:
    """Where between two samples the wave goes through zero."""
    before, after = samples[at - 1], samples[at]
    return at - after / (after - before)
