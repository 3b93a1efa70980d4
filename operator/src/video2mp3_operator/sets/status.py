"""④ The status that tells of a set, and the patch that brings it there. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from video2mp3_contracts.api.conversion_set import ConversionSetStatus
from video2mp3_contracts.api.reasons import ConditionType, Phase
from video2mp3_operator.objects.conditions import Wanted, with_conditions
from video2mp3_operator.objects.merge_patch import merge_patch
from video2mp3_operator.objects.sets import ConversionSet
from video2mp3_operator.sets.decide import SetDecision, retry_requested
from video2mp3_operator.sets.tally import Tally


def build_status(
    found: ConversionSet, decision: SetDecision, tally: Tally | None, now: datetime, digest: str = ""
) -> ConversionSetStatus:
    """The whole status. `digest` is of the sources."""
    moment = now.replace(microsecond=0)
    before = found.status
    return ConversionSetStatus(
        observed_generation=found.meta.generation,
        phase=decision.phase,
        reason=decision.reason,
        message=decision.message,
        counts=tally.counts if tally else before.counts,
        failures=tally.failures if tally else before.failures,
        last_handled_retry_at=_handled(found, decision),
        sources_digest=digest if decision.finished else None,
        start_time=before.start_time or moment,
        completion_time=(before.completion_time or moment) if decision.finished else None,
        conditions=with_conditions(before.conditions, _wanted(decision), found.meta.generation, moment),
    )


def confirmed(found: ConversionSet) -> ConversionSetStatus:
    """The verdict as it stands, for the present generation."""
    generation = found.meta.generation
    told = [each.model_copy(update={"observed_generation": generation}) for each in found.status.conditions]
    return found.status.model_copy(update={"observed_generation": generation, "conditions": tuple(told)})


def _handled(found: ConversionSet, decision: SetDecision) -> str | None:
    """What is asked of a set that has not failed is passed over; of one that has, it is to be done first."""
    if retry_requested(found) and not decision.retried:
        return found.status.last_handled_retry_at
    return found.meta.retry_requested_at or found.status.last_handled_retry_at


def _wanted(decision: SetDecision) -> Mapping[ConditionType, Wanted]:
    reason, message = decision.reason, decision.message
    wanted = {ConditionType.READY: Wanted("False", reason, message)}
    match decision.phase:
        case Phase.SUCCEEDED:
            wanted = {kind: Wanted("True", reason, message) for kind in (ConditionType.READY, ConditionType.COMPLETE)}
        case Phase.SUSPENDED:
            wanted[ConditionType.READY] = Wanted("True", reason, message)
        case Phase.FAILED:
            wanted |= {kind: Wanted("True", reason, message) for kind in (ConditionType.STALLED, ConditionType.FAILED)}
        case _:
            wanted[ConditionType.RECONCILING] = Wanted("True", reason, message)
    return wanted


def status_patch(found: ConversionSet, wanted: ConversionSetStatus) -> dict[str, Any]:
    """The merge patch (RFC 7386) from the stored status to the wanted one; empty when they say the same."""
    return merge_patch(
        found.stored, wanted.model_dump(mode="json", by_alias=True, exclude_none=True), ConversionSetStatus
    )


def only_counts(patch: Mapping[str, Any]) -> bool:
    """Whether a patch tells of nothing but how far it is, which may wait a little."""
    return patch.keys() <= {"counts", "message", "failures", "conditions"} and _same_types(patch)


def _same_types(patch: Mapping[str, Any]) -> bool:
    return all(each["type"] in ("Ready", "Reconciling") for each in patch.get("conditions") or ())
