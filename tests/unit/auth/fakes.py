"""Working stand-ins for the auth service's ports."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from video2mp3_auth.errors import AlreadyStored, Overloaded, StoreUnavailable
from video2mp3_auth.stores import Account, StoredKey, Tallies, Tally


class FakeClock:
    """A clock that moves when it is told to."""

    def __init__(self, start: datetime | None = None) -> None:
        self.now = start or datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        """Move on by a `timedelta` of these arguments."""
        self.now += timedelta(**duration)


class FakeStore:
    """What both stores have in common: they can be away."""

    def __init__(self) -> None:
        self.away = False

    def check(self) -> None:
        """Raise StoreUnavailable while the store is away."""
        if self.away:
            raise StoreUnavailable("away")


class FakeAccountStore(FakeStore):
    """Accounts in a dict."""

    def __init__(self, *accounts: Account) -> None:
        super().__init__()
        self.accounts = {account.email: account for account in accounts}
        self.away_for_writes = False

    def find(self, email: str) -> Account | None:
        self.check()
        return self.accounts.get(email)

    def all(self) -> list[Account]:
        self.check()
        return [self.accounts[email] for email in sorted(self.accounts)]

    def add(self, account: Account) -> None:
        self.check()
        if account.email in self.accounts:
            raise AlreadyStored(account.email)
        self.accounts[account.email] = account

    def set_password_hash(self, email: str, password_hash: str) -> bool:
        return self._update(email, password_hash=password_hash)

    def replace_password_hash(self, email: str, known: str, password_hash: str) -> None:
        if self.away_for_writes:
            raise StoreUnavailable("away")
        if self.accounts[email].password_hash == known:
            self._update(email, password_hash=password_hash)

    def set_disabled_at(self, email: str, disabled_at: datetime | None) -> bool:
        return self._update(email, disabled_at=disabled_at)

    def _update(self, email: str, **changes: object) -> bool:
        self.check()
        if email not in self.accounts:
            return False
        self.accounts[email] = replace(self.accounts[email], **changes)
        return True


class FakeKeyStore(FakeStore):
    """Keys in a list. `before_add` is what another process does between our look and our write."""

    def __init__(self, *keys: StoredKey) -> None:
        super().__init__()
        self.keys = list(keys)
        self.reads = 0
        self.read_only = False
        self.before_add: list[StoredKey] = []

    def all(self) -> list[StoredKey]:
        self.check()
        self.reads += 1
        return sorted(self.keys, key=lambda key: key.generation)

    def add(self, key: StoredKey) -> None:
        self.check()
        self.keys += self.before_add
        self.before_add = []
        if key.generation in {known.generation for known in self.keys}:
            raise AlreadyStored(str(key.generation))
        self.keys.append(key)

    def remove(self, kid: str) -> None:
        self.check()
        if self.read_only:
            raise StoreUnavailable("read-only")
        self.keys = [key for key in self.keys if key.kid != kid]

    def set_encrypted_private_key(self, kid: str, encrypted_private_key: str) -> None:
        self.check()
        self.keys = [
            replace(key, encrypted_private_key=encrypted_private_key) if key.kid == kid else key for key in self.keys
        ]


class FakeTallyStore(FakeStore):
    """Tallies in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.tallies: dict[str, Tally] = {}
        self.read_only = False
        self.changes = 0

    def find(self, ids: Sequence[str]) -> Tallies:
        self.check()
        return {key: self.tallies[key] for key in ids if key in self.tallies}

    def change(self, ids: Sequence[str], change: Callable[[Tallies], Tallies], now: datetime) -> None:
        self.check()
        if self.read_only:
            raise StoreUnavailable("read-only")
        self.tallies |= change({key: self.tallies.get(key, Tally(0, now)) for key in ids})
        self.changes += 1

    def forget(self, now: datetime, at_most: int) -> None:
        self.check()
        old = sorted((key for key in self.tallies if self.tallies[key].expires_at < now), key=self._expiry)
        for key in old[:at_most]:
            del self.tallies[key]

    def _expiry(self, key: str) -> datetime:
        return self.tallies[key].expires_at


class FakeHasher:
    """Hashes that can be read, `PARAMETERS:PASSWORD`, and a count of the work done."""

    def __init__(self, parameters: str = "today") -> None:
        self.parameters = parameters
        self.verified: list[str] = []
        self.work: Counter[str] = Counter()
        self.full = False

    def hash(self, password: str) -> str:
        self._work("hash")
        return f"{self.parameters}:{password}"

    def matches(self, password_hash: str, password: str) -> bool:
        self._work("matches")
        self.verified.append(password_hash)
        return password_hash.partition(":")[2] == password

    def needs_rehash(self, password_hash: str) -> bool:
        return password_hash.partition(":")[0] != self.parameters

    def _work(self, what: str) -> None:
        if self.full:
            raise Overloaded("full")
        self.work[what] += 1
