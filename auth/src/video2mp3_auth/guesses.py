"""How many guesses at an account's password there may be: few from one network, more from all networks together.

One stranger is in one network, as `networks` takes it: after a few wrong passwords nobody there gets in for a while.
The owner, who is elsewhere, does not notice. Many networks together reach the second limit; then only who is in a
network where the owner was seen lately gets in.

Counted in the database, so that all replicas count together. No login's outcome leaves the service before it is written
there: while nothing can be written, nobody logs in and nobody learns whether a guess was right.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from video2mp3_auth.errors import StoreUnavailable, Throttled
from video2mp3_auth.stores import Tallies, Tally, TallyStore

_KNOWN_FOR: Final = timedelta(days=30)
"""How long a network is one of the owner's after a login from there."""

_FORGOTTEN_AT_ONCE: Final = 10
"""Expired tallies that one login removes. It makes two at most, so they cannot heap up."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limit:
    """Rejected logins in a window that begins with the first of them."""

    rejected: int
    window: timedelta


@dataclass(frozen=True)
class Limits:
    """The bounds on guessing at one account."""

    per_network: Limit
    per_account: Limit


@dataclass(frozen=True)
class Standing:
    """What is known of one account: in all networks, and in the one that a login comes from."""

    account: Tally
    network: Tally


def refused_until(standing: Standing, limits: Limits, now: datetime) -> datetime | None:
    """Until when a login is refused whatever its password is; None if it is not."""
    if _full(standing.network, limits.per_network, now):
        return standing.network.window_ends_at
    known = standing.network.known_until is not None and standing.network.known_until > now
    if not known and _full(standing.account, limits.per_account, now):
        return standing.account.window_ends_at
    return None


def after_rejection(standing: Standing, limits: Limits, now: datetime) -> Standing:
    """One more wrong password counts in both."""
    return Standing(
        account=_one_more(standing.account, limits.per_account, now),
        network=_one_more(standing.network, limits.per_network, now),
    )


def after_success(standing: Standing, now: datetime) -> Standing:
    """The owner is in this network. What was rejected goes on counting: another may be guessing there."""
    return replace(standing, network=replace(standing.network, known_until=now + _KNOWN_FOR))


def _full(tally: Tally, limit: Limit, now: datetime) -> bool:
    return tally.window_ends_at > now and tally.rejected >= limit.rejected


def _one_more(tally: Tally, limit: Limit, now: datetime) -> Tally:
    if tally.window_ends_at > now:
        return replace(tally, rejected=tally.rejected + 1)
    return replace(tally, rejected=1, window_ends_at=now + limit.window)


class Guesses:
    """Lets logins in, and counts how they end. All methods raise Throttled and StoreUnavailable."""

    def __init__(self, store: TallyStore, limits: Limits, now: Callable[[], datetime]) -> None:
        self._store = store
        self._limits = limits
        self._now = now

    def admit(self, email: str, network: str) -> None:
        """Refuse a login before any work is done for it."""
        ids, now = _Ids.of(email, network), self._now()
        self._refuse_if_full(ids.standing(self._store.find(ids.both), now), now)

    def conclude(self, email: str, network: str, *, rejected: bool) -> None:
        """Write down how a login ended, before anybody learns it.

        Of logins at the same time, all of them admitted, the limit's number learn it and the others are throttled.
        """
        ids, now = _Ids.of(email, network), self._now()

        def change(tallies: Tallies) -> Tallies:
            standing = ids.standing(tallies, now)
            self._refuse_if_full(standing, now)
            return ids.tallies(
                after_rejection(standing, self._limits, now) if rejected else after_success(standing, now)
            )

        self._store.change(ids.both, change, now)
        self._forget(now)

    def _refuse_if_full(self, standing: Standing, now: datetime) -> None:
        until = refused_until(standing, self._limits, now)
        if until is not None:
            raise Throttled(max(1, math.ceil((until - now).total_seconds())))

    def _forget(self, now: datetime) -> None:
        try:
            self._store.forget(now, _FORGOTTEN_AT_ONCE)
        except StoreUnavailable as error:
            # The login is written already; the next one removes them.
            _log.warning("expired_tallies_left", error=str(error))


@dataclass(frozen=True)
class _Ids:
    """Under what the two tallies are stored: digests, so that all have one size whatever somebody calls an account."""

    account: str
    network: str

    @classmethod
    def of(cls, email: str, network: str) -> "_Ids":
        return cls(_digest(email), _digest(f"{email}\0{network}"))

    @property
    def both(self) -> list[str]:
        return [self.account, self.network]

    def standing(self, tallies: Tallies, now: datetime) -> Standing:
        empty = Tally(0, now)
        return Standing(tallies.get(self.account, empty), tallies.get(self.network, empty))

    def tallies(self, standing: Standing) -> Tallies:
        return {self.account: standing.account, self.network: standing.network}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
