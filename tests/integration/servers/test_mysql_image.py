"""The local cluster's image `mysql` starts as the official one does: by its variables, its folders, as any user."""

import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pymysql
import pytest

from tests.integration.worker.in_image import unpacked
from tests.servers import Server, ServerError

ROOT_PASSWORD, PASSWORD = "r'o\\\"ot", 'it\'s a \\ "secret" $HOME'
VARIABLES = {
    "MYSQL_ROOT_PASSWORD": ROOT_PASSWORD,
    "MYSQL_DATABASE": "auth",
    "MYSQL_USER": "video2mp3",
    "MYSQL_PASSWORD_FILE": "/docker-entrypoint-initdb.d/password",
}
_PATH = "/opt/mysql/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class MySQLImage(Server):
    """The image's files in a folder, its entry script as any user, its root read-only as in the chart."""

    name: ClassVar[str] = "mysql-image"

    def __init__(self, root: Path, arguments: Sequence[str] = ()) -> None:
        super().__init__()
        self.root = root
        self._arguments = arguments or ("mysqld", f"--port={self.port}")
        self.variables = VARIABLES

    def command(self) -> Sequence[str]:
        """Return the argv that starts it; what has to be writable is mounted anew, but for the data."""
        data, writable = f"{self.root}/var/lib/mysql", [f"{self.root}/{folder}" for folder in ("tmp", "run/mysqld")]
        mounts = [
            ["mount", "--bind", str(self.root), str(self.root)],
            ["mount", "--rbind", "/dev", f"{self.root}/dev"],
            ["mount", "--bind", data, data],
            *(["mount", "-t", "tmpfs", "-o", "mode=1777", "none", folder] for folder in writable),
            ["mount", "-o", "remount,bind,ro", str(self.root)],
        ]
        given = [f"{name}={value}" for name, value in {**self.variables, "PATH": _PATH}.items()]
        started = ["env", "-i", *given, "docker-entrypoint.sh", *self._arguments]
        # As another user it would outlive this interpreter, unless that is said again.
        user = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--pdeathsig=KILL"]
        script = [*mounts, ["exec", "chroot", str(self.root), *user, *started]]
        return ["unshare", "--mount", "sh", "-c", " && ".join(shlex.join(words) for words in script)]

    def answers(self) -> bool:
        """Whether the account that it made can log in."""
        try:
            self.connect("video2mp3", PASSWORD).close()
        except pymysql.OperationalError:
            return False
        return True

    def connect(self, user: str, password: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Log in over TCP, as auth does."""
        return pymysql.connect(
            host=self.host, port=self.port, user=user, password=password, database="auth", connect_timeout=1
        )

    def rows(self, user: str, password: str, query: str) -> list[tuple[object, ...]]:
        """What a query gives."""
        with self.connect(user, password) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with unpacked("mysql") as root:
        scripts = root / "docker-entrypoint-initdb.d"
        (scripts / "password").write_text(PASSWORD)
        (scripts / "1.sql").write_text("CREATE TABLE things (id INT PRIMARY KEY);")
        (scripts / "2.sql").write_text("INSERT INTO things VALUES (1);")
        yield root


@pytest.fixture
def image(root: Path) -> Iterator[MySQLImage]:
    """A first start, on what a first start that was cut off left in the volume."""
    data = root / "var/lib/mysql"
    shutil.rmtree(data)
    data.mkdir()
    data.chmod(0o777)
    (data / "ibdata1").write_text("half")
    with MySQLImage(root) as server:
        yield server


def test_it_is_mysql_with_the_accounts_the_database_and_the_scripts_rows(image: MySQLImage) -> None:
    [(version, comment)] = image.rows("video2mp3", PASSWORD, "SELECT VERSION(), @@version_comment")
    assert int(str(version).partition(".")[0]) >= 9
    assert "MariaDB" not in f"{version} {comment}"
    assert image.rows("video2mp3", PASSWORD, "SELECT id FROM things") == [(1,)]
    assert image.rows("root", ROOT_PASSWORD, "SHOW DATABASES LIKE 'auth'") == [("auth",)]
    with pytest.raises(pymysql.OperationalError, match="denied"):
        image.connect("root", "")
    with image.connect("video2mp3", PASSWORD) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO things VALUES (2)")
        connection.commit()
    # A pod that is moved: the data stays, and nothing is run again.
    image.stop()
    image.start()
    assert image.rows("video2mp3", PASSWORD, "SELECT id FROM things ORDER BY id") == [(1,), (2,)]
    assert image.log_file.read_text().count("running /docker-entrypoint-initdb.d/1.sql") == 1


def test_without_a_root_password_it_says_what_to_set(root: Path) -> None:
    shutil.rmtree(root / "var/lib/mysql")
    (root / "var/lib/mysql").mkdir()
    image = MySQLImage(root)
    image.variables = {}
    with pytest.raises(ServerError, match="set MYSQL_ROOT_PASSWORD"), image:
        pass


def test_its_other_programs_are_there_too(root: Path) -> None:
    for program in ("mysql", "mysqladmin"):
        with pytest.raises(ServerError, match=r"Ver 9\.\S+ for Linux"), MySQLImage(root, (program, "--version")):
            pass
