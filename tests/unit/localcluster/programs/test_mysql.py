"""MySQL from Debian's sid: what is asked for, what is kept, and what is said when it cannot be had."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from video2mp3_localcluster.debian import sid
from video2mp3_localcluster.debian.mirrors import Mirrors
from video2mp3_localcluster.demo import prepare
from video2mp3_localcluster.images.catalogue import IMAGES
from video2mp3_localcluster.programs import mysql
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

MIRRORS = Mirrors("http://archive/debian", "http://archive/debian-security", ('Acquire::Check-Date "false";',), {})
LISTING = """\
\tlinux-vdso.so.1 (0x00007f6886eb0000)
\tlibssl.so.3 => /whole/usr/lib/libssl.so.3 (0x00007f6881ee3000)
\t/lib64/ld-linux-x86-64.so.2 => /whole/usr/lib64/ld-linux-x86-64.so.2 (0x00007f6886eb2000)
\tlibc.so.6 => /whole/usr/lib/libc.so.6 (0x00007f688082b000)
"""


class FakeLog(StepLog):
    """Runs nothing; unpacks what an archive would have, if there is one."""

    def __init__(self, path: Path, *, has: Sequence[str] | None) -> None:
        super().__init__(path)
        self._has = has
        self.given = b""

    def command(self, arguments, *, stdin=None, **_options) -> None:
        if self._has is None:
            raise StepFailed("`mmdebstrap` failed with exit code 25")
        self.given = stdin
        root = Path(arguments[-2])
        for name in self._has:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)

    def output(self, arguments, **_options) -> str:
        if "--list" in arguments:
            root = arguments[0].parents[2]
            return LISTING.replace("/whole", str(root))
        return "/x/usr/sbin/mysqld  Ver 9.9.1-1 for Linux on x86_64 ((Debian))"


LIBRARIES = (
    "usr/lib64/ld-linux-x86-64.so.2",
    "usr/lib/x86_64-linux-gnu/libc.so.6",
    "usr/lib/libc.so.6",
    "usr/lib/libssl.so.3",
)
PROGRAMS = ("usr/sbin/mysqld", "usr/bin/mysql", "usr/bin/mysqladmin", "usr/bin/perl")
SHARED = (
    "usr/lib/mysql/plugin/component_reference_cache.so",
    "usr/share/mysql/charsets/Index.xml",
    "usr/share/mysql/english/errmsg.sys",
    "usr/share/mysql/german/errmsg.sys",
    "usr/share/doc/mysql-client-core/copyright",
    "usr/share/doc/mysql-server-core/copyright",
)


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sid, "install_packages", lambda _log, _names: None)
    monkeypatch.setattr(sid, "host_mirrors", lambda _log: MIRRORS)


def test_only_what_the_programs_need_is_kept(tmp_path: Path) -> None:
    log = FakeLog(tmp_path / "log", has=(*LIBRARIES, *PROGRAMS, *SHARED))
    mysql.mysql().make(log)
    folder = mysql.mysql().folder
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert kept == {
        "VERSION",
        *("bin/mysqld", "bin/mysql", "bin/mysqladmin"),
        *("lib/loader", "lib/libc.so.6", "lib/libssl.so.3"),
        *PROGRAMS[:3],
        *(name for name in SHARED if "german" not in name),
    }
    assert (folder / "VERSION").read_text() == "9.9.1-1\n"
    assert log.remark == "MySQL 9.9.1-1"
    assert (
        log.given == b"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://archive/debian sid main\n"
    )
    starter = folder / "bin/mysqld"
    assert starter.stat().st_mode & stat.S_IXOTH
    assert 'exec "$tree/lib/loader" --library-path "$tree/lib" "$tree/usr/sbin/mysqld" "$@"' in starter.read_text()
    log.close()


@pytest.mark.parametrize(
    ("has", "said"),
    [
        (None, r"could not be fetched.*mysql-server-core of Debian's sid.*network is bad"),
        ((*LIBRARIES, *PROGRAMS[1:], *SHARED), r"elsewhere now: .*usr/sbin/mysqld is missing"),
        ((*PROGRAMS, *SHARED), "C library elsewhere"),
    ],
    ids=["no network", "no server", "no loader"],
)
def test_what_cannot_be_had_is_said_and_nothing_is_kept(tmp_path: Path, has: Sequence[str] | None, said: str) -> None:
    log = FakeLog(tmp_path / "log", has=has)
    with pytest.raises(StepFailed, match=said):
        mysql.mysql().make(log)
    assert not mysql.mysql().folder.exists()
    log.close()


def test_the_machines_settings_of_apt_hold_and_every_wait_has_a_limit() -> None:
    command = sid.extract_command(MIRRORS, ["mysql-client-core", "mysql-server-core"], Path("/target"))
    assert '--aptopt=Acquire::Check-Date "false";' in command
    assert '--aptopt=Acquire::http::Timeout "30";' in command
    assert command[-4:] == ["--include=mysql-client-core,mysql-server-core", "sid", "/target", "-"]


def test_a_library_that_is_nowhere_is_told() -> None:
    with pytest.raises(StepFailed, match=r"libicuuc\.so\.78 => not found"):
        sid.needed_libraries(LISTING + "\tlibicuuc.so.78 => not found\n", "MySQL")


def test_image_and_tests_share_one_tree() -> None:
    [image] = [image for image in IMAGES if image.tree is not None]
    assert (image.name, image.tree.key) == ("mysql", mysql.mysql().key)
    assert "MySQL" in {step.name for step in prepare.test_steps(IMAGES)}
