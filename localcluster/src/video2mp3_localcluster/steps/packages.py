"""Programs from Debian: installed where that is harmless, only unpacked where a package would start a service.

etcd and containerd are unpacked into the cache: installing them would start services of their own, and Debian's
containerd would replace the one that a machine with Docker runs on.
"""

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from video2mp3_localcluster.steps.layout import cache_dir
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

POLICY = Path("/usr/sbin/policy-rc.d")
_ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    # A package's service is installed, but not started: systemctl does nothing, and without systemd the scripts think
    # that the machine is in single-user mode.
    "SYSTEMD_OFFLINE": "1",
    "RUNLEVEL": "1",
}


@contextmanager
def apt_lock() -> Iterator[None]:
    """Held around every use of apt, whose own lock on its package lists fails instead of waiting."""
    with (cache_dir() / "apt.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install_packages(log: StepLog, names: Sequence[str]) -> None:
    """Install the named Debian packages that are missing; the package lists are only fetched if that is needed."""
    with apt_lock():
        missing = [name for name in names if not _installed(log, name)]
        if not missing:
            log.note("already installed")
            return
        _update_if_unknown(log, missing)
        try:
            _install(log, missing)
        except StepFailed:
            # Old package lists name versions that the archive no longer has.
            _update(log)
            _install(log, missing)
        log.note(f"installed {', '.join(missing)}")


def unpack_packages(log: StepLog, names: Sequence[str], target: Path) -> None:
    """Download the named Debian packages and unpack them below ``target`` without installing them."""
    downloads = target / "packages"
    downloads.mkdir(parents=True)
    with apt_lock():
        _update_if_unknown(log, names)
        try:
            _download(log, names, downloads)
        except StepFailed:
            _update(log)
            _download(log, names, downloads)
    for package in sorted(downloads.glob("*.deb")):
        log.command(["dpkg-deb", "--extract", package, target])
    shutil.rmtree(downloads)


def _installed(log: StepLog, name: str) -> bool:
    # The package manager's own question fails for a package it never heard of.
    status = log.output(["sh", "-c", f"dpkg-query --show --showformat='${{db:Status-Status}}' {name} || true"])
    return status == "installed"


def _update_if_unknown(log: StepLog, names: Sequence[str]) -> None:
    known = log.output(["apt-cache", "madison", *names], env=_ENVIRONMENT)
    listed = {line.split("|")[0].strip() for line in known.splitlines()}
    if not listed.issuperset(names):
        _update(log)


def _update(log: StepLog) -> None:
    log.command(["apt-get", "update"], env=_ENVIRONMENT, timeout_seconds=600)


def _install(log: StepLog, names: Sequence[str]) -> None:
    with _services_stay_off():
        log.command(
            ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", *names],
            env=_ENVIRONMENT,
            may_be_killed=False,
        )


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Packages such as a database server would start a service; Debian's policy-rc.d says that they may not.

    A policy that the machine already has stays in force.
    """
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def _download(log: StepLog, names: Sequence[str], folder: Path) -> None:
    log.command(["apt-get", "download", *names], cwd=folder, env=_ENVIRONMENT, timeout_seconds=600)
