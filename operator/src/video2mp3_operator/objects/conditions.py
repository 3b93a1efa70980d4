"""④ The one way in which conditions are written. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from video2mp3_contracts.api.reasons import ConditionType
from video2mp3_contracts.api.status import Condition

_OURS: Final = frozenset(ConditionType)


@dataclass(frozen=True)
class Wanted:
    """What a condition is to say."""

    status: Literal["True", "False", "Unknown"]
    reason: str
    """A Reason; of a condition that is carried over, whatever it says."""

    message: str


def with_conditions(
    before: tuple[Condition, ...], wanted: Mapping[ConditionType, Wanted], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions as wanted: our own types that are not wanted go, others' stay.

    `lastTransitionTime` moves only when `status` does, as metav1.Condition asks.
    """
    known = {condition.type: condition for condition in before}
    ours = [
        _condition(kind, wanted[kind], known.get(kind), generation, now) for kind in ConditionType if kind in wanted
    ]
    return (*ours, *(condition for condition in before if condition.type not in _OURS))


def as_they_are(before: tuple[Condition, ...]) -> dict[ConditionType, Wanted]:
    """Our own conditions as they stand, to be carried over."""
    return {
        ConditionType(condition.type): Wanted(condition.status, condition.reason, condition.message)
        for condition in before
        if condition.type in _OURS
    }


def _condition(
    kind: ConditionType, wanted: Wanted, before: Condition | None, generation: int, now: datetime
) -> Condition:
    since = before.last_transition_time if before and before.status == wanted.status else None
    return Condition(
        type=kind,
        status=wanted.status,
        observed_generation=generation,
        last_transition_time=since or now.replace(microsecond=0),
        reason=wanted.reason,
        message=wanted.message,
    )


def has_verdict(conditions: tuple[Condition, ...]) -> bool:
    """Whether they say how it ended."""
    return is_true(conditions, ConditionType.COMPLETE) or is_true(conditions, ConditionType.FAILED)


def is_true(conditions: tuple[Condition, ...], kind: ConditionType) -> bool:
    """Whether a condition is there and true."""
    return any(condition.type == kind and condition.status == "True" for condition in conditions)
