"""Classify a source by looking: ffprobe's answer, or the reason why there is none."""

import json
from collections.abc import Callable
from typing import Final

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import child, commands, limits, sniff
from video2mp3_worker.child import Confinement, Ended
from video2mp3_worker.errors import Refused
from video2mp3_worker.failures import (
    has_too_many_tracks,
    is_of_refused_format,
    refuse_if_killed,
    refused_decoders,
)
from video2mp3_worker.local_source import LocalSource
from video2mp3_worker.media import Media, parse_media

_ROUNDS: Final = 4
"""A file with decoders that nobody thought of names at least one of them in each round."""


def look_into(source: LocalSource, watch: Callable[[], None]) -> Media:
    """Say what a file holds. Raises Refused when that is nothing which could be converted."""
    with source.path.open("rb") as file:
        sniff.look(file, source.size)
    answer, ended = _ask(source, watch)
    if ended.status != 0:
        raise _unreadable(ended)
    try:
        document = json.loads(answer)
    except ValueError as error:
        raise Refused(Reason.NOT_MEDIA, "The file cannot be read as audio or video.") from error
    if not document.get("streams") and has_too_many_tracks(ended):
        # From version 7 on, ffprobe ends well with what it had before there were too many.
        raise _too_many_tracks(ended)
    return parse_media(document, source.size)


def _ask(source: LocalSource, watch: Callable[[], None]) -> tuple[bytes, Ended]:
    confinement = Confinement(reads=(source.path,), cpu_seconds=limits.PROBE_CPU_SECONDS, data_bytes=limits.DATA_BYTES)
    extra: set[str] = set()
    for _ in range(_ROUNDS):
        answer = bytearray()
        ended = child.run(commands.probe(source, sorted(extra)), confinement, output=_bounded(answer), watch=watch)
        missing = refused_decoders(ended) - extra
        if not missing:
            break
        extra |= missing
    return bytes(answer), ended


def _bounded(answer: bytearray) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        answer.extend(piece)
        if len(answer) > limits.PROBE_ANSWER_BYTES:
            raise Refused(Reason.LIMIT_EXCEEDED, "The file describes itself at more length than is allowed.")

    return take


def _unreadable(ended: Ended) -> Refused:
    """The error for an ffprobe that failed; raises it where the media may not be to blame."""
    if has_too_many_tracks(ended):
        # For ffmpeg that is a lack of memory.
        return _too_many_tracks(ended)
    refuse_if_killed(ended)
    if is_of_refused_format(ended):
        sentence = "The file is in a format that is not accepted, or only points at other files."
        return Refused(Reason.NOT_MEDIA, sentence, detail=ended.complaint)
    return Refused(Reason.NOT_MEDIA, "The file is no audio or video that can be read.", detail=ended.complaint)


def _too_many_tracks(ended: Ended) -> Refused:
    sentence = f"The file has more than {limits.MAX_STREAMS} tracks."
    return Refused(Reason.LIMIT_EXCEEDED, sentence, detail=ended.complaint)
