"""④ What is seen of the cluster and the stores: documents trimmed to the facts that decisions need. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from video2mp3_contracts.api import names

_SHORT = 512
"""Characters kept of texts that others wrote, so that a status stays small."""

COMPLETION_INDEX: Final = "batch.kubernetes.io/job-completion-index"
"""A label, and an annotation, of an Indexed Job's pods: which of them it is."""


class Key(NamedTuple):
    """Names one Conversion; what the work queue holds."""

    namespace: str
    name: str


def parse_time(text: str | None) -> datetime | None:
    """A Kubernetes timestamp, or None."""
    return datetime.fromisoformat(text) if text else None


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

    deleting: bool = False
    suspended: bool = False
    active: int = 0
    ready: int = 0
    failed: int = 0
    """Pods that failed and count as attempts."""

    parts: int = 1
    """Of the sound; each has a pod of its own."""

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


_OVER: Final = ("Succeeded", "Failed")
"""Phases of pods that have ended."""


@dataclass(frozen=True, slots=True)
class Pod:
    """⑥ A worker's pod, as far as it matters."""

    namespace: str
    name: str
    uid: str
    key: Key
    """The Conversion it works for."""

    conversion_uid: str
    resource_version: int
    job_uid: str
    """The Job that controls it. Whether that is the Conversion's, the view knows."""

    created_at: datetime
    part: int | None = None
    """Which part of the sound it makes, where that is divided."""

    generation: int | None = None
    """That of its Job, where the sound is divided."""

    node: str = ""
    phase: str = "Pending"
    ready: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    container_reason: str = ""
    """The kubelet's word for how the container ended, for example OOMKilled."""

    termination_message: str = ""
    disrupted: bool = False
    pod_reason: str = ""
    """The kubelet's word for how the pod ended, for example Evicted, DeadlineExceeded or OutOfcpu."""

    pod_message: str = ""
    """Its sentence."""

    init_failure: str = ""
    """Which init container kept the worker from starting, for people. Others put such into pods."""

    deleted_at: datetime | None = None
    """When it is to be gone, its grace over, where somebody has deleted it."""

    waiting: str = ""
    """Why it has not started, for people."""

    @property
    def ended(self) -> bool:
        """Whether its worker runs no more; a container that others put into the pod may still."""
        return self.exit_code is not None or self.phase in _OVER

    @property
    def works(self) -> bool:
        """Whether its worker has started and not ended, as far as anybody knows."""
        return self.started_at is not None and not self.ended

    @property
    def lingers(self) -> bool:
        """Whether its worker has ended and the pod has not."""
        return self.exit_code is not None and self.phase not in _OVER


@dataclass(frozen=True, slots=True)
class SourceFile:
    """② An uploaded file, as far as it matters before a worker reads it."""

    owner: str
    size: int
    """Bytes."""

    sha256: str | None = None
    """Of its content, in hex; None where whoever stored it did not say."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was stored long ago."""

    file_id: str
    owner: str = ""
    conversion_uid: str = ""
    """For an mp3: whose."""

    installation: str = ""
    unwanted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Census:
    """All of one kind that is the installation's."""

    total: int
    unwanted: int
    """Marked, and not confirmed by an administrator since."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What the database knows of an installation's sweeps."""

    rival_seen_at: datetime | None = None
    """When another cluster last swept under the same name."""

    confirmed_at: datetime | None = None
    """An administrator has looked, and what was marked before may go."""


def _condition(document: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    for condition in document.get("status", {}).get("conditions") or ():
        if condition.get("type") == kind and condition.get("status") == "True":
            found: dict[str, Any] = condition
            return found
    return None


def version_of(document: Mapping[str, Any]) -> int:
    """The resourceVersion as the number it is (Kubernetes promises that versions of one kind compare as integers)."""
    return int(document["metadata"].get("resourceVersion") or 0)


def parse_job(document: Mapping[str, Any], worker_namespace: str = "") -> Job | None:
    """A Job document as a Job, or None where it is none that works for a Conversion, whatever its labels say."""
    metadata, status = document["metadata"], document.get("status", {})
    labels = metadata.get("labels") or {}
    key = _works_for(metadata, worker_namespace)
    if key is None or not (key.namespace != metadata["namespace"] or _controlled_by_conversion(metadata)):
        return None
    failed = _condition(document, "Failed")
    spec = document.get("spec", {})
    indexed = spec.get("completionMode") == "Indexed"
    return Job(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        key=key,
        conversion_uid=labels[names.LABEL_CONVERSION_UID],
        resource_version=version_of(document),
        generation=_whole(labels.get(names.LABEL_JOB_GENERATION)) or 0,
        instance=labels.get(names.LABEL_INSTANCE, ""),
        deleting="deletionTimestamp" in metadata,
        suspended=bool(spec.get("suspend")),
        active=status.get("active", 0),
        ready=status.get("ready", 0),
        failed=status.get("failed", 0),
        parts=spec.get("completions") or 1 if indexed else 1,
        parts_done=status.get("succeeded", 0) if indexed else 0,
        complete=_condition(document, "Complete") is not None,
        failed_reason=failed.get("reason", "") if failed else None,
        failed_message=(failed or {}).get("message", "")[:_SHORT],
        created_at=parse_time(metadata.get("creationTimestamp")),
        start_time=parse_time(status.get("startTime")),
        completion_time=parse_time(status.get("completionTime")),
    )


def parse_pod(document: Mapping[str, Any], worker_namespace: str = "") -> Pod | None:
    """A pod document as a Pod, or None where it carries no Conversion's labels, or no Job controls it."""
    metadata, status = document["metadata"], document.get("status", {})
    labels = metadata.get("labels") or {}
    created_at = parse_time(metadata.get("creationTimestamp"))
    key = _works_for(metadata, worker_namespace)
    if key is None or created_at is None:
        return None
    job_uid = _controller(metadata, "batch/", "Job")
    if not job_uid:
        return None
    state = _worker_state(status)
    terminated = state.get("terminated") or {}
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        key=key,
        conversion_uid=labels[names.LABEL_CONVERSION_UID],
        resource_version=version_of(document),
        job_uid=job_uid,
        created_at=created_at,
        part=_whole(labels.get(COMPLETION_INDEX)),
        generation=_whole(labels.get(names.LABEL_JOB_GENERATION)),
        node=document.get("spec", {}).get("nodeName", ""),
        phase=status.get("phase", "Pending"),
        ready=_condition(document, "Ready") is not None,
        started_at=parse_time((state.get("running") or terminated).get("startedAt")),
        ended_at=parse_time(terminated.get("finishedAt")),
        exit_code=terminated.get("exitCode"),
        container_reason=terminated.get("reason", ""),
        termination_message=terminated.get("message", ""),
        disrupted=_condition(document, "DisruptionTarget") is not None,
        pod_reason=status.get("reason", ""),
        pod_message=status.get("message", "")[:_SHORT],
        init_failure=_init_failure(status),
        deleted_at=parse_time(metadata.get("deletionTimestamp")),
        waiting=_waiting(document, state),
    )


def _works_for(metadata: Mapping[str, Any], worker_namespace: str) -> Key | None:
    """The Conversion that labels name; one of another namespace only where nobody but us makes Jobs."""
    labels = metadata.get("labels") or {}
    if names.LABEL_CONVERSION not in labels or names.LABEL_CONVERSION_UID not in labels:
        return None
    here = metadata["namespace"]
    namespace = labels.get(names.LABEL_CONVERSION_NAMESPACE, here)
    return Key(namespace, labels[names.LABEL_CONVERSION]) if here in (namespace, worker_namespace) else None


def _controlled_by_conversion(metadata: Mapping[str, Any]) -> bool:
    owner = _controller(metadata, f"{names.GROUP}/", names.KIND)
    return owner != "" and owner == metadata["labels"][names.LABEL_CONVERSION_UID]


def _controller(metadata: Mapping[str, Any], group: str, kind: str) -> str:
    """The uid of what controls an object, if that is of this group and kind; "" otherwise.

    Labels are anybody's to set. A reference to a uid that does not exist has the object removed by Kubernetes.
    """
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] == kind and owner["apiVersion"].startswith(group):
            return str(owner["uid"])
    return ""


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _worker_state(status: Mapping[str, Any]) -> dict[str, Any]:
    for container in status.get("containerStatuses") or ():
        if container.get("name") == names.WORKER_CONTAINER:
            state: dict[str, Any] = container.get("state") or {}
            return state
    return {}


def _init_failure(status: Mapping[str, Any]) -> str:
    for container in status.get("initContainerStatuses") or ():
        terminated = (container.get("state") or {}).get("terminated") or {}
        if terminated.get("exitCode"):
            return f"Its init container {container['name']} ended with exit code {terminated['exitCode']}."
    return ""


def _waiting(document: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Why the pod has not started: the kubelet's reason, else the scheduler's."""
    init = (each.get("state") or {} for each in document.get("status", {}).get("initContainerStatuses") or ())
    for each in (state, *init):
        waiting = each.get("waiting") or {}
        if waiting.get("message"):
            return f"{waiting.get('reason', 'Waiting')}: {waiting['message']}"[:_SHORT]
    for condition in document.get("status", {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason', 'Unschedulable')}: {condition.get('message', '')}"[:_SHORT]
    return ""
