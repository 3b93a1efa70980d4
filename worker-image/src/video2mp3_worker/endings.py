"""Where a file claims to end, for containers that say so. Pure: reads through a file object, trusts no number in it.

Sources: RIFF and AIFF (FORM) chunks; RFC 8794 and RFC 9559 (Matroska); Apple's Core Audio Format; Sony's Wave64; the
header of .au files; Advanced Systems Format, sections 3 and 5.
"""

import struct
from typing import Final

from video2mp3_worker.isobmff import Readable

_STREAMED: Final = 0xFFFFFF00
"""Sizes from here on were never filled in."""

_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"
_WAVE64: Final = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_ASF_HEADER: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_CHUNKS: Final = 100


def claimed_end(file: Readable, head: bytes) -> int:
    """The byte after the last, as the file says it; 0 where it does not. `head` is how the file begins."""
    if head[:4] == b"RIFF":
        return _sized(head, "<I")
    if head[:4] == b"FORM":
        return _sized(head, ">I")
    if head[:4] == b".snd" and len(head) >= 12:
        begin, size = struct.unpack_from(">II", head, 4)
        return begin + size if size < _STREAMED else 0
    if head[:16] == _WAVE64 and len(head) >= 24:
        return int(struct.unpack_from("<Q", head, 16)[0])
    if head[:4] == _EBML:
        return _segment_end(head)
    if head[:4] == b"caff":
        return _last_chunk_end(file)
    return _asf_data_end(file, head) if head[:16] == _ASF_HEADER and len(head) >= 24 else 0


def _sized(head: bytes, number: str) -> int:
    size = struct.unpack_from(number, head.ljust(8, b"\0"), 4)[0]
    return size + 8 if 0 < size < _STREAMED else 0


def _segment_end(head: bytes) -> int:
    start = head.find(_SEGMENT) + len(_SEGMENT)
    if start < len(_SEGMENT) or not head[start : start + 1].strip(b"\0"):
        return 0
    length = 9 - head[start].bit_length()
    unknown = (1 << 7 * length) - 1
    value = int.from_bytes(head[start : start + length], "big") & unknown
    return 0 if value == unknown else start + length + value


def _last_chunk_end(file: Readable) -> int:
    position = 8
    for _ in range(_CHUNKS):
        file.seek(position)
        header = file.read(12)
        size = struct.unpack_from(">q", header, 4)[0] if len(header) == 12 else -1
        if size < 0:
            # The sound, as long as there is; or the end.
            return position
        position += 12 + size
    return 0


def _asf_data_end(file: Readable, head: bytes) -> int:
    """The header is followed by the data."""
    begin = struct.unpack_from("<Q", head, 16)[0]
    if begin >= 2**63:
        return 0
    file.seek(begin)
    data = file.read(24)
    return begin + int(struct.unpack_from("<Q", data, 16)[0]) if len(data) == 24 else int(begin)
