"""Whether what came of a file is what its row says."""

import math
import re
import subprocess
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.integration.worker.corpus.rows import SILENCE, Part, Row
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_worker.ports.errors import Refused

_WINDOW_SECONDS: Final = 0.1
"""In each of them a tone has to be heard: no hole and no join is longer unnoticed."""

_QUIET, _LOUD, _PURE = 0.002, 0.02, 0.8
"""The loudness (RMS) below which is silence and above which is sound; the share of it that a pure tone has."""


@dataclass(frozen=True)
class Heard:
    """An mp3, decoded by plain ffmpeg."""

    rate: int
    channels: int
    seconds: float
    pieces: tuple["array[int]", ...]
    """The samples of each part that was asked for, channels in turns."""


@dataclass(frozen=True)
class Judged:
    """One file's line of the table, and what is wrong with it."""

    line: str
    fault: str
    """In words; "" where all is right."""


def judged(row: Row, code: int, said: str, mp3: Path) -> Judged:
    """Compare what the command line answered, said and wrote with a row."""
    heard = listen(mp3, row.parts) if code == ExitCode.DONE else None
    came = f"exit {code}" if heard is None else f"{heard.seconds:.2f} s"
    line = f"{row.title} | {row.right} | {' - '.join((came, *said.splitlines()))}"
    return Judged(line, _fault(row, code, said, heard))


def _fault(row: Row, code: int, said: str, heard: Heard | None) -> str:
    if row.reason is not None:
        wanted = (Refused(row.reason, "").exit_code, row.reason)
        if (code, said.partition(":")[0]) != wanted:
            return f"exit {code}, and not {wanted}"
    elif heard is None:
        return f"exit {code}"
    elif fault := _sound_fault(row, heard):
        return fault
    # What people who asked for nothing special have to know, and nothing else.
    is_right = re.search(row.says, said, re.DOTALL) if row.says else not said
    return "" if is_right else f"it said {said!r}, and not {row.says!r}"


def _sound_fault(row: Row, heard: Heard) -> str:
    if abs(heard.seconds - row.seconds) > row.off_seconds:
        return f"{heard.seconds} s, and not {row.seconds}"
    if row.channels not in (0, heard.channels):
        return f"{heard.channels} channels, and not {row.channels}"
    faults = (_part_fault(part, heard, piece) for part, piece in zip(row.parts, heard.pieces, strict=True))
    return next(filter(None, faults), "")


def listen(mp3: Path, parts: tuple[Part, ...]) -> Heard:
    """Decode an mp3 from end to end; keep only what the parts are about."""
    entries = ["-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0"]
    answer = subprocess.run(["ffprobe", "-v", "error", *entries, str(mp3)], check=True, capture_output=True, text=True)
    rate, channels = map(int, answer.stdout.strip().split(","))
    width, place, pieces = 2 * channels, 0, [bytearray() for _ in parts]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(mp3), "-f", "s16le", "pipe:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while block := process.stdout.read(1 << 20):
            for part, piece in zip(parts, pieces, strict=True):
                start, end = (round(second * rate) * width - place for second in (part.start, part.end))
                piece.extend(block[max(start, 0) : max(end, 0)])
            place += len(block)
    assert process.returncode == 0
    return Heard(rate, channels, place / width / rate, tuple(array("h", piece) for piece in pieces))


def _part_fault(part: Part, heard: Heard, piece: "array[int]") -> str:
    """What is heard in a part that should not be; "" where nothing is."""
    samples = [sample / 32768 for sample in piece[part.channel :: heard.channels]]
    step = round(_WINDOW_SECONDS * heard.rate)
    for start in range(0, len(samples) - step + 1, step):
        window = samples[start : start + step]
        loudness = math.sqrt(sum(sample * sample for sample in window) / step)
        if (part.frequency == SILENCE) != (loudness < _QUIET) or _QUIET <= loudness < _LOUD:
            return f"loudness {loudness:.4f} at {part.start + start / heard.rate:.1f} s"
        if part.frequency > 0 and _level(window, part.frequency / heard.rate) < _PURE * loudness:
            return f"not {part.frequency:g} Hz at {part.start + start / heard.rate:.1f} s"
    return ""


def _level(samples: list[float], turns: float) -> float:
    """The loudness (RMS) of one frequency, in turns for each sample."""
    sine = sum(sample * math.sin(math.tau * turns * n) for n, sample in enumerate(samples))
    cosine = sum(sample * math.cos(math.tau * turns * n) for n, sample in enumerate(samples))
    return math.hypot(sine, cosine) * math.sqrt(2) / len(samples)
