"""⑤ Worker Jobs, and the places that they take up. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from video2mp3_contracts.api import names
from video2mp3_operator.objects.metadata import (
    SHORT,
    Key,
    controller_of,
    parse_time,
    true_condition,
    version_of,
    whole_number,
    works_for,
)


@dataclass(frozen=True, slots=True)
class Job:
    """⑤ A worker Job, as far as it matters."""

    namespace: str
    name: str
    uid: str
    key: Key
    """The Conversion it works for."""

    conversion_uid: str
    resource_version: int
    generation: int = 0
    """Counts the Jobs of one Conversion."""

    instance: str = ""
    """Which release made it."""

    class_name: str = ""
    """The ConversionClass that held when it was made."""

    deleting: bool = False
    suspended: bool = False
    active: int = 0
    ready: int = 0
    failed: int = 0
    """Pods that failed and count as attempts."""

    parts: int = 1
    """Of the audio; each has a pod of its own."""

    parts_done: int = 0

    complete: bool = False
    failed_reason: str | None = None
    """The reason of the condition Failed; None unless it is true."""

    failed_message: str = ""
    created_at: datetime | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether it will start no pod any more and all its pods have ended."""
        return self.complete or self.failed_reason is not None

    @property
    def live(self) -> bool:
        """Whether it takes up one of the places that admission counts."""
        return not self.finished and not self.suspended and not self.deleting

    @property
    def abroad(self) -> bool:
        """Whether it runs in another namespace than its Conversion's, where nothing removes it but us."""
        return self.namespace != self.key.namespace

    @property
    def pods(self) -> int:
        """How many pods it has, or is to have, at the moment."""
        return max(1, self.parts - self.parts_done)


@dataclass(frozen=True)
class Slot:
    """A place that is taken: by a live Job, or by one that is about to be created."""

    namespace: str
    owner: str
    pods: int = 1
    class_name: str = ""


def parse_job(document: Mapping[str, Any], worker_namespace: str = "") -> Job | None:
    """A Job document as a Job, or None where it is none that works for a Conversion, whatever its labels say."""
    metadata, status = document["metadata"], document.get("status", {})
    labels = metadata.get("labels") or {}
    key = works_for(metadata, worker_namespace)
    if key is None or not (key.namespace != metadata["namespace"] or _controlled_by_conversion(metadata)):
        return None
    failed = true_condition(document, "Failed")
    spec = document.get("spec", {})
    indexed = spec.get("completionMode") == "Indexed"
    return Job(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        key=key,
        conversion_uid=labels[names.LABEL_CONVERSION_UID],
        resource_version=version_of(document),
        generation=whole_number(labels.get(names.LABEL_JOB_GENERATION)) or 0,
        instance=labels.get(names.LABEL_INSTANCE, ""),
        class_name=labels.get(names.LABEL_CLASS, ""),
        deleting="deletionTimestamp" in metadata,
        suspended=bool(spec.get("suspend")),
        active=status.get("active", 0),
        ready=status.get("ready", 0),
        failed=status.get("failed", 0),
        parts=spec.get("completions") or 1 if indexed else 1,
        parts_done=status.get("succeeded", 0) if indexed else 0,
        complete=true_condition(document, "Complete") is not None,
        failed_reason=failed.get("reason", "") if failed else None,
        failed_message=(failed or {}).get("message", "")[:SHORT],
        created_at=parse_time(metadata.get("creationTimestamp")),
        start_time=parse_time(status.get("startTime")),
        completion_time=parse_time(status.get("completionTime")),
    )


def _controlled_by_conversion(metadata: Mapping[str, Any]) -> bool:
    owner = controller_of(metadata, f"{names.GROUP}/", names.KIND)
    return owner != "" and owner == metadata["labels"][names.LABEL_CONVERSION_UID]
