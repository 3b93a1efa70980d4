"""Checksums of a release's files, as `sha256sum --check` reads them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SUMS: Final = "SHA256SUMS"


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder but the list itself, hexadecimal, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    return {str(path.relative_to(folder)): digest(path) for path in files}


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sums(files: Mapping[str, str]) -> str:
    """The list, by name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
