"""④ The desk where Conversions ask for their turn: who waits and whose turn has come, by the rules of `admission`.

A turn that has come is held until the Job is seen, so that no place is given twice; places that are taken are counted
from live Jobs each time, so that a lost event cannot leak one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from video2mp3_operator.admission import Candidate, Caps, Slot, Turns, turns
from video2mp3_operator.observation import Turn
from video2mp3_operator.observed import Key
from video2mp3_operator.view import View

_SHORT_LINE: Final = 100
"""Up to this length whoever asks is told a place at once; in a longer line with the next round, see `places`."""


class AdmissionDesk:
    """In memory only: after a restart everyone asks again, and nobody is admitted before all have: see `review`.

    `call` is told of each Conversion whose turn has come.
    """

    def __init__(self, view: View, caps: Caps, call: Callable[[Key], None]) -> None:
        self._view = view
        self._caps = caps
        self._call = call
        self._waiting: dict[str, Candidate] = {}
        self._held: dict[str, Slot] = {}
        self._positions: dict[str, int] = {}
        self._open = False

    def __len__(self) -> int:
        return len(self._waiting)

    def longest_wait(self, now: datetime) -> float:
        """Seconds since the oldest of those who wait was created; 0 when nobody waits."""
        oldest = min((each.created_at for each in self._waiting.values()), default=now)
        return max(0.0, (now - oldest).total_seconds())

    def ask(self, candidate: Candidate) -> Turn:
        """Whether it is this one's turn; else it waits in line and is called.

        Only who finds nobody else in line is judged at once; the line is judged as a whole, by `review`, since that
        costs more the longer it is.
        """
        if candidate.uid not in self._held:
            alone = not (self._waiting.keys() - {candidate.uid})
            self._waiting[candidate.uid] = candidate
            if alone and self._open:
                self._judge()
            elif len(self._waiting) <= _SHORT_LINE:
                self.line()
        if candidate.uid in self._held:
            return Turn(admitted=True)
        return Turn(admitted=False, position=self._positions.get(candidate.uid))

    def leave(self, uid: str) -> None:
        """It asks for no turn any more: it has its Job, or will have none."""
        self._waiting.pop(uid, None)
        self._held.pop(uid, None)
        self._positions.pop(uid, None)

    def review(self) -> None:
        """See whose turn has come since, and call them. The first time opens the desk."""
        self._open = True
        if self._waiting and self._taken() < self._caps.cluster:
            for candidate in self._judge():
                self._call(candidate.key)

    def line(self) -> tuple[Candidate, ...]:
        """Those who wait, the next first; nobody before all have asked. Their places are known from now on."""
        if not self._open:
            return ()
        decided = self._turns()
        self._place(*decided.admitted, *decided.waiting)
        return (*decided.admitted, *decided.waiting)

    def _judge(self) -> tuple[Candidate, ...]:
        decided = self._turns()
        for candidate in decided.admitted:
            del self._waiting[candidate.uid]
            self._held[candidate.uid] = candidate.slot
        self._place(*decided.waiting)
        return decided.admitted

    def _turns(self) -> Turns:
        unseen = (slot for uid, slot in self._held.items() if uid not in self._view.live())
        return turns(self._waiting.values(), [*self._view.slots(), *unseen], self._caps)

    def _place(self, *line: Candidate) -> None:
        self._positions = {candidate.uid: place for place, candidate in enumerate(line, start=1)}

    def _taken(self) -> int:
        unseen = (slot for uid, slot in self._held.items() if uid not in self._view.live())
        return sum(slot.pods for slot in (*self._view.slots(), *unseen))
