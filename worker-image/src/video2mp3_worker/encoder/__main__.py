"""The encoder as a confined program: samples on standard input, an mp3 into a file that is there already.

    python -I -S __main__.py KEY=VALUE... -- sample_rate=44100 channels=2 level=2 threads=2 FILE

The KEY=VALUE before `--` are the launcher's. Interleaved signed 32-bit samples come at a quarter of their size. On
standard output it says how far it is, in ffmpeg's words: `out_time_us=`.
"""

import io
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Started by its file's name and without site-packages, it has to be told where its own package is.
    sys.path.insert(0, str(Path(__file__).parents[2]))

from video2mp3_worker import launcher
from video2mp3_worker.encoder import lame
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.lame import Lame, LameError, Quality
from video2mp3_worker.encoder.writer import Mp3Writer


def main(arguments: list[str]) -> int:
    """Read what is asked for, confine this process, encode. Answers the exit code."""
    separator = arguments.index("--")
    *options, destination = arguments[separator + 1 :]
    wanted = {name: int(value) for name, _, value in (option.partition("=") for option in options)}
    layout = Layout(wanted["sample_rate"], wanted["channels"])
    quality = Quality(wanted.get("level"), wanted.get("bit_rate"))
    library = lame.load()
    launcher.confine(arguments[:separator])
    with io.FileIO(sys.stdin.fileno(), closefd=False) as samples, Path(destination).open("r+b") as file:
        writer = Mp3Writer(file, Lame(library, layout, quality), layout, quality)
        writer.write(samples.readinto, wanted["threads"], lambda done: _report(done, layout.sample_rate))
    return 0


def _report(samples: int, sample_rate: int) -> None:
    os.write(sys.stdout.fileno(), b"out_time_us=%d\n" % round(samples * 1_000_000 / sample_rate))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, LameError, MemoryError) as error:
        sys.stderr.write(f"encoder: {error or type(error).__name__}\n")
        sys.exit(1)
