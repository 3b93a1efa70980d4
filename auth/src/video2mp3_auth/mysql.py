"""The database: connections with limits on every wait, the tables of init.sql, and errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Column, Dialect, Engine, Integer, MetaData, String, Table, create_engine, text
from sqlalchemy import exc as sa
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.types import TypeDecorator

from video2mp3_auth.errors import AlreadyStored, StoreUnavailable

_CONNECT_SECONDS = 3
_ANSWER_SECONDS = 5
_CONNECTIONS = 4
_POOL_SECONDS = 2
_RECYCLE_SECONDS = 1800
_DUPLICATE_ENTRY = 1062
_NO_SUCH_TABLE = 1146
_DEADLOCK = 1213


class UtcDateTime(TypeDecorator[datetime]):
    """DATETIME(6) in UTC; with its zone in Python."""

    impl = DATETIME(fsp=6)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """To UTC without a zone, as the column has it."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """With the zone that the column does not have."""
        return None if value is None else value.replace(tzinfo=UTC)


TABLES: Final = MetaData()

ACCOUNTS: Final = Table(
    "accounts",
    TABLES,
    Column("email", String(254), primary_key=True),
    Column("password_hash", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)

SIGNING_KEYS: Final = Table(
    "signing_keys",
    TABLES,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("kid", String(43), nullable=False, unique=True),
    Column("encrypted_private_key", String(1024), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("activates_at", UtcDateTime, nullable=False),
)

LOGIN_TALLIES: Final = Table(
    "login_tallies",
    TABLES,
    Column("id", String(64), primary_key=True),
    Column("rejected", Integer, nullable=False),
    Column("window_ends_at", UtcDateTime, nullable=False),
    Column("known_until", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
)

BACKED_UP: Final = (ACCOUNTS, SIGNING_KEYS)
"""What a backup holds; who was guessing at the time is no part of it."""


def connect(database_url: str) -> Engine:
    """The pool of connections; none is opened yet.

    It is smaller than the number of threads on purpose: while the database hangs, only these many threads wait for it
    long, the others answer 503 after `_POOL_SECONDS` and stay free for health checks and the published keys.
    """
    return create_engine(
        database_url,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_SECONDS,
        hide_parameters=True,  # errors must not show hashes
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _ANSWER_SECONDS,
            "write_timeout": _ANSWER_SECONDS,
            "charset": "utf8mb4",
        },
    )


@contextmanager
def our_errors() -> Iterator[None]:
    """Translate the database's errors. What is not translated is a bug of ours."""
    try:
        yield
    except sa.IntegrityError as error:
        if _number(error) != _DUPLICATE_ENTRY:
            raise
        raise AlreadyStored("It exists already.") from error
    except sa.ProgrammingError as error:
        if _number(error) != _NO_SUCH_TABLE:
            raise
        raise StoreUnavailable("The database lacks tables: run init.sql in it.") from error
    except (sa.OperationalError, sa.InterfaceError, sa.TimeoutError) as error:
        raise StoreUnavailable(f"The database does not answer ({_summary(error)}).") from error


def is_deadlock(error: StoreUnavailable) -> bool:
    """Whether two transactions were in each other's way; the one that lost may try again at once."""
    return isinstance(error.__cause__, sa.DBAPIError) and _number(error.__cause__) == _DEADLOCK


def check(engine: Engine) -> None:
    """Raise StoreUnavailable unless the database answers and has our tables."""
    with our_errors(), engine.connect() as connection:
        for table in TABLES.tables:
            connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608 - the names are ours


def _number(error: sa.DBAPIError) -> int | None:
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _summary(error: sa.SQLAlchemyError) -> str:
    if isinstance(error, sa.DBAPIError):
        return f"error {_number(error)}"
    return "all connections are in use"
