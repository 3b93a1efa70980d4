"""The base image: a minimal Debian, made by mmdebstrap, on which Dockerfiles for `debian:trixie-slim` build."""

from pathlib import Path

from video2mp3_localcluster.debian.buildah import Buildah
from video2mp3_localcluster.debian.mirrors import Mirrors
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.steps import StepLog

SUITE = "trixie"
SOURCES_ON_STANDARD_INPUT = "-"

_DPKG_OPTIONS = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
    # A build that is cut off is built anew; nothing is gained by syncing each file.
    "force-unsafe-io",
)
# Written after the bootstrap, which needs the downloaded packages itself.
_APT_CONFIGURATION = """\
Acquire::Languages "none";
APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
_HOOKS = (
    f"printf '%s' '{_APT_CONFIGURATION}' >\"$1/etc/apt/apt.conf.d/90image\"",
    # Packages may not start services while an image is built (101: forbidden by policy).
    r"""printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d" """,
    # What the tool took from this machine does not belong to an image.
    'rm -f "$1/etc/resolv.conf" "$1/etc/hostname" && : >"$1/etc/apt/sources.list"',
    'rm -rf "$1"/var/cache/debconf/*-old "$1"/var/log/* "$1"/var/lib/dpkg/*-old "$1"/var/cache/apt/*.bin',
)
_DOCKERFILE = 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n'


def base_command(target: Path, foreign: str = "") -> list[str]:
    """Return the argv that writes the base's files as a tar archive; the apt sources come by standard input.

    `foreign` is another processor than this machine's; its programs run by an emulator that the kernel knows.
    """
    command = ["mmdebstrap", "--mode=root", "--variant=apt"]
    command += [f"--architectures={foreign}", "--skip=check/qemu"] if foreign else []
    command += [f"--dpkgopt={option}" for option in _DPKG_OPTIONS]
    command += [f"--customize-hook={hook}" for hook in _HOOKS]
    return [*command, SUITE, str(target), SOURCES_ON_STANDARD_INPUT]


def base_key() -> str:
    """Return the key of the base image: all that it is made by, except for the day's package versions."""
    return content_key(_DOCKERFILE, *base_command(Path("base.tar")))


def base_reference() -> str:
    """Return the base image's name in buildah's store."""
    return f"localhost/video2mp3/base:{base_key()}"


def build_base(log: StepLog, buildah: Buildah, mirrors: Mirrors) -> None:
    """Make the base image, unless it is there."""
    if buildah.exists(log, base_reference()):
        log.note("cached")
        return
    with buildah.scratch() as folder:
        log.command(base_command(folder / "base.tar", buildah.foreign), stdin=mirrors.sources(SUITE).encode())
        (folder / "Dockerfile").write_text(_DOCKERFILE)
        buildah.build(log, base_reference(), folder / "Dockerfile", folder, {})
