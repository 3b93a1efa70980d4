"""What ffmpeg's way to end means for a conversion. Pure: from exit status and complaint to an error."""

import signal
from typing import Final

from video2mp3_contracts.reasons import Reason
from video2mp3_worker.child import Ended
from video2mp3_worker.errors import Refused, TryAgain

_BROKE: Final = frozenset(
    -number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS)
)


def refuse_if_killed(ended: Ended) -> None:
    """Raise for a child that did not end by itself, or ran into a limit on the way."""
    detail = ended.complaint
    if ended.status == -signal.SIGXCPU:
        raise Refused(
            Reason.LIMIT_EXCEEDED, "Reading the file takes more processor time than is allowed.", detail=detail
        )
    if ended.status == -signal.SIGXFSZ or (ended.status != 0 and "File too large" in detail):
        raise Refused(Reason.LIMIT_EXCEEDED, "The mp3 would be larger than is allowed.", detail=detail)
    if "Cannot allocate memory" in detail and ended.status != 0:
        raise Refused(Reason.LIMIT_EXCEEDED, "Reading the file takes more memory than is allowed.", detail=detail)
    if "No space left on device" in detail:
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, "There was no space left on the worker's disk.", detail=detail)
    if ended.status in _BROKE:
        raise Refused(Reason.NOT_MEDIA, "The file is so broken that the program reading it gave up.", detail=detail)
    if ended.status < 0:
        raise TryAgain(Reason.OUT_OF_MEMORY, "The program that converts was ended from outside.", detail=detail)
    if ended.status == 126 and detail.startswith("launcher:"):
        raise TryAgain(Reason.WORKER_CRASHED, "The program that converts could not be started safely.", detail=detail)


def explain_failure(ended: Ended) -> Refused:
    """The error for an ffmpeg that could read the file's index, but not its sound."""
    return Refused(Reason.NOT_MEDIA, "The sound in the file is damaged and cannot be read.", detail=ended.complaint)


def is_partial(complaint: str) -> bool:
    """Whether ffmpeg met an index that points behind the end of the file."""
    return "partial file" in complaint
