"""The worker's encoder on samples in files, as it also runs where nothing but the worker is installed.

python -m tests.integration.worker.oracle.encoding FOLDER

Makes an mp3 of each file NUMBER.SETTING.RATE.CHANNELS.pcm, beside it; prints the file of LAME's library.
"""

import io
import re
import sys
from pathlib import Path

from video2mp3_worker.encoder import lame, pieces
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.lame import Lame, Quality
from video2mp3_worker.encoder.writer import Mp3Writer

PIECE_FRAMES = 98
"""Of a piece of a variable bit rate: five times as many joins as there are otherwise. With a constant one a join costs
something, which depends on the piece."""


def quality_of(setting: str) -> Quality:
    """As in V0 to V9, or kbit/s as in b128."""
    number = int(setting[1:])
    return Quality(level=number) if setting[0] == "V" else Quality(bit_rate=number)


def encoded(samples: bytes, layout: Layout, quality: Quality) -> bytes:
    """The mp3 that the worker's encoder makes of interleaved signed 32-bit samples at a quarter of their size."""
    file = io.BytesIO()
    writer = Mp3Writer(file, Lame(lame.load(), layout, quality), layout, quality)
    writer.write(io.BytesIO(samples).readinto, 1, lambda _done: None)
    return file.getvalue()


def main(folder: Path) -> None:
    """Make all of them."""
    usual = pieces.PIECE_FRAMES
    for path in sorted(folder.glob("*.pcm")):
        _number, setting, rate, channels, _suffix = path.name.split(".")
        quality = quality_of(setting)
        pieces.PIECE_FRAMES = usual if quality.bit_rate else PIECE_FRAMES  # type: ignore[misc]
        path.with_suffix(".mp3").write_bytes(encoded(path.read_bytes(), Layout(int(rate), int(channels)), quality))
    maps = Path("/proc/self/maps").read_text()
    sys.stdout.write("".join(sorted(set(re.findall(r"\S+/libmp3lame\S+\n", maps)))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
