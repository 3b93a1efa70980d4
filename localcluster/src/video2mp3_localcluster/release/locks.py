"""Reads the locks of dependencies: requirements files with hashes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One locked package: its name as indexes normalise it, and every file of this version that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    """SHA-256, hexadecimal."""


def normalised(name: str) -> str:
    """A Python package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, Pin]:
    """All packages of a lock by their normalised names."""
    return {pin.name: pin for pin in _pins(lock.read_text())}


def _pins(text: str) -> Iterator[Pin]:
    found = list(_PIN.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=True):
        yield Pin(normalised(match[1]), match[2], tuple(_HASH.findall(text[match.end() : end])))
