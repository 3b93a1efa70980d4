"""④ Admission: who may have a Job now, and in which order the others wait. Pure.

Caps first (cluster, namespace, class, owner), then priority, then fairness: the owner with the fewest running pods goes
first, so that one account's thousand uploads do not starve another's first. Then age. A conversion counts as many times
as it has pods, one as a rule. One that has more than a cap allows goes when nothing else runs under that cap; and while
one waits for room under a cap, nobody behind it takes that room away.
"""

import heapq
import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from video2mp3_contracts.api.conversion_class import Quota
from video2mp3_operator.objects.jobs import Slot
from video2mp3_operator.objects.metadata import Key


@dataclass(frozen=True)
class Caps:
    """How many workers' pods may run at a time."""

    cluster: int
    per_namespace: int
    per_owner: int
    classes: Mapping[str, Quota] = field(default_factory=dict)
    """By a ConversionClass' name."""


@dataclass(frozen=True)
class Candidate:
    """A Conversion that waits for its turn."""

    uid: str
    key: Key
    owner: str
    priority: int
    created_at: datetime
    pods: int = 1
    class_name: str = ""

    @property
    def slot(self) -> Slot:
        """The place it takes up once it is admitted."""
        return Slot(self.key.namespace, self.owner, self.pods, self.class_name)


@dataclass(frozen=True)
class Turn:
    """What admission says of a Conversion that has no Job."""

    admitted: bool
    position: int | None = None
    """1 is next; None while it is not known."""


_CLUSTER: Final = ("cluster", "")


@dataclass
class _Usage:
    """Places taken so far."""

    caps: Caps
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind of cap, and by whose it is."""

    reserved: set[tuple[str, str]] = field(default_factory=set)
    """Caps under which somebody waits for room."""

    @property
    def full(self) -> bool:
        """Whether there is no place for anybody."""
        return _CLUSTER in self.reserved or self.taken[_CLUSTER] >= self.caps.cluster

    def admit(self, candidate: Candidate) -> bool:
        """Give it a place, if there is one for it."""
        fits = self.fits(candidate.slot)
        if fits:
            self.take(candidate.slot)
        return fits

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
        quota = self.caps.classes.get(slot.class_name)
        if quota is not None:
            owned = (quota.max_running_per_owner if slot.owner else None) or math.inf
            yield ("class and owner", f"{slot.class_name} {slot.owner}"), owned
            yield ("class", slot.class_name), quota.max_running or math.inf
        yield ("namespace", slot.namespace), self.caps.per_namespace
        yield _CLUSTER, self.caps.cluster


@dataclass(frozen=True)
class Turns:
    """What comes of it."""

    admitted: tuple[Candidate, ...]
    """The next first."""

    waiting: tuple[Candidate, ...]
    """In the order in which they would go if places came free one by one."""


class CandidateQueue:
    """Those who wait. Who joins, leaves or goes next costs little, however long the queue is."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._candidates: dict[str, Candidate] = {}
        self._owners: dict[str, list[_Rank]] = {}
        for candidate in candidates:
            self.join(candidate)

    def __len__(self) -> int:
        return len(self._candidates)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._candidates.values())

    def join(self, candidate: Candidate) -> None:
        """Join the queue; who is in it already, perhaps with another priority, joins anew."""
        if self._candidates.get(candidate.uid) != candidate:
            self.leave(candidate.uid)
            self._candidates[candidate.uid] = candidate
            insort(self._owners.setdefault(candidate.owner, []), _rank(candidate))

    def leave(self, uid: str) -> None:
        """Leave the queue."""
        candidate = self._candidates.pop(uid, None)
        if candidate is None:
            return
        ranks = self._owners[candidate.owner]
        del ranks[bisect_left(ranks, _rank(candidate))]
        if not ranks:
            del self._owners[candidate.owner]

    def in_order(self, running: Counter[str]) -> Iterator[Candidate]:
        """By priority, then by how many their owner has before them (`running`, at first), then by age.

        Each owner's candidates stand in a queue of their own; only the heads compete.
        """
        before = Counter(running)
        # Priority, those before, age, owner, place in the owner's queue.
        heads = [(ranks[0][0], before[owner], *ranks[0][1:], owner, 0) for owner, ranks in self._owners.items()]
        heapq.heapify(heads)
        while heads:
            *_, uid, owner, place = heapq.heappop(heads)
            candidate = self._candidates[uid]
            yield candidate
            before[owner] += candidate.pods
            if place + 1 < len(self._owners[owner]):
                priority, created_at, following = self._owners[owner][place + 1]
                heapq.heappush(heads, (priority, before[owner], created_at, following, owner, place + 1))


_Rank = tuple[int, datetime, str]


def _rank(candidate: Candidate) -> _Rank:
    return (-candidate.priority, candidate.created_at, candidate.uid)


def turns(queue: CandidateQueue, taken: Iterable[Slot], caps: Caps, closed: Collection[str] = ()) -> Turns:
    """Who goes now, and who waits in which order; nobody in namespaces that are closed."""
    usage = _usage(taken, caps, closed)
    admitted: list[Candidate] = []
    waiting: list[Candidate] = []
    for candidate in queue.in_order(usage.by_owner()):
        (admitted if usage.admit(candidate) else waiting).append(candidate)
    return Turns(tuple(admitted), tuple(waiting))


def next_turns(
    queue: CandidateQueue, taken: Iterable[Slot], caps: Caps, closed: Collection[str] = ()
) -> tuple[Candidate, ...]:
    """Who goes now; looks no further than the last place that is free."""
    usage = _usage(taken, caps, closed)
    admitted: list[Candidate] = []
    for candidate in queue.in_order(usage.by_owner()):
        if usage.full:
            break
        if usage.admit(candidate):
            admitted.append(candidate)
    return tuple(admitted)


def _usage(taken: Iterable[Slot], caps: Caps, closed: Collection[str]) -> _Usage:
    usage = _Usage(caps, reserved={("namespace", namespace) for namespace in closed})
    for slot in taken:
        usage.take(slot)
    return usage
