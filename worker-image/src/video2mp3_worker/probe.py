"""Classify a source by looking: ffprobe's answer, or the reason why there is none."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import child, commands, limits, sniff
from video2mp3_worker.child import Confinement, Ended
from video2mp3_worker.edit_lists import segments_of_tracks
from video2mp3_worker.errors import Refused
from video2mp3_worker.failures import refuse_if_killed
from video2mp3_worker.local_source import LocalSource
from video2mp3_worker.media import Media, parse_media, with_first_packets, with_segments
from video2mp3_worker.reading import Reading
from video2mp3_worker.tracks import needs_further_look

_REFUSED_DECODER: Final = re.compile(r"Codec \(([A-Za-z0-9_.-]{1,64})\) not on whitelist")
_ROUNDS: Final = 4
"""A file with decoders that nobody thought of names at least one of them in each round."""

_LATE_WITHOUT_A_WORD: Final = frozenset({"avi"})
"""Formats whose reader does not say when a track begins, but gives its first packet the right time."""


def look_into(source: LocalSource, watch: Callable[[], None]) -> Media:
    """Say what a file holds. Raises Refused when that is nothing which could be converted."""
    with source.path.open("rb") as file:
        sniff.look(file, source.size)
    media = _media(source, Reading(), watch)
    reading = media.reading.of(media.format)
    if reading.options and len(media.tracks) > 1:
        media = _media(source, reading, watch)
    if needs_further_look(media):
        media = _media(source, reading.further(), watch)
    if media.is_indexed:
        with source.path.open("rb") as file:
            media = with_segments(media, segments_of_tracks(file, source.size))
    if media.format in _LATE_WITHOUT_A_WORD:
        media = with_first_packets(media, _document(commands.first_packets(source, reading), source, watch))
    return replace(media, reading=replace(media.reading, options=reading.options))


def _media(source: LocalSource, reading: Reading, watch: Callable[[], None]) -> Media:
    confinement = _confinement(source)
    extra: set[str] = set()
    for _ in range(_ROUNDS):
        answer = bytearray()
        command = commands.probe(source, reading, sorted(extra))
        ended = child.run(command, confinement, output=_bounded(answer), watch=watch)
        missing = set(_REFUSED_DECODER.findall(ended.complaint)) - extra
        if ended.status == 0 or not missing:
            break
        extra |= missing
    return parse_media(_parsed(answer, ended), source.size, reading)


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
    return Confinement(reads=(source.path,), cpu_seconds=limits.PROBE_CPU_SECONDS, data_bytes=limits.DATA_BYTES)


def _bounded(answer: bytearray) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        answer.extend(piece)
        if len(answer) > limits.PROBE_ANSWER_BYTES:
            raise Refused(Reason.LIMIT_EXCEEDED, "The file describes itself at more length than is allowed.")

    return take


def _unreadable(ended: Ended) -> Refused:
    """The error for an ffprobe that failed; raises it where the media may not be to blame."""
    complaint = ended.complaint
    if "max_streams" in complaint:
        # For ffmpeg that is a lack of memory.
        sentence = f"The file has more than {limits.MAX_STREAMS} tracks."
        return Refused(Reason.LIMIT_EXCEEDED, sentence, detail=complaint)
    refuse_if_killed(ended)
    if "not on whitelist" in complaint:
        sentence = "The file is in a format that is not accepted, or only points at other files."
        return Refused(Reason.NOT_MEDIA, sentence, detail=complaint)
    return Refused(Reason.NOT_MEDIA, "The file is no audio or video that can be read.", detail=complaint)
