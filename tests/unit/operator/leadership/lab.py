"""Several candidates and one API server in one simulated time: each may be paused, cut off or killed at any moment.

Each candidate has an event loop of its own, as a process has. A paused one is not turned: its timers and answers wait,
and come all at once when it goes on, as after SIGCONT.
"""

import asyncio
import copy
import heapq
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.builders import NOW
from video2mp3_operator.leadership.election import Election, Terms
from video2mp3_operator.leadership.fence import Fence
from video2mp3_operator.ports.errors import AlreadyExistsError, ConflictError, GoneError

TERMS = Terms(lease_seconds=8, deadline_seconds=6, renew_seconds=1.5)
LEASE = "video2mp3-leader"
Document = dict[str, Any]


class StepLoop(asyncio.SelectorEventLoop):
    """An event loop that is turned by hand and goes by the lab's time."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._lab_now = now
        select = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = lambda _timeout=None: select(0)  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._lab_now()

    def due_at(self) -> float:
        """When there is something to do."""
        if self._ready:  # type: ignore[attr-defined]
            return self._lab_now()
        timers = self._scheduled  # type: ignore[attr-defined]
        return float(timers[0].when()) if timers else float("inf")

    def turn(self) -> None:
        """Do what is due."""
        asyncio._set_running_loop(self)
        try:
            self._run_once()  # type: ignore[attr-defined]
        finally:
            asyncio._set_running_loop(None)


@dataclass
class Wire:
    """What lies between a candidate and the API server."""

    seconds: float = 0.01
    """Each way."""

    cut: bool = False
    """Nothing arrives any more."""

    deaf: bool = False
    """Requests arrive, answers do not."""


class Server:
    """One Lease, and answers that take their time."""

    def __init__(self, lab: "Lab") -> None:
        self.lab = lab
        self.lease: Document | None = None
        self._versions = count(100)

    def find(self) -> Document | None:
        return copy.deepcopy(self.lease)

    def create(self, spec: Mapping[str, Any]) -> Document:
        if self.lease is not None:
            raise AlreadyExistsError(LEASE)
        self.lease = {"metadata": {"namespace": "media", "name": LEASE, "uid": f"lease-{next(self._versions)}"}}
        return self._change(spec)

    def replace(self, lease: Mapping[str, Any], spec: Mapping[str, Any]) -> Document:
        if self.lease is None:
            raise GoneError(LEASE)
        if self.lease["metadata"] != lease["metadata"]:
            raise ConflictError(LEASE)
        return self._change(spec)

    def _change(self, spec: Mapping[str, Any]) -> Document:
        assert self.lease is not None
        self.lease["spec"] = dict(spec)
        self.lease["metadata"]["resourceVersion"] = str(next(self._versions))
        return copy.deepcopy(self.lease)


@dataclass
class Client:
    """Implements LeasesApi for one candidate."""

    candidate: "Candidate"
    server: Server

    async def find(self, _namespace: str, _name: str) -> Document | None:
        return await self._ask(self.server.find)  # type: ignore[no-any-return]

    async def create(self, _namespace: str, _name: str, spec: Mapping[str, Any]) -> Document:
        return await self._ask(lambda: self.server.create(spec))  # type: ignore[no-any-return]

    async def replace(self, lease: Mapping[str, Any], spec: Mapping[str, Any]) -> Document:
        return await self._ask(lambda: self.server.replace(lease, spec))  # type: ignore[no-any-return]

    async def _ask(self, effect: Callable[[], Any]) -> Any:
        wire, lab = self.candidate.wire, self.server.lab
        answer = self.candidate.loop.create_future()

        def arrive() -> None:
            if wire.cut:
                return
            try:
                found, error = effect(), None
            except (AlreadyExistsError, ConflictError, GoneError) as refusal:
                found, error = None, refusal
            lab.after(wire.seconds, lambda: wire.cut or wire.deaf or leave(found, error))

        def leave(found: Any, error: Exception | None) -> None:
            def hear() -> None:
                if not answer.done():
                    answer.set_result((found, error))

            self.candidate.loop.call_soon(hear)

        lab.after(wire.seconds, arrive)
        found, error = await answer
        if error is not None:
            raise error
        return found


@dataclass
class Candidate:
    """One process: its clock, its stopwatch and its wire."""

    lab: "Lab"
    identity: str
    hours_off: float = 0
    rate: float = 1.0
    """How fast its stopwatch goes."""

    wire: Wire = field(default_factory=Wire)
    paused: bool = False
    lost: list[str] = field(default_factory=list)
    dead: bool = False

    def __post_init__(self) -> None:
        self.loop = StepLoop(lambda: self.lab.now)
        self.fence = Fence(self.elapsed, TERMS.deadline_seconds)
        self.election = Election(
            leases=Client(self, self.lab.server),
            clock=self.clock,
            elapsed=self.elapsed,
            fence=self.fence,
            terms=TERMS,
            namespace="media",
            name=LEASE,
            identity=self.identity,
            lost=self.lose,
        )
        self.task = self.loop.create_task(self._run())

    def elapsed(self) -> float:
        return 1000 + self.rate * self.lab.now

    def clock(self) -> datetime:
        return NOW + timedelta(hours=self.hours_off, seconds=self.lab.now)

    async def _run(self) -> None:
        await self.election.win()
        await self.election.hold()

    def lose(self, why: str) -> None:
        self.lost.append(why)
        self.dead = True

    @property
    def leads(self) -> bool:
        return not self.dead and self.fence.is_open

    def stop(self) -> None:
        """End cleanly: nothing writes any more, and the Lease is given up."""
        self.task.cancel()
        self.loop.create_task(self.election.resign())

    def close(self) -> None:
        self.dead = False
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        while self.loop._ready:  # type: ignore[attr-defined]
            self.loop.turn()
        if self.task.done() and not self.task.cancelled():
            self.task.exception()
        self.loop.close()


class Lab:
    """Let time pass by `run`; use it by `lab()`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.server = Server(self)
        self.candidates: list[Candidate] = []
        self._plan: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = count()

    def after(self, seconds: float, do: Callable[[], Any]) -> None:
        """Plan something."""
        heapq.heappush(self._plan, (self.now + seconds, next(self._numbers), do))

    def add(self, **facts: Any) -> Candidate:
        """Start another candidate."""
        candidate = Candidate(self, f"operator-{len(self.candidates)}_{next(self._numbers)}", **facts)
        self.candidates.append(candidate)
        return candidate

    @property
    def leaders(self) -> list[Candidate]:
        """Who may write now. One that is paused may, as soon as it goes on, if its time is not over by then."""
        return [each for each in self.candidates if each.leads]

    @property
    def leader(self) -> Candidate:
        [leader] = self.leaders
        return leader

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Let time pass, for so long or until something is so; answers how long. Never may two write at once."""
        began, end = self.now, self.now + seconds
        while not until() and (when := self._next()) <= end:
            self.now = max(self.now, when)
            while self._plan and self._plan[0][0] <= self.now:
                heapq.heappop(self._plan)[2]()
            for each in self._awake():
                if each.loop.due_at() <= self.now:
                    each.loop.turn()
            assert len(self.leaders) <= 1, [each.identity for each in self.leaders]
        if not until():
            self.now = end
        return self.now - began

    def _next(self) -> float:
        return min([self._plan[0][0] if self._plan else float("inf"), *(each.loop.due_at() for each in self._awake())])

    def _awake(self) -> list[Candidate]:
        return [each for each in self.candidates if not each.paused and not each.dead]


@contextmanager
def lab() -> Iterator[Lab]:
    """A lab, put away afterwards."""
    made = Lab()
    try:
        yield made
    finally:
        for each in made.candidates:
            each.close()
