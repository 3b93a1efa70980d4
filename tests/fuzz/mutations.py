"""Real files, broken with some understanding: boxes and elements, numbers in headers, cuts, and pieces of other files.

Pure: the same chance makes the same bytes.
"""

import random
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

_HEAD_BYTES: Final = 2048
"""At either end of a file: where its headers and its index are."""

_NUMBERS: Final = (
    0, 1, 2, 3, 7, 8, 9, 15, 16, 127, 128, 255, 256, 4095, 65535, 2**16, 2**24 - 1, 2**31 - 1, 2**31, 2**32 - 8,
    2**32 - 1, 2**40, 2**53, 2**63 - 1, 2**63, 2**64 - 16, 2**64 - 1,
)  # fmt: skip
"""At which parsers' arithmetic goes wrong."""

_PARENTS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"moof", b"traf", b"mvex"})
_DEEPEST: Final = 3_000
_ELEMENTS: Final = tuple(
    bytes.fromhex(mark)
    for mark in ("1a45dfa3", "18538067", "1549a966", "1654ae6b", "ae", "e1", "1f43b675", "a3", "1c53bb6b", "86", "63a2")
)
"""EBML, Segment, Info, Tracks, TrackEntry, Audio, Cluster, SimpleBlock, Cues, CodecID, CodecPrivate: RFC 9559."""


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the files, with one to four things done to it."""
    content = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        content = chance.choice(_MUTATIONS)(content, seeds, chance)
    return content


def _place(content: bytes, chance: random.Random) -> int:
    size = len(content)
    kind = chance.random()
    if kind < 0.6:
        return chance.randrange(min(size, _HEAD_BYTES) or 1)
    if kind < 0.85:
        return max(size - 1 - chance.randrange(min(size, _HEAD_BYTES) or 1), 0)
    return chance.randrange(size or 1)


def _bits(content: bytes, _seeds: Sequence[bytes], chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 20)) if changed else 0):
        changed[_place(content, chance)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _number(content: bytes, _seeds: Sequence[bytes], chance: random.Random) -> bytes:
    size = chance.choice((1, 2, 3, 4, 4, 8))
    number = (chance.choice(_NUMBERS) % 2 ** (8 * size)).to_bytes(size, chance.choice(("big", "little")))
    place = _place(content, chance)
    return content[:place] + number + content[place + size :]


def _cut(content: bytes, _seeds: Sequence[bytes], chance: random.Random) -> bytes:
    return content[: _place(content, chance) or chance.randrange(len(content) + 1)]


def _without(content: bytes, _seeds: Sequence[bytes], chance: random.Random) -> bytes:
    place = _place(content, chance)
    return content[:place] + content[place + chance.choice((1, 4, 8, 64, 1024, 20_000)) :]


def _twice(content: bytes, _seeds: Sequence[bytes], chance: random.Random) -> bytes:
    place, size = _place(content, chance), chance.choice((1, 4, 8, 64, 1024, 20_000))
    return content[: place + size] * chance.choice((1, 1, 3)) + content[place:]


def _noughts(content: bytes, _seeds: Sequence[bytes], chance: random.Random) -> bytes:
    place, size = _place(content, chance), chance.choice((4, 16, 256, 4096))
    return content[:place] + chance.choice((b"\0", b"\xff")) * size + content[place + size :]


def _splice(content: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(seeds)
    return content[: _place(content, chance)] + other[_place(other, chance) :]


def _boxes(content: bytes, start: int, end: int, depth: int = 0) -> Iterator[tuple[int, int]]:
    """Where the boxes of an mp4 begin and end, at all levels."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", content, start)
        if size < 8 or start + size > end:
            return
        yield start, start + size
        if kind in _PARENTS and depth < 8:
            yield from _boxes(content, start + 8, start + size, depth + 1)
        start += size


def _box(content: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """Something done to a box: its size, its kind, its place, a number in it, how deep it lies."""
    found = list(_boxes(content, 0, len(content)))
    if not found:
        return _number(content, seeds, chance)
    start, end = chance.choice(found)
    box = content[start:end]
    size, other = len(box), chance.choice(found)
    place = chance.randrange(8, size) if size > 8 else 0
    sizes = (*_NUMBERS, size - 1, size + 1, 2 * size, len(content), len(content) - start)
    changed = chance.choice(
        (
            struct.pack(">I", chance.choice(sizes) % 2**32) + box[4:],
            struct.pack(">I4sQ", 1, box[4:8], chance.choice(sizes) % 2**64) + box[8:],
            box[:4] + content[other[0] + 4 : other[0] + 8] + box[8:],
            box + box,
            b"",
            content[slice(*other)],
            _nested(box, chance.choice((1, 50, _DEEPEST))),
            box[:place] + struct.pack(">I", chance.choice(_NUMBERS) % 2**32) + box[place + 4 :],
        )
    )
    return content[:start] + changed + content[end:]


def _nested(box: bytes, depth: int) -> bytes:
    kind = box[4:8]
    sizes = range(len(box) + 8 * depth, len(box), -8)
    return b"".join(struct.pack(">I", size) + kind for size in sizes) + box


def _element(content: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """The size of an element of Matroska: none, unknown, more than there is."""
    mark = chance.choice(_ELEMENTS)
    place = content.find(mark, chance.randrange(len(content) or 1) if chance.random() < 0.5 else 0)
    if place < 0 or content[:4] != _ELEMENTS[0]:
        return _number(content, seeds, chance)
    place += len(mark)
    length = 9 - content[place : place + 1].rjust(1, b"\1")[0].bit_length()
    number = chance.choice((0, 1, 2**56 - 1, 2**56 - 2, 2**31, 2**40, *_NUMBERS)) % 2**56
    return content[:place] + b"\1" + number.to_bytes(7, "big") + content[place + length :]


_Mutation = Callable[[bytes, Sequence[bytes], random.Random], bytes]
_MUTATIONS: Final[tuple[_Mutation, ...]] = (
    _bits, _bits, _number, _number, _number, _cut, _without, _twice, _noughts, _splice, _box, _box, _box, _element,
)  # fmt: skip
