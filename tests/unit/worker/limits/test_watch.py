"""When a run must end early, and what does not count."""

from dataclasses import dataclass

import pytest

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.limits.watch import Watch
from video2mp3_worker.ports.errors import TryAgain


@dataclass
class Now:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def reason_of(watch: Watch) -> Reason | None:
    try:
        watch.check()
    except TryAgain as error:
        return error.reason
    return None


def test_a_run_ends_after_its_time_however_well_it_moves() -> None:
    now = Now()
    watch = Watch(Stop(), now, wall_seconds=100, stall_seconds=60)

    for now.seconds in range(0, 101, 10):
        watch.moved_to(now.seconds + 1)
        assert reason_of(watch) is None
    now.seconds = 100.1

    assert reason_of(watch) is Reason.RUN_TIMEOUT


def test_a_run_ends_when_it_does_not_move() -> None:
    now = Now()
    watch = Watch(Stop(), now, wall_seconds=1000, stall_seconds=60)
    watch.moved_to(5)
    now.seconds = 60
    assert reason_of(watch) is None
    watch.moved_to(5)
    now.seconds = 60.1

    assert reason_of(watch) is Reason.STALLED


def test_the_time_in_which_the_source_is_coming_does_not_count() -> None:
    now, coming = Now(), [True]
    watch = Watch(Stop(), now, 100, 60, lambda: coming[0])
    now.seconds = 5000
    assert reason_of(watch) is None

    coming[0] = False
    now.seconds = 5060
    assert reason_of(watch) is None
    now.seconds = 5060.1

    assert reason_of(watch) is Reason.STALLED


def test_a_source_that_does_not_come_ends_the_run() -> None:
    def ended() -> bool:
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, "The database that holds the files was away.")

    assert reason_of(Watch(Stop(), Now(), 100, None, ended)) is Reason.SERVICE_UNAVAILABLE


def test_who_is_to_stop_stops_at_once() -> None:
    stop = Stop()
    stop.request()

    with pytest.raises(TryAgain):
        Watch(stop, Now(), 100, None, lambda: True).check()
