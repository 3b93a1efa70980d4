"""④ Conversions as the cache keeps them: documents without what nobody here reads. Pure."""

from collections.abc import Mapping
from sys import intern
from typing import Any

from video2mp3_operator.objects.metadata import Key

Document = dict[str, Any]


def trimmed(document: Mapping[str, Any]) -> Document:
    """A Conversion without what nobody here reads: it is most of its size."""
    metadata = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    annotations = metadata.get("annotations") or {}
    if _LAST_APPLIED in annotations:
        metadata["annotations"] = annotations | {_LAST_APPLIED: ""}
    trimmed: Document = _sharing(
        {"metadata": metadata, "spec": document.get("spec") or {}, "status": document.get("status") or {}}
    )
    return trimmed


def _sharing(value: Any) -> Any:
    """The same, with keys and short strings that other documents have too kept only once."""
    if isinstance(value, dict):
        return {intern(key): _sharing(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_sharing(each) for each in value]
    return intern(value) if isinstance(value, str) and len(value) <= _SHORT else value


_SHORT = 32
"""Characters: reasons, phases, times and addresses, but no uids and sentences."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def key_of(document: Mapping[str, Any]) -> Key:
    """Which Conversion a document is."""
    return Key(document["metadata"]["namespace"], document["metadata"]["name"])


def source_of(document: Document) -> str:
    """Which upload it converts, whatever else stands in its spec; "" for none."""
    found: Any = document["spec"]
    for name in ("source", "gridfs", "fileId"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def is_finished(document: Mapping[str, Any]) -> bool:
    """Whether its verdict is in the status."""
    return any(
        condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True"
        for condition in document["status"].get("conditions") or ()
    )
