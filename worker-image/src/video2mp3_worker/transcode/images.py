"""What a picture is, told from its bytes without decoding one of its pixels. Pure.

JPEG (ISO/IEC 10918-1, annex B: marker segments up to EOI) and PNG (W3C PNG, chapter 5: chunks up to IEND) are followed
from their first byte to their last, so that what is cut short, only pretends, or has something else behind it is found
here and not by a player. Everything claims sizes; nothing is allocated by them.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_SIDE: Final = 6_000
"""Pixels. A player needs four bytes for each: 144 MB for the largest."""

_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _FILL = 0xDA, 0xD9, 0xFF
_NEXT_MARKER: Final = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
"""Behind a scan's coded data, in which FF is followed by 00 or by a restart marker."""

_DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
"""PNG's bit depths by colour type."""


class NotAPictureError(Exception):
    """The bytes are no picture that may be passed on. Its text says why, in words that follow "the cover"."""


@dataclass(frozen=True)
class Picture:
    """A whole JPEG or PNG."""

    mime: str
    width: int
    height: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.mime.removeprefix('image/').upper()}, {self.width} x {self.height}, {len(self.data)} bytes"


def picture(data: bytes) -> Picture:
    """The picture that the bytes begin with; what follows its end is cut off. Raises NotAPictureError."""
    try:
        if data.startswith(_JPEG):
            mime, (width, height, end) = "image/jpeg", _jpeg(data)
        elif data.startswith(_PNG):
            mime, (width, height, end) = "image/png", _png(data)
        else:
            raise NotAPictureError("is neither JPEG nor PNG")
    except (IndexError, struct.error) as error:
        raise NotAPictureError("is cut short") from error
    if not width or not height or max(width, height) > MAX_SIDE:
        raise NotAPictureError(f"has {width} x {height} pixels; at most {MAX_SIDE} x {MAX_SIDE} are passed on")
    return Picture(mime, width, height, data[:end])


def _jpeg(data: bytes) -> tuple[int, int, int]:
    """Width, height, and where it ends."""
    size = (0, 0)
    for marker, position in _segments(data):
        if marker == _END:
            return *size, position
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 3)
            size = (width, height)
    raise NotAPictureError("is cut short")


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The markers behind the first, each with the position of what follows it."""
    position = 2
    while (position := _behind_fill_bytes(data, position)) < len(data):
        marker = data[position]
        position += 1
        yield marker, position
        if marker in _STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        position += max(length, 2)
        if marker == _SCAN:
            found = _NEXT_MARKER.search(data, position)
            if found is None:
                return
            position = found.start()


def _behind_fill_bytes(data: bytes, position: int) -> int:
    if data[position] != _FILL:
        raise NotAPictureError("is a damaged JPEG")
    while data[position] == _FILL:
        position += 1
    return position


def _png(data: bytes) -> tuple[int, int, int]:
    """Width, height, and where it ends."""
    position, size, has_pixels = len(_PNG), (0, 0), False
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        if zlib.crc32(data[position + 4 : position + 8 + length]) != checksum:
            raise NotAPictureError("is a damaged PNG")
        if size == (0, 0):
            size = _png_size(kind, data[position + 8 : position + 8 + length])
        has_pixels = has_pixels or kind == b"IDAT"
        position += 12 + length
        if kind == b"IEND":
            if not has_pixels:
                raise NotAPictureError("is a PNG without pixels")
            return *size, position


def _png_size(kind: bytes, header: bytes) -> tuple[int, int]:
    if kind != b"IHDR" or len(header) != 13:
        raise NotAPictureError("is a damaged PNG")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1 or not width or not height:
        raise NotAPictureError("is a damaged PNG")
    return width, height
