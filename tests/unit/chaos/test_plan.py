"""The plan follows from the seed alone, and leaves nobody out."""

import itertools
from collections import Counter

import pytest

from tests.chaos.plan import AWAY, IN_TURN, MANNERS, PROCESSES, Kill, Kind, Manner, build_plan
from tests.chaos.run import Options


@pytest.mark.parametrize("nodes", [1, 2])
def test_a_seed_is_a_plan(nodes: int) -> None:
    assert build_plan(1, 600, 8, nodes) == build_plan(1, 600, 8, nodes)
    assert build_plan(1, 600, 8, nodes) != build_plan(2, 600, 8, nodes)


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
    for start in range(0, len(plan) - len(IN_TURN), len(IN_TURN)):
        assert {kill.kind for kill in plan[start : start + len(IN_TURN)]} == set(IN_TURN)


def test_every_kind_is_struck_in_every_way_that_it_can_be() -> None:
    struck: dict[Kind, Counter[Manner]] = {}
    for kill in build_plan(1, 3600, 4, nodes=2):
        struck.setdefault(kill.kind, Counter())[kill.manner] += 1
    assert {kind: set(how) for kind, how in struck.items()} == {kind: set(how) for kind, how in MANNERS.items()}


def test_processes_are_only_killed_and_workers_never() -> None:
    """A worker that is only killed has had one of the few attempts that may fail."""
    assert {MANNERS[kind] for kind in PROCESSES} == {(Manner.KILLED,)}
    assert Manner.KILLED not in MANNERS[Kind.WORKER]


def test_the_short_run_of_the_end_to_end_tests_strikes_every_kind_early() -> None:
    early = [kill for kill in build_plan(1, 90, 5) if kill.at < 60]
    assert {kill.kind for kill in early} == set(IN_TURN)


def outages(seed: int, seconds: float) -> list[Kill]:
    return [kill for kill in build_plan(seed, seconds, 6, nodes=2) if kill.kind is Kind.NODE]


@pytest.mark.parametrize("seed", range(20))
def test_every_run_of_some_minutes_has_a_nodes_death_and_time_for_it(seed: int) -> None:
    first = outages(seed, 300)[0]
    assert (first.kind, first.manner) == (Kind.NODE, Manner.KILLED)
    assert first.at + first.away < 300


@pytest.mark.parametrize("seed", range(20))
def test_a_node_is_back_long_before_it_is_struck_again(seed: int) -> None:
    times = outages(seed, 3600)
    assert all(AWAY[0] <= kill.away <= AWAY[1] for kill in times)
    assert all(after.at - (before.at + before.away) >= 90 for before, after in itertools.pairwise(times))


def test_the_outages_change_nothing_else() -> None:
    both = [kill for kill in build_plan(1, 600, 6, nodes=2) if kill.kind is not Kind.NODE]
    assert tuple(both) == build_plan(1, 600, 6)


def test_half_an_hour_has_more_than_enough_blows_planned_for_two_hundred() -> None:
    assert min(len(build_plan(seed, 1800, Options.gap, nodes=2)) for seed in range(20)) >= 280
