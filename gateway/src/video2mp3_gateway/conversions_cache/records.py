"""One Conversion as the cache keeps it: what a row shows, as compressed JSON.

A row is made of a Conversion, here as everywhere (`representations`), so a record gives one back: with what the row
reads, and the rest at its default. It is read when a page shows it. What can be large and stands in no row is left out:
without that, whoever writes 192 KiB of tags would decide how much memory a gateway needs.
"""

import json
import zlib
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog
from pydantic import ValidationError

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.reasons import ConditionType
from video2mp3_contracts.api.retention import MANAGERS_ANNOTATIONS, MANAGERS_LABELS
from video2mp3_gateway.ports.listing import Cursor

_METADATA: Final = ("name", "namespace", "creationTimestamp", "deletionTimestamp")
_OUTPUT: Final = ("filename",)
_STATUS: Final = ("phase", "reason", "message", "queue", "progress", "startTime", "completionTime", "output")

_RESOLVED: Final = ("className", "fixed")
"""Of `status.resolved`, beside the default that says when it expires."""

_SOURCE: Final = {"gridfs": {"fileId": "0" * 24}}
"""Stands for every source: addresses are long, hold credentials, and are in no row."""

_CONDITION: Final = ("type", "status", "lastTransitionTime", "reason")
_VERDICTS: Final = frozenset({ConditionType.COMPLETE, ConditionType.FAILED})

_LEVEL: Final = 6

_VOCABULARY: Final = json.dumps(
    {
        "metadata": {
            "name": "upload-",
            "namespace": "",
            "creationTimestamp": "2026-",
            "deletionTimestamp": "2026-",
            "labels": {},
            "annotations": {},
        },
        "spec": {
            "source": _SOURCE,
            "notify": {"email": ""},
            "owner": "",
            "parallelism": 1,
            "priority": 0,
            "retryLimit": 3,
            "deletionPolicy": "Delete",
            "sourcePolicy": "DeleteAfterSuccess",
            "ttlSecondsAfterFinished": 2592000,
            "suspend": False,
            "timeouts": {},
            "output": {"filename": ".mp3"},
        },
        "status": {
            "phase": "Failed",
            "reason": "Succeeded",
            "message": "The mp3 is stored.",
            "queue": {"position": 1, "since": "2026-"},
            "progress": {
                "percent": 100,
                "processedSeconds": 0.0,
                "durationSeconds": 0.0,
                "speed": 0.0,
                "etaSeconds": 0,
                "updatedAt": "2026-",
            },
            "startTime": "2026-",
            "completionTime": "2026-",
            "output": {
                "fileId": "",
                "filename": ".mp3",
                "bytes": 0,
                "durationSeconds": 0.0,
                "sha256": "",
                "encoding": "vbr:2",
                "notes": [],
            },
        },
    },
    separators=(",", ":"),
).encode()
"""What most records have in common. Compression begins with it, so that of a small document only the rest is kept."""

_log = structlog.get_logger(__name__)


class Record(NamedTuple):
    """A Conversion in the cache. In a list of its owner's it stands where its first two fields say."""

    created: datetime
    name: str
    owner: str
    version: int
    """`metadata.resourceVersion`: the greater of two is the later one (Kubernetes' KEP 5504)."""

    packed: bytes

    @property
    def position(self) -> Cursor:
        """Where it stands in its owner's list."""
        return Cursor(self.created, self.name)

    def conversion(self) -> Conversion | None:
        """The Conversion; None for one that another version of this project wrote and this one does not understand."""
        decompressor = zlib.decompressobj(zdict=_VOCABULARY)
        try:
            return Conversion.model_validate_json(decompressor.decompress(self.packed) + decompressor.flush())
        except ValidationError as error:
            _log.warning("conversion_not_understood", conversion=self.name, errors=error.error_count())
            return None


def record_of(document: dict[str, Any]) -> Record:
    """The record of a Conversion as the API server gives it."""
    metadata = document["metadata"]
    return Record(
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        name=metadata["name"],
        owner=document["spec"].get("owner", ""),
        version=int(metadata["resourceVersion"]),
        packed=_packed(document),
    )


def _packed(document: dict[str, Any]) -> bytes:
    spec, status = document["spec"], document.get("status") or {}
    shown = {
        "metadata": _metadata(document["metadata"]),
        "spec": spec | {"source": _SOURCE, "output": _only(spec.get("output") or {}, _OUTPUT)},
        "status": _only(status, _STATUS) | {"conditions": _verdicts(status)} | _resolved(status),
    }
    text = json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode()
    compressor = zlib.compressobj(_LEVEL, zdict=_VOCABULARY)
    return compressor.compress(text) + compressor.flush()


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """With the names, not the texts, that say who manages it, and so whether it expires."""
    return _only(metadata, _METADATA) | {
        "labels": dict.fromkeys(_only(metadata.get("labels") or {}, MANAGERS_LABELS), ""),
        "annotations": dict.fromkeys(_only(metadata.get("annotations") or {}, MANAGERS_ANNOTATIONS), ""),
    }


def _resolved(status: dict[str, Any]) -> dict[str, Any]:
    """Which class holds, and how long it keeps."""
    resolved = status.get("resolved")
    if not resolved:
        return {}
    kept = _only(resolved.get("defaults") or {}, ("ttlSecondsAfterFinished",))
    return {"resolved": _only(resolved, _RESOLVED) | {"defaults": kept}}


def _verdicts(status: dict[str, Any]) -> list[dict[str, Any]]:
    """What tells when it ended where its `completionTime` was removed."""
    if status.get("completionTime"):
        return []
    conditions = status.get("conditions") or ()
    return [_only(each, _CONDITION) for each in conditions if each.get("type") in _VERDICTS]


def _only(fields: dict[str, Any], wanted: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in wanted if name in fields}
