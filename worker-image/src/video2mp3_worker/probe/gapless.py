"""Where a track ends to the sample, where its container tells: encoders pad the last packet. Pure.

What ffmpeg cuts itself is not repeated here: the delay in front everywhere, and the padding behind for Opus in Ogg and
Matroska and for mp3. In mp4 the track's duration tells where the padding begins (Apple, "Audio Priming - Handling
Encoder Delay in AAC"), or the media's own, or a number of samples beside them: see `edit_lists` and `media`.
"""

from typing import Final

from video2mp3_worker.probe.media import AudioTrack, Media

_FRAME_SAMPLES: Final = {"aac": (1024, 2048), "opus": (120, 240, 480, 960, 1920, 2880), "mp3": (1152, 576)}
"""Samples of each channel in a packet, by codec: of AAC with and without spectral band replication."""

_MOST_FRAMES: Final = 4
"""Of delay and padding together. A duration that leaves out more is not true."""


def exact_end(media: Media, track: AudioTrack, lead_seconds: float) -> float | None:
    """Where in the mp3 the track ends, which begins after `lead_seconds`; None where the container does not tell."""
    if not media.is_indexed or track.segments or not track.packets:
        return None
    stated = (seconds for seconds in (track.exact_seconds, track.duration_seconds) if _goes_with(track, seconds))
    return next((lead_seconds + seconds for seconds in stated if seconds), None)


def _goes_with(track: AudioTrack, seconds: float | None) -> bool:
    """Whether so many seconds fill the track's packets."""
    samples, packets = (seconds or 0.0) * track.sample_rate, track.packets or 0
    surplus = [(packets * frame - samples) / frame for frame in _FRAME_SAMPLES.get(track.codec, ())]
    return bool(samples) and any(0 <= frames <= _MOST_FRAMES for frames in surplus)
