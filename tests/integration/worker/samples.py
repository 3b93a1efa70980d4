"""Media made by ffmpeg when a test asks for it, once for each run."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10")
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:beep_factor=4")
_PICTURE_CODEC = ("-c:v", "mpeg4", "-b:v", "100k")


class Samples:
    """A folder of media files; each method answers the path of one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clip(self) -> Path:
        """Ten seconds of picture and sound, as a phone would record them, with a title and a language."""
        return self._made(
            "clip.mp4",
            lambda path: ffmpeg(
                *_PICTURE, *_SOUND, "-t", "10", *_PICTURE_CODEC, "-c:a", "aac", "-metadata", "title=Ein Käfer",
                "-metadata:s:a:0", "language=deu", path,
            ),
        )  # fmt: skip

    def index_first(self) -> Path:
        """The clip with its index at the front."""
        return self._made("fast.mp4", lambda path: self._copy(self.clip(), "-movflags", "+faststart", path))

    def camera(self, *, index_first: bool) -> Path:
        """Twelve seconds at 23 Mbit/s, a second of sound after each second of picture."""

        def make(path: Path) -> None:
            picture = ("-f", "lavfi", "-i", "testsrc2=size=400x300:rate=25,noise=alls=90:allf=t")
            rates = ("-c:v", "mjpeg", "-q:v", "1", "-c:a", "aac", "-chunk_duration", "1000000")
            flags = ("-movflags", "+faststart") if index_first else ()
            ffmpeg(*picture, *_SOUND, "-t", "12", *rates, *flags, "-metadata", "title=Alps", path)

        return self._made(f"camera-{index_first}.mov", make)

    def picture(self, name: str) -> Path:
        """A picture of 300 x 200 as `name` says: cover.jpg, cover.png."""
        return self._made(
            name,
            lambda path: ffmpeg("-f", "lavfi", "-i", "testsrc2=size=300x200:rate=1", "-frames:v", "1", path),
        )

    def beep(self, container: str) -> Path:
        """Ten seconds of picture and sound; it is silent but for the fifth."""

        def make(path: Path) -> None:
            sound = ("-f", "lavfi", "-i", "sine=duration=10,volume=volume='between(t,4,5)':eval=frame")
            ffmpeg(*_PICTURE, *sound, *_PICTURE_CODEC, "-c:a", "aac", "-t", "10", path)

        return self._made(f"beep.{container}", make)

    def silent_film(self) -> Path:
        """A picture without sound."""
        return self._made("silent.mp4", lambda path: self._copy(self.clip(), "-an", path))

    def encrypted(self) -> Path:
        """The clip under Common Encryption."""
        scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1", "-encryption_kid", "2" * 32)
        return self._made("encrypted.mp4", lambda path: self._copy(self.clip(), *scheme, path))

    def song(self) -> Path:
        """Eighty seconds: some pieces for each of a few workers."""
        return self._made(
            "song.mp4",
            lambda path: ffmpeg("-stream_loop", "7", "-i", self.clip(), "-map", "0:a", "-c", "copy", path),
        )

    def two_minutes(self) -> Path:
        """Picture and sound, with the index at the front."""
        repeated = ("-stream_loop", "11", "-i", self.clip(), "-map", "0:v", "-map", "0:a", "-c", "copy")
        return self._made("two-minutes.mp4", lambda path: ffmpeg(*repeated, "-movflags", "+faststart", path))

    def with_gap(self) -> Path:
        """Ten seconds of picture, with the index at the front; the sound begins after one and pauses for two."""

        def make(path: Path) -> None:
            pause = ("-af", "aselect='gte(t,1)*not(between(t,4,6))'", "-c:a", "aac")
            ffmpeg(*_PICTURE, *_SOUND, "-t", "10", *_PICTURE_CODEC, *pause, "-movflags", "+faststart", path)

        return self._made("gap.mp4", make)

    def long(self) -> Path:
        """Ten minutes, which take a few seconds to convert."""

        def make(path: Path) -> None:
            ffmpeg("-stream_loop", "59", "-i", self.clip(), "-map", "0:a", "-c", "copy", path)

        return self._made("long.mp4", make)

    def cut_at(self, path: Path, share: float) -> bytes:
        """The beginning of a file."""
        content = path.read_bytes()
        return content[: int(len(content) * share)]

    def _copy(self, source: Path, *options: str | Path) -> None:
        ffmpeg("-i", source, "-map", "0", "-c", "copy", *options)

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        path = self._folder / name
        if not path.exists():
            make(path)
        return path


def ffmpeg(*arguments: str | Path) -> None:
    """Make a file. Raises AssertionError with ffmpeg's own words where it does not."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]
    made = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert made.returncode == 0, f"{command}: {made.stderr}"


def duration(mp3: Path) -> float:
    """Seconds, as ffmpeg decodes them."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(mp3), "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"]
    decoded = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
    return len(decoded) / 2 / 8000


def decoded(path: Path) -> bytes:
    """Its sound as ffmpeg plays it: signed 16-bit samples, as many channels and as often as they are there."""
    command = ["ffmpeg", "-nostdin", "-v", "quiet", "-i", str(path), "-map", "0:a:0", "-f", "s16le", "pipe:1"]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout


def loudness(mp3: Path) -> float:
    """LUFS, as another of ffmpeg's filters hears it."""
    command = [
        "ffmpeg",
        "-nostdin",
        "-hide_banner",
        "-i",
        str(mp3),
        "-af",
        "loudnorm=print_format=json",
        "-f",
        "null",
        "-",
    ]
    heard = subprocess.run(command, check=True, capture_output=True, timeout=120, text=True).stderr
    return float(json.loads(heard[heard.rindex("{") :])["input_i"])


def with_chapters(source: Path, destination: Path, chapters: list[tuple[float, float, str]], *options: str) -> None:
    """Copy a file and give it chapters: from second, to second, title."""
    listed = destination.with_suffix(".chapters")
    listed.write_text(";FFMETADATA1\n" + "".join(_chapter(*chapter) for chapter in chapters))
    inputs = ("-i", source, "-f", "ffmetadata", "-i", listed, "-map", "0", "-map_chapters", "1")
    ffmpeg(*inputs, "-c", "copy", *options, destination)


def _chapter(start: float, end: float, title: str) -> str:
    escaped = re.sub(r"([=;#\\\n])", r"\\\1", title)
    return f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={round(start * 1000)}\nEND={round(end * 1000)}\ntitle={escaped}\n"
