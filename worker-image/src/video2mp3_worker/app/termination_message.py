"""The termination message: what Kubernetes, and through it the operator, learns of how an attempt ended."""

import sys
from pathlib import Path
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_contracts.jobs.worker import TERMINATION_MESSAGE_LIMIT, TerminationMessage

_MESSAGE_LENGTH: Final = 500
_CRASHED: Final = 1


def last_words(
    exit_code: ExitCode, reason: Reason, message: str, detail: str = "", *, landlock: bool | None = None
) -> bytes:
    """The message as JSON. The detail gives way until all of it fits: JSON writes some characters as six."""
    while True:
        words = TerminationMessage(
            exit_code=exit_code, reason=reason, message=message[:_MESSAGE_LENGTH], detail=detail, landlock=landlock
        ).model_dump_json(by_alias=True, exclude_none=True)
        if len(words.encode()) <= TERMINATION_MESSAGE_LIMIT or not detail:
            return words.encode()
        detail = detail[len(detail) // 4 + 1 :]


def crashed(kind: type[BaseException]) -> bytes:
    """The message of a worker that ended in a way nobody thought of. Python then ends with status 1."""
    words = TerminationMessage(
        exit_code=_CRASHED,
        reason=Reason.WORKER_CRASHED,
        message=f"The worker ended in a way it should not ({kind.__name__}).",
    )
    return words.model_dump_json(by_alias=True, exclude_none=True).encode()


def leave(words: bytes, path: Path) -> None:
    """Write the message where Kubernetes looks for it; without Kubernetes there may be no such place."""
    try:
        path.write_bytes(words)
    except OSError as error:
        sys.stderr.write(f"no termination message at {path}: {error}\n")
