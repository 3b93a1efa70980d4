"""Whether a file's audio is encrypted, which decoders do not tell: they play noise. Pure, and trusts no number.

Sources: ISO/IEC 14496-12 8.12 and 23001-7 (mp4); RFC 9559, 5.1.4.1.31 (Matroska); Advanced Systems Format, 3.14 and
3.15; ISO/IEC 13818-1, 2.4.3.3 (mpeg-ts).
"""

from collections.abc import Iterator
from typing import Final

from video2mp3_worker.containers import isobmff
from video2mp3_worker.containers.isobmff import Readable

_ASF_HEADER: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROTECTIONS: Final = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
"""Content Encryption and Extended Content Encryption."""

_ASF_BYTES: Final = 256 * 1024
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT, _TRACKS, _TRACK, _TYPE = 0x18538067, 0x1654AE6B, 0xAE, 0x83
_ENCODINGS, _ENCODING, _ENCRYPTION = 0x6D80, 0x6240, 0x5035
_SOUND: Final = b"\x02"
_ELEMENTS: Final = 10_000
"""Read for one question."""

_SYNC, _PACKET_BYTES, _PACKETS = 0x47, 188, 4_000
_MOSTLY: Final = 0.5


def is_protected(file: Readable, head: bytes, size: int) -> bool:
    """Whether there is no audio that could be read without a key. `head` is how the file begins."""
    if isobmff.is_isobmff(head):
        entries = set(isobmff.sample_entries(file, size))
        return bool(entries & isobmff.PROTECTED_AUDIO) and b"mp4a" not in entries
    if head[:16] == _ASF_HEADER:
        file.seek(0)
        header = file.read(_ASF_BYTES)
        return any(mark in header for mark in _ASF_PROTECTIONS)
    if head[:4] == _EBML:
        return _is_encrypted_matroska(file, size)
    return head[:1] == bytes((_SYNC,)) and _is_scrambled(file)


def _is_encrypted_matroska(file: Readable, size: int) -> bool:
    left, found = iter(range(_ELEMENTS)), []
    for segment in _inside(file, 0, size, _SEGMENT, left):
        for tracks in _inside(file, *segment, _TRACKS, left):
            for track in _inside(file, *tracks, _TRACK, left):
                types = [_read(file, *kind) for kind in _inside(file, *track, _TYPE, left)]
                if types == [_SOUND]:
                    found.append(_has_encryption(file, track, left))
            return bool(found) and all(found)
    return False


def _has_encryption(file: Readable, track: tuple[int, int], left: Iterator[int]) -> bool:
    return any(
        encryption
        for encodings in _inside(file, *track, _ENCODINGS, left)
        for encoding in _inside(file, *encodings, _ENCODING, left)
        for encryption in _inside(file, *encoding, _ENCRYPTION, left)
    )


def _inside(file: Readable, start: int, end: int, wanted: int, left: Iterator[int]) -> Iterator[tuple[int, int]]:
    """The contents of the elements of one kind, from their first byte to after their last, one level deep."""
    while start < end and next(left, None) is not None:
        file.seek(start)
        header = file.read(12)
        id_bytes, size_bytes = _length(header[:1]), _length(header[_length(header[:1]) :][:1])
        if not id_bytes or not size_bytes or len(header) < id_bytes + size_bytes:
            return
        kind = int.from_bytes(header[:id_bytes], "big")
        unknown = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(header[id_bytes : id_bytes + size_bytes], "big") & unknown
        content = start + id_bytes + size_bytes
        start = end if size == unknown else min(content + size, end)
        if kind == wanted:
            yield content, start


def _length(first: bytes) -> int:
    """Of a number of variable length; 0 for none."""
    return 9 - first[0].bit_length() if first and first[0] else 0


def _read(file: Readable, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, 8)).lstrip(b"\0")


def _is_scrambled(file: Readable) -> bool:
    """Whether most packets of an mpeg-ts that carry anything are scrambled."""
    file.seek(0)
    content = file.read(_PACKETS * _PACKET_BYTES)
    flags = content[3::_PACKET_BYTES]
    if any(mark != _SYNC for mark in content[::_PACKET_BYTES]):
        return False
    filled = [flag >> 6 for flag in flags if flag & 0x10]
    return sum(map(bool, filled)) > _MOSTLY * max(len(filled), 1)
