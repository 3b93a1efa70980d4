"""Classify a source by looking: ffprobe's answer, or the reason why there is none."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import child, commands, limits, sniff
from video2mp3_worker.child import Confinement, Ended
from video2mp3_worker.errors import Refused
from video2mp3_worker.failures import refuse_if_killed
from video2mp3_worker.local_source import LocalSource
from video2mp3_worker.media import Media, parse_media

_REFUSED_DECODER: Final = re.compile(r"Codec \(([A-Za-z0-9_.-]{1,64})\) not on whitelist")
_ROUNDS: Final = 4
"""A file with decoders that nobody thought of names at least one of them in each round."""


def look_into(source: LocalSource, watch: Callable[[], None], *, allow_truncated: bool = False) -> Media:
    """Say what a file holds. Raises Refused when that is nothing which could be converted."""
    with source.path.open("rb") as file:
        seen = sniff.look(file, source.size, allow_truncated=allow_truncated)
    answer, ended = _ask(source, watch)
    if ended.status != 0:
        raise _without_index(ended) if seen.is_cut_short else _unreadable(ended)
    try:
        document = json.loads(answer)
    except ValueError as error:
        raise Refused(Reason.NOT_MEDIA, "The file cannot be read as audio or video.") from error
    return replace(parse_media(document, source.size), is_cut_short=seen.is_cut_short, is_endless=seen.is_endless)


def _ask(source: LocalSource, watch: Callable[[], None]) -> tuple[bytes, Ended]:
    confinement = Confinement(reads=(source.path,), cpu_seconds=limits.PROBE_CPU_SECONDS, data_bytes=limits.DATA_BYTES)
    extra: set[str] = set()
    for _ in range(_ROUNDS):
        answer = bytearray()
        ended = child.run(commands.probe(source, sorted(extra)), confinement, output=_bounded(answer), watch=watch)
        missing = set(_REFUSED_DECODER.findall(ended.complaint)) - extra
        if ended.status == 0 or not missing:
            break
        extra |= missing
    return bytes(answer), ended


def _bounded(answer: bytearray) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        answer.extend(piece)
        if len(answer) > limits.PROBE_ANSWER_BYTES:
            raise Refused(Reason.LIMIT_EXCEEDED, "The file describes itself at more length than is allowed.")

    return take


def _without_index(ended: Ended) -> Refused:
    """The error for an ffprobe that failed at a file of which the end is missing."""
    refuse_if_killed(ended)
    sentence = "The file was cut short, and what tells how to read it is missing: nothing of it can be converted."
    return Refused(Reason.TRUNCATED, sentence, detail=ended.complaint)


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
