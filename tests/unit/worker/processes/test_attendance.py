"""Whether a child that makes no progress is at fault itself, and whether it has too many threads."""

import os
import threading
import time

import pytest

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused, TryAgain, WorkerError
from video2mp3_worker.processes import attendance
from video2mp3_worker.processes.attendance import attending


def compute(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


@pytest.mark.parametrize(
    ("reason", "passed", "kind"),
    [
        (Reason.STALLED, 0.5, Refused),
        (Reason.STALLED, 50.0, TryAgain),
        (Reason.STALLED, 0.0, TryAgain),
        (Reason.STOPPED, 0.5, TryAgain),
        (Reason.RUN_TIMEOUT, 0.5, TryAgain),
    ],
)
def test_no_progress_is_the_files_fault_where_the_child_was_busy(
    reason: Reason, passed: float, kind: type[WorkerError]
) -> None:
    """The child is this process, and the clock says how long it took for what it computed."""
    ended: list[TryAgain] = []
    now = [100.0]

    def watch() -> None:
        if ended:
            raise ended[0]

    look = attending([os.getpid()], watch, lambda: now[0])
    look()
    compute(0.4)
    now[0] += passed
    ended.append(TryAgain(reason, "It ends."))

    with pytest.raises(WorkerError) as error:
        look()

    assert type(error.value) is kind
    assert error.value.reason is (reason if kind is TryAgain else Reason.LIMIT_EXCEEDED)


def test_what_was_long_ago_counts_no_more() -> None:
    now = [100.0]
    stalled: list[TryAgain] = []

    def watch() -> None:
        if stalled:
            raise stalled[0]

    look = attending([os.getpid()], watch, lambda: now[0])
    look()
    compute(0.4)
    for _ in range(200):
        now[0] += 1
        look()
    stalled.append(TryAgain(Reason.STALLED, "It does not move."))

    with pytest.raises(TryAgain):
        look()


def test_too_many_threads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance, "MOST_THREADS", threading.active_count() + 2)
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        with pytest.raises(Refused, match="more threads"):
            attending([os.getpid()], lambda: None)()
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_child_that_is_gone_is_no_error() -> None:
    attending([2**22 + 1], lambda: None)()
