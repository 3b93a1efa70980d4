"""The benchmark's videos: made once, of ten seconds that are repeated."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_LOOP_SECONDS = 10
_MUSIC = (
    "aevalsrc='0.3*sin(2*PI*(220+55*floor(mod(t*4,7)))*t)*exp(-3*mod(t,0.25))+0.1*sin(2*PI*880*t)*sin(2*PI*3*t)"
    "|0.3*sin(2*PI*(330+110*floor(mod(t*3,5)))*t)*exp(-3*mod(t,0.33))':s=44100"
)
_NOISE = "anoisesrc=color=pink:amplitude=0.05:sample_rate=44100"


@dataclass(frozen=True)
class Video:
    """One of the files."""

    minutes: float
    megabits: int
    index_first: bool

    def __str__(self) -> str:
        index = "first" if self.index_first else "last"
        return f"{self.minutes:g} min, {self.megabits} Mbit/s, index {index}"

    def made_in(self, folder: Path) -> Path:
        """The file, made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.minutes:g}-{self.megabits}-{self.index_first}.mp4"
        if not path.exists():
            loops = round(self.minutes * 60 / _LOOP_SECONDS)
            flags = ("-movflags", "+faststart") if self.index_first else ()
            # A camera writes a second of sound after each second of picture.
            stretches = ("-chunk_duration", "1000000")
            loop = ("-stream_loop", str(loops - 1), "-i", str(_ten_seconds(folder, self.megabits)), "-c", "copy")
            _ffmpeg(*loop, *stretches, *flags, str(path))
        return path


def _ten_seconds(folder: Path, megabits: int) -> Path:
    path = folder / f"loop-{megabits}.mp4"
    if not path.exists():
        noise = 60 if megabits > 5 else 6
        picture = ("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25,noise=alls={noise}:allf=t")
        sound = ("-f", "lavfi", "-i", _MUSIC, "-f", "lavfi", "-i", _NOISE, "-filter_complex", "[1][2]amix=2[a]")
        rate = f"{megabits * 1000 - 160}k"
        codecs = ("-c:v", "mpeg4", "-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate)
        _ffmpeg(*picture, *sound, "-map", "0:v", "-map", "[a]", "-t", str(_LOOP_SECONDS), *codecs, "-b:a", "160k",
                "-ac", "2", str(path))  # fmt: skip
    return path


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "fatal", "-y", *arguments], check=True)
