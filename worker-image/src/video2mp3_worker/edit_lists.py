"""Pauses within the sound of an mp4, from its edit lists, where ffmpeg gets them wrong. Pure; trusts no number.

An edit without media ("empty") is a pause. ffmpeg knows it at the beginning of a track; further on it plays the track's
beginning again instead. Source: ISO/IEC 14496-12, 8.6.6 (`elst`), 8.2.2 (`mvhd`) and 8.4.2 (`mdhd`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from video2mp3_worker import isobmff
from video2mp3_worker.isobmff import Box, Readable

_MOST_EDITS: Final = 100
"""Of one track. Each one is a filter of its own."""

_EMPTY: Final = -1
_SOUND: Final = b"soun"
_HANDLER_AT: Final = 8
_NORMAL_SPEED: Final = 0x10000
_EDITS_AT: Final = 8
_TIMESCALE_AT: Final = {0: 12, 1: 20}
"""Behind the header of `mvhd` and `mdhd`, by version."""


@dataclass(frozen=True)
class Segment:
    """A part of a track's media, and the pause that follows it. All in seconds."""

    start: float
    end: float
    pause: float = 0.0


def segments_of_tracks(file: Readable, size: int) -> list[tuple[Segment, ...]]:
    """What each audio track plays, in order of the file; () for those that ffmpeg reads as they are meant."""
    left = isobmff.box_budget()
    found = []
    for moov in isobmff.descend([Box(b"", 0, 0, size)], file, (b"moov",), left):
        scale = _timescale(file, [box for box in isobmff.children(file, moov, left) if box.kind == b"mvhd"])
        for track in isobmff.descend([moov], file, (b"trak",), left):
            if _is_sound(file, track, left):
                media_scale = _timescale(file, isobmff.descend([track], file, (b"mdia", b"mdhd"), left))
                found.append(_segments(_edits(file, track, left), scale, media_scale))
    return found


def _segments(edits: list[tuple[int, int, int]], scale: int, media_scale: int) -> tuple[Segment, ...]:
    """From (duration in the film's units, beginning in the media's, speed) of each edit."""
    while edits and edits[0][1] == _EMPTY:
        del edits[0]
    if not scale or not media_scale or _EMPTY not in [begin for _, begin, _ in edits]:
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


def _is_sound(file: Readable, track: Box, left: Iterator[int]) -> bool:
    handlers = isobmff.descend([track], file, (b"mdia", b"hdlr"), left)
    return any(_read(file, box, _HANDLER_AT + 4)[_HANDLER_AT:] == _SOUND for box in handlers)


def _timescale(file: Readable, headers: list[Box]) -> int:
    """Units in a second; 0 where the file does not say."""
    for box in headers:
        content = _read(file, box, 32)
        at = _TIMESCALE_AT.get(content[0] if content else -1, len(content))
        return int(struct.unpack_from(">I", content, at)[0]) if len(content) >= at + 4 else 0
    return 0


def _read(file: Readable, box: Box, most: int) -> bytes:
    file.seek(box.content)
    return file.read(max(min(box.end - box.content, most), 0))
