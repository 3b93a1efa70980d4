"""Accounts, keys and the whole service, as tests want them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet, MultiFernet
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import generate_latest

from tests.unit.auth.fakes import FakeAccountStore, FakeClock, FakeHasher, FakeKeyStore, FakeTallyStore
from video2mp3_auth.app import build_app
from video2mp3_auth.bootstrap import Services, guess_limits
from video2mp3_auth.guesses import Guesses
from video2mp3_auth.key_ring import KeyRing
from video2mp3_auth.key_schedule import KeyPolicy
from video2mp3_auth.settings import AuthSettings
from video2mp3_auth.stores import Account, StoredKey
from video2mp3_auth.tokens import Tokens
from video2mp3_contracts.runtime.web import REGISTRY

EMAIL = "someone@example.com"
PASSWORD = "correct horse"
START = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = KeyPolicy(timedelta(minutes=15), timedelta(hours=1), timedelta(minutes=1))
DATABASE_URL = "mysql+pymysql://auth:secret@db:3306/auth"


def an_account(
    email: str = EMAIL, password: str = PASSWORD, *, parameters: str = "today", disabled: bool = False
) -> Account:
    return Account(email, f"{parameters}:{password}", START, START if disabled else None)


def a_key(generation: int, activates_at: datetime, created_at: datetime | None = None) -> StoredKey:
    """A key for the schedule: its content cannot be decrypted."""
    return StoredKey(generation, f"kid-{generation}", "", created_at or activates_at, activates_at)


def a_fernet() -> MultiFernet:
    return MultiFernet([Fernet(Fernet.generate_key())])


def a_ring(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet, refresh_seconds: float = 30) -> KeyRing:
    return KeyRing(store, fernet, POLICY, timedelta(seconds=refresh_seconds), clock)


def some_guesses() -> Guesses:
    return Guesses(FakeTallyStore(), guess_limits(settings()), FakeClock())


def settings(**changes: object) -> AuthSettings:
    required = {"database_url": DATABASE_URL, "key_encryption_key": Fernet.generate_key().decode()}
    return AuthSettings(**(required | changes))


@dataclass
class Service:
    """The application on fakes, and the fakes."""

    accounts: FakeAccountStore = field(default_factory=lambda: FakeAccountStore(an_account()))
    keys: FakeKeyStore = field(default_factory=FakeKeyStore)
    hasher: FakeHasher = field(default_factory=FakeHasher)
    tallies: FakeTallyStore = field(default_factory=FakeTallyStore)
    clock: FakeClock = field(default_factory=FakeClock)
    settings: AuthSettings = field(default_factory=settings)

    def __post_init__(self) -> None:
        ring = a_ring(self.keys, self.clock, self.settings.fernet, self.settings.key_refresh_seconds)
        self.tokens = Tokens(ring, "video2mp3-auth", "video2mp3", self.settings.token_lifetime, self.clock)
        guesses = Guesses(self.tallies, guess_limits(self.settings), self.clock)
        parts = Services(self.accounts, self.hasher, guesses, ring, self.tokens, self.accounts.check)
        self.app: Flask = build_app(self.settings, parts)
        self.client: FlaskClient = self.app.test_client()

    def login(self, email: str = EMAIL, password: str = PASSWORD, **headers: str):
        return self.client.post("/login", auth=(email, password), headers=headers)

    def validate(self, token: str):
        return self.client.get("/validate", headers={"Authorization": f"Bearer {token}"})

    def metric(self, line: str) -> float:
        """The value of a sample, named as /metrics writes it."""
        text = generate_latest(self.app.extensions[REGISTRY]).decode()
        samples = dict(row.rsplit(" ", 1) for row in text.splitlines() if row[0] != "#")
        return float(samples[line])
