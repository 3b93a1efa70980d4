"""④ The heartbeat: an object that is patched and must come back through a watch. While it does, the watches live."""

import asyncio
from datetime import datetime
from typing import Final

import structlog

from video2mp3_operator.errors import RefusedError, UnavailableError
from video2mp3_operator.ports import Clock, HeartbeatApi

_log = structlog.get_logger(__name__)
LABEL: Final = "video2mp3.dev/heartbeat"
"""On the heartbeat object; the watch selects by it."""


def heartbeat_name(instance: str) -> str:
    """The name of an installation's heartbeat object."""
    return f"{instance}-operator-heartbeat"


class Heartbeat:
    """Beats every `seconds`; its age is that of the newest beat that came back."""

    def __init__(self, api: HeartbeatApi, clock: Clock, namespace: str, name: str, seconds: float) -> None:
        self._api = api
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._seconds = seconds
        self._started = clock()
        self._echoed: datetime | None = None

    @property
    def heard(self) -> bool:
        """Whether a beat has come back since the start."""
        return self._echoed is not None

    def age(self) -> float:
        """Seconds since the newest beat that came back, or since the start."""
        return max(0.0, (self._clock() - (self._echoed or self._started)).total_seconds())

    def hear(self, name: str, beat: datetime) -> None:
        """A beat came back through the watch. One from before the start was somebody else's."""
        if name == self._name and beat >= self._started and (self._echoed is None or beat > self._echoed):
            self._echoed = beat

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            try:
                await self._api.beat(self._namespace, self._name, self._clock())
            except (UnavailableError, RefusedError) as error:
                _log.warning("heartbeat_failed", error=str(error))
            await asyncio.sleep(self._seconds)
