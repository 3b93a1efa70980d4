"""The box structure of mp4, mov, m4a and 3gp files, read directly where ffmpeg does not tell enough. Pure.

Source: ISO/IEC 14496-12 (boxes, sample descriptions), ISO/IEC 14496-12 8.12 and 23001-7 (protected sample entries).
Sizes that a file claims are never trusted: nothing is read beyond a box's parent, and no more than _BOXES boxes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

TOP_LEVEL: Final = frozenset(
    {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"uuid", b"udta", b"meta", b"mfra", b"sidx"}
    | {b"styp", b"emsg", b"pdin", b"pnot", b"ssix", b"prft"}
)
"""Kinds that stand at the top of real files. Other bytes after the media are junk that some programs leave there."""

PROTECTED_AUDIO: Final = frozenset({b"enca", b"drms"})
"""Sample entries of encrypted sound: Common Encryption, and Apple's FairPlay."""

_BOXES: Final = 200_000
"""Read for one question. Films have some dozen; a file of nothing but boxes has a hundred million in a gigabyte."""

_SAMPLE_ENTRIES_HEADER: Final = 8
_PATH_TO_SAMPLE_ENTRIES: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


@dataclass(frozen=True)
class Box:
    """A box. `content` is where its header ends, `end` where it claims to end, in bytes from the file's start."""

    kind: bytes
    content: int
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes from `start` to `end`, one level deep. The last one may claim to end after `end`."""
    position = start
    for _ in range(_BOXES):
        if position + 8 > end:
            return
        file.seek(position)
        header = file.read(16)
        size, kind = struct.unpack_from(">I4s", header)
        content = position + 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
            content = position + 16
        elif size == 0:
            size = end - position
        if size < content - position:
            return
        yield Box(kind, content, position + size)
        position += size


def is_isobmff(head: bytes) -> bool:
    """Whether a file that begins so is made of boxes."""
    return head[4:8] in TOP_LEVEL and struct.unpack_from(">I", head)[0] != 0


def is_cut_short(file: BinaryIO, size: int) -> bool:
    """Whether a file lacks its end: a box goes on after it, or the index that should follow the media is not there."""
    kinds = set()
    for box in boxes(file, 0, size):
        if box.kind not in TOP_LEVEL:
            break
        if box.end > size:
            return True
        kinds.add(box.kind)
    return b"moov" not in kinds and b"moof" not in kinds


def sample_entries(file: BinaryIO, size: int) -> list[bytes]:
    """The sample entry kinds of all tracks, for example `mp4a`, `avc1` or, for protected sound, `enca`."""
    left = iter(range(_BOXES))
    found = [Box(b"", 0, size)]
    for kind in _PATH_TO_SAMPLE_ENTRIES:
        found = [
            child
            for parent in found
            for _, child in zip(left, boxes(file, parent.content, min(parent.end, size)), strict=False)
            if child.kind == kind
        ]
    return [
        entry.kind
        for table in found
        for _, entry in zip(
            left, boxes(file, table.content + _SAMPLE_ENTRIES_HEADER, min(table.end, size)), strict=False
        )
    ]
