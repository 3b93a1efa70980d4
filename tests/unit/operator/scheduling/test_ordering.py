"""Who goes first."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from tests.builders import NOW
from video2mp3_operator.objects.jobs import Slot
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.scheduling.ordering import Candidate, CandidateQueue, Caps, next_turns, turns

UNLIMITED = Caps(cluster=10**6, per_namespace=10**6, per_owner=10**6)


def candidate(name: str, owner: str = "a", priority: int = 0, age: int = 0, namespace: str = "media") -> Candidate:
    return Candidate(name, Key(namespace, name), owner, priority, NOW - timedelta(seconds=age))


def order(candidates: list[Candidate], taken: list[Slot] | None = None, caps: Caps = UNLIMITED) -> list[str]:
    return [each.uid for each in turns(CandidateQueue(candidates), taken or [], caps).admitted]


@pytest.mark.parametrize(
    ("candidates", "taken", "expected"),
    [
        ([candidate("young", age=1), candidate("old", age=2)], [], ["old", "young"]),
        ([candidate("low", priority=-1, age=9), candidate("high", priority=5)], [], ["high", "low"]),
        (
            [candidate("a1", "a", age=9), candidate("a2", "a", age=8), candidate("b1", "b", age=1)],
            [],
            ["a1", "b1", "a2"],
        ),
        ([candidate("a1", "a", age=9), candidate("b1", "b", age=1)], [Slot("media", "a")], ["b1", "a1"]),
        (
            [candidate("a1", "a", 5, age=1), candidate("a2", "a", 5, age=0), candidate("b1", "b", age=9)],
            [],
            ["a1", "a2", "b1"],
        ),
    ],
    ids=["age", "priority", "fairness", "fairness counts what runs", "priority before fairness"],
)
def test_order(candidates: list[Candidate], taken: list[Slot], expected: list[str]) -> None:
    assert order(candidates, taken) == expected


def test_the_first_upload_of_one_account_does_not_wait_for_a_thousand_of_another() -> None:
    crowd = [candidate(f"a{number:04}", "a", age=2000 - number) for number in range(1000)]
    decided = turns(CandidateQueue([*crowd, candidate("b", "b")]), [Slot("media", "a")] * 9, Caps(10, 100, 100))
    assert [each.uid for each in decided.admitted] == ["b"]


@pytest.mark.parametrize(
    ("caps", "expected"),
    [
        (Caps(2, 9, 9), ["a1", "b1"]),
        (Caps(9, 1, 9), ["a1"]),
        (Caps(9, 9, 1), ["a1", "b1"]),
    ],
    ids=["cluster", "namespace", "owner"],
)
def test_caps(caps: Caps, expected: list[str]) -> None:
    waiting = [candidate("a1", "a", age=3), candidate("a2", "a", age=2), candidate("b1", "b", age=1)]
    decided = turns(CandidateQueue(waiting), [], caps)
    assert [each.uid for each in decided.admitted] == expected
    assert {each.uid for each in decided.waiting} == {"a1", "a2", "b1"} - set(expected)


def test_who_is_capped_does_not_block_who_is_not() -> None:
    waiting = [candidate("a1", "a", age=9), candidate("b1", "b", age=1, namespace="other")]
    assert order(waiting, [Slot("media", "x")], Caps(9, 1, 9)) == ["b1"]


def test_nobodys_conversions_share_no_cap() -> None:
    assert len(order([candidate("x", ""), candidate("y", "")], caps=Caps(9, 9, 1))) == 2


def test_caps_always_hold_and_no_place_stays_empty() -> None:
    chance = random.Random(7)
    for _ in range(200):
        caps = Caps(chance.randint(1, 9), chance.randint(1, 6), chance.randint(1, 4))
        waiting = [
            candidate(f"c{n}", chance.choice("abc"), chance.randint(-1, 1), n, chance.choice(("media", "other")))
            for n in range(chance.randint(0, 15))
        ]
        decided = turns(CandidateQueue(waiting), [], caps)
        assert next_turns(CandidateQueue(waiting), [], caps) == decided.admitted
        owners = Counter(each.owner for each in decided.admitted)
        namespaces = Counter(each.key.namespace for each in decided.admitted)
        assert len(decided.admitted) <= caps.cluster
        assert all(count <= caps.per_owner for count in owners.values())
        assert all(count <= caps.per_namespace for count in namespaces.values())
        for each in decided.waiting:
            assert (
                len(decided.admitted) == caps.cluster
                or owners[each.owner] == caps.per_owner
                or namespaces[each.key.namespace] == caps.per_namespace
            )


def test_who_leaves_or_changes_leaves_the_others_in_their_order() -> None:
    chance = random.Random(7)
    everyone = [candidate(f"c{n}", chance.choice("abc"), chance.randint(-1, 1), n) for n in range(40)]
    queue = CandidateQueue(everyone)
    for each in everyone[::3]:
        queue.leave(each.uid)
    queue.leave("nobody")
    changed = candidate("c1", everyone[1].owner, 9, 1)
    queue.join(changed)
    left = [changed if each.uid == "c1" else each for each in everyone if each not in everyone[::3]]
    assert set(queue) == set(left)
    assert turns(queue, [], UNLIMITED) == turns(CandidateQueue(left), [], UNLIMITED)


def test_nobody_goes_into_a_namespace_that_is_closed_and_nobody_waits_for_who_would() -> None:
    waiting = [candidate("full", age=9, namespace="full"), candidate("free", age=1)]
    assert [each.uid for each in turns(CandidateQueue(waiting), [], Caps(1, 9, 9), {"full"}).admitted] == ["free"]
    assert [each.uid for each in next_turns(CandidateQueue(waiting), [], Caps(1, 9, 9), {"full"})] == ["free"]


def shared(name: str, pods: int, owner: str = "a", age: int = 0, namespace: str = "media") -> Candidate:
    return Candidate(name, Key(namespace, name), owner, 0, NOW - timedelta(seconds=age), pods)


@pytest.mark.parametrize(
    ("candidates", "taken", "caps", "expected"),
    [
        ([shared("four", 4), shared("two", 2, age=-1)], [], Caps(6, 99, 99), ["four", "two"]),
        ([shared("four", 4), shared("two", 2, age=-1)], [], Caps(5, 99, 99), ["four"]),
        ([shared("nine", 9)], [], Caps(5, 99, 99), ["nine"]),
        ([shared("nine", 9)], [Slot("other", "b")], Caps(5, 99, 99), []),
        ([shared("four", 4), shared("one", 1, "b", age=-1)], [Slot("media", "b", 3)], Caps(6, 99, 99), []),
        ([shared("four", 4), shared("one", 1, "b", age=-1)], [Slot("media", "a", 3)], Caps(99, 99, 6), ["one"]),
        ([shared("four", 4), shared("one", 1, age=-1)], [Slot("media", "a", 3)], Caps(99, 99, 6), []),
        (
            [shared("four", 4, "a"), shared("one", 1, "b", age=-1), shared("far", 1, "c", age=-2, namespace="other")],
            [Slot("media", "x", 3)],
            Caps(99, 6, 99),
            ["far"],
        ),
    ],
    ids=[
        "room for both",
        "room for one",
        "more than the cap, alone",
        "more than the cap, not alone",
        "nobody behind takes its room",
        "another owner is not concerned",
        "its own owner's are",
        "nor another namespace",
    ],
)
def test_a_conversion_counts_as_many_times_as_it_has_pods(
    candidates: list[Candidate], taken: list[Slot], caps: Caps, expected: list[str]
) -> None:
    assert order(candidates, taken, caps) == expected


def test_fairness_counts_pods() -> None:
    waiting = [shared("a1", 5, "a", age=9), shared("a2", 1, "a", age=8), shared("b1", 1, "b", age=2)]
    waiting += [shared("b2", 1, "b", age=1)]
    assert order(waiting) == ["a1", "b1", "b2", "a2"]
