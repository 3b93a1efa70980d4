"""What a container says of the times of a track's packets, from ffprobe's lines. Pure.

Frames that are passed on one after the other play without a pause. So where the container has one, or leaves some of
them out, they cannot be.
"""

from typing import Final

from video2mp3_worker.encoder.frame_copy import NotCopyableError
from video2mp3_worker.transcode.timing import GAP_SECONDS

_PAUSES: Final = "the file has pauses between its frames"
_LONGEST_LINE: Final = 4_096


class PacketLines:
    """Reads `ffprobe -show_packets -of compact` in pieces of any size.

    `frame_seconds`: how long one frame plays; `has_times`: whether the format gives every packet a time of its own.
    """

    def __init__(self, frame_seconds: float, *, has_times: bool) -> None:
        self.skipped = 0
        """Samples at the beginning that are not to be heard, as far as the container says."""

        self.discarded = 0
        """Samples of the last packet so far, at its end, that are not to be heard, as far as the container says."""

        self._frame_seconds = frame_seconds
        self._has_times = has_times
        self._clock: float | None = None
        self._frames = 0
        self._rest = b""

    @property
    def seconds(self) -> float:
        """That all packets so far play, as the container says: a pause may be part of the packet before it."""
        return self._frames * self._frame_seconds

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises NotCopyableError."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        for line in lines:
            if line.strip():
                self._take(dict(field.partition("=")[::2] for field in line.decode(errors="replace").split("|")))

    def refuse_pauses(self, seconds: float) -> None:
        """Raise NotCopyableError if the frames, which play for so long, fill less than the packets' time."""
        if self._has_times and self.seconds - seconds > GAP_SECONDS:
            raise NotCopyableError(_PAUSES)

    def _take(self, packet: dict[str, str]) -> None:
        if "D" in packet.get("flags", ""):
            raise NotCopyableError("the file leaves some of its frames out")
        if not self._frames:
            self.skipped = _number(packet.get("skip_samples"))
        self.discarded = _number(packet.get("discard_padding"))
        time, duration = _seconds(packet.get("pts_time")), _seconds(packet.get("duration_time"))
        frames = max(round((duration or 0.0) / self._frame_seconds), 1)
        self._frames += frames
        if time is not None:
            if self._has_times and self._clock is not None and time - self._clock > GAP_SECONDS:
                raise NotCopyableError(_PAUSES)
            if self._clock is None or self._clock - time > GAP_SECONDS:
                self._clock = time
        if self._clock is not None:
            self._clock += frames * self._frame_seconds


def _number(value: str | None) -> int:
    return int(value) if value and value.isdigit() else 0


def _seconds(value: str | None) -> float | None:
    try:
        return float(value or "")
    except ValueError:
        return None
