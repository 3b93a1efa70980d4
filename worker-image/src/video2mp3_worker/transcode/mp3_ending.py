"""Whether the end of an mp3 is missing, as its first frame tells. Trusts no number.

Its bytes and its audio both have to be fewer than it says: tools that cut or tag an mp3 leave some as they were.
Source: as of `encoder.infoframe`.
"""

import struct
from typing import Final

from video2mp3_worker.containers.isobmff import Readable
from video2mp3_worker.encoder.frame_copy import id3_bytes
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.probe.media import Media
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.plan import Plan

_MOST_TAGS: Final = 10
_LOOK_BYTES: Final = 256
"""The names stand behind the side information, which has 32 bytes at the most."""

_FRAMES, _BYTES = 1, 2
"""Bits that say what follows."""

_FRAMES_UNHEARD: Final = 4
"""Of delay and padding together."""

MISSING_SECONDS: Final = 0.1
"""Of audio, from which on an end is missing rather than counted otherwise."""


def is_cut_mp3(source: LocalSource, media: Media, plan: Plan, seconds: float) -> bool:
    """Whether an mp3 says that it has more audio than came out of it, and there was nothing else that cut it off."""
    if media.format != "mp3" or plan.end_seconds is not None:
        return False
    with source.path.open("rb") as file:
        frames = frames_of_cut(file, source.size)
    layout = Layout(plan.track.sample_rate, plan.track.channels)
    stated = (frames - _FRAMES_UNHEARD) * layout.samples / layout.sample_rate
    return plan.start_seconds + seconds < stated - MISSING_SECONDS


def frames_of_cut(file: Readable, size: int) -> int:
    """How many frames an mp3 of `size` bytes says that it has, where it also says that it has more bytes; else 0."""
    place = 0
    for _ in range(_MOST_TAGS):
        file.seek(place)
        head = file.read(_LOOK_BYTES)
        tag = id3_bytes(head)
        if not tag:
            break
        place += tag
    header = max(head.find(b"Xing"), head.find(b"Info"))
    if header < 0 or len(head) < header + 16:
        return 0
    flags, frames, length = struct.unpack_from(">III", head, header + 4)
    has_both = flags & _FRAMES and flags & _BYTES
    return int(frames) if has_both and place + length > size else 0
