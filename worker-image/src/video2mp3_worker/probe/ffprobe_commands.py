"""The command lines of ffprobe, and what ffmpeg's have in common with them. Pure.

The same whitelists stand before every input, since ffprobe runs the same parsers as ffmpeg.
"""

from collections.abc import Iterable
from typing import Any, Final

from video2mp3_worker.limits import bounds
from video2mp3_worker.probe import whitelists
from video2mp3_worker.probe.reading import Reading
from video2mp3_worker.source.partial_download import LocalSource

_FIRST_PACKETS: Final = 32
"""Enough for the first of each track, where tracks take turns."""


def probe(source: LocalSource, reading: Reading, extra_decoders: Iterable[str] = ()) -> list[str]:
    """The ffprobe call that says what a file holds, as JSON.

    ffprobe sets up a decoder for every stream and leaves when it may not, so those of pictures and subtitles are
    named for it; none of them is ever fed, because what looks into the streams obeys the audio list.
    """
    shown = ("-of", "json", "-show_format", "-show_streams", "-show_programs", "-show_chapters")
    return [*probing(source, reading, extra_decoders), *shown, input_name(source)]


def first_packets(source: LocalSource, reading: Reading) -> list[str]:
    """The ffprobe call that says when the first packets of the audio tracks play, as JSON."""
    chosen = ("-select_streams", "a", "-read_intervals", f"%+#{_FIRST_PACKETS}")
    shown = ("-of", "json", "-show_entries", "packet=stream_index,pts_time")
    return [*probing(source, reading), *chosen, *shown, input_name(source)]


def probing(source: LocalSource, reading: Reading, extra_decoders: Iterable[str] = ()) -> list[str]:
    """Every call of ffprobe up to what it is asked: whitelists and limits."""
    named = ",".join((*whitelists.AUDIO_CODECS, *whitelists.NAMED_ONLY_CODECS, *extra_decoders))
    options = input_options(source, reading) | {f"codec_whitelist:{kind}": named for kind in "vasdt"}
    arguments = [word for name, value in options.items() for word in (f"-{name}", str(value))]
    quiet = ("-hide_banner", "-loglevel", "error", "-max_alloc", str(bounds.MAX_ALLOCATION_BYTES))
    return ["ffprobe", *quiet, "-threads", "1", *arguments]


def input_options(source: LocalSource, reading: Reading) -> dict[str, Any]:
    """What stands before the source in every call of ffprobe and ffmpeg: whitelists, limits, how far it looks."""
    options: dict[str, Any] = {
        "protocol_whitelist": ",".join(whitelists.PROTOCOLS),
        "format_whitelist": ",".join(whitelists.FORMATS),
        "codec_whitelist": ",".join(whitelists.AUDIO_CODECS),
        "max_streams": bounds.MAX_STREAMS,
        "probesize": reading.probe_bytes,
        "analyzeduration": reading.probe_seconds * 1_000_000,
        **dict(reading.options),
    }
    if source.partial_download is not None:
        # At the end of the file ffmpeg waits for more; and with the index in hand it does not look behind the media.
        protocols = ",".join((*whitelists.PROTOCOLS, whitelists.COMING_PROTOCOL))
        options |= {"protocol_whitelist": protocols, "follow": 1, "fflags": "+ignidx"}
    return options


def input_name(source: LocalSource) -> str:
    """The source as ffprobe and ffmpeg are given it."""
    # Without the protocol's name, a name with a colon in it would be taken for an address.
    file = f"file:{source.path}"
    # Of a file that is still growing, only this knows where it ends.
    return (
        file if source.partial_download is None else f"{whitelists.COMING_PROTOCOL},,start,0,end,{source.size},,:{file}"
    )
