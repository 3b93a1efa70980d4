"""The real MySQL, from Debian's sid: no stable Debian has it. One tree serves the tests and the image `mysql`.

Its programs want newer libraries than this machine or the base image has, so each is started by the loader and with the
libraries of its own tree, by a small script in `bin`; nothing is installed, and the tree works wherever it is put.
"""

import shutil
from pathlib import Path
from typing import Final

from video2mp3_localcluster.binaries import Artefact
from video2mp3_localcluster.images.base import SOURCES_ON_STANDARD_INPUT
from video2mp3_localcluster.images.mirrors import Mirrors, host_mirrors
from video2mp3_localcluster.layout import content_key
from video2mp3_localcluster.packages import install_packages
from video2mp3_localcluster.step_log import StepFailed, StepLog

SUITE: Final = "sid"
_TOOLS: Final = ("ca-certificates", "mmdebstrap")
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

_EXTRACT_SECONDS: Final = 900
_NETWORK_SETTINGS: Final = ('Acquire::Retries "3";', 'Acquire::http::Timeout "30";', 'Acquire::https::Timeout "30";')
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
    install_packages(log, _TOOLS)
    whole = folder / "whole"
    log.note(f"from Debian's {SUITE}")
    _extract(log, host_mirrors(log), whole)
    try:
        for kept in (*_PROGRAMS, *_KEPT):
            _copy(whole / kept, folder / kept)
        _add_libraries(log, whole, folder / "lib")
    except FileNotFoundError as error:
        raise StepFailed(f"Debian's {SUITE} has MySQL's files elsewhere now: {error.filename} is missing") from error
    _add_starters(folder / "bin")
    shutil.rmtree(whole)
    version = log.output([folder / "bin" / "mysqld", "--no-defaults", "--version"]).partition("Ver ")[2].split()[0]
    (folder / "VERSION").write_text(f"{version}\n")
    log.note(f"MySQL {version}")


def extract_command(mirrors: Mirrors, target: Path) -> list[str]:
    """Return the argv that unpacks MySQL and all it depends on; the apt sources come by standard input."""
    settings = [f"--aptopt={setting}" for setting in (*_NETWORK_SETTINGS, *mirrors.apt_settings)]
    command = ["mmdebstrap", "--mode=root", "--variant=extract", "--format=directory", *settings]
    return [*command, f"--include={','.join(_PACKAGES)}", SUITE, str(target), SOURCES_ON_STANDARD_INPUT]


def _extract(log: StepLog, mirrors: Mirrors, target: Path) -> None:
    sources = mirrors.main_source(SUITE).encode()
    try:
        log.command(extract_command(mirrors, target), stdin=sources, timeout_seconds=_EXTRACT_SECONDS)
    except StepFailed as error:
        log.say(f"{error}")
        raise StepFailed(
            f"MySQL could not be fetched: {' and '.join(_PACKAGES)} of Debian's {SUITE}, from where this machine's apt "
            "gets its packages. Either the network is bad, or that archive does not carry them at the moment; nothing "
            "half-made was kept, so try again"
        ) from error


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _add_libraries(log: StepLog, whole: Path, libraries: Path) -> None:
    """Copy the loader, and what it says the programs need."""
    found = sorted((whole / "usr" / "lib").glob("*/libc.so.6"))
    loaders = sorted((whole / "usr").glob("lib*/ld-linux*.so.*")) + sorted((whole / "usr").glob("lib/*/ld-linux*.so.*"))
    if not found or not loaders:
        raise StepFailed(f"Debian's {SUITE} has the C library elsewhere now")
    libraries.mkdir()
    shutil.copy2(loaders[0], libraries / "loader")
    for program in _PROGRAMS:
        listing = log.output([loaders[0], "--library-path", found[0].parent, "--list", whole / program])
        for library in needed_libraries(listing):
            shutil.copy2(library, libraries / library.name)


def needed_libraries(listing: str) -> list[Path]:
    """Return the files that a loader's `--list` names; raise StepFailed where it found one nowhere."""
    lines = [line.strip() for line in listing.splitlines() if " => " in line]
    missing = [line for line in lines if line.endswith("not found")]
    if missing:
        raise StepFailed(f"MySQL's tree is not whole: {', '.join(missing)}")
    paths = [Path(line.partition(" => ")[2].rpartition(" (")[0]) for line in lines]
    return [path for path in paths if not path.name.startswith("ld-linux")]


def _add_starters(folder: Path) -> None:
    folder.mkdir()
    for program in _PROGRAMS:
        starter = folder / Path(program).name
        starter.write_text(_STARTER.format(program=program))
        starter.chmod(0o755)
