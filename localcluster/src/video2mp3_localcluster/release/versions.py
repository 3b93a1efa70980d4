"""The product's version: what it may look like, and the files that name it.

The chart's `appVersion` is the one that counts; the others follow it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

CHART: Final = "charts/video2mp3/Chart.yaml"
DISTRIBUTIONS: Final = (
    *("contracts", "gateway", "auth", "operator", "worker-image", "notifier", "localcluster"),
    "localcluster/images/mailsink",
)
PAGES: Final = ("docs/operations.md",)
"""Pages that name images by their tag."""

_FORM: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(alpha|beta|rc)\.([1-9]\d*))?")
_FINAL: Final = "~"
"""Sorts after the names of the versions before it."""


class VersionError(Exception):
    """A version cannot be that of the next release; the text is for the person who makes it."""


def order(version: str) -> tuple[int, int, int, str, int]:
    """What versions are compared by. Raises VersionError for one of another form.

    Python's packages and Helm's charts read the same: three numbers, and `-alpha.1`, `-beta.1` or `-rc.1` before one.
    """
    found = _FORM.fullmatch(version)
    if not found:
        raise VersionError(f"{version!r} is no version: 1.2.3, or 1.2.3-rc.1 before it")
    return int(found[1]), int(found[2]), int(found[3]), found[4] or _FINAL, int(found[5] or 0)


def check_follows(version: str, released: list[str]) -> None:
    """Raise VersionError where a version is not newer than every released one."""
    newest = max(released, key=order, default=None)
    if newest is not None and order(version) <= order(newest):
        raise VersionError(f"{version} does not follow {newest}, which is released")


def current(root: Path) -> str:
    """The version of a checkout."""
    return str(yaml.safe_load((root / CHART).read_text())["appVersion"])


def with_version(root: Path, version: str) -> Mapping[Path, str]:
    """The files that name the version, as they are with another one."""
    chart = root / CHART
    changed = {chart: re.sub(r"^((?:app)?[vV]ersion): .*$", rf"\1: {version}", chart.read_text(), flags=re.MULTILINE)}
    for folder in DISTRIBUTIONS:
        project = root / folder / "pyproject.toml"
        changed[project] = re.sub(
            r'^version = ".*"$', f'version = "{version}"', project.read_text(), count=1, flags=re.MULTILINE
        )
    for name in PAGES:
        page = root / name
        changed[page] = page.read_text().replace(f":{current(root)}", f":{version}")
    return changed
