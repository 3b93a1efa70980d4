"""What the edit lists of an mp4 change of what ffprobe says of its tracks. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from video2mp3_worker.containers.edit_lists import Played, Segment
from video2mp3_worker.probe.media import AudioTrack, Media

_AAC_SAMPLES: Final = (1024, 2048)
"""In a packet, without and with spectral band replication."""


def with_edits(media: Media, played: Sequence[Played]) -> Media:
    """The same file, whose audio tracks play what their edit lists say."""
    if len(played) != len(media.tracks):
        return media
    return replace(media, tracks=tuple(map(_with_edits, media.tracks, played)))


def _with_edits(track: AudioTrack, played: Played) -> AudioTrack:
    segments = played.segments or _with_last_packet(track, played.to_the_end)
    if not segments:
        return replace(track, exact_seconds=_exact(track, played))
    return replace(
        track, segments=segments, duration_seconds=sum(each.end - each.start + each.pause for each in segments)
    )


def _with_last_packet(track: AudioTrack, whole: Segment | None) -> tuple[Segment, ...]:
    """All of the media, where ffmpeg leaves out the last packet: an edit's end that is rounded down lies before it."""
    if whole is None or track.codec != "aac" or track.exact_seconds is not None:
        return ()
    for frame in _AAC_SAMPLES:
        last = ((track.packets or 0) - 1) * frame / track.sample_rate if track.sample_rate else 0.0
        if whole.start + (track.duration_seconds or whole.end) <= last < whole.end <= last + frame / track.sample_rate:
            return (whole,)
    return ()


def _exact(track: AudioTrack, played: Played) -> float | None:
    """An edit list may cut more than an encoder's padding: what contradicts it does not count."""
    stated, duration = track.exact_seconds, track.duration_seconds or 0.0
    if stated is not None and (played.unit_seconds is None or abs(stated - duration) <= played.unit_seconds):
        return stated
    return None if played.to_the_end is None else played.to_the_end.end - played.to_the_end.start
