"""MongoDB's protocol, spoken by others: no registry carries MongoDB's own server.

SecantusDB is the usual stand-in. FerretDB, on PostgreSQL, is of another make: what holds on both depends on neither.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers.process import Server, ServerError, await_condition, make
from video2mp3_localcluster.programs.ferretdb import ANOTHER_USER, POSTGRES, documentdb, ferretdb
from video2mp3_operator.adapters.mongodb_users import grant
from video2mp3_operator.installation.users import RIGHTS, users_of

_KEPT_DATABASES = frozenset({"admin", "config", "local"})
_SQL_SECONDS = 60


class MongoDBServer(Server):
    """A standalone server that demands SCRAM, as the chart's MongoDB does."""

    def __init__(self) -> None:
        super().__init__()
        self.username = "root"
        self.password = secrets.token_urlsafe(12)

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

    @abstractmethod
    def add_services(self) -> None:
        """Give each service an account of its own, which may do what the chart lets it where the engine can say so."""

    def answers(self) -> bool:
        """Ask for a ping as root."""
        return _pings(self.uri)

    def reset(self) -> None:
        """Drop every database; the accounts stay."""
        with self.client(timeoutMS=60_000) as client:
            for database in client.list_database_names():
                if database not in _KEPT_DATABASES:
                    client.drop_database(database)


class SecantusDBServer(MongoDBServer):
    """The stand-in of the local cluster as well."""

    name: ClassVar[str] = "secantusdb"

    def __init__(self) -> None:
        super().__init__()
        self._authenticated = False

    def command(self) -> Sequence[str]:
        """Return the argv; before the root account exists, without authentication."""
        command = [sys.executable, "-m", "secantus", "--host", self.host, "--port", str(self.port), "--standalone"]
        # Without the sync, a killed SecantusDB forgets what it had acknowledged in the moments before.
        command += ["--storage-path", str(self.directory / "data"), "--log-level", "WARNING", "--sync-on-commit"]
        command += ["--cache-size", "256M"]
        return [*command, "--auth"] if self._authenticated else command

    def answers(self) -> bool:
        """Ask for a ping, as root where accounts exist."""
        return _pings(self.uri if self._authenticated else f"mongodb://{self.host}:{self.port}/")

    def initialise(self) -> None:
        """Create the root account, then demand authentication."""
        with MongoClient[dict[str, Any]](self.host, self.port, timeoutMS=10_000) as client:
            client.admin.command("createUser", self.username, pwd=self.password, roles=["root"])
        self.stop()
        self._authenticated = True
        self.start()

    def add_services(self) -> None:
        """As the chart does, by the operator's own command."""
        grant(self.uri, users_of({service: self.uri_of(service) for service in RIGHTS}))


class PostgreSQLServer(Server):
    """PostgreSQL with DocumentDB, at a socket in its folder; FerretDB's store."""

    name: ClassVar[str] = "postgresql"

    @property
    def url(self) -> str:
        """The address of its one database, for the superuser."""
        return f"postgres://postgres@/postgres?host={quote(str(self.directory), safe='')}"

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def prepare(self) -> None:
        """Copy a database cluster that has the extension: making one takes thirty times as long."""
        make(documentdb(), "documentdb")
        shutil.copytree(documentdb().folder / "data", self._data)
        self._data.chmod(0o700)

    def command(self) -> Sequence[str]:
        """Return the argv."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "unix_socket_permissions": "0700",
            "cron.host": str(self.directory),
            "documentdb.localhost_connection_string": f"host={self.directory}",
            # Indexes are built at once where FerretDB is asked for them, and no test waits for what expires.
            "cron.launch_active_jobs": "off",
            # What the kernel has been given outlives a killed process; only a machine that loses its power forgets it.
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*self._program(), "-D", str(self._data), *options]

    @staticmethod
    def _program() -> list[str]:
        return [*ANOTHER_USER, str(documentdb().folder / POSTGRES)]

    def run_sql(self, statements: Sequence[str]) -> None:
        """Run statements while the server does not run."""
        done = subprocess.run(
            [*self._program(), "--single", "-D", str(self._data), "postgres"],
            input="".join(f"{statement}\n" for statement in statements).encode(),
            capture_output=True,
            timeout=_SQL_SECONDS,
            check=False,
        )
        if done.returncode != 0 or b"ERROR" in done.stderr:
            raise ServerError(f"PostgreSQL refused: {done.stderr.decode(errors='replace')}")

    def answers(self) -> bool:
        """Whether it has said that it is ready, since its last start."""
        return (self.directory / ".s.PGSQL.5432").exists() and "ready" in self._state()

    def _state(self) -> str:
        file = self._data / "postmaster.pid"
        return file.read_text().splitlines()[-1] if file.exists() and file.stat().st_size else ""

    def start(self) -> None:
        """Start it; what its files say of an earlier process is over, whoever has that number now."""
        for name in (self._data / "postmaster.pid", self.directory / ".s.PGSQL.5432.lock"):
            name.unlink(missing_ok=True)
        super().start()

    def processes(self) -> list[int]:
        """The server's own process, and those that it has for connections and in the background."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def kill(self) -> None:
        """End it with its other processes, which are in groups of their own."""
        others: list[int] = []
        if self.running:
            # Else it would start new ones meanwhile.
            self.pause()
            _, *others = self.processes()
            for process in others:
                os.kill(process, signal.SIGKILL)
        super().kill()
        await_condition(
            lambda: not any(map(_runs, others)),
            seconds=self.stop_seconds,
            what="PostgreSQL's processes did not end",
        )


def _runs(process: int) -> bool:
    """Whether it has not ended; one that nobody has taken off the table yet has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class FerretDBServer(MongoDBServer):
    """FerretDB; its PostgreSQL runs on while it is stopped or paused, and is killed with it."""

    name: ClassVar[str] = "ferretdb"
    _ROLES: ClassVar = [{"role": role, "db": "admin"} for role in ("readWriteAnyDatabase", "clusterAdmin")]
    """The only ones that write."""

    def __init__(self) -> None:
        super().__init__()
        self._store = PostgreSQLServer()

    def prepare(self) -> None:
        """Start the store, with a root account in it."""
        make(ferretdb(), "ferretdb")
        self._store.__enter__()
        self._store.stop()
        self._store.run_sql([f"CREATE ROLE {self.username} SUPERUSER LOGIN PASSWORD '{self.password}'"])

    def cleanup(self) -> None:
        """End the store."""
        self._store.__exit__()

    def command(self) -> Sequence[str]:
        """Return the argv."""
        program = str(ferretdb().folder / "ferretdb")
        options = [f"--postgresql-url={self._store.url}", f"--listen-addr={self.host}:{self.port}", "--debug-addr=-"]
        return [program, *options, f"--state-dir={self.directory}", "--telemetry=disable", "--log-level=WARN"]

    def environment(self) -> Mapping[str, str]:
        """Nothing of it goes out, by every way that it knows."""
        return {"DO_NOT_TRACK": "1"}

    def start(self) -> None:
        """Start both."""
        self._store.restore()
        super().start()

    def kill(self) -> None:
        """End both as a power cut would."""
        super().kill()
        self._store.kill()

    def add_services(self) -> None:
        """Give each service an account; FerretDB has no roles but coarse ones."""
        with self.client(timeoutMS=10_000) as client:
            for service in RIGHTS:
                client.admin.command("createUser", service, pwd=self.password, roles=self._ROLES)


def _pings(uri: str) -> bool:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=200, timeoutMS=1000) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
    return True
