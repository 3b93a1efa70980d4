"""A finished mp3, looked at frame by frame, as a player would that trusts nothing. Pure but for reading the file."""

from dataclasses import dataclass
from typing import BinaryIO, Final

from video2mp3_worker.encoder.frames import HEADER_BYTES, Layout

_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Hz by the header's version and rate index."""

_BLOCK_BYTES: Final = 1024**2
_INFO_BYTES: Final = 156


class BrokenMp3Error(Exception):
    """The file is not the mp3 that its Info frame speaks of."""


@dataclass(frozen=True)
class Inspected:
    """What a player will find."""

    layout: Layout
    seconds: float


def inspect(file: BinaryIO) -> Inspected:
    """Go through all frames of a file that begins with its Info frame. Raises BrokenMp3Error."""
    head = file.read(_BLOCK_BYTES)
    layout = _layout(head)
    first = layout.sizes[head[2]]
    info = head[layout.head_bytes : first]
    if not first or info[:4] not in (b"Xing", b"Info") or len(info) < _INFO_BYTES:
        raise BrokenMp3Error("there is no Info frame")
    claimed = int.from_bytes(info[8:12], "big"), int.from_bytes(info[12:16], "big")
    file.seek(0)
    frames = _count_frames(file, layout, head[1])
    if claimed != (frames - 1, file.tell()):
        raise BrokenMp3Error(f"{frames - 1} frames, but the Info frame says {claimed[0]}, of {claimed[1]} bytes")
    delay, padding = divmod(int.from_bytes(info[141:144], "big"), 1 << 12)
    return Inspected(layout, ((frames - 1) * layout.samples - delay - padding) / layout.sample_rate)


def _layout(head: bytes) -> Layout:
    if len(head) < HEADER_BYTES or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        raise BrokenMp3Error("it does not begin with a frame")
    rates, index = _RATES.get(head[1] >> 3 & 3, ()), head[2] >> 2 & 3
    if index >= len(rates):
        raise BrokenMp3Error("there is no such sample rate")
    return Layout(rates[index], 1 if head[3] >> 6 == 3 else 2)


def _count_frames(file: BinaryIO, layout: Layout, second: int) -> int:
    count, position, sizes = 0, 0, layout.sizes
    block = file.read(_BLOCK_BYTES)
    while block:
        last = len(block) - HEADER_BYTES
        while position <= last:
            size = sizes[block[position + 2]]
            # Frames that were copied may have a checksum, which the Info frame has not.
            if block[position] != 0xFF or block[position + 1] | 1 != second or not size:
                raise BrokenMp3Error(f"what follows frame {count} is none")
            position += size
            count += 1
        rest = block[position:]
        position = max(position - len(block), 0)
        more = file.read(_BLOCK_BYTES)
        block = rest + more if more else b""
    if position or rest:
        raise BrokenMp3Error("the last frame is not whole")
    return count
