"""Servers of Debian's sid, which no stable Debian has, as trees that work wherever they are put.

Their programs want newer libraries than this machine or the base image has, so each is started by the loader and with
the libraries of its own tree, by a small script; nothing is installed.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from video2mp3_localcluster.debian.base import SOURCES_ON_STANDARD_INPUT
from video2mp3_localcluster.debian.mirrors import Mirrors, host_mirrors
from video2mp3_localcluster.steps.packages import install_packages
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

SUITE: Final = "sid"
_TOOLS: Final = ("ca-certificates", "mmdebstrap")
_EXTRACT_SECONDS: Final = 900
_NETWORK_SETTINGS: Final = ('Acquire::Retries "3";', 'Acquire::http::Timeout "30";', 'Acquire::https::Timeout "30";')


def extract(log: StepLog, what: str, packages: Sequence[str], target: Path) -> None:
    """Unpack packages of sid, and all that they depend on, into a folder. Raises StepFailed, which says what to do."""
    install_packages(log, _TOOLS)
    log.note(f"from Debian's {SUITE}")
    mirrors = host_mirrors(log)
    sources = mirrors.main_source(SUITE).encode()
    try:
        log.command(extract_command(mirrors, packages, target), stdin=sources, timeout_seconds=_EXTRACT_SECONDS)
    except StepFailed as error:
        log.say(f"{error}")
        raise StepFailed(
            f"{what} could not be fetched: {' and '.join(packages)} of Debian's {SUITE}, from where this machine's apt "
            "gets its packages. Either the network is bad, or that archive does not carry them at the moment; nothing "
            "half-made was kept, so try again"
        ) from error


def extract_command(mirrors: Mirrors, packages: Sequence[str], target: Path) -> list[str]:
    """Return the argv that unpacks packages and all they depend on; the apt sources come by standard input."""
    settings = [f"--aptopt={setting}" for setting in (*_NETWORK_SETTINGS, *mirrors.apt_settings)]
    command = ["mmdebstrap", "--mode=root", "--variant=extract", "--format=directory", *settings]
    return [*command, f"--include={','.join(packages)}", SUITE, str(target), SOURCES_ON_STANDARD_INPUT]


def copy_all(whole: Path, names: Sequence[str], folder: Path, what: str) -> None:
    """Copy files and folders to the same places below another folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            if (whole / name).is_dir():
                shutil.copytree(whole / name, folder / name)
            else:
                shutil.copy2(whole / name, folder / name)
        except FileNotFoundError as error:
            missing = error.filename
            raise StepFailed(f"Debian's {SUITE} has {what}'s files elsewhere now: {missing} is missing") from error


def add_libraries(
    log: StepLog, what: str, whole: Path, programs: Sequence[str], libraries: Path, plugins: Path | None = None
) -> None:
    """Copy the loader, and what it says the programs need; what they need of `plugins` is in the tree already."""
    found = sorted((whole / "usr" / "lib").glob("*/libc.so.6"))
    loaders = sorted((whole / "usr").glob("lib*/ld-linux*.so.*")) + sorted((whole / "usr").glob("lib/*/ld-linux*.so.*"))
    if not found or not loaders:
        raise StepFailed(f"Debian's {SUITE} has the C library elsewhere now")
    libraries.mkdir()
    shutil.copy2(loaders[0], libraries / "loader")
    searched = ":".join(str(folder) for folder in (found[0].parent, plugins) if folder)
    for program in programs:
        listing = log.output([loaders[0], "--library-path", searched, "--list", whole / program])
        for library in needed_libraries(listing, what):
            if library.parent != plugins:
                shutil.copy2(library, libraries / library.name)


def needed_libraries(listing: str, what: str) -> list[Path]:
    """Return the files that a loader's `--list` names; raise StepFailed where it found one nowhere."""
    lines = [line.strip() for line in listing.splitlines() if " => " in line]
    missing = [line for line in lines if line.endswith("not found")]
    if missing:
        raise StepFailed(f"{what}'s tree is not whole: {', '.join(missing)}")
    paths = [Path(line.partition(" => ")[2].rpartition(" (")[0]) for line in lines]
    return [path for path in paths if not path.name.startswith("ld-linux")]


def add_starter(starter: Path, text: str) -> None:
    """Write a script that starts a program."""
    starter.parent.mkdir(exist_ok=True)
    starter.write_text(text)
    starter.chmod(0o755)
