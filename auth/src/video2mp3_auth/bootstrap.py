"""Chooses the implementations behind the ports; nothing else does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from video2mp3_auth import mysql
from video2mp3_auth.guesses import Guesses, Limits
from video2mp3_auth.key_ring import KeyRing
from video2mp3_auth.key_schedule import KeyPolicy
from video2mp3_auth.mysql_stores import MySQLAccountStore, MySQLKeyStore, MySQLTallyStore
from video2mp3_auth.passwords import Argon2Hasher, PasswordHasher
from video2mp3_auth.settings import AuthSettings
from video2mp3_auth.stores import AccountStore, KeyStore
from video2mp3_auth.tokens import Tokens


@dataclass(frozen=True)
class Services:
    """What the application works with."""

    accounts: AccountStore
    hasher: PasswordHasher
    guesses: Guesses
    ring: KeyRing
    tokens: Tokens
    check_store: Callable[[], None]
    """Raises StoreUnavailable."""


def services(settings: AuthSettings) -> Services:
    """Everything on the real database. Nothing is connected yet."""
    database = engine(settings)
    ring = key_ring(settings, database)
    return Services(
        accounts=MySQLAccountStore(database),
        hasher=hasher(settings),
        guesses=Guesses(MySQLTallyStore(database), guess_limits(settings), now),
        ring=ring,
        tokens=Tokens(ring, settings.jwt_issuer, settings.jwt_audience, settings.token_lifetime, now),
        check_store=lambda: mysql.check(database),
    )


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def engine(settings: AuthSettings) -> Engine:
    """The database."""
    return mysql.connect(settings.database_url.get_secret_value())


def account_store(engine: Engine) -> AccountStore:
    """Accounts."""
    return MySQLAccountStore(engine)


def key_store(engine: Engine) -> KeyStore:
    """Signing keys."""
    return MySQLKeyStore(engine)


def hasher(settings: AuthSettings) -> PasswordHasher:
    """Passwords."""
    return Argon2Hasher(settings.argon2_memory_kib, settings.argon2_time_cost, settings.argon2_concurrency)


def guess_limits(settings: AuthSettings) -> Limits:
    """The bounds on guessing."""
    return Limits(per_network=settings.guesses_per_network, per_account=settings.guesses_per_account)


def key_policy(settings: AuthSettings) -> KeyPolicy:
    """The times of signing keys."""
    return KeyPolicy(timedelta(seconds=settings.key_activation_delay_seconds), settings.token_lifetime)


def key_ring(settings: AuthSettings, engine: Engine) -> KeyRing:
    """Signing keys, kept in memory."""
    refresh = timedelta(seconds=settings.key_refresh_seconds)
    return KeyRing(key_store(engine), settings.fernet, key_policy(settings), refresh, now)
