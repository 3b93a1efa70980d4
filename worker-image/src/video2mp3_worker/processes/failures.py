"""What a child's way to end means for a conversion. Pure: from exit status and messages to an error.

A verdict needs both: the status, and where that says too little, a whole message in ffmpeg's own words. Files are
quoted in messages; `messages` says why a quotation never matches here. What the media did is refused, since it would do
so again; only what it cannot have done is tried again.
"""

import re
import signal
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused, TryAgain, WorkerError
from video2mp3_worker.processes.child import Ended

_BROKE: Final = frozenset(
    -number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS)
)
_NOT_STARTED: Final = {
    126: re.compile(r"launcher: .*"),
    127: re.compile(r"/[^:\n]*: error while loading shared libraries: .*"),
}
"""By status: the launcher's words, and the loader's."""

_COMPONENT: Final = r"\[[\w,:#/.+-]+ @ 0x[0-9a-f]+\] "
_NO_MEMORY: Final = re.compile(
    rf"(?:(?:subfile,[\w,]*:)?file:[\s\S]*|(?:{_COMPONENT})*(?:Error|Failed|Could not) [a-z #:0-9]*)"
    r": Cannot allocate memory"
)
"""Behind the source's own name, which ends before the error does; or behind nothing but ffmpeg's words."""

_LAST: Final = 3
"""Messages in which ffmpeg says why it ends; the last may be "Conversion failed!"."""

_PARTIAL: Final = re.compile(rf"{_COMPONENT}stream \d+, offset 0x[0-9a-f]+: partial file")
_TRACKS: Final = re.compile(
    rf"{_COMPONENT}(?:Number of streams exceeds max_streams parameter \(\d+\), see the documentation"
    r" if you wish to increase it|Number of tracks exceeds max_streams \(\d+\))"
)
_FORMAT: Final = re.compile(r"\[([a-z0-9_,]{1,64}) @ 0x[0-9a-f]+\] Format not on whitelist '[\w,]*'?")
_DECODER: Final = re.compile(rf"{_COMPONENT}Codec \(([A-Za-z0-9_.-]{{1,64}})\) not on whitelist '[\w,.-]*'?")
"""The list may be too long for a message."""

_SPACE: Final = "There was no space left on the worker's disk."
_OF_THE_ENCODER: Final = (
    (r"\[Errno 27\] .*", Refused, Reason.LIMIT_EXCEEDED, "The mp3 would be larger than worker.maxOutputBytes allows."),
    (r"\[Errno (?:28|122)\] .*", TryAgain, Reason.SERVICE_UNAVAILABLE, _SPACE),
    (r"\[Errno 12\] .*|MemoryError", Refused, Reason.LIMIT_EXCEEDED, "Encoding takes more memory than is allowed."),
    (r"(?:LAME|lame_).*", Refused, Reason.WORKER_CRASHED, "The sound is of a kind that the encoder fails at."),
    (r".*", TryAgain, Reason.WORKER_CRASHED, "The encoder could not do its work."),
)
"""Its own words, first match first; no file ever speaks through it. Numbers of errors: errno(3), on Linux."""


def refuse_if_killed(ended: Ended) -> None:
    """Raise for a child that did not end by itself, or ran into a limit on the way."""
    error = _killed(ended)
    if error is not None:
        raise error


def _killed(ended: Ended) -> WorkerError | None:
    if ended.status == 0:
        return None
    if ended.is_spent or ended.status == -signal.SIGXCPU:
        return _refused(ended, Reason.LIMIT_EXCEEDED, "Reading the file takes more processor time than is allowed.")
    if any(map(_NO_MEMORY.fullmatch, ended.messages[-_LAST:])):
        return _refused(ended, Reason.LIMIT_EXCEEDED, "Reading the file takes more memory than is allowed.")
    if ended.status in _BROKE:
        return _refused(ended, Reason.NOT_MEDIA, "The file is so broken that the program reading it gave up.")
    if ended.status < 0:
        sentence = "The program that converts was ended from outside."
        return TryAgain(Reason.OUT_OF_MEMORY, sentence, detail=ended.complaint)
    if ended.status in _NOT_STARTED and any(map(_NOT_STARTED[ended.status].fullmatch, ended.messages)):
        sentence = "The program that converts could not be started safely."
        return TryAgain(Reason.WORKER_CRASHED, sentence, detail=ended.complaint)
    return None


def refuse_failed_encoder(ended: Ended) -> None:
    """Raise for an encoder that did not end well: it alone writes to the disk, and is told samples, no names."""
    if ended.status == 0:
        return
    last = ended.messages[-1] if ended.messages else ""
    for pattern, kind, reason, sentence in _OF_THE_ENCODER:
        if ended.status > 0 and re.fullmatch(f"encoder: (?:{pattern})", last):
            raise kind(reason, sentence, detail=ended.complaint)
    refuse_if_killed(ended)
    # It computes the same from the same samples.
    raise _refused(ended, Reason.WORKER_CRASHED, "The encoder ended in a way it should not.")


def _refused(ended: Ended, reason: Reason, sentence: str) -> Refused:
    return Refused(reason, sentence, detail=ended.complaint)


def explain_failure(ended: Ended) -> Refused:
    """The error for an ffmpeg that could read the file's index, but not its audio."""
    return _refused(ended, Reason.NOT_MEDIA, "The sound in the file is damaged and cannot be read.")


def is_partial(ended: Ended) -> bool:
    """Whether ffmpeg met an index that points behind the end of the file: it goes on, and its status says nothing."""
    return any(map(_PARTIAL.fullmatch, ended.messages))


def has_too_many_tracks(ended: Ended) -> bool:
    """Whether ffprobe said that the file has more tracks than it may look at."""
    return any(map(_TRACKS.fullmatch, ended.messages))


def refused_format(ended: Ended) -> str | None:
    """The file's format, by ffmpeg's name, where ffprobe left since it may not read files of it."""
    found = (_FORMAT.fullmatch(message) for message in ended.messages)
    return None if ended.status == 0 else next((match[1] for match in found if match), None)


def refused_decoders(ended: Ended) -> set[str]:
    """The decoders that ffprobe would have set up and may not."""
    found = (_DECODER.fullmatch(message) for message in ended.messages)
    return set() if ended.status == 0 else {match[1] for match in found if match}
