"""Small videos, made by ffmpeg from nothing, and a very large one."""

import json
import struct
import subprocess
from pathlib import Path

_SECONDS = 120
_COPY_BYTES = 8 * 1024**2


def make_video(path: Path, seconds: float, *, sound: bool = True, hertz: float = 440) -> Path:
    """A video with a moving picture and a tone."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=160x120:rate=5:duration={seconds}"]
    tone = ["-f", "lavfi", "-i", f"sine=frequency={hertz:g}:sample_rate=44100:duration={seconds}"] if sound else []
    codecs = ["-c:v", "mpeg4", "-q:v", "20", "-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart"]
    _ffmpeg([*picture, *tone, *codecs, str(path)])
    return path


def make_long_video(path: Path, seconds: int) -> Path:
    """As `make_video`, made quickly by repeating a minute of it."""
    minute = make_video(path.with_name(f"minute-{path.name}"), 60)
    repeats = max(1, round(seconds / 60)) - 1
    _ffmpeg(["-stream_loop", str(repeats), "-i", str(minute), "-c", "copy", "-movflags", "+faststart", str(path)])
    return path


def make_huge_video(path: Path, size: int) -> Path:
    """A sound video of a few seconds and of `size` bytes: an mp4 may hold a box of free space of any length."""
    small = make_video(path.with_name(f"small-{path.name}"), 3)
    content = small.read_bytes()
    padding = size - len(content)
    with path.open("wb") as huge:
        huge.write(content)
        # ISO/IEC 14496-12, 4.2: a size of 1 says that a 64-bit size follows the type.
        huge.write(struct.pack(">I4sQ", 1, b"free", padding))
        huge.truncate(size)
    return path


def probe(path: Path) -> str:
    """What ffprobe says of a file: codec and duration, as `mp3,3.029`."""
    argv = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "json", str(path)]
    found = json.loads(subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout)
    # A stream may have side data beside its codec: where a loudness was reached, its ReplayGain.
    return ",".join([*(each["codec_name"] for each in found["streams"]), found["format"]["duration"]])


def _ffmpeg(arguments: list[str]) -> None:
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(argv, timeout=_SECONDS, check=True)
