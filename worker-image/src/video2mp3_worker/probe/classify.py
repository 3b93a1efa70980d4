"""Classify a source by looking: ffprobe's answer, or the reason why there is none."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.containers.edit_lists import played_of_tracks
from video2mp3_worker.limits import bounds
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.probe import ffprobe_commands, sniff
from video2mp3_worker.probe.edits import with_edits
from video2mp3_worker.probe.format_names import name_of
from video2mp3_worker.probe.media import Media, parse_media, with_first_packets
from video2mp3_worker.probe.reading import Reading
from video2mp3_worker.probe.tracks import needs_further_look
from video2mp3_worker.processes import child
from video2mp3_worker.processes.child import Confinement, Ended
from video2mp3_worker.processes.failures import (
    has_too_many_tracks,
    refuse_if_killed,
    refused_decoders,
    refused_format,
)
from video2mp3_worker.source.partial_download import LocalSource

_ROUNDS: Final = 4
"""A file with decoders that nobody thought of names at least one of them in each round."""

_LATE_WITHOUT_A_WORD: Final = frozenset({"avi"})
"""Formats whose reader does not say when a track begins, but gives its first packet the right time."""

_ENDLESS: Final = (("ignore_length", 1),)
"""To ffmpeg's reader of wav: to read to the end of the file, whatever the header says."""

_WITHOUT_INDEX: Final = (
    "The file was cut short, and what tells how to read it is missing: nothing of it can be converted."
)


def look_into(source: LocalSource, watch: Callable[[], None], *, allow_truncated: bool = False) -> Media:
    """Say what a file holds. Raises Refused when that is nothing which could be converted."""
    with source.path.open("rb") as file:
        seen = sniff.look(file, source.size, allow_truncated=allow_truncated)
    try:
        media = _asked_of_ffprobe(source, watch)
    except Refused as error:
        if seen.is_cut_short and error.reason is Reason.NOT_MEDIA:
            raise Refused(Reason.TRUNCATED, _WITHOUT_INDEX, detail=error.detail) from error
        raise
    options = media.reading.options + (_ENDLESS if seen.is_endless else ())
    reading = replace(media.reading, options=options)
    return replace(media, reading=reading, is_cut_short=seen.is_cut_short, is_endless=seen.is_endless)


def _asked_of_ffprobe(source: LocalSource, watch: Callable[[], None]) -> Media:
    media = _media(source, Reading(), watch)
    reading = media.reading.of(media.format)
    if reading.options and len(media.tracks) > 1:
        media = _media(source, reading, watch)
    if needs_further_look(media):
        media = _media(source, reading.further(), watch)
    if media.is_indexed:
        with source.path.open("rb") as file:
            media = with_edits(media, played_of_tracks(file, source.size))
    if media.format in _LATE_WITHOUT_A_WORD:
        media = with_first_packets(media, _document(ffprobe_commands.first_packets(source, reading), source, watch))
    return replace(media, reading=replace(media.reading, options=reading.options))


def _media(source: LocalSource, reading: Reading, watch: Callable[[], None]) -> Media:
    confinement = _confinement(source)
    extra: set[str] = set()
    for _ in range(_ROUNDS):
        answer = bytearray()
        command = ffprobe_commands.probe(source, reading, sorted(extra))
        ended = child.run(command, confinement, output=_bounded(answer), watch=watch)
        missing = refused_decoders(ended) - extra
        if not missing:
            break
        extra |= missing
    document = _parsed(answer, ended)
    if not document.get("streams") and has_too_many_tracks(ended):
        # From version 7 on, ffprobe ends well with what it had before there were too many.
        raise _too_many_tracks(ended)
    return parse_media(document, source.size, reading)


def _document(command: list[str], source: LocalSource, watch: Callable[[], None]) -> Any:
    answer = bytearray()
    return _parsed(answer, child.run(command, _confinement(source), output=_bounded(answer), watch=watch))


def _parsed(answer: bytearray, ended: Ended) -> Any:
    if ended.status != 0:
        raise _unreadable(ended)
    try:
        return json.loads(answer)
    except ValueError as error:
        raise Refused(Reason.NOT_MEDIA, "The file cannot be read as audio or video.") from error


def _confinement(source: LocalSource) -> Confinement:
    return Confinement(reads=(source.path,), cpu_seconds=bounds.PROBE_CPU_SECONDS, data_bytes=bounds.DATA_BYTES)


def _bounded(answer: bytearray) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        answer.extend(piece)
        if len(answer) > bounds.PROBE_ANSWER_BYTES:
            raise Refused(Reason.LIMIT_EXCEEDED, "The file has more tracks, chapters and tags than can be listed.")

    return take


def _unreadable(ended: Ended) -> Refused:
    """The error for an ffprobe that failed; raises it where the media may not be to blame."""
    if has_too_many_tracks(ended):
        # For ffmpeg that is a lack of memory.
        return _too_many_tracks(ended)
    refuse_if_killed(ended)
    refused = refused_format(ended)
    if refused is not None:
        sentence = f"The file looks like {name_of(refused)}, which is not accepted."
        return Refused(Reason.NOT_MEDIA, sentence, detail=ended.complaint)
    return Refused(Reason.NOT_MEDIA, "The file is no audio or video that can be read.", detail=ended.complaint)


def _too_many_tracks(ended: Ended) -> Refused:
    sentence = f"The file has more than {bounds.MAX_STREAMS} tracks."
    return Refused(Reason.LIMIT_EXCEEDED, sentence, detail=ended.complaint)
