"""④ One ConversionSet: plan → tally → decide → its Conversions → one status write. Level-triggered and idempotent.

The names of its Conversions follow from their sources, so whatever line it dies at, the next run makes none twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_set import ConversionSetSpec, SetReason
from video2mp3_contracts.api.reasons import Phase
from video2mp3_contracts.api.retention import managed_by
from video2mp3_operator.cache.sets import SetCache
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.sets import ConversionSet
from video2mp3_operator.ports.errors import ConflictError, RefusedError
from video2mp3_operator.ports.systems import Clock, SetsApi, Stopwatch
from video2mp3_operator.sets.decide import SetDecision, decide, is_finished, retry_requested
from video2mp3_operator.sets.plan import Child, Plan, listed_sources, plan
from video2mp3_operator.sets.status import build_status, only_counts, status_patch
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

    async def reconcile(self, key: Key) -> float | None:
        """Bring one set a step on; answers the seconds after which to look again, if no event will say so."""
        found = self.sets.get(key)
        if found is None or found.meta.deletion_timestamp is not None:
            # Kubernetes deletes its Conversions, which it controls.
            self._written.pop(key, None)
            return None
        with structlog.contextvars.bound_contextvars(namespace=key.namespace, conversionset=key.name):
            if found.spec is None:
                words = f"It waits for an operator that understands its spec: {found.trouble}"
                return await self._report(found, SetDecision(Phase.PENDING, SetReason.INVALID_SPEC, words), None)
            if is_finished(found) and not retry_requested(found):
                return await self._rest(found, found.spec)
            return await self._bring_on(found, found.spec)

    async def _bring_on(self, found: ConversionSet, spec: ConversionSetSpec) -> float | None:
        listed = await self._listed(found, spec)
        if isinstance(listed, str):
            waits = SetDecision(Phase.PENDING, SetReason.SOURCES_NOT_FOUND, listed)
            return await self._report(found, waits, None) or _LOOK_AGAIN_SECONDS
        planned = plan(found, spec, listed)
        documents = self._documents(found, planned)
        counted = tally(found.meta.uid, planned, documents)
        owned = self.cache.owned.of(found.meta.uid)
        decision = decide(found, spec, planned, counted, owned, documents)
        refused = await self._apply(found, decision)
        again = await self._report(found, decision, counted)
        if refused is not None:
            raise refused
        looks = _LOOK_AGAIN_SECONDS if spec.sources_from and not decision.finished else None
        return again if again is not None else looks

    async def _listed(self, found: ConversionSet, spec: ConversionSetSpec) -> Sequence[Mapping[str, Any]] | str:
        """The sources that lie elsewhere, or why they are not known."""
        wanted = spec.sources_from.config_map if spec.sources_from else None
        if wanted is None:
            return ()
        data = await self.api.config_map(found.meta.namespace, wanted.name)
        if data is None or wanted.key not in data:
            what = f"ConfigMap {wanted.name}" + ("" if data is None else f" with the key {wanted.key}")
            return f"There is no {what} yet."
        return tuple(listed_sources(data[wanted.key]))

    def _documents(self, found: ConversionSet, planned: Plan) -> Mapping[str, Mapping[str, Any]]:
        seen = {child.name: self.cache.conversion(Key(found.meta.namespace, child.name)) for child in planned.children}
        return {name: document for name, document in seen.items() if document is not None}

    # --- effects ---

    async def _apply(self, found: ConversionSet, decision: SetDecision) -> RefusedError | None:
        """Do what was decided; answers why Conversions were refused, if any was. The others are made all the same."""
        retry = {"metadata": {"annotations": {names.ANNOTATION_RETRY: found.meta.retry_requested_at}}}
        await _each(decision.delete, self._delete)
        await _each([*decision.suspend.items()], lambda each: self._change(each[0], {"spec": {"suspend": each[1]}}))
        await _each(decision.retry, lambda key: self._change(key, retry))
        refusals = [error for error in await _each(decision.create, self._create) if error is not None]
        if decision.create:
            _log.info("conversions_created", count=len(decision.create) - len(refusals), refused=len(refusals))
        return refusals[0] if refusals else None

    async def _create(self, child: Child) -> RefusedError | None:
        try:
            document = await self.api.create(child.manifest)
        except RefusedError as error:
            return error
        if document is not None:
            self.cache.see_conversion(document)
            self.wake(Key(document["metadata"]["namespace"], child.name))
        return None

    async def _change(self, key: Key, patch: Mapping[str, Any]) -> None:
        document = self.cache.conversion(key)
        if document is not None:
            await self.api.change(key, document["metadata"]["uid"], patch)

    async def _delete(self, key: Key) -> None:
        document = self.cache.conversion(key)
        if document is not None and "deletionTimestamp" not in document["metadata"]:
            await self.api.delete(key, document["metadata"]["uid"])

    # --- status, and the end of its time ---

    async def _report(self, found: ConversionSet, decision: SetDecision, counted: Tally | None) -> float | None:
        """Write the status if it says anything new; answers in how many seconds, where that may wait."""
        patch = status_patch(found, build_status(found, decision, counted, self.clock()))
        if not patch:
            return None
        left = self._written.get(found.key, -COUNTS_SECONDS) + COUNTS_SECONDS - self.elapsed()
        if only_counts(patch) and left > 0:
            return left
        self.sets.see(await self.api.patch_status(found.key, patch, found.version))
        self._written[found.key] = self.elapsed()
        if decision.finished:
            _log.info("set_finished", phase=decision.phase, reason=decision.reason, message=decision.message)
        return 0.0 if decision.retry or (decision.finished and found.spec and _is_limited(found.spec)) else None

    async def _rest(self, found: ConversionSet, spec: ConversionSetSpec) -> float | None:
        """Its time is over some day; what Git manages it would only make again."""
        completed = found.status.completion_time
        if spec.ttl_seconds_after_finished is None or completed is None or managed_by(found.meta):
            return None
        left = (completed + timedelta(seconds=spec.ttl_seconds_after_finished) - self.clock()).total_seconds()
        if left > 0:
            return left
        try:
            await self.api.expire(found.key, found.meta.uid, found.version)
        except ConflictError:
            return COUNTS_SECONDS
        _log.info("set_expired")
        return None


def _is_limited(spec: ConversionSetSpec) -> bool:
    return spec.ttl_seconds_after_finished is not None


_Answer = TypeVar("_Answer")


async def _each(things: Sequence[_Each], do: Callable[[_Each], Awaitable[_Answer]]) -> list[_Answer]:
    """Do it for each of them, some at a time."""
    answers: list[_Answer] = []
    for start in range(0, len(things), _AT_A_TIME):
        answers += await asyncio.gather(*(do(each) for each in things[start : start + _AT_A_TIME]))
    return answers
