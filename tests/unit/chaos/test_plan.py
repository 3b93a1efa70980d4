"""The plan follows from the seed alone, and leaves nobody out."""

import itertools
from collections import Counter

import pytest

from tests.chaos.plan import MANNERS, PROCESSES, Kind, Manner, build_plan


def test_a_seed_is_a_plan() -> None:
    assert build_plan(1, 600, 8) == build_plan(1, 600, 8)
    assert build_plan(1, 600, 8) != build_plan(2, 600, 8)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    short = build_plan(1, 60, 8)
    assert build_plan(1, 600, 8)[: len(short)] == short


@pytest.mark.parametrize("seed", range(20))
def test_blows_come_in_order_and_within_the_time(seed: int) -> None:
    times = [kill.at for kill in build_plan(seed, 300, 8)]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 300
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert all(4 <= gap <= 12 for gap in gaps)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_comes_once_before_any_comes_again(seed: int) -> None:
    plan = build_plan(seed, 3600, 8)
    for start in range(0, len(plan) - len(Kind), len(Kind)):
        assert {kill.kind for kill in plan[start : start + len(Kind)]} == set(Kind)


def test_every_kind_is_struck_in_every_way_that_it_can_be() -> None:
    struck: dict[Kind, Counter[Manner]] = {}
    for kill in build_plan(1, 3600, 4):
        struck.setdefault(kill.kind, Counter())[kill.manner] += 1
    assert {kind: set(how) for kind, how in struck.items()} == {kind: set(how) for kind, how in MANNERS.items()}


def test_processes_are_only_killed_and_workers_never() -> None:
    """A worker that is only killed has had one of the few attempts that may fail."""
    assert {MANNERS[kind] for kind in PROCESSES} == {(Manner.KILLED,)}
    assert Manner.KILLED not in MANNERS[Kind.WORKER]


def test_the_short_run_of_the_end_to_end_tests_strikes_every_kind_early() -> None:
    early = [kill for kill in build_plan(1, 90, 5) if kill.at < 60]
    assert {kill.kind for kill in early} == set(Kind)
