"""Conditions as metav1.Condition asks for them."""

from datetime import timedelta

from tests.builders import NOW
from video2mp3_contracts.api.reasons import ConditionType, Reason
from video2mp3_contracts.api.status import Condition
from video2mp3_operator.objects.conditions import Wanted, is_true, with_conditions

LATER = NOW + timedelta(minutes=5, microseconds=3)
RUNNING = {ConditionType.READY: Wanted("False", Reason.RUNNING, "it runs")}
QUEUED = {ConditionType.READY: Wanted("False", Reason.QUEUED, "it waits")}
DONE = {ConditionType.READY: Wanted("True", Reason.SUCCEEDED, "done")}


def test_the_transition_time_moves_only_with_the_status() -> None:
    first = with_conditions((), QUEUED, 1, NOW)
    second = with_conditions(first, RUNNING, 2, LATER)
    third = with_conditions(second, DONE, 3, LATER)
    assert [each[0].last_transition_time for each in (first, second, third)] == [
        NOW,
        NOW,
        LATER.replace(microsecond=0),
    ]
    assert [(each[0].reason, each[0].observed_generation) for each in (first, second, third)] == [
        ("Queued", 1),
        ("Running", 2),
        ("Succeeded", 3),
    ]


def test_a_condition_without_a_time_gets_one() -> None:
    """As the API server's default is, which nobody has seen yet."""
    unseen = Condition(type="Ready", status="False", reason="Pending")
    [ready] = with_conditions((unseen,), QUEUED, 1, NOW)
    assert ready.last_transition_time == NOW


def test_ours_go_when_they_are_not_wanted_and_others_stay() -> None:
    foreign = Condition(type="Audited", status="True", last_transition_time=NOW, reason="Yes")
    reconciling = {ConditionType.RECONCILING: Wanted("True", Reason.RUNNING, "")}
    before = (*with_conditions((), RUNNING | reconciling, 1, NOW), foreign)
    assert [each.type for each in with_conditions(before, DONE, 1, LATER)] == ["Ready", "Audited"]


def test_is_true() -> None:
    conditions = with_conditions((), DONE, 1, NOW)
    assert is_true(conditions, ConditionType.READY)
    assert not is_true(conditions, ConditionType.COMPLETE)
    assert not is_true(with_conditions((), RUNNING, 1, NOW), ConditionType.READY)
