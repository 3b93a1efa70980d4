"""Writes the table of THIRD_PARTY.md: the Python packages that the images bring, by their locks, with their licences.

python -m video2mp3_localcluster.release.third_party
"""

import re
from collections import defaultdict
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final, cast

from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.release.licences import licence
from video2mp3_localcluster.release.locks import Pin, pins
from video2mp3_localcluster.steps.layout import repository_root

PAGE: Final = "THIRD_PARTY.md"
_BLOCK: Final = re.compile(r"(<!-- begin packages -->\n).*?(<!-- end packages -->)", re.DOTALL)


def lock_of(root: Path, dockerfile: str) -> Path:
    """The lock that an image's Dockerfile installs."""
    return (root / dockerfile).with_name("requirements.txt")


def table(root: Path) -> str:
    """One row a package: its version, its licence, and the images that have it."""
    images: dict[Pin, list[str]] = defaultdict(list)
    for image in SERVICES:
        for pin in pins(lock_of(root, image.dockerfile)).values():
            images[Pin(pin.name, pin.version)].append(image.name)
    rows = [
        f"| {pin.name} | {pin.version} | {_licence(pin.name)} | {', '.join(names)} |"
        for pin, names in sorted(images.items(), key=lambda item: (item[0].name, item[0].version))
    ]
    return "\n".join(["| package | version | licence | images |", "| --- | --- | --- | --- |", *rows])


def _licence(name: str) -> str:
    try:
        found = licence(cast("Message", metadata(name)))
    except PackageNotFoundError:
        found = ""
    return found or "see the package"


def renewed(page: str, root: Path) -> str:
    """The page with the table of today. Raises ValueError where the page has no place for it."""
    text, found = _BLOCK.subn(lambda match: f"{match[1]}{table(root)}\n{match[2]}", page)
    if found != 1:
        raise ValueError(f"{PAGE} needs one place for its table")
    return text


def main() -> None:
    """Renew the page."""
    root = repository_root()
    (root / PAGE).write_text(renewed((root / PAGE).read_text(), root))


if __name__ == "__main__":
    main()
