"""⑥ What the mp3 says of its own loudness, so that players can play many of them equally loud (ReplayGain 2.0).

It stands where players look for it: in fields of the ID3 tag, and in LAME's part of the Info frame. Both have one
reference. R128_TRACK_GAIN, which is Opus' (RFC 7845), has another: who knows both would not know which to follow.

What the source says is carried over where nothing was measured and it still is true.
"""

from typing import Final

from video2mp3_contracts.api.output import Output
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.infoframe import with_level
from video2mp3_worker.transcode.levelling import Level, Loudness, encoder_gain
from video2mp3_worker.transcode.mp3_file import Mp3File
from video2mp3_worker.transcode.plan import Plan

REFERENCE: Final = -18.0
"""LUFS: the loudness that ReplayGain 2.0 brings everything to; about the 89 dB of the first ReplayGain."""


def tags(level: Level | None, plan: Plan, output: Output, *, is_copied: bool) -> dict[str, str]:
    """Fields of the ID3 tag, each a text of its own (TXXX): what was measured, else what the source says.

    The source speaks of all of its audio, and of as many channels as it has.
    """
    if level is not None:
        return fields(level.reached)
    gains = plan.track.gains
    is_whole = output.trim is None or output.trim.is_all
    if gains is None or plan.channels != plan.track.channels or not is_whole:
        return {}
    return gains.behind(0.0 if is_copied else encoder_gain(plan.encoding)).fields


def fields(loudness: Loudness) -> dict[str, str]:
    """Of the ID3 tag, each a text of its own (TXXX); none for what has no loudness."""
    if not loudness.is_any:
        return {}
    return {
        "REPLAYGAIN_TRACK_GAIN": f"{_gain(loudness):.2f} dB",
        "REPLAYGAIN_TRACK_PEAK": f"{_peak(loudness):.6f}",
        "REPLAYGAIN_REFERENCE_LOUDNESS": f"{REFERENCE:.2f} LUFS",
    }


def note(mp3: Mp3File, layout: Layout, loudness: Loudness) -> None:
    """Write it into the Info frame that an mp3 without a tag begins with."""
    if not loudness.is_any:
        return
    with mp3.opened() as file:
        head = file.read(max(layout.sizes))
        size = layout.sizes[head[2]]
        file.seek(0)
        file.write(with_level(head[:size], layout, _peak(loudness), _gain(loudness)))


def _gain(loudness: Loudness) -> float:
    return REFERENCE - loudness.integrated


def _peak(loudness: Loudness) -> float:
    return float(10 ** (loudness.true_peak / 20))
