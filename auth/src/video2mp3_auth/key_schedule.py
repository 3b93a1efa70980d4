"""Which key signs, which are published, which can go: decided from stored times and `now` alone.

A key is published when it is stored, signs from its `activates_at` until the next key's, and stays published until
the last token that it signed has expired. All replicas and all gateways come to the same answer without talking.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from video2mp3_auth.stores import StoredKey
from video2mp3_contracts.runtime.clocks import LEEWAY


@dataclass(frozen=True)
class KeyPolicy:
    """The times between a key's states."""

    activation_delay: timedelta
    """From publishing to signing: at least as long as anyone caches the published keys."""

    token_lifetime: timedelta
    clock_leeway: timedelta = LEEWAY
    """How far the clocks of replicas may be apart."""


@dataclass(frozen=True)
class KeySchedule:
    """The state of all keys at one moment."""

    signing: StoredKey
    published: tuple[StoredKey, ...]
    """Oldest first; holds `signing`."""

    pending: StoredKey | None
    """The newest key, if it is published and does not sign yet."""

    removable: tuple[StoredKey, ...]
    """No valid token is signed by these."""


def schedule(keys: Sequence[StoredKey], now: datetime, policy: KeyPolicy) -> KeySchedule:
    """The state of `keys` (at least one, in any order) at `now`."""
    ordered = sorted(keys, key=lambda key: (key.activates_at, key.generation))
    active = [key for key in ordered if key.activates_at <= now]
    # The very first key may seem to be from the future to a replica whose clock is behind; there is no other to use.
    signing = active[-1] if active else ordered[0]
    removable = tuple(
        key
        for key, successor in itertools.pairwise(active)
        if successor.activates_at + policy.token_lifetime + policy.clock_leeway <= now
    )
    newest = ordered[-1]
    return KeySchedule(
        signing=signing,
        published=tuple(key for key in ordered if key not in removable),
        pending=newest if newest is not signing else None,
        removable=removable,
    )


def activation_time(keys: Sequence[StoredKey], now: datetime, policy: KeyPolicy) -> datetime:
    """When a key that is stored at `now` starts to sign: at once if it is the first, since nothing else could."""
    return now + policy.activation_delay if keys else now


def next_generation(keys: Sequence[StoredKey]) -> int:
    """The generation of a key that is added to `keys`."""
    return max((key.generation for key in keys), default=0) + 1
