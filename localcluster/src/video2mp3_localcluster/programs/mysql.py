"""The real MySQL, from Debian's sid: no stable Debian has it. One tree serves the tests and the image `mysql`."""

import shutil
from pathlib import Path
from typing import Final

from video2mp3_localcluster.debian.sid import SUITE, add_libraries, add_starter, copy_all, extract
from video2mp3_localcluster.programs.binaries import Artefact
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.step_log import StepLog

_PACKAGES: Final = ("mysql-client-core", "mysql-server-core")
_PROGRAMS: Final = ("usr/sbin/mysqld", "usr/bin/mysql", "usr/bin/mysqladmin")
_KEPT: Final = (
    "usr/lib/mysql/plugin/component_reference_cache.so",
    "usr/share/mysql/charsets",
    "usr/share/mysql/english",
    *(f"usr/share/doc/{package}/copyright" for package in _PACKAGES),
)
"""What the programs load and read, and whose work they are; the paths are Debian's, since mysqld finds its files from
where it lies itself."""

_STARTER: Final = """\
#!/bin/sh
# {program} by the loader and the libraries beside it; call it by its path, or through PATH.
tree=${{0%/bin/*}}
exec "$tree/lib/loader" --library-path "$tree/lib" "$tree/{program}" "$@"
"""


def mysql() -> Artefact:
    """The artefact with MySQL: `bin/mysqld`, `bin/mysql`, `bin/mysqladmin`, and the server's version in `VERSION`.

    Its key has no version: sid keeps only the newest, so whatever it has when the artefact is made is taken.
    """
    return Artefact("mysql", content_key(SUITE, _STARTER, *_PACKAGES, *_PROGRAMS, *_KEPT), _fill)


def _fill(log: StepLog, folder: Path) -> None:
    whole = folder / "whole"
    extract(log, "MySQL", _PACKAGES, whole)
    copy_all(whole, (*_PROGRAMS, *_KEPT), folder, "MySQL")
    add_libraries(log, "MySQL", whole, _PROGRAMS, folder / "lib")
    for program in _PROGRAMS:
        add_starter(folder / "bin" / Path(program).name, _STARTER.format(program=program))
    shutil.rmtree(whole)
    version = log.output([folder / "bin" / "mysqld", "--no-defaults", "--version"]).partition("Ver ")[2].split()[0]
    (folder / "VERSION").write_text(f"{version}\n")
    log.note(f"MySQL {version}")
