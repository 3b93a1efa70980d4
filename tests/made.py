"""What tests need of programs and files, made by the first run on a machine, with a log of how that went."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video2mp3_localcluster.programs.binaries import Artefact
from video2mp3_localcluster.steps.layout import log_dir
from video2mp3_localcluster.steps.step_log import StepLog


@contextmanager
def log_of(name: str) -> Iterator[StepLog]:
    """The log of something that tests need, closed at the end."""
    log = StepLog(log_dir() / f"{name}-for-tests.log")
    try:
        yield log
    finally:
        log.close()


def made(name: str, artefact: Artefact) -> Path:
    """The folder of an artefact, which is made where it is not there. Raises StepFailed."""
    with log_of(name) as log:
        artefact.make(log)
    return artefact.folder
