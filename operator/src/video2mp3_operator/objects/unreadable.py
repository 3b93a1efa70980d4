"""④ Objects that cannot be read: each is skipped, logged and counted, and never stops the others."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

import structlog

from video2mp3_contracts.ledger.documents import LedgerEntry

_log = structlog.get_logger(__name__)
_Read = TypeVar("_Read")

MALFORMED: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What reading a document raises that is not as its kind should be; pydantic's errors are ValueErrors."""


class Count(Protocol):
    """Told of each object that was skipped."""

    def __call__(self, kind: str, /) -> None:
        """One more of that kind."""


class UnreadableEntry(LedgerEntry):
    """A ledger entry that is there and cannot be read: its Conversion waits, as if the ledger were away."""

    why: str


def read_or_skip(
    kind: str, document: Mapping[str, Any], read: Callable[[Mapping[str, Any]], _Read], count: Count
) -> _Read | None:
    """What `read` makes of a document; None, and a line in the log, where it cannot be read."""
    try:
        return read(document)
    except MALFORMED as error:
        # The error's words may hold what users wrote; its kind and the object's name are enough to look for it.
        _log.warning("object_skipped", kind=kind, object=_name_of(document), error=type(error).__name__)
        count(kind)
        return None


def read_entry(document: Mapping[str, Any], count: Count) -> LedgerEntry:
    """A ledger document as an entry, an UnreadableEntry where it cannot be read."""
    entry = read_or_skip("ledger entry", document, LedgerEntry.model_validate, count)
    return entry or UnreadableEntry(uid=str(document["_id"]), why="its entry in the ledger cannot be read")


def _name_of(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    if isinstance(metadata, Mapping) and "name" in metadata:
        return f"{metadata.get('namespace', '')}/{metadata['name']}"
    return str(document.get("_id", ""))
