"""④ What is to be done about one set, from what is seen of it. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from video2mp3_contracts.api.conversion_set import ConversionSetSpec, SetReason
from video2mp3_contracts.api.reasons import ConditionType, Phase
from video2mp3_operator.cache.documents import is_finished
from video2mp3_operator.cache.sets import set_of
from video2mp3_operator.objects import conditions
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.sets import ConversionSet
from video2mp3_operator.sets.plan import Child, Plan
from video2mp3_operator.sets.tally import State, Tally, retry_is_due


@dataclass(frozen=True)
class SetDecision:
    """Each is done, in this order, then the status is written."""

    phase: Phase
    reason: SetReason
    message: str
    delete: tuple[Key, ...] = ()
    suspend: Mapping[Key, bool] = field(default_factory=dict)
    retry: tuple[Key, ...] = ()
    create: tuple[Child, ...] = ()
    retried: bool = False
    """Whether a retry that was asked for is dealt with."""

    @property
    def finished(self) -> bool:
        """Whether it is a verdict."""
        return self.phase in (Phase.SUCCEEDED, Phase.FAILED)


def verdict_given(found: ConversionSet) -> bool:
    """Whether its verdict was given. It stands as long as its sources do, and nobody asks for a retry."""
    return conditions.has_verdict(found.status.conditions) and not retry_requested(found)


def retry_requested(found: ConversionSet) -> bool:
    """Whether it has failed, and a retry is asked for that was not dealt with."""
    failed = conditions.is_true(found.status.conditions, ConditionType.FAILED)
    return failed and found.meta.asks_retry(found.status.last_handled_retry_at)


def decide(
    found: ConversionSet,
    spec: ConversionSetSpec,
    plan: Plan,
    tally: Tally,
    owned: Collection[Key],
    documents: Mapping[str, Mapping[str, Any]],
) -> SetDecision:
    """What to do now. `owned` are the names of all of its Conversions, `documents` those of the plan that there are."""
    if retry_requested(found):
        return _try_anew(found, tally, documents)
    stopped = _is_stopped(spec, tally)
    suspended = spec.suspend or (stopped and spec.fail_fast)
    phase, reason, message = _verdict(spec, tally, stopped=stopped)
    wanted = plan.names
    unfinished = {name: documents[name] for name in (*tally.of(State.ACTIVE), *tally.of(State.SUSPENDED))}
    return SetDecision(
        phase,
        reason,
        message,
        delete=tuple(key for key in owned if key.name not in wanted),
        suspend=_to_suspend(
            {Key(found.meta.namespace, name): each for name, each in unfinished.items()}, suspended=suspended
        ),
        create=() if spec.suspend or stopped else _next(spec, plan, tally, documents),
    )


def _try_anew(found: ConversionSet, tally: Tally, documents: Mapping[str, Mapping[str, Any]]) -> SetDecision:
    failed = {name: documents[name] for name in tally.of(State.FAILED)}
    own = (name for name, each in failed.items() if set_of(each) == found.meta.uid and not retry_is_due(each))
    keys = tuple(Key(found.meta.namespace, name) for name in own)
    return SetDecision(Phase.RUNNING, SetReason.RUNNING, "What failed is tried anew.", retry=keys, retried=True)


def _is_stopped(spec: ConversionSetSpec, tally: Tally) -> bool:
    """Whether there were so many failures that no further one begins."""
    bound = 0 if spec.fail_fast and spec.max_failures is None else spec.max_failures
    return bound is not None and tally.counts.failed > bound


def without_sources(spec: ConversionSetSpec, owned: Mapping[Key, Mapping[str, Any]], message: str) -> SetDecision:
    """What to do while it is not known what it asks for: what there is follows `suspend`, and stays."""
    unfinished = {key: document for key, document in owned.items() if not is_finished(document)}
    suspend = _to_suspend(unfinished, suspended=spec.suspend)
    return SetDecision(Phase.PENDING, SetReason.SOURCES_NOT_FOUND, message, suspend=suspend)


def _to_suspend(unfinished: Mapping[Key, Mapping[str, Any]], *, suspended: bool) -> dict[Key, bool]:
    """Those whose spec says otherwise."""
    return {
        key: suspended for key, document in unfinished.items() if bool(document["spec"].get("suspend")) != suspended
    }


def _next(
    spec: ConversionSetSpec, plan: Plan, tally: Tally, documents: Mapping[str, Mapping[str, Any]]
) -> tuple[Child, ...]:
    """Who begins now. Where a name is to come free, that is waited for."""
    free = [child for child in plan.children if child.name not in documents]
    waiting = [child for child in free if tally.states[child.name] == State.WAITING]
    begun = tally.counts.active + tally.counts.suspended
    return tuple(waiting if spec.parallelism is None else waiting[: max(0, spec.parallelism - begun)])


def _verdict(spec: ConversionSetSpec, tally: Tally, *, stopped: bool) -> tuple[Phase, SetReason, str]:
    counts = tally.counts
    done = f"{counts.succeeded} of {counts.total} are converted"
    if spec.suspend and (counts.waiting or counts.active or counts.suspended):
        return Phase.SUSPENDED, SetReason.SUSPENDED, f"spec.suspend is true. {done}."
    begun = counts.active + (0 if stopped and spec.fail_fast else counts.suspended)
    if begun or (counts.waiting and not stopped):
        failed = f", {counts.failed} failed" if counts.failed else ""
        return Phase.RUNNING, SetReason.RUNNING, f"{done}{failed}."
    if stopped:
        words = f"{counts.failed} failed, so that no further one begins. {done}."
        return Phase.FAILED, SetReason.TOO_MANY_FAILURES, words
    if counts.failed:
        return Phase.FAILED, SetReason.SOME_FAILED, f"{counts.failed} of {counts.total} failed."
    return Phase.SUCCEEDED, SetReason.SUCCEEDED, f"All {counts.total} are converted."
