"""④ Admission: who may have a Job now, and in which order the others wait. Pure.

Caps first (cluster, namespace, owner), then priority, then fairness: the owner with the fewest running pods goes first,
so that one account's thousand uploads do not starve another's first. Then age. A conversion counts as many times as it
has pods, one as a rule. One that has more than a cap allows goes when nothing else runs under that cap; and while one
waits for room under a cap, nobody behind it takes that room away.
"""

import heapq
import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from video2mp3_operator.observed import Key


@dataclass(frozen=True)
class Caps:
    """How many workers' pods may run at a time."""

    cluster: int
    per_namespace: int
    per_owner: int


@dataclass(frozen=True)
class Slot:
    """A place that is taken: by a live Job, or by one that is about to be created."""

    namespace: str
    owner: str
    pods: int = 1


@dataclass(frozen=True)
class Candidate:
    """A Conversion that waits for its turn."""

    uid: str
    key: Key
    owner: str
    priority: int
    created_at: datetime
    pods: int = 1

    @property
    def slot(self) -> Slot:
        """The place it takes up once it is admitted."""
        return Slot(self.key.namespace, self.owner, self.pods)


_CLUSTER: Final = ("cluster", "")


@dataclass
class _Usage:
    """Places taken so far."""

    caps: Caps
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind of cap, and by whose it is."""

    reserved: set[tuple[str, str]] = field(default_factory=set)
    """Caps under which somebody waits for room."""

    def take(self, slot: Slot) -> None:
        for name, _ in self._caps_of(slot):
            self.taken[name] += slot.pods

    def fits(self, slot: Slot) -> bool:
        if _CLUSTER in self.reserved:
            return False
        for name, most in self._caps_of(slot):
            if name in self.reserved or (self.taken[name] and self.taken[name] + slot.pods > most):
                self.reserved.add(name)
                return False
        return True

    def by_owner(self) -> Counter[str]:
        return Counter({whose: pods for (kind, whose), pods in self.taken.items() if kind == "owner"})

    def _caps_of(self, slot: Slot) -> Iterator[tuple[tuple[str, str], float]]:
        """The caps that hold for it, the narrowest first."""
        # Conversions without an owner (applied by kubectl or from Git) are nobody's: they share no cap.
        yield ("owner", slot.owner), self.caps.per_owner if slot.owner else math.inf
        yield ("namespace", slot.namespace), self.caps.per_namespace
        yield _CLUSTER, self.caps.cluster


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
        usage.take(slot)
    admitted: list[Candidate] = []
    waiting: list[Candidate] = []
    for candidate in _fair_order(candidates, usage.by_owner()):
        if usage.fits(candidate.slot):
            usage.take(candidate.slot)
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
        candidate = lines[owner].popleft()
        yield candidate
        running[owner] += candidate.pods
        if lines[owner]:
            heapq.heappush(heap, entry(owner))
