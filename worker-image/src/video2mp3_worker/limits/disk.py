"""⑥ Space on the worker's disk, which is nobody's fault and may be there at the next attempt."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import TryAgain

_SPARE_BYTES: Final = 64 * 1024**2
"""That must stay free beside the source, for the beginning of the mp3."""


def refuse_full_disk(destination: Path, needed: int) -> None:
    """Raise TryAgain where a file of so many bytes would not fit in."""
    if shutil.disk_usage(destination.parent).free < needed + _SPARE_BYTES:
        raise _no_space()


@contextmanager
def enough_space() -> Iterator[None]:
    """Say it in words when writing within runs out of space."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_space() from error


def _no_space() -> TryAgain:
    return TryAgain(Reason.SERVICE_UNAVAILABLE, "There is no space left on the worker's disk.")
