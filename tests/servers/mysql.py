"""MySQL, and MariaDB beside it, with the schema of `init.sql`."""

import getpass
import secrets
import socket
import subprocess
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pymysql
from pymysql.cursors import Cursor

from tests.servers.process import REPOSITORY, Server, ServerError, make, program
from video2mp3_localcluster.programs.mysql import mysql

INIT_SQL = REPOSITORY / "init.sql"
_PREPARE_SECONDS = 120


class DatabaseServer(Server):
    """A server with one database and one account that owns it, as the official MySQL image makes them."""

    def __init__(self, database: str = "auth", init_sql: Path = INIT_SQL) -> None:
        super().__init__()
        self.database = database
        self.username = "auth"
        self.password = secrets.token_urlsafe(12)
        self._init_sql = init_sql

    @abstractmethod
    def program(self) -> str:
        """Return the server's program."""

    @abstractmethod
    def client(self) -> str:
        """Return the command line that people use with it."""

    def options(self) -> Sequence[str]:
        """Return what only this server understands."""
        return []

    @property
    def url(self) -> str:
        """The SQLAlchemy address of the database."""
        return f"mysql+pymysql://{self.username}:{quote(self.password)}@{self.host}:{self.port}/{self.database}"

    @property
    def _socket(self) -> str:
        return str(self.directory / "socket")

    def command(self) -> Sequence[str]:
        """Return the argv; small buffers start faster."""
        options = {
            "user": getpass.getuser(),
            "datadir": str(self.directory / "data"),
            "socket": self._socket,
            "pid-file": str(self.directory / "pid"),
            "bind-address": self.host,
            "port": str(self.port),
            "innodb-buffer-pool-size": "32M",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return [self.program(), "--no-defaults", "--skip-name-resolve", *arguments, *self.options()]

    def answers(self) -> bool:
        """Log in over the socket, which the server opens when it is ready."""
        # PyMySQL leaks its socket object when nobody listens, so that is asked beforehand.
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(self._socket) != 0:
                return False
        self._root_connection().close()
        return True

    def initialise(self) -> None:
        """Create the account and the database with its schema."""
        with self._root_connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE USER '{self.username}'@'%%' IDENTIFIED BY %s", (self.password,))
            cursor.execute(f"GRANT ALL ON `{self.database}`.* TO '{self.username}'@'%'")
        self._create_database()

    def reset(self) -> None:
        """Make the database new, as `init.sql` leaves it."""
        with self._root_connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE `{self.database}`")
        self._create_database()

    def lock_waits(self) -> int:
        """How many transactions wait for a row that another holds."""
        with self._root_connection() as connection, connection.cursor() as cursor:
            # A counter: information_schema.innodb_trx stays as it is while it is asked more often than each 0.1 s.
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
            return int(cursor.fetchall()[0][1])

    @contextmanager
    def reading_only(self) -> Iterator[None]:
        """Refuse writes, as a replica does during a failover."""
        with self._root_connection() as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL read_only = 1")
            try:
                yield
            finally:
                cursor.execute("SET GLOBAL read_only = 0")

    def _create_database(self) -> None:
        with self._root_connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{self.database}`")
        client = [self.client(), "--no-defaults", f"--socket={self._socket}", "--user=root"]
        self._run([*client, f"--database={self.database}"], self._init_sql.read_bytes())

    def _root_connection(self) -> "pymysql.Connection[Cursor]":
        connection: pymysql.Connection[Any] = pymysql.connect(unix_socket=self._socket, user="root", autocommit=True)
        return connection

    def _run(self, command: Sequence[str], standard_input: bytes) -> None:
        done = subprocess.run(command, input=standard_input, capture_output=True, timeout=_PREPARE_SECONDS, check=False)
        if done.returncode != 0:
            raise ServerError(f"{command[0]} failed: {done.stderr.decode(errors='replace')}")


class MySQLServer(DatabaseServer):
    """The real one, of the same files as the local cluster's image; the first run on a machine fetches them."""

    name: ClassVar[str] = "mysql"
    _SMALL: ClassVar[Sequence[str]] = ("--secure-file-priv=NULL", "--innodb-redo-log-capacity=8M")

    def prepare(self) -> None:
        """Make an empty data folder."""
        make(mysql(), "mysql")
        command = [self.program(), "--no-defaults", "--initialize-insecure", f"--user={getpass.getuser()}"]
        self._run([*command, f"--datadir={self.directory / 'data'}", *self._SMALL], b"")

    def program(self) -> str:
        """Return the server's program."""
        return str(mysql().folder / "bin" / "mysqld")

    def client(self) -> str:
        """Return the command line that people use with it."""
        return str(mysql().folder / "bin" / "mysql")

    def options(self) -> Sequence[str]:
        """Return what makes it small, and lets two of them run."""
        return [*self._SMALL, "--mysqlx=OFF", "--skip-log-bin", "--performance-schema=OFF"]


class MariaDBServer(DatabaseServer):
    """Debian's, which speaks the same protocol and is allowed in the place of MySQL."""

    name: ClassVar[str] = "mariadb"

    def prepare(self) -> None:
        """Make an empty data folder."""
        command = [program("mariadb-install-db", "mariadb-server"), "--no-defaults", f"--user={getpass.getuser()}"]
        command += [f"--datadir={self.directory / 'data'}", "--auth-root-authentication-method=normal"]
        command += ["--skip-test-db", "--skip-name-resolve"]
        self._run(command, b"")

    def program(self) -> str:
        """Return the server's program."""
        return program("mariadbd", "mariadb-server")

    def client(self) -> str:
        """Return the command line that people use with it."""
        return program("mariadb", "mariadb-client")
