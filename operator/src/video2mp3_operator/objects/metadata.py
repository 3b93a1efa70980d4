"""④ What documents of every kind say alike: whose they are, which version, which conditions. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import ObjectMeta

SHORT: Final = 512
"""Characters kept of texts that others wrote, so that a status stays small."""


class Key(NamedTuple):
    """Names one Conversion; what the work queue holds."""

    namespace: str
    name: str


def parse_time(text: str | None) -> datetime | None:
    """A Kubernetes timestamp, or None."""
    return datetime.fromisoformat(text) if text else None


def true_condition(document: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """The condition of this type, if it is true."""
    for condition in document.get("status", {}).get("conditions") or ():
        if condition.get("type") == kind and condition.get("status") == "True":
            found: dict[str, Any] = condition
            return found
    return None


def version_of(document: Mapping[str, Any]) -> int:
    """The resourceVersion as the number it is (Kubernetes promises that versions of one kind compare as integers)."""
    return int(document["metadata"].get("resourceVersion") or 0)


def works_for(metadata: Mapping[str, Any], worker_namespace: str) -> Key | None:
    """The Conversion that labels name; one of another namespace only where nobody but us makes Jobs."""
    labels = metadata.get("labels") or {}
    if names.LABEL_CONVERSION not in labels or names.LABEL_CONVERSION_UID not in labels:
        return None
    here = metadata["namespace"]
    namespace = labels.get(names.LABEL_CONVERSION_NAMESPACE, here)
    return Key(namespace, labels[names.LABEL_CONVERSION]) if here in (namespace, worker_namespace) else None


def controller_of(metadata: Mapping[str, Any], group: str, kind: str) -> str:
    """The uid of what controls an object, if that is of this group and kind; "" otherwise.

    Labels are anybody's to set. A reference to a uid that does not exist has the object removed by Kubernetes.
    """
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] == kind and owner["apiVersion"].startswith(group):
            return str(owner["uid"])
    return ""


def controller_reference(kind: str, owner: ObjectMeta) -> dict[str, Any]:
    """The owner reference by which one of ours of this kind controls an object, see `controller_of`."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def whole_number(text: str | None) -> int | None:
    """The number that a label or annotation holds; None for anything else."""
    return int(text) if text and text.isdecimal() else None
