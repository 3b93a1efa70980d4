"""What the audio of an mp4 plays, from its edit lists, where ffmpeg gets that wrong. Pure; trusts no number.

Edits are told in units of the film, often milliseconds, and media in samples. An edit that ends within such a unit of
its media's end ends with that: else some samples would be lost to rounding.

An edit without media ("empty") is a pause. ffmpeg knows it at the beginning of a track; further on it plays the track's
beginning again instead. Source: ISO/IEC 14496-12, 8.6.6 (`elst`), 8.2.2 (`mvhd`) and 8.4.2 (`mdhd`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from video2mp3_worker.containers import isobmff
from video2mp3_worker.containers.isobmff import Box, Readable

_MOST_EDITS: Final = 100
"""Of one track. Each one is a filter of its own."""

_EMPTY: Final = -1
_SOUND: Final = b"soun"
_HANDLER_AT: Final = 8
_NORMAL_SPEED: Final = 0x10000
_EDITS_AT: Final = 8
_HEADERS: Final = {0: struct.Struct(">12xII"), 1: struct.Struct(">20xIQ")}
"""Timescale and duration, behind the box header of `mvhd` and `mdhd`, by version."""


@dataclass(frozen=True)
class Segment:
    """A part of a track's media, and the pause that follows it. All in seconds."""

    start: float
    end: float
    pause: float = 0.0


@dataclass(frozen=True)
class Played:
    """What an audio track plays of its media."""

    segments: tuple[Segment, ...] = ()
    """() where ffmpeg reads them as they are meant."""

    to_the_end: Segment | None = None
    """All of it, to the sample, where the edit list means its media's end; None where it does not."""

    unit_seconds: float | None = None
    """In which the edit list counts; None where there is none."""


def played_of_tracks(file: Readable, size: int) -> list[Played]:
    """What each audio track plays, in order of the file."""
    left = isobmff.box_budget()
    found = []
    for moov in isobmff.descend([Box(b"", 0, 0, size)], file, (b"moov",), left):
        scale, _ = _length(file, [box for box in isobmff.children(file, moov, left) if box.kind == b"mvhd"])
        for track in isobmff.descend([moov], file, (b"trak",), left):
            if _is_audio(file, track, left):
                media_scale, length = _length(file, isobmff.descend([track], file, (b"mdia", b"mdhd"), left))
                edits = _edits(file, track, left) if scale and media_scale else []
                found.append(_played(edits, scale, media_scale, length))
    return found


def _played(edits: list[tuple[int, int, int]], scale: int, media_scale: int, length: int) -> Played:
    """From (duration in the film's units, beginning in the media's, speed) of each edit."""
    while edits and edits[0][1] == _EMPTY:
        del edits[0]
    if not edits:
        return Played()
    duration, begin, speed = edits[0]
    # In whole numbers: the unit itself is not too much.
    is_whole = abs((length - begin) * scale - duration * media_scale) <= media_scale
    if len(edits) == 1 and is_whole and speed == _NORMAL_SPEED:
        return Played(to_the_end=Segment(begin / media_scale, length / media_scale), unit_seconds=1 / scale)
    return Played(_segments(edits, scale, media_scale), unit_seconds=1 / scale)


def _segments(edits: list[tuple[int, int, int]], scale: int, media_scale: int) -> tuple[Segment, ...]:
    if _EMPTY not in [begin for _, begin, _ in edits]:
        return ()
    segments: list[Segment] = []
    for duration, begin, speed in edits:
        if begin == _EMPTY:
            last = segments.pop()
            segments.append(Segment(last.start, last.end, last.pause + duration / scale))
            continue
        start = begin / media_scale
        # Only what goes forwards can be taken in one reading.
        if speed != _NORMAL_SPEED or not duration or start < (segments[-1].end if segments else 0.0):
            return ()
        segments.append(Segment(start, start + duration / scale))
    return tuple(segments)


def _edits(file: Readable, track: Box, left: Iterator[int]) -> list[tuple[int, int, int]]:
    for box in isobmff.descend([track], file, (b"edts", b"elst"), left):
        content = _read(file, box, _EDITS_AT + _MOST_EDITS * 20)
        if len(content) < _EDITS_AT:
            return []
        edit = struct.Struct(">QqI" if content[0] == 1 else ">IiI")
        (count,) = struct.unpack_from(">I", content, 4)
        if count > _MOST_EDITS or len(content) < _EDITS_AT + count * edit.size:
            return []
        return [edit.unpack_from(content, _EDITS_AT + number * edit.size) for number in range(count)]
    return []


def _is_audio(file: Readable, track: Box, left: Iterator[int]) -> bool:
    handlers = isobmff.descend([track], file, (b"mdia", b"hdlr"), left)
    return any(_read(file, box, _HANDLER_AT + 4)[_HANDLER_AT:] == _SOUND for box in handlers)


def _length(file: Readable, headers: list[Box]) -> tuple[int, int]:
    """Units in a second, and how many it plays; nothing where the file does not say."""
    for box in headers:
        content = _read(file, box, 32)
        form = _HEADERS.get(content[0] if content else -1)
        return form.unpack_from(content) if form and len(content) >= form.size else (0, 0)
    return 0, 0


def _read(file: Readable, box: Box, most: int) -> bytes:
    file.seek(box.content)
    return file.read(max(min(box.end - box.content, most), 0))
