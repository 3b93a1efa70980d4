"""④ One ConversionSet: plan → tally → decide → its Conversions → one status write. Level-triggered and idempotent.

The names of its Conversions follow from their sources, so whatever line it dies at, the next run makes none twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import Any, Final, TypeVar

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_set import MAX_SOURCES, ConversionSetSpec, ConversionSetStatus, SetReason
from video2mp3_contracts.api.reasons import Phase
from video2mp3_contracts.api.retention import managed_by
from video2mp3_operator.cache.documents import key_of
from video2mp3_operator.cache.sets import SetCache, set_of
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.sets import ConversionSet
from video2mp3_operator.ports.errors import ConflictError, RefusedError
from video2mp3_operator.ports.systems import Clock, SetsApi, Stopwatch
from video2mp3_operator.sets.decide import SetDecision, decide, retry_requested, verdict_given, without_sources
from video2mp3_operator.sets.plan import Child, Plan, listed_sources, plan, template_trouble
from video2mp3_operator.sets.status import build_status, confirmed, only_counts, status_patch
from video2mp3_operator.sets.tally import Tally, tally

_log = structlog.get_logger(__name__)
_Each = TypeVar("_Each")

COUNTS_SECONDS: Final = 2.0
"""Between two writes that tell of nothing but how far it is: each wakes everyone who watches."""

_LOOK_AGAIN_SECONDS: Final = 30.0
"""At a ConfigMap, and at what was refused."""

_AT_A_TIME: Final = 16
"""Calls."""


@dataclass(frozen=True)
class SetReconciler:
    """`wake` makes a Conversion due for a reconcile."""

    clock: Clock
    elapsed: Stopwatch
    sets: SetCache
    cache: Cache
    api: SetsApi
    wake: Callable[[Key], None]
    _written: dict[Key, float] = field(default_factory=dict)
    """When the status was last written, by the stopwatch."""

    _refusals: dict[Key, tuple[float, str]] = field(default_factory=dict)
    """Until when no Conversion is made, and what Kubernetes said against the last ones."""

    async def reconcile(self, key: Key) -> float | None:
        """Bring one set a step on; answers the seconds after which to look again, if no event will say so."""
        found = self.sets.get(key)
        if found is None or found.meta.deletion_timestamp is not None:
            # Kubernetes deletes its Conversions, which it controls.
            self._written.pop(key, None)
            self._refusals.pop(key, None)
            return None
        with structlog.contextvars.bound_contextvars(namespace=key.namespace, conversionset=key.name):
            if verdict_given(found) and (
                found.spec is None or found.status.observed_generation == found.meta.generation
            ):
                return await self._rest(found)
            trouble = found.trouble or (template_trouble(found.spec) if found.spec else "")
            if found.spec is None or trouble:
                words = f"It waits for an operator that understands its spec: {trouble}"
                return await self._report(found, SetDecision(Phase.PENDING, SetReason.INVALID_SPEC, words))
            return await self._bring_on(found, found.spec)

    async def _bring_on(self, found: ConversionSet, spec: ConversionSetSpec) -> float | None:
        owned = self._owned(found)
        listed = await self._listed(found, spec)
        if isinstance(listed, str):
            waits = without_sources(spec, owned, listed)
            await self._apply(found, waits)
            if not (verdict_given(found) or retry_requested(found)):
                await self._report(found, waits)
            return _LOOK_AGAIN_SECONDS
        planned = plan(found, spec, listed)
        if verdict_given(found) and planned.digest == found.status.sources_digest:
            return await self._write(found, confirmed(found)) or 0.0
        documents = self._documents(found, planned)
        counted = tally(found, planned, documents)
        decision = self._refused_until(found, decide(found, spec, planned, counted, owned, documents))
        refused = await self._apply(found, decision)
        again = await self._report(found, decision, counted, planned.digest)
        if refused is not None:
            self._refusals[found.key] = (self.elapsed() + _LOOK_AGAIN_SECONDS, str(refused))
            return 0.0  # what is refused is told, and tried again a little later
        if again is None and found.key in self._refusals:
            return max(0.0, self._refusals[found.key][0] - self.elapsed())
        looks = _LOOK_AGAIN_SECONDS if spec.sources_from and not decision.finished else None
        return again if again is not None else looks

    def _refused_until(self, found: ConversionSet, decision: SetDecision) -> SetDecision:
        """Where Kubernetes has refused Conversions no other is tried for a while, and the status says why."""
        until, why = self._refusals.get(found.key, (0.0, ""))
        if not decision.create or until <= self.elapsed():
            self._refusals.pop(found.key, None)
            return decision
        return replace(decision, create=(), message=f"{decision.message} Kubernetes refuses more: {why}")

    async def _listed(self, found: ConversionSet, spec: ConversionSetSpec) -> Sequence[Mapping[str, Any]] | str:
        """The sources that lie elsewhere, or why they are not known."""
        wanted = spec.sources_from.config_map if spec.sources_from else None
        if wanted is None:
            return ()
        try:
            data = await self.api.config_map(found.meta.namespace, wanted.name)
        except RefusedError as error:
            return f"The ConfigMap {wanted.name} may not be read: {error}"
        if data is None or wanted.key not in data:
            what = f"ConfigMap {wanted.name}" + ("" if data is None else f" with the key {wanted.key}")
            return f"There is no {what} yet."
        return tuple(islice(listed_sources(data[wanted.key]), MAX_SOURCES))

    def _owned(self, found: ConversionSet) -> Mapping[Key, Mapping[str, Any]]:
        """All of its Conversions that there are."""
        seen = {key: self.cache.conversion(key) for key in self.cache.owned.of(found.meta.uid)}
        return {key: document for key, document in seen.items() if document is not None}

    def _documents(self, found: ConversionSet, planned: Plan) -> Mapping[str, Mapping[str, Any]]:
        """The Conversions of the plan that there are, whosever they are."""
        seen = {child.name: self.cache.conversion(Key(found.meta.namespace, child.name)) for child in planned.children}
        return {name: document for name, document in seen.items() if document is not None}

    # --- effects ---

    async def _apply(self, found: ConversionSet, decision: SetDecision) -> RefusedError | None:
        """Do what was decided; answers why Conversions were refused, if any was."""
        retry = {"metadata": {"annotations": {names.ANNOTATION_RETRY: found.meta.retry_requested_at}}}
        uid = found.meta.uid
        await _each(decision.delete, lambda key: self._delete(key, uid))
        await _each([*decision.suspend.items()], lambda each: self._change(each[0], {"spec": {"suspend": each[1]}}))
        await _each(decision.retry, lambda key: self._change(key, retry))
        for start in range(0, len(decision.create), _AT_A_TIME):
            answers = await _each(decision.create[start : start + _AT_A_TIME], self._create)
            refusal = next((error for error in answers if error is not None), None)
            if refusal is not None:
                _log.warning("conversions_refused", error=str(refusal))
                return refusal
        if decision.create:
            _log.info("conversions_created", count=len(decision.create))
        return None

    async def _create(self, child: Child) -> RefusedError | None:
        try:
            self._see(await self.api.create(child.manifest))
        except RefusedError as error:
            return error
        return None

    async def _change(self, key: Key, patch: Mapping[str, Any]) -> None:
        document = self.cache.conversion(key)
        if document is not None:
            self._see(await self.api.change(key, document["metadata"]["uid"], patch))

    def _see(self, document: Mapping[str, Any] | None) -> None:
        """Before the watch tells of it: what is decided next turns on it."""
        if document is not None and self.cache.see_conversion(document):
            self.wake(key_of(document))

    async def _delete(self, key: Key, uid: str) -> None:
        document = self.cache.conversion(key)
        if document is not None and set_of(document) == uid and "deletionTimestamp" not in document["metadata"]:
            await self.api.delete(key, document["metadata"]["uid"])

    # --- status, and the end of its time ---

    async def _report(
        self, found: ConversionSet, decision: SetDecision, counted: Tally | None = None, digest: str = ""
    ) -> float | None:
        """Write the status if it says anything new; answers in how many seconds, where that may wait."""
        left = await self._write(found, build_status(found, decision, counted, self.clock(), digest))
        if left is None and decision.finished and found.status.phase != decision.phase:
            _log.info("set_finished", phase=decision.phase, reason=decision.reason, message=decision.message)
        ends = decision.finished and found.spec is not None and found.spec.ttl_seconds_after_finished is not None
        return 0.0 if decision.retried or (ends and left is None) else left

    async def _write(self, found: ConversionSet, status: ConversionSetStatus) -> float | None:
        patch = status_patch(found, status)
        if not patch:
            return None
        left = self._written.get(found.key, -COUNTS_SECONDS) + COUNTS_SECONDS - self.elapsed()
        if only_counts(patch) and left > 0:
            return left
        self.sets.see(await self.api.patch_status(found.key, patch, found.version))
        self._written[found.key] = self.elapsed()
        return None

    async def _rest(self, found: ConversionSet) -> float | None:
        """Its time is over some day; what Git manages it would only make again."""
        completed = found.status.completion_time
        ttl = found.spec.ttl_seconds_after_finished if found.spec else None
        if ttl is None or completed is None or managed_by(found.meta):
            return None
        left = (completed + timedelta(seconds=ttl) - self.clock()).total_seconds()
        if left > 0:
            return left
        try:
            await self.api.expire(found.key, found.meta.uid, found.version)
        except ConflictError:
            return COUNTS_SECONDS
        _log.info("set_expired")
        return None


_Answer = TypeVar("_Answer")


async def _each(things: Sequence[_Each], do: Callable[[_Each], Awaitable[_Answer]]) -> list[_Answer]:
    """Do it for each of them, some at a time."""
    answers: list[_Answer] = []
    for start in range(0, len(things), _AT_A_TIME):
        answers += await asyncio.gather(*(do(each) for each in things[start : start + _AT_A_TIME]))
    return answers
