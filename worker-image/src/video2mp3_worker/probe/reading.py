"""How far ffmpeg looks into a file before it decides what is in it, and what it is told about its container. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from video2mp3_worker.limits import bounds

_OF_FORMAT: Final = {"mpegts": (("merge_pmt_versions", 1),)}
"""Options of ffmpeg's demuxers. A broadcast may move a programme's sound to another stream: it stays one track."""


@dataclass(frozen=True)
class Reading:
    """What stands before an input of ffmpeg or ffprobe."""

    probe_bytes: int = bounds.PROBE_BYTES
    probe_seconds: int = bounds.PROBE_SECONDS
    options: tuple[tuple[str, int], ...] = ()
    """Of the demuxer, by name."""

    def further(self) -> "Reading":
        """The same with a larger window: for audio that begins late."""
        return replace(self, probe_bytes=bounds.FURTHER_PROBE_BYTES, probe_seconds=bounds.FURTHER_PROBE_SECONDS)

    def of(self, format_name: str) -> "Reading":
        """The same for a file of a format, by the name of ffmpeg's demuxer."""
        return replace(self, options=_OF_FORMAT.get(format_name, ()))
