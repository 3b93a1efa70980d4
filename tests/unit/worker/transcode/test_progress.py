"""ffmpeg's progress, and what is told of it."""

from datetime import UTC, datetime

import pytest

from tests.unit.worker.fakes import FakeLedger, Outside, at_ease, away
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.app.reporter import Reporter
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.limits.watch import Watch
from video2mp3_worker.ports.errors import Superseded, TryAgain
from video2mp3_worker.transcode.progress import Pace, ProgressLines, estimate

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_may_come_in_any_pieces() -> None:
    lines = ProgressLines()
    for piece in (
        b"frame=1\nout_ti",
        b"me_us=15000",
        b"00\nprogress=continue\n",
        b"out_time_us=N/A\n",
        b"out_time_us=-5\n",
    ):
        lines.feed(piece)

    assert lines.seconds == 1.5


def test_endless_output_without_a_line_is_not_kept() -> None:
    lines = ProgressLines()
    for _ in range(100):
        lines.feed(b"x" * 10_000)
    lines.feed(b"\nout_time_us=2000000\n")

    assert lines.seconds == 2.0


@pytest.mark.parametrize(
    ("done", "duration", "percent", "speed", "eta"),
    [
        (30.0, 60.0, 50, 3.0, 10.0),
        (60.0, 60.0, 99, 6.0, 0.0),
        (70.0, 60.0, 99, 7.0, 0.0),
        (30.0, None, 0, 3.0, None),
        (0.0, 60.0, 0, None, None),
    ],
)
def test_percent_speed_and_time_left(
    done: float, duration: float | None, percent: int, speed: float | None, eta: float | None
) -> None:
    progress = estimate(Pace(5.0, duration), done, 15.0, NOW)

    assert (progress.percent, progress.speed, progress.eta_seconds) == (percent, speed, eta)
    assert (progress.processed_seconds, progress.updated_at) == (done, NOW)


def test_it_is_reported_about_once_a_second() -> None:
    outside, clock = Outside(token="mine"), Clock()
    reporter = Reporter(FakeLedger(outside, "mine"), clock, lambda: NOW)
    for tick in range(50):
        clock.now = tick / 10
        reporter.report(float(tick), 60.0)

    assert len(outside.progress) == 4


def test_a_sign_of_life_says_the_same_once_more() -> None:
    outside, clock = Outside(token="mine"), Clock()
    reporter = Reporter(FakeLedger(outside, "mine"), clock, lambda: NOW)
    for clock.now in (1.0, 2.0):
        reporter.report(30.0, 60.0)
    clock.now = 3.0
    reporter.repeat()

    assert [progress.processed_seconds for progress in outside.progress] == [30.0] * 3


def test_a_ledger_that_is_away_does_not_stop_the_conversion_but_another_worker_does() -> None:
    outside, clock = Outside(token="mine", before=away("report_progress")), Clock()
    reporter = Reporter(FakeLedger(outside, "mine"), clock, lambda: NOW)
    clock.now = 1.0
    reporter.report(1.0, 60.0)
    outside.before, outside.token, clock.now = at_ease, "another's", 2.0

    with pytest.raises(Superseded):
        reporter.report(2.0, 60.0)


def test_a_watch_lets_go_on_what_moves_within_its_time() -> None:
    clock = Clock()
    watch = Watch(Stop(), clock, wall_seconds=100, stall_seconds=10)
    for second in range(0, 100, 9):
        clock.now = float(second)
        watch.moved_to(float(second))
        watch.check()


@pytest.mark.parametrize(
    ("seconds", "moved", "stopped", "reason"),
    [(11, False, False, Reason.STALLED), (101, True, False, Reason.RUN_TIMEOUT), (1, True, True, Reason.STOPPED)],
)
def test_a_watch_ends_what_stalls_overruns_or_is_to_stop(
    seconds: int, moved: bool, stopped: bool, reason: Reason
) -> None:
    clock, stop = Clock(), Stop()
    watch = Watch(stop, clock, wall_seconds=100, stall_seconds=10)
    clock.now = float(seconds)
    if moved:
        watch.moved_to(1.0)
    if stopped:
        stop.request()

    with pytest.raises(TryAgain) as ended:
        watch.check()

    assert ended.value.reason is reason
