"""④ Kubernetes Events: what happened to a Conversion, for `kubectl describe`. Reasons are those of the status."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import structlog

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.reasons import Phase, Reason
from video2mp3_contracts.api.status import Attempt, ConversionStatus
from video2mp3_operator.ports.errors import RefusedError, UnavailableError
from video2mp3_operator.ports.systems import EventsApi

_log = structlog.get_logger(__name__)
_LONGEST_QUEUE: Final = 1000
_POSTERS: Final = 4
_LONGEST_NOTE: Final = 1024
"""Characters; the API server refuses longer ones."""

_WARNED: Final = frozenset({Reason.SERVICE_UNAVAILABLE, Reason.INVALID_SPEC})
_TOLD: Final = (
    frozenset({Reason.STARTING, Reason.DIVIDED, Reason.SUCCEEDED, Reason.SUSPENDED, Reason.RETRY_REQUESTED}) | _WARNED
)
"""Reasons of states that people are told of; failures always are. Queued and Running are in the status."""

_HARMLESS: Final = frozenset({Reason.SUCCEEDED, Reason.DIVIDED, Reason.RUNNING, Reason.DISRUPTED, Reason.SUSPENDED})


@dataclass(frozen=True)
class Happening:
    """One thing that happened."""

    kind: Literal["Normal", "Warning"]
    reason: str
    note: str
    occasion: str = ""
    """Tells apart what may happen more than once."""


def happenings(before: ConversionStatus, after: ConversionStatus) -> tuple[Happening, ...]:
    """What the step from one status to the next is to be told of."""
    happenings = [_attempt_failed(attempt) for attempt in _newly_failed(before, after)]
    if after.reason != before.reason:
        if after.phase == Phase.FAILED:
            happenings.append(Happening("Warning", after.reason, after.message))
        elif after.reason in _TOLD:
            kind: Literal["Normal", "Warning"] = "Warning" if after.reason in _WARNED else "Normal"
            happenings.append(Happening(kind, after.reason, after.message, _occasion(after)))
    return tuple(happenings)


def _occasion(status: ConversionStatus) -> str:
    """Which attempt it is about: the same before its pod is known and after."""
    return str(sum(attempt.end_time is not None for attempt in status.attempts))


def _newly_failed(before: ConversionStatus, after: ConversionStatus) -> Sequence[Attempt]:
    known = {attempt.number for attempt in before.attempts if attempt.end_time}
    return [
        attempt
        for attempt in after.attempts
        if attempt.end_time and attempt.number not in known and attempt.reason not in _HARMLESS
    ]


def _attempt_failed(attempt: Attempt) -> Happening:
    note = f"Attempt {attempt.number} ({attempt.reason}): {attempt.message}"
    return Happening("Warning", "AttemptFailed", note, str(attempt.number))


def build_event(meta: ObjectMeta, happening: Happening, now: datetime) -> dict[str, Any]:
    """The Event as a document. Its name follows from what happened, so telling it twice is one Event."""
    identity = f"{meta.uid}/{happening.reason}/{happening.occasion}"
    moment = now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{meta.name}.{hashlib.sha256(identity.encode()).hexdigest()[:16]}",
            "namespace": meta.namespace,
        },
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
        },
        "type": happening.kind,
        "reason": happening.reason,
        "message": happening.note[:_LONGEST_NOTE],
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
        "source": {"component": "video2mp3-operator"},
        "reportingComponent": "video2mp3-operator",
        "reportingInstance": "",
    }


class EventRecorder:
    """Posts Events behind the back of the reconcile loop. They are a courtesy: what cannot be posted is dropped."""

    def __init__(self, api: EventsApi, dropped: Callable[[], None]) -> None:
        self._api = api
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_LONGEST_QUEUE)
        self._told: deque[str] = deque(maxlen=_LONGEST_QUEUE)
        """Names of the last Events, which the API server would refuse a second time."""

        self._dropped = dropped

    def record(self, meta: ObjectMeta, happenings: Sequence[Happening], now: datetime) -> None:
        """Tell of what happened, soon."""
        for happening in happenings:
            event = build_event(meta, happening, now)
            if event["metadata"]["name"] in self._told:
                continue
            try:
                self._queue.put_nowait(event)
                self._told.append(event["metadata"]["name"])
            except asyncio.QueueFull:
                self._dropped()

    async def run(self) -> None:
        """Post until cancelled, a few at a time."""
        async with asyncio.TaskGroup() as posters:
            for _ in range(_POSTERS):
                posters.create_task(self._post())

    async def _post(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._api.post(event)
            except (UnavailableError, RefusedError) as error:
                self._dropped()
                _log.warning("event_dropped", reason=event["reason"], error=str(error))
