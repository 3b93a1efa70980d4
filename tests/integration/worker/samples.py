"""Media made by ffmpeg when a test asks for it, once for each run."""

import json
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
            lambda path: self._ffmpeg(
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
            self._ffmpeg(*picture, *_SOUND, "-t", "12", *rates, *flags, "-metadata", "title=Alps", path)

        return self._made(f"camera-{index_first}.mov", make)

    def silent_film(self) -> Path:
        """A picture without sound."""
        return self._made("silent.mp4", lambda path: self._copy(self.clip(), "-an", path))

    def encrypted(self) -> Path:
        """The clip under Common Encryption."""
        scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1", "-encryption_kid", "2" * 32)
        return self._made("encrypted.mp4", lambda path: self._copy(self.clip(), *scheme, path))

    def long(self) -> Path:
        """Ten minutes, which take a few seconds to convert."""

        def make(path: Path) -> None:
            self._ffmpeg("-stream_loop", "59", "-i", self.clip(), "-map", "0:a", "-c", "copy", path)

        return self._made("long.mp4", make)

    def cut_at(self, path: Path, share: float) -> bytes:
        """The beginning of a file."""
        content = path.read_bytes()
        return content[: int(len(content) * share)]

    def _copy(self, source: Path, *options: str | Path) -> None:
        self._ffmpeg("-i", source, "-map", "0", "-c", "copy", *options)

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        path = self._folder / name
        if not path.exists():
            make(path)
        return path

    @staticmethod
    def _ffmpeg(*arguments: str | Path) -> None:
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True, timeout=120)


def duration(mp3: Path) -> float:
    """Seconds, as ffmpeg decodes them."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(mp3), "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"]
    decoded = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
    return len(decoded) / 2 / 8000


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
