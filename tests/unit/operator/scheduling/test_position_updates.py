"""Which places in the queue are told."""

from datetime import timedelta

import pytest

from tests.builders import NOW, a_conversion
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import live
from video2mp3_contracts.api.status import QueueReport
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.scheduling.admission_queue import AdmissionQueue
from video2mp3_operator.scheduling.ordering import Candidate, Caps
from video2mp3_operator.scheduling.position_updates import furthest_off, position_due


@pytest.mark.parametrize(
    ("stored", "position", "expected"),
    [
        (None, 9, True),
        (9, None, True),
        (3, 3, False),
        (3, 2, True),
        (1, 2, True),
        (12, 10, True),
        (80, 41, False),
        (80, 40, True),
        (80, 159, False),
        (80, 160, True),
    ],
)
def test_position_due(stored: int | None, position: int | None, expected: bool) -> None:
    assert position_due(QueueReport(position=stored) if stored else None, position) is expected


def a_line(length: int) -> list[Candidate]:
    return [Candidate(f"uid-{n}", Key("media", f"c{n}"), "a", 0, NOW) for n in range(1, length + 1)]


def told_anew(told: dict[str, int], most: int, length: int = 5) -> list[str]:
    reports = {name: QueueReport(position=place) for name, place in told.items()}
    return [each.key.name for each in furthest_off(a_line(length), lambda each: reports.get(each.key.name), most)]


def test_who_knows_no_place_is_told_first_and_the_head_before_the_others() -> None:
    assert told_anew({"c1": 1, "c2": 3, "c5": 6}, 9) == ["c3", "c4", "c2", "c5"]
    assert told_anew({"c1": 1, "c2": 3, "c5": 6}, 1) == ["c3"]


def test_the_least_true_place_is_told_first() -> None:
    assert told_anew({"c1": 1, "c2": 2, "c3": 4, "c4": 40, "c5": 6}, 2) == ["c4", "c3"]


def test_a_line_that_stands_still_is_told_nothing() -> None:
    assert told_anew({f"c{n}": n for n in range(1, 6)}, 9) == []


def places(world: World) -> dict[str, int | None]:
    statuses = {document["metadata"]["name"]: document["status"] for document in world.conversions.values()}
    return {name: (status.get("queue") or {}).get("position") for name, status in statuses.items()}


def test_the_queue_is_told_as_it_moves() -> None:
    world = World()
    running = world.apply(a_conversion("first"))
    operator = live(world, max_running=1)
    for age, name in enumerate(("fourth", "third", "second")):
        world.apply(a_conversion(name).with_metadata(creationTimestamp=(NOW + timedelta(seconds=9 - age)).isoformat()))
    live(world, operator)
    assert places(world) == {"first": None, "second": 1, "third": 2, "fourth": 3}
    world.work(running)
    world.set_job_status(running, active=0, conditions=[{"type": "Complete", "status": "True"}])
    operator.cache.see_job(world.job_of(running))
    woken: list[Key] = []
    operator.admission.wake = woken.append
    operator.admission_queue.review()
    operator.admission.update_positions_once()
    assert [key.name for key in woken] == ["third", "fourth"]
    live(world, operator)
    assert places(world) == {"first": None, "second": None, "third": 1, "fourth": 2}


def test_nobody_is_placed_before_everyone_was_heard() -> None:
    admission_queue = AdmissionQueue(Cache(), Caps(1, 9, 9), lambda _: None)
    first, second = a_line(2)
    assert admission_queue.ask(second).position is None
    assert admission_queue.in_order() == ()
    admission_queue.ask(first)
    admission_queue.review()
    assert admission_queue.ask(second).position == 1
    assert admission_queue.in_order() == (second,)
