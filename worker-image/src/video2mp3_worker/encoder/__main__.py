"""The encoder as a confined program: samples on standard input, an mp3 into a file that is there already.

    python -I -S __main__.py KEY=VALUE... -- sample_rate=44100 channels=2 silence=0 level=2 threads=2 FILE

The KEY=VALUE before `--` are the launcher's. Interleaved signed 32-bit samples come at a quarter of their size; before
them come `silence` samples of silence. On standard output it says how far it is, in ffmpeg's words: `out_time_us=`.

With `first=` and maybe `end=`, numbers of pieces, FILE becomes that part of the audio, see `parts`; how far it is still
counts from the audio's beginning. With `join=1`, parts come on standard input instead of samples.
"""

import gc
import io
import os
import sys
import time
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    # Started by its file's name and without site-packages, it has to be told where its own package is.
    sys.path.insert(0, str(Path(__file__).parents[2]))

from video2mp3_worker.encoder import lame
from video2mp3_worker.encoder.coalesced_reads import coalesced
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.lame import Lame, LameError, Quality
from video2mp3_worker.encoder.parts import BrokenPartsError, PartsReader, PartWriter
from video2mp3_worker.encoder.pieces import PIECE_FRAMES, SAMPLE_BYTES, Read, Span
from video2mp3_worker.encoder.silence import after_silence
from video2mp3_worker.encoder.writer import Mp3Writer
from video2mp3_worker.sandbox import launcher

_BUFFER_BYTES = 1024**2
_PAUSE_SECONDS = 0.001
"""ffmpeg fills the pipe in about two."""


def main(arguments: list[str]) -> int:
    """Read what is asked for, confine this process, encode. Answers the exit code."""
    separator = arguments.index("--")
    *options, destination = arguments[separator + 1 :]
    wanted = {name: int(value) for name, _, value in (option.partition("=") for option in options)}
    layout = Layout(wanted["sample_rate"], wanted["channels"])
    quality = Quality(wanted.get("level"), wanted.get("bit_rate"))
    library = lame.load()
    # Frames by the thousand and no cycles among them: looking for garbage finds none.
    gc.disable()
    launcher.confine(arguments[:separator])
    encoder = Lame(library, layout, quality)

    def report(done: int) -> None:
        _report(done, layout.sample_rate)

    with io.FileIO(sys.stdin.fileno(), closefd=False) as given, Path(destination).open("r+b") as file:
        samples = _samples(given, wanted, layout)
        if "first" in wanted:
            span = Span(wanted["first"], wanted.get("end"))
            PartWriter(file, encoder, layout, quality).write(samples, wanted["threads"], span, report)
        elif "join" in wanted:
            parts = PartsReader(io.BufferedReader(given, _BUFFER_BYTES), layout, quality)
            Mp3Writer(file, encoder, layout, quality).join(parts.pieces(), report)
        else:
            Mp3Writer(file, encoder, layout, quality).write(samples, wanted["threads"], report)
    return 0


def _samples(given: io.FileIO, wanted: dict[str, int], layout: Layout) -> Read:
    sample_bytes = layout.channels * SAMPLE_BYTES
    at_once = wanted.get("threads", 1) * PIECE_FRAMES * layout.samples * sample_bytes
    audio = coalesced(given.readinto, at_once, partial(time.sleep, _PAUSE_SECONDS))
    return after_silence(audio, wanted.get("silence", 0) * sample_bytes)


def _report(samples: int, sample_rate: int) -> None:
    os.write(sys.stdout.fileno(), b"out_time_us=%d\n" % round(samples * 1_000_000 / sample_rate))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, LameError, MemoryError, BrokenPartsError) as error:
        sys.stderr.write(f"encoder: {error or type(error).__name__}\n")
        sys.exit(1)
