"""What a conversion may use, by what a source says and by how much there is of it."""

import pytest

from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.limits.bounds import budget, is_believable

HOUR = 3600
MEGABYTE = 10**6


@pytest.mark.parametrize(
    ("claimed", "size", "enough_for"),
    [
        (60.0, 420 * MEGABYTE, 24 * HOUR),
        (None, 15 * MEGABYTE, 7 * HOUR - 300),
        (7.0 * HOUR, MEGABYTE, 7 * HOUR),
        (1.0, 1_000, 600),
        (10_000.0 * HOUR, MEGABYTE, 24 * HOUR),
    ],
    ids=["claims too little", "claims nothing", "claims much of a little", "a little", "claims too much"],
)
def test_there_is_time_for_what_may_be_in_so_many_bytes(claimed: float | None, size: int, enough_for: float) -> None:
    allowed = budget(WorkerLimits(), claimed, size)

    assert allowed.cpu_seconds == pytest.approx(120 + enough_for / 4, rel=0.02)
    assert allowed.wall_seconds == pytest.approx(allowed.cpu_seconds, abs=1)
    assert allowed.media_seconds == 24 * HOUR


def test_an_attempts_own_deadline_stays() -> None:
    assert budget(WorkerLimits(run_seconds=30), None, MEGABYTE).wall_seconds == 30


@pytest.mark.parametrize(
    ("seconds", "size", "bit_rate", "believable"),
    [
        (60.0, MEGABYTE, 128_000, True),
        (60.0, MEGABYTE, None, True),
        (70.0, MEGABYTE, 128_000, False),
        (600.0, 100, None, True),
        (100 * HOUR, MEGABYTE, None, False),
    ],
)
def test_what_a_file_says_of_its_length_is_held_against_its_size(
    seconds: float, size: int, bit_rate: int | None, believable: bool
) -> None:
    assert is_believable(seconds, size, bit_rate) is believable
