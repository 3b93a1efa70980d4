"""The command lines of ffprobe and ffmpeg. Pure: composed with ffmpeg-python, no shell ever sees them.

Whatever a user may choose arrives here as a number or an enum; names of files are ours. The same whitelists stand
before every input, since ffprobe runs the same parsers as ffmpeg.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import ffmpeg

from video2mp3_worker import limits, whitelists
from video2mp3_worker.limits import Budget
from video2mp3_worker.plan import Plan

_QUIET: Final = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")
_PROGRESS: Final = ("-progress", "pipe:1", "-stats_period", "0.5")


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


def convert(source: Path, destination: Path, plan: Plan, budget: Budget) -> list[str]:
    """The ffmpeg call that makes an mp3 without tags of a source's track, and reports progress on standard output."""
    sound = ffmpeg.input(_file(source), **_input_options(), vn=None, sn=None, dn=None)[f"a:{plan.track.index}"]
    if plan.start_seconds or plan.end_seconds is not None:
        bounds = {"start": plan.start_seconds, "end": plan.end_seconds}
        sound = sound.filter("atrim", **{name: value for name, value in bounds.items() if value is not None})
        sound = sound.filter("asetpts", "PTS-STARTPTS")
    output = sound.output(_file(destination), **_encoder_options(plan), **_output_limits(budget))
    return _command(output)


def _command(output: Any) -> list[str]:
    complete = output.global_args(*_QUIET, *_PROGRESS, "-max_alloc", str(limits.MAX_ALLOCATION_BYTES))
    command: list[str] = complete.overwrite_output().compile()
    return command


def _input_options() -> dict[str, Any]:
    return {
        "protocol_whitelist": ",".join(whitelists.PROTOCOLS),
        "format_whitelist": ",".join(whitelists.FORMATS),
        "codec_whitelist": ",".join(whitelists.AUDIO_CODECS),
        "max_streams": limits.MAX_STREAMS,
        "probesize": limits.PROBE_BYTES,
        "analyzeduration": limits.PROBE_SECONDS * 1_000_000,
    }


def _encoder_options(plan: Plan) -> dict[str, Any]:
    quality = {"b:a": f"{plan.encoding.cbr}k"} if plan.encoding.cbr else {"q:a": plan.encoding.vbr}
    return {
        "f": "mp3",
        "c:a": "libmp3lame",
        **quality,
        "ar": plan.sample_rate,
        "ac": plan.channels,
        "map_metadata": -1,
        "map_chapters": -1,
        # The tag is ours to write, and nothing of ffmpeg's version goes into the file.
        "id3v2_version": 0,
        "write_id3v1": 0,
        "fflags": "+bitexact",
        "flags:a": "+bitexact",
    }


def _output_limits(budget: Budget) -> dict[str, Any]:
    # One second more than is allowed, so that what was cut can be told from what just fits.
    return {"t": budget.media_seconds + 1, "fs": budget.output_bytes}


def _file(path: Path) -> str:
    # Without the protocol's name, a name with a colon in it would be taken for an address.
    return f"file:{path}"
