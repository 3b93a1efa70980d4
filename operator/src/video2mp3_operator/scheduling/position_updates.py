"""④ Which places in the queue are worth telling: each write costs the API server and wakes all who watch. Pure."""

import heapq
from collections.abc import Callable, Sequence
from typing import Final

from video2mp3_contracts.api.status import QueueReport
from video2mp3_operator.scheduling.ordering import Candidate

_NEAR: Final = 10
"""Up to this place each step forward is told; further back only when the place has halved or doubled."""


def position_due(stored: QueueReport | None, position: int | None) -> bool:
    """Whether a place in the queue is worth writing."""
    if stored is None or stored.position is None or position is None:
        return True
    if min(stored.position, position) <= _NEAR:
        return position != stored.position
    return position * 2 <= stored.position or position >= stored.position * 2


def furthest_off(
    queue: Sequence[Candidate], written: Callable[[Candidate], QueueReport | None], most: int
) -> list[Candidate]:
    """Those to tell anew, at most so many: who was told the least true place, then who is nearer to the head.

    A long queue that moves is thus told as exactly as so many writes allow, and a short one exactly.
    """

    def urgency(entry: tuple[int, Candidate]) -> tuple[float, int]:
        place, candidate = entry
        stored = written(candidate)
        if stored is None or stored.position is None:
            return float("inf"), -place
        return max(place / stored.position, stored.position / place), -place

    moved = (entry for entry in enumerate(queue, start=1) if position_due(written(entry[1]), entry[0]))
    return [candidate for _, candidate in heapq.nlargest(most, moved, key=urgency)]
