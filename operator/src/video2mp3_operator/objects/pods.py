"""⑥ The workers' pods. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

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

COMPLETION_INDEX: Final = "batch.kubernetes.io/job-completion-index"
"""A label, and an annotation, of an Indexed Job's pods: which of them it is."""


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
    """The Job that controls it. Whether that is the Conversion's, the cache knows."""

    created_at: datetime
    part: int | None = None
    """Which part of the audio it makes, where that is split."""

    generation: int | None = None
    """That of its Job, where the audio is split."""

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


def parse_pod(document: Mapping[str, Any], worker_namespace: str = "") -> Pod | None:
    """A pod document as a Pod, or None where it carries no Conversion's labels, or no Job controls it."""
    metadata, status = document["metadata"], document.get("status", {})
    labels = metadata.get("labels") or {}
    created_at = parse_time(metadata.get("creationTimestamp"))
    key = works_for(metadata, worker_namespace)
    if key is None or created_at is None:
        return None
    job_uid = controller_of(metadata, "batch/", "Job")
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
        part=whole_number(labels.get(COMPLETION_INDEX)),
        generation=whole_number(labels.get(names.LABEL_JOB_GENERATION)),
        node=document.get("spec", {}).get("nodeName", ""),
        phase=status.get("phase", "Pending"),
        ready=true_condition(document, "Ready") is not None,
        started_at=parse_time((state.get("running") or terminated).get("startedAt")),
        ended_at=parse_time(terminated.get("finishedAt")),
        exit_code=terminated.get("exitCode"),
        container_reason=terminated.get("reason", ""),
        termination_message=terminated.get("message", ""),
        disrupted=true_condition(document, "DisruptionTarget") is not None,
        pod_reason=status.get("reason", ""),
        pod_message=status.get("message", "")[:SHORT],
        init_failure=_init_failure(status),
        deleted_at=parse_time(metadata.get("deletionTimestamp")),
        waiting=_waiting(document, state),
    )


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
            return f"{waiting.get('reason', 'Waiting')}: {waiting['message']}"[:SHORT]
    for condition in document.get("status", {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason', 'Unschedulable')}: {condition.get('message', '')}"[:SHORT]
    return ""
