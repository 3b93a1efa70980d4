"""Children that run, looked at from outside: how many threads they have, and whether they work or wait. proc(5)."""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused, TryAgain

MOST_THREADS: Final = 1_024
"""Of one child. ffmpeg has a few for each processor of the node; limits of its own for them count all of a user's."""

_LOOK_SECONDS: Final = 0.1
_WINDOW_SECONDS: Final = 60.0
_BUSY_SHARE: Final = 0.5
"""Of a processor, over the window."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")
Clock = Callable[[], float]


def attending(pids: Sequence[int], watch: Callable[[], None], clock: Clock = time.monotonic) -> Callable[[], None]:
    """`watch`, and a look at the children each time it is called.

    Raises what `watch` raises; but where they are said to make no progress and were busy all the time, it is not the
    machine that is slow: then Refused, since another try would end the same. Refused also for too many threads.
    """
    samples: deque[tuple[float, float]] = deque()

    def look() -> None:
        now = clock()
        if not samples or now - samples[-1][0] >= _LOOK_SECONDS:
            seen = [_looked_at(pid) for pid in pids]
            if any(threads > MOST_THREADS for threads, _ in seen):
                raise Refused(Reason.LIMIT_EXCEEDED, "Reading the file takes more threads than is allowed.")
            samples.append((now, sum(seconds for _, seconds in seen)))
            while now - samples[0][0] > _WINDOW_SECONDS:
                samples.popleft()
        try:
            watch()
        except TryAgain as error:
            if error.reason is Reason.STALLED and _were_busy(samples):
                raise Refused(
                    Reason.LIMIT_EXCEEDED, "Reading the file takes more processor time than is allowed."
                ) from error
            raise

    return look


def _were_busy(samples: Sequence[tuple[float, float]]) -> bool:
    (began, used_before), (now, used) = samples[0], samples[-1]
    return used - used_before > _BUSY_SHARE * (now - began) > 0


def _looked_at(pid: int) -> tuple[int, float]:
    """Threads and seconds of processor time; none of a child that is gone, or about to be."""
    try:
        # The name, in brackets, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0, 0.0
    return int(fields[17]), (int(fields[11]) + int(fields[12])) / _TICKS
