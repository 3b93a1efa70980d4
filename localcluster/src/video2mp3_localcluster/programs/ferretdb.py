"""A second engine for the tests that speaks MongoDB's protocol: FerretDB, on PostgreSQL with the extension DocumentDB.

No registry carries MongoDB's own server, so the tests run on a stand-in; what holds on two engines of different makers
does not depend on one of them. FerretDB is compiled here; PostgreSQL and DocumentDB are Debian's sid's.
"""

import platform
import shutil
from pathlib import Path
from typing import Final

from video2mp3_localcluster.debian.sid import SUITE, add_libraries, add_starter, copy_all, extract
from video2mp3_localcluster.programs.binaries import Artefact, compiled_program
from video2mp3_localcluster.programs.golang import GoProgram, Mend
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.step_log import StepLog
from video2mp3_localcluster.steps.steps import Step

_CODES: Final = "\tcase pgerrcode.QueryCanceled:\n"
_DUPLICATE_KEYS: Final = Mend(
    "github.com/FerretDB/FerretDB/v2",
    "internal/mongoerrors/mongoerrors.go",
    _CODES,
    f"\tcase pgerrcode.UniqueViolation:\n\t\tcode = ErrDuplicateKey\n\n{_CODES}",
)
"""Of several who upsert an entry by findAndModify at the same moment, all but one meet the `_id` of the first. MongoDB
tells them so by code 11000, and so does FerretDB for inserts; here it passes PostgreSQL's answer on as an internal
error, which tells a client nothing that it could act on."""

_PACKAGE: Final = "postgresql-18-documentdb"
_BIN: Final = "usr/lib/postgresql/18/bin"
_LIB: Final = "usr/lib/postgresql/18/lib"
_SHARE: Final = "usr/share/postgresql/18"
_PROGRAMS: Final = (f"{_BIN}/postgres", f"{_BIN}/initdb")
_PLUGINS: Final = (
    *("dict_snowball", "plpgsql", "pg_cron", "tsm_system_rows", "vector", "postgis-3"),
    *("pg_documentdb", "pg_documentdb_core", "pg_documentdb_extended_rum", "pg_documentdb_extended_rum_core"),
)
"""DocumentDB, and what it needs."""
_MODULES: Final = tuple(f"{_LIB}/{plugin}.so" for plugin in _PLUGINS)
_LICENCES: Final = tuple(
    f"usr/share/doc/{package}/copyright" for package in (_PACKAGE, "postgresql-18", "postgresql-18-cron")
)

_STARTER: Final = """\
#!/bin/sh
# By the loader and the libraries of this tree. initdb finds postgres, and both find their files, from where they think
# to lie themselves: beside this script.
tree=${0%/usr/*}
libraries=$tree/lib:$tree/usr/lib/postgresql/18/lib
exec "$tree/lib/loader" --library-path "$libraries" --argv0 "$0" "$0.program" "$@"
"""
_SETTINGS: Final = """
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
documentdb.enableUserCrud = on
documentdb.enableUsernamePasswordConstraints = off
# Below /dev/shm it would outlive a kill.
dynamic_shared_memory_type = mmap
"""
_EXTENSION: Final = b"CREATE EXTENSION documentdb CASCADE\n"

ANOTHER_USER: Final = ("unshare", "--user", "--map-user=daemon", "--map-group=daemon", "--ipc")
"""PostgreSQL refuses to run as root. To itself it is another user in this namespace, while its files stay those of the
user who runs it, and no shared memory outlives it."""


def ferretdb() -> Artefact:
    """The artefact with the program `ferretdb`."""
    package = "github.com/FerretDB/FerretDB/v2/cmd/ferretdb"
    return compiled_program(GoProgram("ferretdb", "document-database", package, mends=(_DUPLICATE_KEYS,)))


def documentdb() -> Artefact:
    """The artefact with PostgreSQL, and in `data` a database cluster that has the extension, to be copied.

    `POSTGRES` in it starts the server. As MySQL's its key has no version.
    """
    parts: tuple[str | bytes, ...] = (
        SUITE,
        _PACKAGE,
        *_PROGRAMS,
        *_MODULES,
        *_LICENCES,
        _STARTER,
        _SETTINGS,
        _EXTENSION,
        *ANOTHER_USER,
    )
    return Artefact("documentdb", content_key(platform.machine(), *parts), _fill)


POSTGRES: Final = _PROGRAMS[0]


def steps() -> list[Step]:
    """Making both, beside whatever else is made."""
    return [
        Step("PostgreSQL with DocumentDB", documentdb().make),
        Step("FerretDB", ferretdb().make, needs=("helm",)),
    ]


def _fill(log: StepLog, folder: Path) -> None:
    whole, what = folder / "whole", "DocumentDB"
    extract(log, what, [_PACKAGE], whole)
    copy_all(whole, (*_PROGRAMS, *_MODULES, *_LICENCES, _SHARE), folder, what)
    add_libraries(log, what, whole, (*_PROGRAMS, *_MODULES), folder / "lib", plugins=whole / _LIB)
    shutil.rmtree(whole)
    for program in _PROGRAMS:
        (folder / program).rename(folder / f"{program}.program")
        add_starter(folder / program, _STARTER)
    # A link that Debian's package makes when it is installed.
    shutil.copy2(folder / _SHARE / "extension/postgis-3.control", folder / _SHARE / "extension/postgis.control")
    _add_data(log, folder)
    shutil.rmtree(folder / _SHARE / "extension")


def _add_data(log: StepLog, folder: Path) -> None:
    data = folder / "data"
    options = ["--username=postgres", "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"]
    log.command([*ANOTHER_USER, folder / _BIN / "initdb", f"--pgdata={data}", "--wal-segsize=1", *options])
    with (data / "postgresql.conf").open("a") as file:
        file.write(_SETTINGS)
    log.command([*ANOTHER_USER, folder / POSTGRES, "--single", "-D", data, "postgres"], stdin=_EXTENSION)
    version = (data / "PG_VERSION").read_text().strip()
    log.note(f"PostgreSQL {version}")
