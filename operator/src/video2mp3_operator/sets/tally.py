"""④ What became of a set's Conversions so far. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.conversion_set import MOST_TOLD, Counts, SetFailure
from video2mp3_operator.cache.sets import set_of
from video2mp3_operator.objects.sets import ConversionSet
from video2mp3_operator.sets.plan import Child, Plan


class State(StrEnum):
    """Of one Conversion, as far as its set is concerned."""

    WAITING = "waiting"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class Tally:
    """All of them."""

    states: Mapping[str, State]
    """By the Conversion's name, in the plan's order."""

    counts: Counts
    failures: tuple[SetFailure, ...]

    def of(self, state: State) -> list[str]:
        """The names of those in a state."""
        return [name for name, found in self.states.items() if found == state]


def tally(found: ConversionSet, plan: Plan, documents: Mapping[str, Mapping[str, Any]]) -> Tally:
    """Count. `documents` are the Conversions of these names that there are, whosever they are."""
    uid = found.meta.uid
    states = {child.name: _state(found, documents.get(child.name)) for child in plan.children}
    all_of_them = [*states.values()]
    failed = [child for child in plan.children if states[child.name] == State.FAILED]
    failures = (*plan.bad.values(), *(_failure(uid, child, documents[child.name]) for child in failed))
    counts = Counts(
        total=len(plan.children) + len(plan.bad),
        waiting=all_of_them.count(State.WAITING),
        active=all_of_them.count(State.ACTIVE),
        suspended=all_of_them.count(State.SUSPENDED),
        succeeded=all_of_them.count(State.SUCCEEDED),
        failed=len(failures),
    )
    return Tally(states, counts, failures[:MOST_TOLD])


def _state(found: ConversionSet, document: Mapping[str, Any] | None) -> State:
    if document is None or _goes(found, document):
        return State.WAITING
    if set_of(document) != found.meta.uid:
        return State.FAILED
    kinds = {each.get("type") for each in document["status"].get("conditions") or () if each.get("status") == "True"}
    if "Complete" in kinds:
        return State.SUCCEEDED
    if "Failed" in kinds:
        return State.ACTIVE if retry_is_due(document) else State.FAILED
    return State.SUSPENDED if document["status"].get("phase") == "Suspended" else State.ACTIVE


def _goes(found: ConversionSet, document: Mapping[str, Any]) -> bool:
    """Whether its name comes free: it is being deleted, or about to be, since the set of this name before is gone."""
    owners = document["metadata"].get("ownerReferences") or ()
    of_one_before = set_of(document) not in ("", found.meta.uid) and any(
        each.get("controller") and each["name"] == found.meta.name for each in owners
    )
    return of_one_before or "deletionTimestamp" in document["metadata"]


def retry_is_due(document: Mapping[str, Any]) -> bool:
    """Whether a failed Conversion is about to be tried anew."""
    return ObjectMeta.model_validate(document["metadata"]).asks_retry(document["status"].get("lastHandledRetryAt"))


def _failure(uid: str, child: Child, document: Mapping[str, Any]) -> SetFailure:
    if set_of(document) != uid:
        message = "There is another Conversion of this name, which is not this set's."
        return SetFailure(conversion=child.name, source=child.source, reason="NameTaken", message=message)
    status = document["status"]
    return SetFailure(
        conversion=child.name,
        source=child.source,
        reason=str(status.get("reason", "")),
        message=str(status.get("message", "")),
    )
