"""The box structure of mp4, mov, m4a and 3gp files, read directly where ffmpeg does not tell enough. Pure.

Source: ISO/IEC 14496-12 (boxes, sample descriptions), ISO/IEC 14496-12 8.12 and 23001-7 (protected sample entries).
Sizes that a file claims are never trusted: nothing is read beyond a box's parent, and no more than _BOXES boxes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

TOP_LEVEL: Final = frozenset(
    {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"uuid", b"udta", b"meta", b"mfra", b"sidx"}
    | {b"styp", b"emsg", b"pdin", b"pnot", b"ssix", b"prft"}
)
"""Kinds that stand at the top of real files. Other bytes after the media are junk that some programs leave there."""

PROTECTED_AUDIO: Final = frozenset({b"enca", b"drms"})
"""Sample entries of encrypted audio: Common Encryption, and Apple's FairPlay."""

_NOT_HEARD: Final = frozenset({b"free", b"skip", b"wide", b"uuid", b"udta", b"meta", b"mfra", b"pnot"})
"""Of those, padding, tags and what only helps to find something: without them all of the media are there."""

HEAD_BYTES: Final = 16
"""Enough for `is_isobmff`."""

_BOXES: Final = 200_000
"""Read for one question. Films have some dozen; a file of nothing but boxes has a hundred million in a gigabyte."""

_SAMPLE_ENTRIES_HEADER: Final = 8
_PATH_TO_SAMPLE_ENTRIES: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


class Readable(Protocol):
    """What is needed of a file: reading, and seeking from its beginning."""

    def read(self, size: int = ..., /) -> bytes:
        """Read so many bytes, or fewer at the end."""

    def seek(self, offset: int, /) -> int:
        """Go to a byte."""


@dataclass(frozen=True)
class Box:
    """A box. It begins at `start`, its header ends at `content`, and it claims to end at `end`: bytes of the file."""

    kind: bytes
    start: int
    content: int
    end: int


def boxes(file: Readable, start: int, end: int, limit: int = _BOXES) -> Iterator[Box]:
    """The boxes from `start` to `end`, one level deep. The last one may claim to end after `end`."""
    position = start
    for _ in range(limit):
        if position + 8 > end:
            return
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            return
        size, kind = struct.unpack_from(">I4s", header)
        content = position + 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
            content = position + 16
        elif size == 0:
            size = end - position
        if size < content - position:
            return
        yield Box(kind, position, content, position + size)
        position += size


def is_isobmff(head: bytes) -> bool:
    """Whether a file that begins so is made of boxes."""
    return head[4:8] in TOP_LEVEL and struct.unpack_from(">I", head)[0] != 0


def is_cut_short(file: Readable, size: int) -> bool:
    """Whether a file lacks media: a box of them goes on after its end, or the index that should follow is not there."""
    kinds = set()
    for box in boxes(file, 0, size):
        if box.kind not in TOP_LEVEL:
            break
        if box.end > size:
            return box.kind not in _NOT_HEARD or b"moov" not in kinds
        kinds.add(box.kind)
    return b"moov" not in kinds and b"moof" not in kinds


def box_budget() -> Iterator[int]:
    """As many items as boxes may be read for one question."""
    return iter(range(_BOXES))


def children(file: Readable, parent: Box, left: Iterator[int], header: int = 0) -> Iterator[Box]:
    """The boxes in a box, behind `header` bytes; none ends after its parent. `left` runs out for all of a question."""
    inside = boxes(file, parent.content + header, parent.end)
    # The budget second: what it gives for a box that is not there would be lost.
    for box, _ in zip(inside, left, strict=False):
        yield Box(box.kind, box.start, box.content, min(box.end, parent.end))


def descend(parents: list[Box], file: Readable, path: tuple[bytes, ...], left: Iterator[int]) -> list[Box]:
    """The boxes at the end of a path of kinds, below any of the parents; `left` runs out after the boxes to be read."""
    for kind in path:
        parents = [child for parent in parents for child in children(file, parent, left) if child.kind == kind]
    return parents


def sample_entries(file: Readable, size: int) -> list[bytes]:
    """The sample entry kinds of all tracks, for example `mp4a`, `avc1` or, for protected audio, `enca`."""
    left = box_budget()
    return [
        entry.kind
        for table in descend([Box(b"", 0, 0, size)], file, _PATH_TO_SAMPLE_ENTRIES, left)
        for entry in children(file, table, left, _SAMPLE_ENTRIES_HEADER)
    ]
