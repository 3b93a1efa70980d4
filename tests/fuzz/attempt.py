"""One broken file, through the real worker: what came of it, and whether that is a way in which bad media may end."""

import random
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.mutations import mutated
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.limits.bounds import DATA_BYTES
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused, WorkerError
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

LIMITS: Final = WorkerLimits(max_duration_seconds=600, max_output_bytes=20_000_000, run_seconds=600)
CPU_SECONDS: Final = 60.0
"""Of all children of one attempt. The seeds take under one."""

MEMORY_BYTES: Final = DATA_BYTES + 100_000_000
"""Of one child: its data's limit, and its programs and libraries."""

OF_MEDIA: Final = frozenset(
    {Reason.NOT_MEDIA, Reason.NO_AUDIO, Reason.TRUNCATED, Reason.ENCRYPTED, Reason.EMPTY_SOURCE}
    | {Reason.TOO_LONG, Reason.LIMIT_EXCEEDED}
)
"""Reasons that speak of the media. All else, for a file, is wrong: nothing is away, nobody asked for anything."""


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: `end` is "Succeeded", a reason, or an exception's name; `wrong` is "" where it may."""

    number: int
    end: str
    message: str = ""
    detail: str = ""
    wrong: str = ""
    cpu_seconds: float = 0.0


def content_of(seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """The file of a number; `seed` is what all of them follow from."""
    return mutated(seeds, random.Random(f"{seed}:{number}"))


def attempt(content: bytes, number: int, folder: Path) -> Outcome:
    """Convert a file in a folder of its own, which is empty afterwards."""
    source, mp3 = folder / "source", folder / "output.mp3"
    source.write_bytes(content)
    before = _cpu_seconds()
    try:
        outcome = _converted(source, mp3, number)
    finally:
        for file in folder.iterdir():
            file.unlink()
    used = _cpu_seconds() - before
    wrong = outcome.wrong or _excess(used)
    return Outcome(number, outcome.end, outcome.message, outcome.detail, wrong, used)


def _converted(source: Path, mp3: Path, number: int) -> Outcome:
    try:
        Converter(Stop(), LIMITS, clock=time.monotonic).convert(LocalSource.whole(source), mp3, Output())
    except WorkerError as error:
        wrong = "" if isinstance(error, Refused) and error.reason in OF_MEDIA else "a reason that is not the media's"
        if not error.message.endswith("."):
            wrong = "no sentence"
        return Outcome(number, str(error.reason), error.message, error.detail, wrong)
    except Exception as error:  # noqa: BLE001 - every other way to end is what is looked for
        return Outcome(number, type(error).__name__, str(error), wrong="a crash")
    return Outcome(number, "Succeeded")


def _excess(cpu_seconds: float) -> str:
    if cpu_seconds > CPU_SECONDS:
        return "more processor time than is allowed"
    if resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 > MEMORY_BYTES:
        return "more memory than is allowed, here or before"
    return ""


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
