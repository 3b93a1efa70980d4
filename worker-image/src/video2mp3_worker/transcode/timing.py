"""When the audio of a source plays, so that the mp3 stays in time with the picture. Pure.

The mp3 begins where the first picture or audio does. Audio that begins later has silence before it; where timestamps
leave a gap, there is silence as long as the gap; where they go back, nothing is lost and the clock goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from video2mp3_worker.limits.bounds import LONGEST_PAUSE_SECONDS

_TIMED: Final = frozenset({"mov", "matroska", "mpegts", "mpeg", "flv", "asf"})
"""Formats that give every packet a time of its own. In the others it follows from what came before: a gap there is no
pause, but a guess that went wrong, or the next song of a stream of many."""

_JUMPING: Final = frozenset({"mpegts", "mpeg", "ogg"})
"""Formats whose clock may jump (AVFMT_TS_DISCONT). For ffmpeg it begins with the first packet that is used, and that of
the others with the first packet of any kind."""

_LEAPING: Final = _JUMPING | {"flv"}
"""Formats whose clock is that of a broadcast or a server: it may be another one from some packet on."""

GAP_SECONDS: Final = 0.1
"""The shortest gap that is filled: shorter ones are the clocks' inaccuracy. ffmpeg's own value, too."""


@dataclass(frozen=True)
class Timing:
    """When one track plays. All in seconds."""

    lead_seconds: float = 0.0
    """From the beginning of the mp3 to the track's first sample."""

    origin_seconds: float = 0.0
    """Where the mp3 begins on the clock that ffmpeg's filters see; before 0, where the track begins later."""

    fills_gaps: bool = False
    """Whether the packets' own times are to be obeyed."""

    longest_pause_seconds: float | None = None
    """What is longer is a clock that leaped, and no pause; None where clocks do not."""

    left_out_seconds: float = 0.0
    """Before the track's first sample: a lead that is none, since the clock leaped."""


def timing(format_name: str, container_start: float, track_start: float | None, starts: Iterable[float]) -> Timing:
    """The timing of a track that begins at `track_start`, in a file whose pictures and audio begin at `starts`.

    A start before 0 is that of a decoder's delay, which is never heard: the audio begins at 0.
    """
    names = format_name.split(",")
    origin = min((max(start, 0.0) for start in starts), default=container_start)
    zero = container_start if _JUMPING.isdisjoint(names) or track_start is None else track_start
    lead = 0.0 if track_start is None else max(max(track_start, 0.0) - origin, 0.0)
    fills_gaps, longest = not _TIMED.isdisjoint(names), None if _LEAPING.isdisjoint(names) else LONGEST_PAUSE_SECONDS
    if longest is not None and lead > longest:
        # The filters see it begin at 0 then, see `synchronising`.
        return Timing(fills_gaps=fills_gaps, longest_pause_seconds=longest, left_out_seconds=lead)
    return Timing(lead_seconds=lead, origin_seconds=origin - zero, fills_gaps=fills_gaps, longest_pause_seconds=longest)
