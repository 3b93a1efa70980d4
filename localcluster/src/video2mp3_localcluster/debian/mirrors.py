"""How this machine reaches the package registries, as files for a build to mount.

Machines behind a mirror or a proxy have their own apt sources, pip settings and certificates. A build gets them by a
mounted folder and two build arguments that name files in it, so none of it becomes part of an image.
"""

import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from video2mp3_localcluster.steps.packages import apt_lock
from video2mp3_localcluster.steps.steps import StepFailed, StepLog

MOUNT_POINT = "/mnt"
"""Exists, empty, in every Debian image: mounting on it leaves no trace."""

BUILD_ARGUMENTS = {"APT_CONFIG": f"{MOUNT_POINT}/apt.conf", "PIP_CONFIG_FILE": f"{MOUNT_POINT}/pip.conf"}

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
_APT_SETTINGS = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-", "Acquire::Retries")


@dataclass(frozen=True)
class Mirrors:
    """The addresses of Debian's archives, and the settings of apt and pip."""

    archive: str
    security: str
    apt_settings: tuple[str, ...]
    pip_settings: Mapping[str, str]

    def main_source(self, suite: str) -> str:
        """Return the apt source of a suite alone, in the one-line format."""
        return f"deb [signed-by={_KEYRING}] {self.archive} {suite} main\n"

    def sources(self, suite: str) -> str:
        """Return the apt sources of a suite with its updates, in the one-line format; and where its source code is."""
        lines = [
            f"deb [signed-by={_KEYRING}] {self.archive} {suite}-updates main",
            f"deb [signed-by={_KEYRING}] {self.security} {suite}-security main",
            f"deb-src [signed-by={_KEYRING}] {self.archive} {suite} main",
        ]
        return self.main_source(suite) + "".join(f"{line}\n" for line in lines)


def host_mirrors(log: StepLog) -> Mirrors:
    """Ask apt and pip on this machine what they are configured to use."""
    targets = _index_targets(log)
    if not targets:
        # apt only tells about sources whose package lists it has.
        with apt_lock():
            log.command(["apt-get", "update"])
        targets = _index_targets(log)
    archive, security = archive_addresses(targets, host_suite())
    apt = log.output(["apt-config", "dump"]).splitlines()
    pip = log.output([sys.executable, "-m", "pip", "config", "list"])
    return Mirrors(
        archive,
        security,
        tuple(line for line in apt if line.startswith(_APT_SETTINGS)),
        pip_settings(pip),
    )


def _index_targets(log: StepLog) -> str:
    return log.output(["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"])


def host_suite() -> str:
    """Return the code name of this machine's Debian."""
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    raise StepFailed("this system has no code name in /etc/os-release; images are built on Debian only")


def archive_addresses(targets: str, suite: str) -> tuple[str, str]:
    """Find the main and the security archive among apt's index targets, lines of `RELEASE ADDRESS`."""
    addresses = dict(line.split(" ", 1) for line in targets.splitlines() if " " in line)
    missing = [release for release in (suite, f"{suite}-security") if release not in addresses]
    if missing:
        raise StepFailed(f"apt's sources do not name {' and '.join(missing)}; images are built from Debian's packages")
    return addresses[suite], addresses[f"{suite}-security"]


def pip_settings(listing: str) -> dict[str, str]:
    """Pick what a build needs from `pip config list`, lines of `section.key='value'`; later lines win, as for pip."""
    settings = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key in _PIP_SETTINGS:
            settings[key] = value.strip("'\"")
    return settings


def write_mount(mirrors: Mirrors, suite: str, folder: Path) -> None:
    """Write the folder that builds mount on `MOUNT_POINT`."""
    folder.mkdir(parents=True, exist_ok=True)
    authorities = ssl.get_default_verify_paths().cafile
    apt = [
        *mirrors.apt_settings,
        f'Dir::Etc::SourceList "{MOUNT_POINT}/sources.list";',
        'Dir::Etc::SourceParts "-";',
        # The lists of source packages are large; who wants one switches them on.
        'Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";',
    ]
    pip = dict(mirrors.pip_settings)
    if authorities:
        _write(folder / "ca.crt", Path(authorities).read_text())
        apt.append(f'Acquire::https::CAInfo "{MOUNT_POINT}/ca.crt";')
        pip["cert"] = f"{MOUNT_POINT}/ca.crt"
    _write(folder / "sources.list", mirrors.sources(suite))
    _write(folder / "apt.conf", "".join(f"{line}\n" for line in apt))
    _write(folder / "pip.conf", "".join(["[global]\n", *(f"{key} = {value}\n" for key, value in pip.items())]))


def _write(file: Path, content: str) -> None:
    """Replace a file at once, since another build may be reading it."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    # The address of a mirror may carry a password; apt reads its files as a user of its own.
    new.touch(mode=0o600 if file.name == "pip.conf" else 0o644)
    new.write_text(content)
    new.replace(file)
