"""Where in an mp4 its audio lies, from the file's own index. Pure: reads through a file object, trusts no number in it.

Source: ISO/IEC 14496-12, 8.6 and 8.7 (`stsc`, `stsz`, `stco`, `co64`) and 8.4.3 (`hdlr`).
"""

import struct
import sys
from array import array
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from video2mp3_worker.containers import isobmff
from video2mp3_worker.containers.isobmff import Box, Readable

INDEX_BYTES: Final = 32 * 1024**2
"""The largest index that is read for this: that of some days."""

MOST_RANGES: Final = 500_000
"""That are kept in memory: those of some days, too."""

_CLOSE_BYTES: Final = 64 * 1024
"""Less than a chunk of GridFS (255 KiB): what lies between is fetched anyway."""

_FILLED: Final = frozenset({b"mdat", b"free", b"skip", b"wide"})
"""Media and padding. All else is part of the index."""

_BEGINNING_BYTES: Final = 512 * 1024
"""Of these: what ffprobe may look at, of any track."""

_TABLES: Final = frozenset({b"stsc", b"stsz", b"stco", b"co64"})
_FULL_BOX: Final = 4
_HANDLER_AT: Final = 8
_SOUND: Final = b"soun"
_WANTED: Final = frozenset({_SOUND, b"text", b"sbtl"})
"""Handlers. The titles of chapters are samples of a track of text or subtitles."""


def audio_ranges(file: Readable, size: int) -> list[tuple[int, int]] | None:
    """The bytes, each range from its first to after its last, in which all audio, chapters and the whole index lie.

    None where that cannot be told: there is no index, the media is in fragments, or the samples' sizes are not listed.
    """
    ranges = []
    tracks: list[tuple[bytes, Iterator[tuple[int, int]]]] = []
    kinds = set()
    for box in isobmff.boxes(file, 0, size):
        kinds.add(box.kind)
        ranges.append((box.start, box.content + _BEGINNING_BYTES if box.kind in _FILLED else box.end))
        if box.kind == b"moov":
            if box.end > size or box.end - box.content > INDEX_BYTES:
                return None
            tracks += _tracks(file, box)
    if b"moof" in kinds or _SOUND not in [kind for kind, _chunks in tracks]:
        return None
    try:
        ranges += islice(_joined(chain.from_iterable(chunks for _kind, chunks in tracks)), MOST_RANGES + 1)
    except (ValueError, struct.error):
        return None
    if len(ranges) > MOST_RANGES:
        return None
    return [(start, min(end, size)) for start, end in ranges if start < min(end, size)]


def _joined(ranges: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same bytes in fewer ranges, and little more: those join that follow each other closely."""
    start, end = next(ranges, (0, 0))
    for next_start, next_end in ranges:
        if start <= next_start <= end + _CLOSE_BYTES:
            end = max(end, next_end)
        else:
            yield start, end
            start, end = next_start, next_end
    yield start, end


def _tracks(file: Readable, moov: Box) -> Iterator[tuple[bytes, Iterator[tuple[int, int]]]]:
    left = isobmff.box_budget()
    for track in isobmff.descend([moov], file, (b"trak", b"mdia"), left):
        parts = {box.kind: box for box in isobmff.children(file, track, left)}
        handler = parts.get(b"hdlr")
        kind = b"" if handler is None else _read(file, handler, _HANDLER_AT + 4)[_HANDLER_AT:]
        if kind not in _WANTED:
            continue
        lists = {
            box.kind: box
            for table in isobmff.descend([track], file, (b"minf", b"stbl"), left)
            for box in isobmff.children(file, table, left)
        }
        yield kind, _chunks(file, kind, lists)


def _chunks(file: Readable, handler: bytes, boxes: dict[bytes, Box]) -> Iterator[tuple[int, int]]:
    """The chunks of one track. Raises ValueError or struct.error where the tables do not make sense."""
    tables = {kind: _read(file, box)[_FULL_BOX:] for kind, box in boxes.items() if kind in _TABLES}
    if not {b"stsc", b"stsz"} <= set(tables):
        raise ValueError("the track has no tables")
    fixed, count = struct.unpack_from(">II", tables[b"stsz"])
    if fixed and handler == _SOUND:
        # Of uncompressed audio, which some programs list in bytes and others in samples.
        raise ValueError("the sizes of the samples are not listed")
    sizes = None if fixed else _numbers("I", tables[b"stsz"][8:], count)
    offsets = _offsets(tables)
    first = 0
    for offset, in_chunk in zip(offsets, _samples_of_chunks(tables[b"stsc"], len(offsets)), strict=False):
        yield offset, offset + (in_chunk * fixed if sizes is None else sum(sizes[first : first + in_chunk]))
        first += in_chunk


def _offsets(tables: dict[bytes, bytes]) -> "array[int]":
    kind, code = (b"co64", "Q") if b"co64" in tables else (b"stco", "I")
    table = tables.get(kind, b"")
    (count,) = struct.unpack_from(">I", table)
    return _numbers(code, table[4:], count)


def _samples_of_chunks(table: bytes, chunks: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">I", table)
    numbers = _numbers("I", table[4:], 3 * count)
    firsts = numbers[::3]
    firsts.append(chunks + 1)
    for run, in_chunk in enumerate(numbers[1::3]):
        if not firsts[run] <= firsts[run + 1] <= chunks + 1:
            raise ValueError("the chunks are not in order")
        for _ in range(firsts[run + 1] - firsts[run]):
            yield in_chunk


def _numbers(code: str, table: bytes, count: int) -> "array[int]":
    numbers = array(code)
    if len(table) < count * numbers.itemsize:
        raise ValueError("the table ends too early")
    numbers.frombytes(table[: count * numbers.itemsize])
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _read(file: Readable, box: Box, most: int = INDEX_BYTES) -> bytes:
    file.seek(box.content)
    return file.read(max(min(box.end - box.content, most), 0))
