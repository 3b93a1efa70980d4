"""How a conversion can end other than well. Every error says what follows from it, as an exit code."""

from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import ExitCode

_EXIT_CODES: Final = {
    Reason.BAD_REQUEST: ExitCode.BAD_REQUEST,
    Reason.INVALID_SPEC: ExitCode.BAD_REQUEST,
    Reason.OWNER_MISMATCH: ExitCode.BAD_REQUEST,
    Reason.SOURCE_NOT_ALLOWED: ExitCode.BAD_REQUEST,
    Reason.SOURCE_NOT_FOUND: ExitCode.SOURCE_MISSING,
    Reason.SOURCE_REFUSED: ExitCode.SOURCE_MISSING,
}


class WorkerError(Exception):
    """The attempt is over. `message` is for who waits for the mp3, `detail` for who runs the installation."""

    def __init__(self, reason: Reason, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.detail = detail

    @property
    def exit_code(self) -> ExitCode:
        """What the process ends with."""
        raise NotImplementedError


class Refused(WorkerError):
    """This source and these options will never become an mp3: another try would end the same."""

    @property
    def exit_code(self) -> ExitCode:
        """64 for the request, 66 for a missing source, 65 for everything about the media."""
        return _EXIT_CODES.get(self.reason, ExitCode.BAD_MEDIA)


def cut_short(detail: str = "") -> Refused:
    """What is said of a file of which something is missing, and the way out."""
    return Refused(
        Reason.TRUNCATED,
        "The file ends before its media does; the upload was probably cut short. What is there is converted where"
        " source.allowTruncated is set.",
        detail=detail,
    )


class TryAgain(WorkerError):
    """Something outside is away, full or slow: another try may succeed."""

    @property
    def exit_code(self) -> ExitCode:
        """75, but for `Stopped`."""
        return ExitCode.TRY_AGAIN


class Stopped(TryAgain):
    """Kubernetes, or somebody, asked the worker to stop: this costs the conversion no attempt."""

    def __init__(self) -> None:
        super().__init__(Reason.STOPPED, "The worker was asked to stop before it was done.")

    @property
    def exit_code(self) -> ExitCode:
        """143: the Job passes over it."""
        return ExitCode.STOPPED


class Superseded(TryAgain):
    """Another worker opened an attempt for the same conversion; this one must not write any more."""

    def __init__(self) -> None:
        super().__init__(Reason.STOPPED, "Another worker took the conversion over.")
