"""MongoDB's protocol, spoken by SecantusDB: a stand-in, since no registry carries MongoDB's own server."""

import secrets
import sys
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers.process import Server

_KEPT_DATABASES = frozenset({"admin", "config", "local"})


class MongoDBServer(Server):
    """A standalone server that demands SCRAM, as the chart's MongoDB does."""

    name: ClassVar[str] = "mongodb"

    def __init__(self) -> None:
        super().__init__()
        self.username = "root"
        self.password = secrets.token_urlsafe(12)
        self._authenticated = False

    @property
    def uri(self) -> str:
        """The connection string of the root account."""
        return self.uri_of(self.username)

    def uri_of(self, username: str) -> str:
        """The connection string of another account, which has the same password."""
        return f"mongodb://{username}:{quote(self.password)}@{self.host}:{self.port}/?authSource=admin"

    def client(self, **options: Any) -> MongoClient[dict[str, Any]]:
        """Return a client of the root account; the caller closes it."""
        return MongoClient(self.uri, **options)

    def command(self) -> Sequence[str]:
        """Return the argv; before the root account exists, without authentication."""
        command = [sys.executable, "-m", "secantus", "--host", self.host, "--port", str(self.port), "--standalone"]
        # Without the sync, a killed SecantusDB forgets what it had acknowledged in the moments before.
        command += ["--storage-path", str(self.directory / "data"), "--log-level", "WARNING", "--sync-on-commit"]
        command += ["--cache-size", "256M"]
        return [*command, "--auth"] if self._authenticated else command

    def answers(self) -> bool:
        """Ask for a ping, as root where accounts exist."""
        uri = self.uri if self._authenticated else f"mongodb://{self.host}:{self.port}/"
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=200, timeoutMS=1000) as client:
            try:
                client.admin.command("ping")
            except PyMongoError:
                return False
        return True

    def initialise(self) -> None:
        """Create the root account, then demand authentication."""
        with MongoClient[dict[str, Any]](self.host, self.port, timeoutMS=10_000) as client:
            client.admin.command("createUser", self.username, pwd=self.password, roles=["root"])
        self.stop()
        self._authenticated = True
        self.start()

    def reset(self) -> None:
        """Drop every database; the root account stays."""
        with self.client(timeoutMS=60_000) as client:
            for database in client.list_database_names():
                if database not in _KEPT_DATABASES:
                    client.drop_database(database)
