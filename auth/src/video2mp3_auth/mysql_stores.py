"""The stores on MySQL and MariaDB."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.dialects import mysql

from video2mp3_auth.errors import StoreUnavailable
from video2mp3_auth.mysql import ACCOUNTS, LOGIN_TALLIES, SIGNING_KEYS, is_deadlock, our_errors
from video2mp3_auth.stores import Account, StoredKey, Tallies, Tally

_TRIES: Final = 3
"""Of what lost against another transaction."""


class MySQLAccountStore:
    """AccountStore in the table `accounts`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, email: str) -> Account | None:
        """The account of a normalised address."""
        query = select(ACCOUNTS).where(ACCOUNTS.c.email == email)
        with our_errors(), self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Account(**row._asdict())

    def all(self) -> list[Account]:
        """All accounts by address."""
        query = select(ACCOUNTS).order_by(ACCOUNTS.c.email)
        with our_errors(), self._engine.connect() as connection:
            return [Account(**row._asdict()) for row in connection.execute(query)]

    def add(self, account: Account) -> None:
        """Store a new account."""
        with our_errors(), self._engine.begin() as connection:
            connection.execute(insert(ACCOUNTS).values(**vars(account)))

    def set_password_hash(self, email: str, password_hash: str) -> bool:
        """Replace the hash."""
        statement = update(ACCOUNTS).where(ACCOUNTS.c.email == email).values(password_hash=password_hash)
        with our_errors(), self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def replace_password_hash(self, email: str, known: str, password_hash: str) -> None:
        """Replace the hash only if it is still `known`."""
        still_known = (ACCOUNTS.c.email == email) & (ACCOUNTS.c.password_hash == known)
        with our_errors(), self._engine.begin() as connection:
            connection.execute(update(ACCOUNTS).where(still_known).values(password_hash=password_hash))

    def set_disabled_at(self, email: str, disabled_at: datetime | None) -> bool:
        """Disable or enable."""
        statement = update(ACCOUNTS).where(ACCOUNTS.c.email == email).values(disabled_at=disabled_at)
        with our_errors(), self._engine.begin() as connection:
            # The driver is asked for matched rows, so enabling what is enabled counts as found.
            return connection.execute(statement).rowcount == 1


class MySQLKeyStore:
    """KeyStore in the table `signing_keys`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[StoredKey]:
        """All keys by generation."""
        query = select(SIGNING_KEYS).order_by(SIGNING_KEYS.c.generation)
        with our_errors(), self._engine.connect() as connection:
            return [StoredKey(**row._asdict()) for row in connection.execute(query)]

    def add(self, key: StoredKey) -> None:
        """Store a new key."""
        with our_errors(), self._engine.begin() as connection:
            connection.execute(insert(SIGNING_KEYS).values(**vars(key)))

    def remove(self, kid: str) -> None:
        """Forget a key."""
        with our_errors(), self._engine.begin() as connection:
            connection.execute(delete(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == kid))

    def set_encrypted_private_key(self, kid: str, encrypted_private_key: str) -> None:
        """Store the same key under another encryption."""
        statement = update(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == kid)
        with our_errors(), self._engine.begin() as connection:
            connection.execute(statement.values(encrypted_private_key=encrypted_private_key))


class MySQLTallyStore:
    """TallyStore in the table `login_tallies`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Locks on rows only, none on the gaps between them, in which others insert.
        self._changing = engine.execution_options(isolation_level="READ COMMITTED")

    def find(self, ids: Sequence[str]) -> Tallies:
        """Those that there are."""
        with our_errors(), self._engine.connect() as connection:
            return _tallies(connection, ids)

    def change(self, ids: Sequence[str], change: Callable[[Tallies], Tallies], now: datetime) -> None:
        """Store what `change` makes of them."""
        for left in reversed(range(_TRIES)):
            try:
                self._change(sorted(ids), change, now)
            except StoreUnavailable as error:
                if not left or not is_deadlock(error):
                    raise
            else:
                return

    def forget(self, now: datetime, at_most: int) -> None:
        """Remove some that have expired; those that others hold are left to them."""
        try:
            self._forget(now, at_most)
        except StoreUnavailable as error:
            # Rows that are locked are passed over, but what a DELETE waits for in the indexes is not.
            if not is_deadlock(error):
                raise

    def _change(self, ids: Sequence[str], change: Callable[[Tallies], Tallies], now: datetime) -> None:
        empty = {"rejected": 0, "window_ends_at": now, "known_until": None, "expires_at": now}
        # Locks each row in the same order for everybody, and makes the one that is not there.
        lock = mysql.insert(LOGIN_TALLIES).values([{"id": key, **empty} for key in ids])
        with our_errors(), self._changing.begin() as connection:
            connection.execute(lock.on_duplicate_key_update(id=LOGIN_TALLIES.c.id))
            for key, tally in change(_tallies(connection, ids)).items():
                row = {**vars(tally), "expires_at": tally.expires_at}
                connection.execute(update(LOGIN_TALLIES).where(LOGIN_TALLIES.c.id == key).values(row))

    def _forget(self, now: datetime, at_most: int) -> None:
        old = select(LOGIN_TALLIES.c.id).where(LOGIN_TALLIES.c.expires_at < now).limit(at_most)
        with our_errors(), self._changing.begin() as connection:
            ids = connection.scalars(old.order_by(LOGIN_TALLIES.c.expires_at).with_for_update(skip_locked=True)).all()
            if ids:
                connection.execute(delete(LOGIN_TALLIES).where(LOGIN_TALLIES.c.id.in_(ids)))


def _tallies(connection: Connection, ids: Sequence[str]) -> Tallies:
    query = select(LOGIN_TALLIES).where(LOGIN_TALLIES.c.id.in_(ids))
    return {row.id: Tally(row.rejected, row.window_ends_at, row.known_until) for row in connection.execute(query)}
