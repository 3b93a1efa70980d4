"""What the builders have in common: ffmpeg's test sources, and numbers that are written over in a finished file."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.integration.worker.samples import ffmpeg

Build = Callable[[Path], None]
"""Writes one file at a path."""


def tone(seconds: float, *, rate: int, frequency: int = 440, late: float = 0.0) -> tuple[str, ...]:
    """An input of ffmpeg: a steady tone, an eighth of full scale, which begins `late` seconds after the others."""
    return *_after(late), "-f", "lavfi", "-i", f"sine=frequency={frequency}:duration={seconds}:sample_rate={rate}"


def film(seconds: float, *, size: str = "64x48", rate: int = 25, late: float = 0.0) -> tuple[str, ...]:
    """An input of ffmpeg: a moving picture."""
    return *_after(late), "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"


def _after(late: float) -> tuple[str, ...]:
    return ("-itsoffset", str(late)) if late else ()


def written(path: Path, container: str, *options: str) -> bytearray:
    """Let ffmpeg write a file in a container, whatever its name; answer what is in it.

    Packets are in the order of their times however late a stream begins: ffmpeg waits for each stream's first.
    """
    ffmpeg(*options, "-max_interleave_delta", "0", "-f", container, path)
    return bytearray(path.read_bytes())


def put(content: bytearray, place: int, form: str, *numbers: float) -> None:
    """Write numbers over what stands at a place. `form` as in `struct`."""
    struct.pack_into(form, content, place, *numbers)


def number_at(content: bytes | bytearray, place: int, form: str) -> int:
    """A number that stands at a place."""
    (number,) = struct.unpack_from(form, content, place)
    return int(number)


def chunk(kind: bytes, content: bytes, *, claims: int | None = None, order: str = "<") -> bytes:
    """A chunk of a RIFF or, with order ">", of an IFF file, which may claim another size than it has."""
    return kind + struct.pack(f"{order}I", len(content) if claims is None else claims) + content


def ts_packets(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The packets of an mpeg-ts, each with its PID."""
    for start in range(0, len(content), 188):
        packet = content[start : start + 188]
        yield number_at(packet, 1, ">H") & 0x1FFF, packet
