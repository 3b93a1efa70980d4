"""How a worker says the way it ended; the Job's `podFailurePolicy` and the operator read it.

The numbers follow BSD's sysexits.h where it has a match: EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_TEMPFAIL.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The worker's exit codes. Any other code is a crash and is tried again."""

    DONE = 0
    """The mp3 is stored and its message published."""

    BAD_REQUEST = 64
    """The request asks for what cannot be done: another try would end the same."""

    BAD_MEDIA = 65
    """Not media, no audio, encrypted, or over a limit: another try would end the same."""

    SOURCE_MISSING = 66
    """There is no such source, or its server does not hand it out."""

    TRY_AGAIN = 75
    """A service is away or there is no space: another try may succeed."""

    STOPPED = 143
    """It was asked to stop by SIGTERM (128 + 15, as a process ends that does not listen): no attempt of its own."""


PERMANENT = frozenset({ExitCode.BAD_REQUEST, ExitCode.BAD_MEDIA, ExitCode.SOURCE_MISSING})
"""Codes that fail a Conversion at once, whatever its `retryLimit`."""
