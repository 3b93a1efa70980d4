"""④ Places that come free, and where in the queue the others stand."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.api.status import QueueReport
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.reconciler.status import stored_report
from video2mp3_operator.scheduling.admission_queue import AdmissionQueue
from video2mp3_operator.scheduling.ordering import Candidate
from video2mp3_operator.scheduling.position_updates import furthest_off

_ADMISSION_SECONDS: Final = 0.2
"""A place that came free stays empty for at most this long; the queue is judged no more often."""

_PLACES_SECONDS: Final = 5.0
_PLACES_TOLD: Final = 20
"""How often, and how many at most, are told a new place in the queue: four writes in a second, however long it is."""

_FIRST_HEARING_ROUNDS: Final = 150
"""After so many rounds, 30 s, the hearing ends in any case."""


@dataclass
class Admission:
    """`wake` makes a Conversion due for a reconcile."""

    cache: Cache
    admission_queue: AdmissionQueue
    wake: Callable[[Key], None]
    idle: Callable[[], bool]
    """Whether every Conversion that is due has been looked at."""

    async def admit(self) -> None:
        """Give places that came free to those who wait, until cancelled.

        At first everyone is heard: whoever happens to be looked at first after a restart does not go first for that.
        """
        for _ in range(_FIRST_HEARING_ROUNDS):
            await asyncio.sleep(_ADMISSION_SECONDS)
            if self.idle():
                break
        while True:
            self.admission_queue.review()
            await asyncio.sleep(_ADMISSION_SECONDS)

    async def update_positions(self) -> None:
        """Tell those who wait how the queue has moved, until cancelled."""
        while True:
            await asyncio.sleep(_PLACES_SECONDS)
            self.update_positions_once()

    def update_positions_once(self) -> None:
        """One round: whose place is told least truly, is looked at."""
        for candidate in furthest_off(self.admission_queue.in_order(), self._told_place, _PLACES_TOLD):
            self.wake(candidate.key)

    def _told_place(self, candidate: Candidate) -> QueueReport | None:
        return stored_report(QueueReport, self.cache.conversion(candidate.key), "queue")
