"""The command lines of ffmpeg and the encoder. Pure: composed with ffmpeg-python, no shell ever sees them.

Whatever a user may choose arrives here as a number or an enum; names of files are ours.
"""

import math
from pathlib import Path
from typing import Any, Final

import ffmpeg

from video2mp3_worker.encoder.lame import HEADROOM
from video2mp3_worker.encoder.pieces import Span
from video2mp3_worker.limits import bounds
from video2mp3_worker.limits.bounds import Budget
from video2mp3_worker.probe import whitelists
from video2mp3_worker.probe.ffprobe_commands import input_name, input_options, probing
from video2mp3_worker.probe.reading import Reading
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.levelling import Levelling
from video2mp3_worker.transcode.plan import Plan
from video2mp3_worker.transcode.synchronising import synchronised

_QUIET: Final = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")


SPARE_HEADROOM: Final = 64.0
"""Between two runs of ffmpeg samples come at so small a part of their size: what they mean may be 36 dB over full
scale, as no audio is, and what is rounded lies 150 dB below it."""


def packets(source: LocalSource, plan: Plan) -> list[str]:
    """The ffprobe call that says when each packet of a source's track plays, in lines: see `packets`."""
    shown = "packet=pts_time,duration_time,flags:packet_side_data=skip_samples,discard_padding"
    chosen = ("-select_streams", f"a:{plan.track.index}", "-show_packets", "-show_entries", shown)
    return [*probing(source, plan.reading), "-of", "compact=p=0", *chosen, input_name(source)]


def extract(source: LocalSource, plan: Plan) -> list[str]:
    """The ffmpeg call that writes the frames of a source's mp3 track as they stand in the file, one after the other."""
    as_is: dict[str, Any] = {"c": "copy", "copypriorss": 1, "write_xing": 0, "id3v2_version": 0}
    return _compiled(_track(source, plan).output("pipe:1", f="mp3", **as_is), *_QUIET)


def decode(
    source: LocalSource,
    plan: Plan,
    budget: Budget,
    gain: float = 0.0,
    end_seconds: float | None = None,
    headroom: float = HEADROOM,
) -> list[str]:
    """The ffmpeg call that writes a source's track as the encoder wants it: see `encoder.__main__`. `gain` in dB.

    Nothing that comes after `end_seconds` is needed.
    """
    # Integers at the end: they hold neither infinity nor what is no number.
    audio = _shaped(_audio(source, plan), plan).filter("volume", 10 ** (gain / 20) / headroom, precision="float")
    # Into a pipe ffmpeg writes every frame by itself, and each time wakes who reads it: that costs more than to decode.
    output = audio.output("pipe:1", f="s32le", flush_packets=0, **_longest(budget, end_seconds))
    return _compiled(output, *_QUIET)


def limit(plan: Plan, levelling: Levelling) -> list[str]:
    """The ffmpeg call between what `decode` writes with SPARE_HEADROOM and the encoder, that holds down its peaks."""
    audio = _limited(_samples(plan), levelling).filter("volume", 1 / HEADROOM, precision="double")
    return _compiled(audio.output("pipe:1", f="s32le", flush_packets=0), *_QUIET)


def listen(plan: Plan, levelling: Levelling) -> list[str]:
    """The ffmpeg call that is given what `decode` writes with SPARE_HEADROOM, and says at its end how loud that is.

    Or how loud it is behind a levelling. It knows nothing of the source but its samples, so that no word of the source
    can stand in what it says.
    """
    audio = _limited(_samples(plan), levelling)
    silence = round(plan.silence_seconds * plan.sample_rate)
    if silence:
        # Long silence is no part of the loudness, but its end is, and which tenths of a second are looked at.
        silence = silence % plan.sample_rate + (plan.sample_rate if silence >= plan.sample_rate else 0)
        audio = audio.filter("adelay", f"{silence}S", all=1)
    audio = audio.filter("ebur128", peak="sample+true", framelog="verbose")
    # The summary comes at the level of information.
    progress = ("-progress", "pipe:1", "-stats_period", "0.5")
    return _compiled(audio.output("pipe:1", f="null"), *_QUIET[:-1], "info", *progress)


def _samples(plan: Plan) -> Any:
    """What `decode` writes with SPARE_HEADROOM, at its own size again."""
    whitelist = {"protocol_whitelist": "pipe", "format_whitelist": "s32le", "codec_whitelist": "pcm_s32le"}
    given = ffmpeg.input("pipe:0", f="s32le", ar=plan.sample_rate, ac=plan.channels, **whitelist)
    return given["a:0"].filter("volume", SPARE_HEADROOM, precision="double")


def _limited(audio: Any, levelling: Levelling) -> Any:
    """The audio with a gain, and with its peaks held down where there is a ceiling for them."""
    if levelling.gain:
        audio = audio.filter("volume", 10 ** (levelling.gain / 20), precision="double")
    if levelling.ceiling is not None:
        # `level` would lift it to full scale afterwards; `latency` takes away the delay of looking ahead.
        options = {"attack": 5, "release": 50, "level": 0, "latency": 1}
        audio = audio.filter("alimiter", limit=10 ** (levelling.ceiling / 20), **options)
    return audio


def attached_picture(source: LocalSource, stream: int) -> list[str]:
    """The ffmpeg call that writes a picture as it stands in the file, without any decoder for it."""
    # The picture comes from the file's head: nothing has to be found out about the other streams.
    options = input_options(source, Reading()) | {"probesize": 32, "analyzeduration": 1}
    picture = ffmpeg.input(input_name(source), **options)[str(stream)]
    output = picture.output("pipe:1", f="image2pipe", c="copy", **{"frames:v": 1})
    # Without decoders ffmpeg calls every picture and film of the file an error.
    return _compiled(output, *_QUIET[:-1], "fatal")


def _audio(source: LocalSource, plan: Plan) -> Any:
    audio = _track(source, plan)
    if plan.track.is_ambisonic:
        # libswresample knows no way from a sound field to loudspeakers.
        audio = audio.filter("channelmap", map=0, channel_layout="mono")
    if plan.track.segments:
        audio = _joined(audio, plan)
    else:
        audio = synchronised(audio, plan.timing, bounds.pauses_seconds(source.size))
    if plan.start_seconds or plan.end_seconds is not None:
        audio = audio.filter("atrim", **_bounds(plan))
        audio = audio.filter("asetpts", "PTS-STARTPTS")
    return audio


def _shaped(audio: Any, plan: Plan) -> Any:
    """The audio in the mp3's rate and channels, in float, so that nothing is clipped on the way.

    The mix is ffmpeg's own, as with its options `-ar` and `-ac` before LAME: of decoders that give whole numbers no sum
    goes over full scale, and those that give float keep their loudness.
    """
    mixing = {"rematrix_maxval": 1} if plan.track.is_integer else {}
    layout = "mono" if plan.channels == 1 else "stereo"
    resampled = audio.filter("aresample", plan.sample_rate, **mixing)
    return resampled.filter("aformat", sample_fmts="fltp", sample_rates=plan.sample_rate, channel_layouts=layout)


def _joined(media: Any, plan: Plan) -> Any:
    """The segments of a track one after the other, with their pauses. `media` plays all that the track has."""
    segments = plan.track.segments
    copies = media.filter_multi_output("asplit", len(segments))
    parts = []
    for number, segment in enumerate(segments):
        part = copies[number].filter("atrim", start=round(segment.start, 9), end=round(segment.end, 9))
        part = part.filter("asetpts", "PTS-STARTPTS")
        parts.append(part.filter("apad", pad_dur=round(segment.pause, 9)) if segment.pause else part)
    audio = parts[0] if len(parts) == 1 else ffmpeg.filter(parts, "concat", n=len(parts), v=0, a=1)
    return audio.filter("asetpts", f"PTS+{plan.timing.origin_seconds + plan.timing.lead_seconds:.9f}/TB")


def _bounds(plan: Plan) -> dict[str, float]:
    bounds = {"start": plan.start_seconds, "end": plan.end_seconds}
    origin = plan.timing.origin_seconds
    return {name: round(max(value + origin, 0.0), 9) for name, value in bounds.items() if value is not None}


def _longest(budget: Budget, end_seconds: float | None = None) -> dict[str, float]:
    # One second more than is allowed, so that what was cut can be told from what just fits.
    return {"t": min(budget.media_seconds, math.inf if end_seconds is None else end_seconds) + 1}


def _compiled(output: Any, *options: str) -> list[str]:
    command: list[str] = output.global_args(*options, "-max_alloc", str(bounds.MAX_ALLOCATION_BYTES)).compile()
    return command


def encoder_options(destination: Path, plan: Plan, threads: int, span: Span | None = None) -> list[str]:
    """What the encoder is told: to write the mp3, or a part of it."""
    part = [] if span is None else [f"first={span.first}"] + ([] if span.end is None else [f"end={span.end}"])
    silence = round(plan.silence_seconds * plan.sample_rate)
    return [*_mp3(plan), f"silence={silence}", f"threads={threads}", *part, str(destination)]


def joiner_options(destination: Path, plan: Plan) -> list[str]:
    """What the encoder is told that joins parts."""
    return [*_mp3(plan), "join=1", str(destination)]


def _mp3(plan: Plan) -> list[str]:
    quality = f"bit_rate={plan.encoding.cbr}" if plan.encoding.cbr else f"level={plan.encoding.vbr}"
    return [f"sample_rate={plan.sample_rate}", f"channels={plan.channels}", quality]


def _track(source: LocalSource, plan: Plan) -> Any:
    options = input_options(source, plan.reading)
    if plan.is_indexed:
        options["probesize"] = bounds.INDEXED_PROBE_BYTES
    if plan.track.segments:
        options["ignore_editlist"] = 1
    if decoder := whitelists.CHOSEN_DECODERS.get(plan.track.codec):
        options["c:a"] = decoder
    return ffmpeg.input(input_name(source), **options, vn=None, sn=None, dn=None)[f"a:{plan.track.index}"]
