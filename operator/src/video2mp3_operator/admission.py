"""④ Admission: who may have a Job now, and in which order the others wait. Pure.

Caps first (cluster, namespace, owner), then priority, then fairness: the owner with the fewest running conversions goes
first, so that one account's thousand uploads do not starve another's first. Then age.
"""

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from video2mp3_operator.observed import Key


@dataclass(frozen=True)
class Caps:
    """How many conversions may run at a time."""

    cluster: int
    per_namespace: int
    per_owner: int


@dataclass(frozen=True)
class Slot:
    """A place that is taken: by a live Job, or by one that is about to be created."""

    namespace: str
    owner: str


@dataclass(frozen=True)
class Candidate:
    """A Conversion that waits for its turn."""

    uid: str
    key: Key
    owner: str
    priority: int
    created_at: datetime


@dataclass
class _Usage:
    """Places taken so far."""

    caps: Caps
    total: int = 0
    by_namespace: Counter[str] = field(default_factory=Counter)
    by_owner: Counter[str] = field(default_factory=Counter)

    def take(self, namespace: str, owner: str) -> None:
        self.total += 1
        self.by_namespace[namespace] += 1
        self.by_owner[owner] += 1

    def fits(self, candidate: Candidate) -> bool:
        return (
            self.total < self.caps.cluster
            and self.by_namespace[candidate.key.namespace] < self.caps.per_namespace
            # Conversions without an owner (applied by kubectl or from Git) are nobody's: they share no cap.
            and (not candidate.owner or self.by_owner[candidate.owner] < self.caps.per_owner)
        )


@dataclass(frozen=True)
class Turns:
    """What comes of it."""

    admitted: tuple[Candidate, ...]
    """The next first."""

    waiting: tuple[Candidate, ...]
    """In the order in which they would go if places came free one by one."""


def turns(candidates: Iterable[Candidate], taken: Iterable[Slot], caps: Caps) -> Turns:
    """Who goes now, and who waits in which order. O(n log n) in the candidates."""
    usage = _Usage(caps)
    for slot in taken:
        usage.take(slot.namespace, slot.owner)
    admitted: list[Candidate] = []
    waiting: list[Candidate] = []
    for candidate in _fair_order(candidates, Counter(usage.by_owner)):
        if usage.fits(candidate):
            usage.take(candidate.key.namespace, candidate.owner)
            admitted.append(candidate)
        else:
            waiting.append(candidate)
    return Turns(tuple(admitted), tuple(waiting))


def _fair_order(candidates: Iterable[Candidate], running: Counter[str]) -> Iterable[Candidate]:
    """Candidates by priority, then by how many their owner has before them, then by age.

    Each owner's candidates stand in a line of their own; only the heads compete.
    """
    lines: dict[str, deque[Candidate]] = defaultdict(deque)
    for candidate in sorted(candidates, key=lambda each: (-each.priority, each.created_at, each.uid)):
        lines[candidate.owner].append(candidate)

    def entry(owner: str) -> tuple[int, int, datetime, str, str]:
        head = lines[owner][0]
        return (-head.priority, running[owner], head.created_at, head.uid, owner)

    heap = [entry(owner) for owner in lines]
    heapq.heapify(heap)
    while heap:
        owner = heapq.heappop(heap)[-1]
        yield lines[owner].popleft()
        running[owner] += 1
        if lines[owner]:
            heapq.heappush(heap, entry(owner))
