"""How much of everything a conversion may use: bounds on what media can make ffmpeg do, and how they scale with it.

Pure. The bounds are wide for every honest file and tight for one that was made to keep a worker busy.
"""

from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.jobs.worker import WorkerLimits

LONGEST_PAUSE_SECONDS: Final = 3600
"""Where a clock may leap, more without any audio is no pause. ffmpeg itself leaves out what is over ten seconds within
the formats that it knows to jump."""

MAX_STREAMS: Final = 64
"""Tracks in a file, of all kinds. Discs ripped with every language have about 40."""

MAX_CHANNELS: Final = 8
"""7.1 surround."""

MIN_SAMPLE_RATE: Final = 4_000
"""Hz. Speech codecs start at 8,000; a rate of 1 Hz would turn a few bytes into hours."""

MAX_SAMPLE_RATE: Final = 384_000
"""Hz. Studio recordings end at 192,000."""

MIN_BYTES_PER_SECOND: Final = 16
"""Digital silence as FLAC takes about 100 bytes a second."""

MIN_CODED_BYTES_PER_SECOND: Final = 600
"""Speech by the leanest codec: what most of a file holds."""

MIN_PLAUSIBLE_SECONDS: Final = 600
"""Under this duration the bytes per second are not looked at: it costs little either way."""

PROBE_BYTES: Final = 20_000_000
"""What ffmpeg reads to find out what is in a file that has no index (mpeg-ts, mpeg-ps)."""

INDEXED_PROBE_BYTES: Final = 5_000_000
"""Where there is an index: a second or two at 20 to 40 Mbit/s. ffmpeg keeps in memory what it reads for this."""

PROBE_SECONDS: Final = 15
"""Of media, for the same."""

FURTHER_PROBE_BYTES: Final = 100_000_000
FURTHER_PROBE_SECONDS: Final = 3600
"""The same where no audio was found at first: a microphone that is switched on late. What is read stays in memory."""

MAX_ALLOCATION_BYTES: Final = 128 * 1024**2
"""The largest single block of memory; the index of a day of video takes less."""

DATA_BYTES: Final = 512 * 1024**2
"""Private memory of one child process (RLIMIT_DATA); ffmpeg takes about 60 MB for ordinary audio."""

PROBE_CPU_SECONDS: Final = 60
PROBE_WALL_SECONDS: Final = 120
PROBE_ANSWER_BYTES: Final = 8 * 1024**2
"""ffprobe's JSON for 64 streams is under 200 kB; thousands of chapters make it longer."""

COVER_BYTES: Final = 2 * 1024**2
"""Of a picture that is carried over; it is sent along with every mp3. Shops sell covers of 0.1 to 1 MB."""

COVER_CPU_SECONDS: Final = 20

STALL_SECONDS: Final = 60
"""Without any progress for so long, a conversion is stuck."""

_START_SECONDS = 120
"""On top of every deadline, for starting and for machines that are busy."""

_INACCURACY = 1.1
"""Of bit rates."""

_SLOWEST_SPEED = 4
"""Media seconds per second. A core of today does 80 to 160; loudness needs a second pass at 30."""


def plausible_seconds(size: int) -> float:
    """How much audio a file of so many bytes may hold."""
    return max(MIN_PLAUSIBLE_SECONDS, size / MIN_BYTES_PER_SECOND)


def is_believable(seconds: float, size: int, bit_rate: int | None) -> bool:
    """Whether a file of so many bytes may be as long as it says. `bit_rate` is the audio's in bit/s, if it is known."""
    return seconds <= plausible_seconds(size) and seconds * (bit_rate or 0) / 8 <= size * _INACCURACY


def pauses_seconds(size: int) -> float:
    """How much silence a file of so many bytes may have between its audio: they take bytes, and pauses take none."""
    return LONGEST_PAUSE_SECONDS + plausible_seconds(size) / 2


@dataclass(frozen=True)
class Budget:
    """What one ffmpeg run may use."""

    wall_seconds: float
    cpu_seconds: int
    output_bytes: int
    media_seconds: float


def budget(limits: WorkerLimits, duration_seconds: float | None, size: int) -> Budget:
    """The budget for a source of so many bytes, which says that it plays for a duration, if it says that.

    What it says may be too little by far: it has time for what may be in so many bytes.
    """
    likely = max(duration_seconds or 0.0, MIN_PLAUSIBLE_SECONDS, size / MIN_CODED_BYTES_PER_SECOND)
    seconds = min(likely, limits.max_duration_seconds)
    scaled = _START_SECONDS + seconds / _SLOWEST_SPEED
    return Budget(
        wall_seconds=min(scaled, limits.run_seconds or scaled),
        cpu_seconds=int(scaled),
        output_bytes=limits.max_output_bytes,
        media_seconds=limits.max_duration_seconds,
    )
