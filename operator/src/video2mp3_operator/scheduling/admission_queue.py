"""④ The queue of Conversions that ask for their turn: who waits and whose turn has come, by the rules of `ordering`.

A turn that has come is held until the Job is seen, so that no place is given twice; places that are taken are counted
from live Jobs each time, so that a lost event cannot leak one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.jobs import Slot
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.scheduling.ordering import Candidate, CandidateQueue, Caps, Turn, next_turns, turns

_SHORT_QUEUE: Final = 100
"""Up to this length whoever asks is told a place at once; in a longer one with the next `position_updates`."""


class AdmissionQueue:
    """In memory only: after a restart everyone asks again, and nobody is admitted before all have: see `review`.

    `call` is told of each Conversion whose turn has come.
    """

    def __init__(self, cache: Cache, caps: Caps, call: Callable[[Key], None]) -> None:
        self._cache = cache
        self._caps = caps
        self._call = call
        self._queue = CandidateQueue()
        self._held: dict[str, Candidate] = {}
        self._positions: dict[str, int] = {}
        self._open = False

    def __len__(self) -> int:
        return len(self._queue)

    def longest_wait(self, now: datetime) -> float:
        """Seconds since the oldest of those who wait was created; 0 when nobody waits."""
        oldest = min((each.created_at for each in self._queue), default=now)
        return max(0.0, (now - oldest).total_seconds())

    def ask(self, candidate: Candidate) -> Turn:
        """Whether it is this one's turn; else it waits in the queue and is called.

        Only who finds nobody else in the queue is judged at once; the others by `review`, when all have asked.
        """
        if candidate.uid not in self._held:
            self._queue.join(candidate)
            if len(self._queue) == 1 and self._open:
                self._judge()
            elif len(self._queue) <= _SHORT_QUEUE:
                self.in_order()
        if candidate.uid in self._held:
            return Turn(admitted=True)
        return Turn(admitted=False, position=self._positions.get(candidate.uid))

    def holds(self, uid: str) -> bool:
        """Whether a place is held for it."""
        return uid in self._held

    def leave(self, uid: str) -> None:
        """It asks for no turn any more: it has its Job, or will have none."""
        self._queue.leave(uid)
        self._held.pop(uid, None)
        self._positions.pop(uid, None)

    def review(self) -> None:
        """See whose turn has come since, and call them. The first time opens the queue. Who is gone loses its place."""
        self._open = True
        for candidate in list(self._held.values()):
            if not self._cache.knows(candidate.key, candidate.uid):
                self.leave(candidate.uid)
        if self._queue and self._taken() < self._caps.cluster:
            for candidate in self._judge():
                self._call(candidate.key)

    def in_order(self) -> tuple[Candidate, ...]:
        """Those who wait, the next first; nobody before all have asked. Their places are known from now on."""
        if not self._open:
            return ()
        decided = turns(self._queue, self._slots(), self._caps, self._cache.barred_namespaces())
        queue = (*decided.admitted, *decided.waiting)
        self._positions = {candidate.uid: place for place, candidate in enumerate(queue, start=1)}
        return queue

    def _judge(self) -> tuple[Candidate, ...]:
        admitted = next_turns(self._queue, self._slots(), self._caps, self._cache.barred_namespaces())
        for candidate in admitted:
            self.leave(candidate.uid)
            self._held[candidate.uid] = candidate
        if len(self._queue) <= _SHORT_QUEUE:
            self.in_order()
        return admitted

    def _slots(self) -> list[Slot]:
        unseen = (held.slot for uid, held in self._held.items() if uid not in self._cache.live())
        return [*self._cache.slots(), *unseen]

    def _taken(self) -> int:
        return sum(slot.pods for slot in self._slots())
