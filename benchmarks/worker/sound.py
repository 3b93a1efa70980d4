"""How much an mp3 differs from its source's sound: what speed must not be bought with."""

import subprocess
from collections.abc import Generator
from pathlib import Path

import numpy as np

from tests.integration.worker.oracle.compare import lag
from tests.integration.worker.oracle.sounds import Sound

_RATE = 44_100
_SHAPE = ("-ac", "2", "-ar", str(_RATE), "-f", "f32le", "pipe:1")
_SECOND_BYTES = _RATE * 2 * 4
_LOOKED_AT_SECONDS = 8
"""For how many samples the mp3 comes late."""


def snr_db(source: Path, mp3: Path) -> float:
    """Signal-to-noise ratio: the source's power over that of all that differs, from its beginning to its end."""
    late = lag(_beginning(source), _beginning(mp3))
    power = error = 0.0
    for wanted, got in zip(_decoded(source, max(-late, 0)), _decoded(mp3, max(late, 0)), strict=False):
        count = min(len(wanted), len(got))
        power += float((wanted[:count] ** 2).sum())
        error += float(((got[:count] - wanted[:count]) ** 2).sum())
    return 10 * float(np.log10(power / error))


def _beginning(path: Path) -> Sound:
    decoded = _decoded(path, 0)
    parts = [part for _, part in zip(range(_LOOKED_AT_SECONDS), decoded, strict=False)]
    decoded.close()
    return np.concatenate(parts)


def _decoded(path: Path, skipped: int) -> Generator[Sound]:
    """A second at a time, without the first samples."""
    command = ("ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:a:0", *_SHAPE)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            process.stdout.read(skipped * 8)
            while block := process.stdout.read(_SECOND_BYTES):
                yield np.frombuffer(block, "<f4").astype(np.float64).reshape(-1, 2)
        finally:
            process.kill()
