"""FerretDB for the tests: what is kept of PostgreSQL's tree, and that a mend is never lost unnoticed."""

import stat
from pathlib import Path

import pytest

from video2mp3_localcluster.debian import sid
from video2mp3_localcluster.debian.mirrors import Mirrors
from video2mp3_localcluster.demo import prepare
from video2mp3_localcluster.images.catalogue import IMAGES
from video2mp3_localcluster.programs import ferretdb
from video2mp3_localcluster.programs.binaries import compiled_program, versions
from video2mp3_localcluster.programs.golang import GoProgram, Mend, mended
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

BIN, LIB, SHARE = (
    f"usr/{folder}" for folder in ("lib/postgresql/18/bin", "lib/postgresql/18/lib", "share/postgresql/18")
)
PLUGINS = (
    *("dict_snowball", "plpgsql", "pg_cron", "tsm_system_rows", "vector", "postgis-3"),
    *("pg_documentdb", "pg_documentdb_core", "pg_documentdb_extended_rum", "pg_documentdb_extended_rum_core"),
)
ARCHIVE = (
    *(f"{BIN}/{name}" for name in ("postgres", "initdb", "pg_dump")),
    *(f"{LIB}/{name}.so" for name in (*PLUGINS, "sepgsql")),
    *(f"{SHARE}/{name}" for name in ("postgres.bki", "extension/postgis-3.control")),
    *(
        f"usr/share/doc/{name}/copyright"
        for name in ("postgresql-18-documentdb", "postgresql-18", "postgresql-18-cron")
    ),
    *("usr/lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libpq.so.5"),
)
CHANGE = Mend("example.org/module", "errors.go", "case A:", "case B:\ncase A:")


class FakeLog(StepLog):
    """Unpacks an archive, and makes an empty database cluster where it is asked for one."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.given: list[tuple[str, bytes | None]] = []

    def command(self, arguments, *, stdin=None, **_options) -> None:
        words = [str(word) for word in arguments]
        if words[0] == "mmdebstrap":
            for name in ARCHIVE:
                (Path(words[-2]) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(words[-2]) / name).write_text(name)
            return
        program = next(word for word in words if word.startswith("/"))
        self.given.append((Path(program).name, stdin))
        if program.endswith("initdb"):
            data = Path(program.removesuffix(f"/{BIN}/initdb")) / "data"
            data.mkdir()
            (data / "postgresql.conf").write_text("port = 5432\n")
            (data / "PG_VERSION").write_text("18\n")

    def output(self, arguments, **_options) -> str:
        whole = arguments[0].parents[2]
        plugin = f"\tpg_documentdb_core.so => {whole / LIB}/pg_documentdb_core.so (0x1)\n"
        return plugin + f"\tlibpq.so.5 => {whole}/usr/lib/x86_64-linux-gnu/libpq.so.5 (0x2)\n"


def test_only_what_postgresql_needs_is_kept_and_a_cluster_with_the_extension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sid, "install_packages", lambda _log, _names: None)
    monkeypatch.setattr(sid, "host_mirrors", lambda _log: Mirrors("http://a", "http://s", (), {}))
    log = FakeLog(tmp_path / "log")
    ferretdb.documentdb().make(log)
    log.close()
    folder = ferretdb.documentdb().folder
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        *(f"{BIN}/{name}" for name in ("postgres", "postgres.program", "initdb", "initdb.program")),
        *(f"{LIB}/{name}.so" for name in PLUGINS),
        *(name for name in ARCHIVE if name.endswith(("copyright", "postgres.bki"))),
        *("lib/loader", "lib/libpq.so.5", "data/postgresql.conf", "data/PG_VERSION"),
    }
    assert log.given == [("initdb", None), ("postgres", b"CREATE EXTENSION documentdb CASCADE\n")]
    settings = (folder / "data/postgresql.conf").read_text()
    assert settings.startswith("port = 5432\n")
    assert "shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'" in settings
    assert (folder / ferretdb.POSTGRES).stat().st_mode & stat.S_IXOTH


def test_it_is_prepared_for_the_tests_and_no_part_of_the_cluster() -> None:
    names = {step.name for step in ferretdb.steps()}
    assert names <= {step.name for step in prepare.test_steps(IMAGES)}
    assert not names & {step.name for step in prepare.demo_steps()}
    assert ferretdb.ferretdb().folder.name not in versions()


def test_a_mend_changes_one_place() -> None:
    assert mended("switch {\ncase A:\n}", CHANGE) == "switch {\ncase B:\ncase A:\n}"


@pytest.mark.parametrize("text", ["", "case A:\ncase A:\n"], ids=["nowhere", "twice"])
def test_a_file_that_has_become_another_is_not_mended_blindly(text: str) -> None:
    with pytest.raises(StepFailed, match=r"errors\.go of example\.org/module is another one now"):
        mended(text, CHANGE)


def test_a_program_with_another_mend_is_another_one() -> None:
    plain, mend = (GoProgram("ferretdb", "document-database", "p", mends=mends) for mends in ((), (CHANGE,)))
    assert compiled_program(plain).key != compiled_program(mend).key
