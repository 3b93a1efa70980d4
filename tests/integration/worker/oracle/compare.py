"""Our encoder and plain ffmpeg on the same sound: what players hear of either, against the sound itself."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.integration.worker.oracle.encoding import PIECE_FRAMES, encoded
from tests.integration.worker.oracle.grid import Case
from tests.integration.worker.oracle.sounds import Sound, sound
from video2mp3_worker.encoder import pieces
from video2mp3_worker.encoder.lame import HEADROOM

PIECES = 2.2
"""In a case: two joins. 5 or 28 s at 44,100 Hz."""

NOISE_DB = 0.3
"""Of more noise than plain ffmpeg's."""

LARGER = 1.02
"""Than plain ffmpeg's file, as a share of its size."""

_LOOKED_AT = 2**17
"""Samples by which the offset is found."""

_LAGS = 1200
"""Samples: more than the delays of encoder and decoder together."""


@dataclass(frozen=True)
class Heard:
    """What a player makes of an mp3."""

    size: int
    """Bytes of the file."""

    count: int
    """Samples of each channel."""

    snr_db: float
    """The source's power over that of all that differs from it."""

    lag: int
    """By how many samples it comes late."""


def compared(case: Case) -> tuple[Heard, Heard]:
    """What is heard of ours, and of plain ffmpeg's."""
    source = source_of(case)
    return judged(case, source, encoded(as_it_comes(source), case.layout, case.quality))


def source_of(case: Case) -> Sound:
    """Its sound, as long as some pieces."""
    frames = pieces.PIECE_FRAMES if case.quality.bit_rate else PIECE_FRAMES
    count = int(PIECES * frames) * case.layout.samples + 77
    return sound(case.kind, case.peak_db, case.rate, case.channels, count)


def judged(case: Case, source: Sound, mp3: bytes) -> tuple[Heard, Heard]:
    """What is heard of an mp3 of the case's sound, and of plain ffmpeg's."""
    with tempfile.TemporaryDirectory() as folder:
        ours, plain = Path(folder, "ours.mp3"), Path(folder, "plain.mp3")
        ours.write_bytes(mp3)
        by_ffmpeg(source, case, plain)
        decoded = _decoded([ours, plain], case.channels)
        return heard(source, decoded[0], ours.stat().st_size), heard(source, decoded[1], plain.stat().st_size)


def faults(ours: Heard, plain: Heard) -> list[str]:
    """What is worse than in plain ffmpeg's, each with its figures."""
    found = {
        f"noise: {ours.snr_db:.2f} dB, and {plain.snr_db:.2f}": ours.snr_db < plain.snr_db - NOISE_DB,
        f"length: {ours.count} samples, and {plain.count}": ours.count != plain.count,
        f"offset: {ours.lag} samples, and {plain.lag}": ours.lag != plain.lag,
        f"size: {ours.size} bytes, and {plain.size}": ours.size > plain.size * LARGER,
    }
    return [said for said, is_so in found.items() if is_so]


def as_it_comes(source: Sound) -> bytes:
    """The samples as the worker's ffmpeg hands them to the encoder: `test_oracle` compares."""
    return np.clip(np.rint(source * (2**31 / HEADROOM)), -(2**31), 2**31 - 1).astype("<i4").tobytes()


def by_ffmpeg(source: Sound, case: Case, path: Path) -> None:
    """Write the mp3 that plain ffmpeg makes of a sound."""
    shape = ("-f", "f32le", "-ar", str(case.rate), "-ac", str(case.channels))
    command = ["ffmpeg", "-v", "error", "-y", *shape, "-i", "pipe:0", *case.options, "-id3v2_version", "0", str(path)]
    subprocess.run(command, input=source.astype("<f4").tobytes(), check=True, timeout=60)


def _decoded(files: list[Path], channels: int) -> list[Sound]:
    inputs = [word for file in files for word in ("-i", str(file))]
    outputs = [file.with_suffix(".f32") for file in files]
    command = ["ffmpeg", "-v", "error", *inputs]
    for number, output in enumerate(outputs):
        command += ["-map", f"{number}:a", "-f", "f32le", str(output)]
    subprocess.run(command, check=True, timeout=60)
    return [np.fromfile(output, "<f4").astype(np.float64).reshape(-1, channels) for output in outputs]


def heard(source: Sound, decoded: Sound, size: int) -> Heard:
    """Compare what was decoded with its source."""
    count = min(len(source), len(decoded))
    wanted, got = source[:count], decoded[:count]
    return Heard(size, len(decoded), _ratio_db(wanted, got - wanted), lag(wanted, got))


def _ratio_db(signal: Sound, noise: Sound) -> float:
    power, error = float((signal**2).sum()), float((noise**2).sum())
    return 10 * float(np.log10(max(power, 1e-30) / max(error, 1e-30)))


def lag(wanted: Sound, got: Sound) -> int:
    """Where the two are most alike, at the loudest moment."""
    first = max(int(np.abs(wanted[:, 0]).argmax()) - _LOOKED_AT // 2, 0)
    window, size = slice(first, first + _LOOKED_AT), 2 * _LOOKED_AT
    product = np.conj(np.fft.rfft(wanted[window], size, axis=0)) * np.fft.rfft(got[window], size, axis=0)
    likeness = np.fft.irfft(product.sum(axis=1), size)
    near = np.concatenate([likeness[-_LAGS:], likeness[: _LAGS + 1]])
    return int(np.argmax(near)) - _LAGS
