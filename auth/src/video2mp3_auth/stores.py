"""The ports to the database: what is kept, and what may be asked. `mysql_stores` implements them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Account:
    """Whoever may log in. `email` is normalised and is the account's id everywhere."""

    email: str
    password_hash: str
    """argon2id in the PHC string format."""

    created_at: datetime
    disabled_at: datetime | None = None
    """Since when it may not log in; None while it may."""


class AccountStore(Protocol):
    """All methods raise StoreUnavailable."""

    def find(self, email: str) -> Account | None:
        """The account of a normalised address."""

    def all(self) -> list[Account]:
        """All accounts by address."""

    def add(self, account: Account) -> None:
        """Store a new account; raise AlreadyStored if the address has one."""

    def set_password_hash(self, email: str, password_hash: str) -> bool:
        """Replace the hash; False if there is no such account."""

    def replace_password_hash(self, email: str, known: str, password_hash: str) -> None:
        """Replace the hash only if it is still `known`, so that a password changed meanwhile stays."""

    def set_disabled_at(self, email: str, disabled_at: datetime | None) -> bool:
        """Disable or (None) enable; False if there is no such account."""


@dataclass(frozen=True)
class StoredKey:
    """A signing key as it is kept."""

    generation: int
    """Counts up from 1; unique."""

    kid: str
    encrypted_private_key: str
    created_at: datetime
    activates_at: datetime
    """When it starts to sign. It is published from the moment it is stored."""


class KeyStore(Protocol):
    """All methods raise StoreUnavailable."""

    def all(self) -> list[StoredKey]:
        """All keys by generation."""

    def add(self, key: StoredKey) -> None:
        """Store a new key; raise AlreadyStored if its generation exists."""

    def remove(self, kid: str) -> None:
        """Forget a key; one that is gone already is no error."""

    def set_encrypted_private_key(self, kid: str, encrypted_private_key: str) -> None:
        """Store the same key under another encryption."""


@dataclass(frozen=True)
class Tally:
    """The rejected logins of one account, from one network or from all of them."""

    rejected: int
    window_ends_at: datetime
    """Until when they count."""

    known_until: datetime | None = None
    """Of one network: until when the account's owner is taken to be at home there; None if never seen there."""

    @property
    def expires_at(self) -> datetime:
        """When it says nothing any more."""
        return max(self.window_ends_at, self.known_until or self.window_ends_at)


Tallies = Mapping[str, Tally]
"""By their ids, digests of 64 hexadecimal digits."""


class TallyStore(Protocol):
    """All methods raise StoreUnavailable."""

    def find(self, ids: Sequence[str]) -> Tallies:
        """Those that there are."""

    def change(self, ids: Sequence[str], change: Callable[[Tallies], Tallies], now: datetime) -> None:
        """Store what `change` makes of the tallies with these ids, which nobody else changes meanwhile.

        One that is not there is given as empty. It always writes, so a store that only reads is unavailable; where
        `change` raises, nothing is written. `change` may be called again.
        """

    def forget(self, now: datetime, at_most: int) -> None:
        """Remove some that have expired, and wait for nobody."""
