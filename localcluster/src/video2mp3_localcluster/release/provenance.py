"""Where a release's files come from: an in-toto statement with SLSA's predicate.

It is not signed; docs/releasing.md says how to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:video2mp3:make-release:v1"
"""`externalParameters` are those of `make release`; docs/releasing.md describes them."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """What the files were made from, and by whom."""

    commit: str
    source: str
    """The repository's address; empty where nobody has said it."""
    locks: Mapping[str, str]
    """SHA-256 by file, hexadecimal: what pip was allowed to install."""
    builder: str
    """The machine's identity as a URI, as whoever runs it vouches for."""


@dataclass(frozen=True)
class Run:
    """One run of `make release`."""

    parameters: Mapping[str, Any]
    started: datetime
    finished: datetime


def build_provenance(files: Mapping[str, str], origin: Origin, run: Run) -> Document:
    """The statement over files, SHA-256 by name, hexadecimal."""
    source: Document = {"name": "source", "digest": {"gitCommit": origin.commit}}
    if origin.source:
        source["uri"] = f"git+{origin.source}"
    locks = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(origin.locks.items())]
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": dict(run.parameters),
                "internalParameters": {},
                "resolvedDependencies": [source, *locks],
            },
            "runDetails": {
                "builder": {"id": origin.builder},
                "metadata": {"startedOn": _time(run.started), "finishedOn": _time(run.finished)},
            },
        },
    }


def _time(when: datetime) -> str:
    return when.replace(microsecond=0).isoformat().replace("+00:00", "Z")
