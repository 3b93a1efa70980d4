"""The command lines of ffprobe, ffmpeg and the encoder. Pure: composed with ffmpeg-python, no shell ever sees them.

Whatever a user may choose arrives here as a number or an enum; names of files are ours. The same whitelists stand
before every input, since ffprobe runs the same parsers as ffmpeg.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import ffmpeg

from video2mp3_worker import limits, whitelists
from video2mp3_worker.encoder.lame import HEADROOM
from video2mp3_worker.limits import Budget
from video2mp3_worker.plan import Plan

_QUIET: Final = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")


def probe(source: Path, extra_decoders: Iterable[str] = ()) -> list[str]:
    """The ffprobe call that says what a file holds, as JSON.

    ffprobe sets up a decoder for every stream and leaves when it may not, so those of pictures and subtitles are
    named for it; none of them is ever fed, because what looks into the streams obeys the audio list.
    """
    named = ",".join((*whitelists.AUDIO_CODECS, *whitelists.NAMED_ONLY_CODECS, *extra_decoders))
    options = _input_options() | {f"codec_whitelist:{kind}": named for kind in "vasdt"}
    arguments = [word for name, value in options.items() for word in (f"-{name}", str(value))]
    return [
        *("ffprobe", "-hide_banner", "-loglevel", "error", "-max_alloc", str(limits.MAX_ALLOCATION_BYTES)),
        *("-threads", "1", *arguments, "-of", "json", "-show_format", "-show_streams", _file(source)),
    ]


def decode(source: Path, plan: Plan, budget: Budget) -> list[str]:
    """The ffmpeg call that writes a source's track as the encoder wants it: see `encoder.__main__`."""
    sound = ffmpeg.input(_file(source), **_input_options(), vn=None, sn=None, dn=None)[f"a:{plan.track.index}"]
    if plan.start_seconds or plan.end_seconds is not None:
        bounds = {"start": plan.start_seconds, "end": plan.end_seconds}
        sound = sound.filter("atrim", **{name: value for name, value in bounds.items() if value is not None})
        sound = sound.filter("asetpts", "PTS-STARTPTS")
    # In float, so that nothing is clipped on the way; and integers then hold neither infinity nor what is no number.
    sound = sound.filter("volume", 1 / HEADROOM, precision="float")
    output = sound.output(
        "pipe:1",
        f="s32le",
        ar=plan.sample_rate,
        ac=plan.channels,
        # One second more than is allowed, so that what was cut can be told from what just fits.
        t=budget.media_seconds + 1,
    )
    command: list[str] = output.global_args(*_QUIET, "-max_alloc", str(limits.MAX_ALLOCATION_BYTES)).compile()
    return command


def encoder_options(destination: Path, plan: Plan, threads: int) -> list[str]:
    """What the encoder is told."""
    quality = f"bit_rate={plan.encoding.cbr}" if plan.encoding.cbr else f"level={plan.encoding.vbr}"
    shape = (f"sample_rate={plan.sample_rate}", f"channels={plan.channels}")
    return [*shape, quality, f"threads={threads}", str(destination)]


def _input_options() -> dict[str, Any]:
    return {
        "protocol_whitelist": ",".join(whitelists.PROTOCOLS),
        "format_whitelist": ",".join(whitelists.FORMATS),
        "codec_whitelist": ",".join(whitelists.AUDIO_CODECS),
        "max_streams": limits.MAX_STREAMS,
        "probesize": limits.PROBE_BYTES,
        "analyzeduration": limits.PROBE_SECONDS * 1_000_000,
    }


def _file(path: Path) -> str:
    # Without the protocol's name, a name with a colon in it would be taken for an address.
    return f"file:{path}"
