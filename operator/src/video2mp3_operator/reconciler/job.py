"""⑤ The worker Job as a document. Pure.

Field meanings: Kubernetes API reference, batch/v1 Job; the pod satisfies the restricted Pod Security Standard.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.jobs.exit_codes import PERMANENT, ExitCode
from video2mp3_contracts.jobs.worker import (
    SCRATCH_PATH,
    TERMINATION_MESSAGE_PATH,
)
from video2mp3_operator.objects.metadata import controller_reference
from video2mp3_operator.policy.memory import Memory
from video2mp3_operator.policy.retry import NONE, RetryState
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.policy.timeouts import LONGEST_BACKOFF_SECONDS
from video2mp3_operator.reconciler.worker_environment import CA_FILE, CA_PATH, environment

KUEUE_QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
"""On a Conversion: hand its Job over to this Kueue LocalQueue instead of admitting it ourselves."""

_NOBODY: Final = 65532
"""The usual unprivileged uid of images that need no account."""

_CA: Final = "ca"
"""A volume."""

_NODE: Final = "kubernetes.io/hostname"
"""The label that tells nodes apart."""

_START_ALLOWANCE_SECONDS: Final = 600
"""For pulling the image and being scheduled, once for each attempt."""


def build_job(
    conversion: Conversion,
    settings: Settings,
    source_bytes: int | None,
    done: RetryState = NONE,
    parts: int = 1,
    class_name: str = "",
) -> dict[str, Any]:
    """The Job that converts a Conversion; the same for the same arguments, under a name that follows from the uid.

    Of several parts of the audio each is an index of the Job: it has attempts of its own, and is lost alone. Kubernetes
    lets nothing in another namespace be owned by a Conversion: there the labels tell whose Job it is.
    """
    metadata, spec = conversion.metadata, conversion.spec
    namespace = settings.worker_namespace or metadata.namespace
    copied = _copied(metadata.labels, settings.worker_copied_labels)
    labels = _labels(conversion, settings) | ({names.LABEL_CLASS: class_name} if class_name else {})
    generation = {names.LABEL_JOB_GENERATION: str(done.generation)}
    retries = max(0, spec.retry_limit - done.failed)
    queue = metadata.labels.get(KUEUE_QUEUE_LABEL)
    annotations = _copied(metadata.annotations, settings.worker_copied_annotations)
    owners = [controller_reference(names.KIND, metadata)] if namespace == metadata.namespace else []
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.job_name(metadata.name, metadata.uid, done.generation),
            "namespace": namespace,
            **_metadata(copied | labels | generation | ({KUEUE_QUEUE_LABEL: queue} if queue else {}), annotations),
            **({"ownerReferences": owners} if owners else {}),
        },
        "spec": {
            **({"suspend": True} if queue else {}),
            **({"backoffLimit": retries} if parts == 1 else _indexed(parts, retries)),
            "activeDeadlineSeconds": _deadline(retries, _run_seconds(conversion, settings)),
            "ttlSecondsAfterFinished": settings.job_ttl_seconds,
            # A replacement starts only when the pod before it has ended: two never write at once.
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _failure_rules()},
            "template": {
                "metadata": _metadata(
                    copied | settings.worker_pod_labels | labels | (generation if parts > 1 else {}),
                    annotations | settings.worker_pod_annotations,
                ),
                "spec": _pod_spec(
                    conversion, settings, source_bytes, memory_of(settings).after(done.out_of_memory), parts
                ),
            },
        },
    }


def _metadata(labels: dict[str, str], annotations: dict[str, str]) -> dict[str, Any]:
    return {"labels": labels} | ({"annotations": annotations} if annotations else {})


def _copied(own: Mapping[str, str], allowed: Sequence[str]) -> dict[str, str]:
    """What is a Conversion's own, and allowed: it replaces neither what administrators add nor what is ours."""
    return {key: own[key] for key in allowed if key in own}


def _indexed(parts: int, retries: int) -> dict[str, Any]:
    """An Indexed Job whose indexes run side by side; one that is given up ends all of it."""
    return {
        "completionMode": "Indexed",
        "completions": parts,
        "parallelism": parts,
        "backoffLimitPerIndex": retries,
        "maxFailedIndexes": 0,
    }


def _labels(conversion: Conversion, settings: Settings) -> dict[str, str]:
    """Ours: what Job and pod are found by, which nothing replaces."""
    return {
        "app.kubernetes.io/name": "video2mp3",
        names.LABEL_INSTANCE: settings.instance,
        "app.kubernetes.io/managed-by": "video2mp3-operator",
        names.LABEL_COMPONENT: names.COMPONENT_WORKER,
        names.LABEL_CONVERSION: conversion.metadata.name,
        names.LABEL_CONVERSION_NAMESPACE: conversion.metadata.namespace,
        names.LABEL_CONVERSION_UID: conversion.metadata.uid,
    }


def memory_of(settings: Settings) -> Memory:
    """What a worker gets at first, and at the most."""
    resources = settings.worker_resources
    return Memory(resources["requests"]["memory"], resources["limits"]["memory"], settings.worker_memory_ceiling)


def _failure_rules() -> list[dict[str, Any]]:
    """Disruptions are free; codes that another attempt cannot better fail the Job at once. The first match decides."""
    return [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "Ignore", "onExitCodes": _worker_exits([ExitCode.STOPPED])},
        {
            "action": "FailJob",
            "onExitCodes": _worker_exits(PERMANENT),
        },
    ]


def _worker_exits(codes: Iterable[ExitCode]) -> dict[str, Any]:
    """The worker's own exit codes; those of other containers in its pod say nothing."""
    return {
        "containerName": names.WORKER_CONTAINER,
        "operator": "In",
        "values": sorted(int(code) for code in codes),
    }


def _run_seconds(conversion: Conversion, settings: Settings) -> int:
    """The most that one attempt may run, in seconds."""
    return conversion.spec.timeouts.run_seconds or settings.worker_run_seconds


def _deadline(retry_limit: int, run_seconds: int) -> int:
    """Seconds for all attempts together: a net under the limits of the single attempts."""
    return (retry_limit + 1) * (run_seconds + _START_ALLOWANCE_SECONDS) + retry_limit * LONGEST_BACKOFF_SECONDS


def _pod_spec(
    conversion: Conversion, settings: Settings, source_bytes: int | None, memory: Memory, parts: int
) -> dict[str, Any]:
    scratch_bytes = (source_bytes or settings.max_source_bytes) + settings.max_output_bytes
    return {
        "restartPolicy": "Never",
        # The worker ends itself before that; the kubelet is the net.
        "activeDeadlineSeconds": _run_seconds(conversion, settings) + _START_ALLOWANCE_SECONDS,
        "terminationGracePeriodSeconds": settings.worker_grace_seconds,
        **_scheduling(conversion, settings, parts),
        "serviceAccountName": settings.worker_service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            **({"runAsUser": _NOBODY, "runAsGroup": _NOBODY, "fsGroup": _NOBODY} if settings.worker_fixed_uid else {}),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(conversion, settings, memory, parts)],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": str(scratch_bytes)}}, *_ca_volume(settings)],
    }


def _scheduling(conversion: Conversion, settings: Settings, parts: int) -> dict[str, Any]:
    """Where its pods may run: the parts of split audio on different nodes where possible, each with its own cores."""
    selector = {"matchLabels": {names.LABEL_CONVERSION_UID: conversion.metadata.uid}}
    spread = {"maxSkew": 1, "topologyKey": _NODE, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}
    return {
        **({"nodeSelector": settings.worker_node_selector} if settings.worker_node_selector else {}),
        **({"tolerations": [*settings.worker_tolerations]} if settings.worker_tolerations else {}),
        **({"affinity": settings.worker_affinity} if settings.worker_affinity else {}),
        **({"priorityClassName": settings.worker_priority_class} if settings.worker_priority_class else {}),
        **({"topologySpreadConstraints": [spread]} if parts > 1 else {}),
    }


def _ca_volume(settings: Settings) -> list[dict[str, Any]]:
    if not settings.worker_ca_secret:
        return []
    items = [{"key": CA_FILE, "path": CA_FILE}]
    return [{"name": _CA, "secret": {"secretName": settings.worker_ca_secret, "items": items}}]


def _container(conversion: Conversion, settings: Settings, memory: Memory, parts: int) -> dict[str, Any]:
    return {
        "name": names.WORKER_CONTAINER,
        "image": settings.worker_image,
        "imagePullPolicy": "IfNotPresent",
        "env": environment(conversion, settings, parts),
        "resources": {
            "requests": {**settings.worker_resources["requests"], "memory": memory.request},
            "limits": {**settings.worker_resources["limits"], "memory": memory.limit},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH_PATH},
            *([{"name": _CA, "mountPath": CA_PATH, "readOnly": True}] if settings.worker_ca_secret else []),
        ],
    }
