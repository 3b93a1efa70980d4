"""④ The heartbeat: an object in each watched namespace that is patched and must come back through a watch.

While they do, the watches live. A namespace that takes no beat, since it is gone for example, is not held against us.
Each operator, a standby too, beats in the same object and waits for beats of its own; at uneven intervals, since of two
that come at the same moment the watch may tell the last one only.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from video2mp3_operator.ports.errors import GoneError, RefusedError, UnavailableError
from video2mp3_operator.ports.systems import Clock, HeartbeatApi, Stopwatch

_log = structlog.get_logger(__name__)
_KEPT: Final = 100
LABEL: Final = "video2mp3.dev/heartbeat"
"""On the heartbeat object; the watch selects by it."""


def heartbeat_name(instance: str) -> str:
    """The name of an installation's heartbeat object."""
    return f"{instance}-operator-heartbeat"


class Heartbeat:
    """Beats in one namespace, and tells how long a beat that the API server took has not come back.

    While the API server is away no beat is taken, and nothing is held against us: a restart would not bring it back.
    """

    def __init__(self, api: HeartbeatApi, clock: Clock, elapsed: Stopwatch, namespace: str, name: str) -> None:
        self._api = api
        self._clock = clock
        self._elapsed = elapsed
        self._namespace = namespace
        self._name = name
        self._unheard: dict[datetime, float] = {}
        """Beats as they stand in the object, oldest first, with the stopwatch's seconds."""

        self.heard = False
        """Whether a beat has come back since the start."""

        self.uid = ""
        """The object's, which tells this cluster from all others; "" before the first beat."""

    def age(self) -> float:
        """Seconds since the oldest beat that was taken and has not come back; 0 when all have."""
        return self._elapsed() - next(iter(self._unheard.values())) if self._unheard else 0.0

    def hear(self, name: str, beat: datetime) -> None:
        """A beat came back through the watch, and with it all before it. Others' are not ours."""
        if name == self._name and beat in self._unheard:
            for each in list(self._unheard):
                del self._unheard[each]
                if each == beat:
                    break
            self.heard = True

    async def beat(self) -> None:
        """Beat once."""
        now = self._clock()
        self._unheard.setdefault(now, self._elapsed())
        try:
            self.uid = await self._api.beat(self._namespace, self._name, now)
        except (GoneError, RefusedError, UnavailableError) as error:
            self._unheard.pop(now, None)
            _log.warning("heartbeat_failed", namespace=self._namespace, error=str(error))
        # The oldest is what counts; the newest may come back; those between are not needed.
        for each in list(self._unheard)[1:-_KEPT]:
            del self._unheard[each]


class Heartbeats:
    """The heartbeats of all watched namespaces; each beats every `seconds`."""

    def __init__(
        self,
        api: HeartbeatApi,
        clock: Clock,
        elapsed: Stopwatch,
        namespaces: Sequence[str],
        name: str,
        seconds: float,
    ) -> None:
        self._beating = {namespace: Heartbeat(api, clock, elapsed, namespace, name) for namespace in namespaces}
        self._seconds = seconds

    @property
    def heard(self) -> bool:
        """Whether a beat has come back since the start, from anywhere: one that is gone keeps nobody waiting."""
        return any(each.heard for each in self._beating.values())

    @property
    def uid(self) -> str:
        """What tells this cluster from all others: the uid of the first heartbeat object; "" before the first beat."""
        return next((each.uid for each in self._beating.values() if each.uid), "")

    def age(self) -> float:
        """Seconds since the oldest beat that was taken and has not come back; 0 when all have."""
        return max(each.age() for each in self._beating.values())

    def hear(self, namespace: str, name: str, beat: datetime) -> None:
        """A beat came back through a watch."""
        if namespace in self._beating:
            self._beating[namespace].hear(name, beat)

    async def beat(self) -> None:
        """Beat once everywhere."""
        await asyncio.gather(*(each.beat() for each in self._beating.values()))

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(self._seconds * random.uniform(0.8, 1.2))  # noqa: S311 - guards nothing
