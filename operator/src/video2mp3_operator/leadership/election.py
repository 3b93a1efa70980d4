"""④ The election, by client-go's rules: one holds a Lease and renews it; the others wait until it stands still.

Who leads is decided by the API server alone, which takes an update only from whoever has seen the Lease as it is.
Nobody compares a time in it with a clock.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog

from video2mp3_operator.leadership.fence import Fence
from video2mp3_operator.leadership.record import given_up, record_of, renewed
from video2mp3_operator.leadership.sighting import Sighting
from video2mp3_operator.ports.errors import AlreadyExistsError, ConflictError, GoneError, OutsideError, UnavailableError
from video2mp3_operator.ports.systems import Clock, LeasesApi, Stopwatch

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_HASTE: Final = 4
"""A renewal that failed is tried again after a fourth of the usual pause."""

_SOONEST_SECONDS: Final = 0.05
"""Between two looks at a Lease that is about to be free."""


@dataclass(frozen=True)
class Terms:
    """How long everything lasts. Each is shorter than the one before it."""

    lease_seconds: int
    """From a leader's last sign of life to another's first."""

    deadline_seconds: float
    """From the beginning of a leader's last renewal to its end as a leader."""

    renew_seconds: float
    """From one renewal to the next. Who stands by looks twice as often."""

    @property
    def call_seconds(self) -> float:
        """For one request: so short that another one has time before the deadline."""
        return self.deadline_seconds / 3


@dataclass
class Election:
    """One candidate. `lost` is told why, once it has led and does not any more; it had better end the process."""

    leases: LeasesApi
    clock: Clock
    elapsed: Stopwatch
    fence: Fence
    terms: Terms
    namespace: str
    name: str
    identity: str
    lost: Callable[[str], None]
    _lease: dict[str, Any] = field(default_factory=dict, init=False)
    """Ours, as it was last confirmed."""

    def __post_init__(self) -> None:
        self.sighting = Sighting(self.elapsed, self.terms.lease_seconds)

    async def win(self) -> None:
        """Stand by until we lead."""
        _log.info("standing_by", lease=self.name, identity=self.identity)
        while True:
            try:
                if await self._take() and self.fence.is_open:
                    _log.info("leading", lease=self.name, identity=self.identity)
                    return
            except OutsideError as error:
                _log.warning("lease_not_taken", lease=self.name, error=str(error))
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        """Until the next look: soon, and at the very moment when the Lease is free."""
        free_in = self.sighting.free_in()
        usual = self.terms.renew_seconds / 2
        return min(usual, max(free_in, _SOONEST_SECONDS)) if free_in else usual

    async def hold(self) -> None:
        """Renew until that fails for too long, or somebody else leads; then `lost` is told."""
        pause = self.terms.renew_seconds
        while left := self.fence.remaining():
            await asyncio.sleep(min(pause, left))
            try:
                if not self.fence.is_open or not await self._renew():
                    break
                pause = self.terms.renew_seconds
            except OutsideError as error:
                _log.warning("lease_not_renewed", lease=self.name, error=str(error))
                pause = self.terms.renew_seconds / _HASTE
        self.fence.close()
        self.lost(self._why())

    def _why(self) -> str:
        holder = self.sighting.record.holder
        if holder != self.identity:
            return f"{holder or 'nobody'} leads"
        return f"no renewal was confirmed within {self.terms.deadline_seconds:g} s"

    async def resign(self) -> None:
        """Give up the Lease, if it is ours, once nothing of ours writes any more: somebody else may lead at once."""
        self.fence.close()
        try:
            lease = await self._limited(self.leases.find(self.namespace, self.name))
            if lease is not None and record_of(lease).holder == self.identity:
                free = given_up(record_of(lease), self.clock())
                await self._limited(self.leases.replace(lease, free.spec))
                _log.info("resigned", lease=self.name, identity=self.identity)
        except OutsideError as error:
            _log.warning("lease_not_given_up", lease=self.name, error=str(error))

    # --- one try ---

    async def _renew(self) -> bool:
        """Renew ours; False when somebody else leads. Raises OutsideError where nobody can tell."""
        try:
            await self._confirm(self.leases.replace(self._lease, self._ours(self._lease)))
        except (ConflictError, GoneError):
            return await self._take()
        return True

    async def _take(self) -> bool:
        """Take the Lease if it is free, or ours already; False where it is another's. Raises OutsideError."""
        lease = await self._limited(self.leases.find(self.namespace, self.name))
        self.sighting.see(lease)
        if self.sighting.free_in() and self.sighting.record.holder != self.identity:
            return False
        try:
            if lease is None:
                await self._confirm(self.leases.create(self.namespace, self.name, self._ours({})))
            else:
                await self._confirm(self.leases.replace(lease, self._ours(lease)))
        except (AlreadyExistsError, ConflictError):
            self.sighting.hear()
            raise
        return True

    def _ours(self, lease: dict[str, Any]) -> dict[str, Any]:
        return renewed(record_of(lease), self.identity, self.terms.lease_seconds, self.clock()).spec

    async def _confirm(self, write: Awaitable[dict[str, Any]]) -> None:
        """Write, and count from the moment before: no stopwatch of others begins before the write has its effect."""
        began = self.elapsed()
        self._lease = await self._limited(write)
        self.sighting.see(self._lease)
        self.fence.confirm(began)

    async def _limited(self, call: Awaitable[_T]) -> _T:
        """Within a call's time, and a leader's within what is left of its own."""
        left = self.fence.remaining()
        try:
            async with asyncio.timeout(min(self.terms.call_seconds, left) if left else self.terms.call_seconds):
                return await call
        except TimeoutError as error:
            raise UnavailableError("the API server did not answer in time") from error
