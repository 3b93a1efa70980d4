"""The stores on MySQL and MariaDB."""

from datetime import datetime

from sqlalchemy import Engine, delete, insert, select, update

from video2mp3_auth.mysql import ACCOUNTS, SIGNING_KEYS, our_errors
from video2mp3_auth.stores import Account, StoredKey


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
