"""Where a file's audio claims to end, for containers that say so. Pure: reads through a file object, trusts no number.

A program that writes into a pipe cannot know how long the audio will be, and one that crashes never comes back to say
it: such sizes are made up, and tell nothing. Nor does it matter whether padding, tags or an index behind the audio are
whole. Sources: RIFF and AIFF (FORM) chunks; EBU Tech 3306 (RF64); RFC 8794 and RFC 9559 (Matroska); Apple's Core Audio
Format; Sony's Wave64; the header of .au files; Advanced Systems Format, sections 3 and 5.
"""

import struct
from typing import Final

from video2mp3_worker.containers.isobmff import Readable

_STREAMED: Final = 0xFFFFFF00
"""Sizes from here on were never filled in."""

_MADE_UP: Final = (0x7F000000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000)
"""What writers into pipes say instead: SoX for AIFF; SoX, MPlayer and eSpeak; opus-tools; ALSA's arecord."""

_HEADER_BYTES: Final = 1024
"""By so much the size of the whole may be over the one that was made up for the audio in it."""

_ENDLESS: Final = 2**62
"""The same in 64 bits: no file is as large."""

_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"
_CLUSTER: Final = b"\x1f\x43\xb6\x75"
_NOT_MEDIA: Final = frozenset(
    {b"\x1c\x53\xbb\x6b", b"\x12\x54\xc3\x67", b"\x10\x43\xa7\x70", b"\x19\x41\xa4\x69", b"\xec"}
)
"""Cues, Tags, Chapters, Attachments and Void."""

_WAVE64: Final = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_WAVE64_DATA: Final = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_ASF_HEADER: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_FLAGS_AT: Final = 88
_ASF_BROADCAST: Final = 1
_CHUNKS: Final = 1_000
_ELEMENTS: Final = 100_000
"""Clusters of a day, and some."""


def claimed_end(file: Readable, head: bytes, size: int) -> int:
    """The byte after the last of the audio, as the file says it; 0 where it does not. `head` is how the file begins.

    Where it ends after `size`, the file is cut short. Nothing behind `size` is looked at, and maybe less is there yet.
    """
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return _avi_end(file, head, size) if head[8:12] == b"AVI " else _wave_end(file, head, size)
    if head[:4] == b"FORM":
        return _chunk_end(file, size, ">I", b"SSND", _sized(head, ">I"))
    if head[:4] == b".snd" and len(head) >= 12:
        begin, audio = struct.unpack_from(">II", head, 4)
        return 0 if _is_made_up(audio) else int(begin + audio)
    if head[:16] == _WAVE64 and len(head) >= 24:
        return _wave64_end(file, head, size)
    if head[:4] == _EBML:
        return _matroska_end(file, head, size)
    if head[:4] == b"caff":
        return _caf_end(file, size)
    return _asf_end(file, head, size) if head[:16] == _ASF_HEADER and len(head) >= 24 else 0


def is_endless(file: Readable, head: bytes, size: int) -> bool:
    """Whether a wav does not know how long its audio is: then it ends where the file does."""
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:12] != b"WAVE":
        return False
    found = _chunk(file, size, "<I", b"data")
    return found is not None and _is_made_up(_wave_size(head, found[1]))


def _is_made_up(size: int) -> bool:
    return size == 0 or _STREAMED <= size < 2**32 or any(0 <= size - one < _HEADER_BYTES for one in _MADE_UP)


def _sized(head: bytes, number: str) -> int:
    size = int(struct.unpack_from(number, head.ljust(8, b"\0"), 4)[0])
    return 0 if _is_made_up(size) else size + 8


def _chunk(file: Readable, size: int, number: str, wanted: bytes, start: int = 12) -> tuple[int, int] | None:
    """Where the content of the first chunk of a kind begins, and how long it claims to be; a LIST by its own kind."""
    position = start
    for _ in range(_CHUNKS):
        if position + 8 > size:
            return None
        file.seek(position)
        header = file.read(12)
        if len(header) < 8:
            return None
        length = int(struct.unpack_from(number, header, 4)[0])
        if wanted in (header[:4], header[8:12] if header[:4] == b"LIST" else b""):
            return position + 8, length
        position += 8 + length + length % 2
    return None


def _chunk_end(file: Readable, size: int, number: str, wanted: bytes, whole: int) -> int:
    """Where a chunk ends; without it, where the whole does."""
    found = _chunk(file, size, number, wanted)
    if found is None:
        return whole
    start, length = found
    return 0 if _is_made_up(length) else start + length


def _wave_end(file: Readable, head: bytes, size: int) -> int:
    found = _chunk(file, size, "<I", b"data")
    if found is None:
        return _sized(head, "<I")
    start, length = found[0], _wave_size(head, found[1])
    return 0 if _is_made_up(length) else start + length


def _wave_size(head: bytes, length: int) -> int:
    """How long the audio is; where 32 bits are too few, the chunk `ds64` says it. 0 where nothing does."""
    if length < _STREAMED or head[:4] == b"RIFF" or head[12:16] != b"ds64" or len(head) < 36:
        return length
    real = int(struct.unpack_from("<Q", head, 28)[0])
    return real if real < _ENDLESS else 0


def _avi_end(file: Readable, head: bytes, size: int) -> int:
    """Long films are several RIFFs, each with its own media (OpenDML)."""
    start, end = 0, 0
    for _ in range(_CHUNKS):
        if start + 12 > size:
            break
        file.seek(start)
        outer = file.read(12)
        if outer[:4] != b"RIFF" or len(outer) < 8:
            break
        length = int(struct.unpack_from("<I", outer, 4)[0])
        found = _chunk(file, size, "<I", b"movi", start + 12)
        # Nobody is known to write an AVI into a pipe: what it says too much of may well be missing.
        claims = (start + 8, length) if found is None else found
        end = claims[0] + claims[1] if 0 < claims[1] < _STREAMED else 0
        if end > size or not end:
            break
        start += 8 + length + length % 2
    return end


def _wave64_end(file: Readable, head: bytes, size: int) -> int:
    position = 40
    for _ in range(_CHUNKS):
        if position + 24 > size:
            break
        file.seek(position)
        header = file.read(24)
        if len(header) < 24:
            break
        length = int(struct.unpack_from("<Q", header, 16)[0])
        if header[:16] == _WAVE64_DATA:
            return position + length if 24 < length < _ENDLESS else 0
        position += max(length + -length % 8, 24)
    whole = int(struct.unpack_from("<Q", head, 16)[0])
    return whole if whole < _ENDLESS else 0


def _caf_end(file: Readable, size: int) -> int:
    """The audio, and behind it maybe the table of its packets, without which it cannot be read."""
    position, end = 8, size + 1
    for _ in range(_CHUNKS):
        if position + 12 > size:
            break
        file.seek(position)
        header = file.read(12)
        if len(header) < 12:
            return position
        kind, length = struct.unpack(">4sq", header)
        if not 0 <= length < _ENDLESS:
            return position
        position += 12 + length
        if kind in (b"data", b"pakt"):
            end = position
    return end


def _matroska_end(file: Readable, head: bytes, size: int) -> int:
    start = head.find(_SEGMENT) + len(_SEGMENT)
    width, length = _size_of_element(head[start : start + 8])
    if start < len(_SEGMENT) or length < 0:
        return 0
    end = start + width + length
    return end if end <= size or _lacks_media(file, start + width, size) else size


def _lacks_media(file: Readable, position: int, size: int) -> bool:
    """Whether what goes on after the end of the file is more than an index, tags or padding behind the last cluster."""
    has_media = False
    for _ in range(_ELEMENTS):
        file.seek(position)
        header = file.read(12)
        kind = header[: 9 - header[0].bit_length()] if header[:1].strip(b"\0") else b""
        width, length = _size_of_element(header[len(kind) :][:8])
        if not kind or not width or length < 0:
            return True
        has_media |= kind == _CLUSTER
        position += len(kind) + width + length
        if position > size:
            return not has_media or kind not in _NOT_MEDIA
        if position == size:
            return True
    return True


def _size_of_element(number: bytes) -> tuple[int, int]:
    """How many bytes a size takes, 0 where there is none, and what it says: -1 for unknown."""
    if not number[:1].strip(b"\0"):
        return 0, -1
    length = 9 - number[0].bit_length()
    unknown = (1 << 7 * length) - 1
    value = int.from_bytes(number[:length], "big") & unknown
    return length, -1 if value == unknown else value


def _asf_end(file: Readable, head: bytes, size: int) -> int:
    """The header is followed by the data. Of a broadcast no size is true: 3.2 of the specification."""
    begin = int(struct.unpack_from("<Q", head, 16)[0])
    properties = head.find(_ASF_FILE_PROPERTIES)
    if properties >= 0 and head[properties + _ASF_FLAGS_AT :][:1] and head[properties + _ASF_FLAGS_AT] & _ASF_BROADCAST:
        return 0
    if begin + 24 > size:
        return begin + 24 if begin < _ENDLESS else 0
    file.seek(begin)
    length = int(struct.unpack_from("<Q", file.read(24).ljust(24, b"\0"), 16)[0])
    return begin + length if length < _ENDLESS else 0
