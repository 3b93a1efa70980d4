"""How long a finished Conversion stays, and its mp3: what the operator does, and the gateway and emails tell. Pure.

What Git manages is never deleted by us: Argo CD or Flux would make it again, and it would run again.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from video2mp3_contracts.api.conversion import Conversion, ConversionSpec, ObjectMeta
from video2mp3_contracts.api.reasons import ConditionType
from video2mp3_contracts.api.resolution import ttl_of
from video2mp3_contracts.api.status import ConversionStatus

MANAGERS_LABELS: Final = (
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
    "argocd.argoproj.io/instance",
    # Argo CD's tracking label unless it is told otherwise; Helm sets it as well, whose releases own what they hold.
    "app.kubernetes.io/instance",
)
MANAGERS_ANNOTATIONS: Final = ("argocd.argoproj.io/tracking-id",)
"""By these two what Git manages is known."""


def managed_by(meta: ObjectMeta) -> str:
    """The label or annotation that says that Argo CD, Flux or Helm manages it; "" for none."""
    labels = (f"label {name}" for name in MANAGERS_LABELS if name in meta.labels)
    annotations = (f"annotation {name}" for name in MANAGERS_ANNOTATIONS if name in meta.annotations)
    return next(iter((*labels, *annotations)), "")


def ttl_ends_at(spec: ConversionSpec, status: ConversionStatus) -> datetime | None:
    """When a Conversion's time is over, whoever manages it; None before it has finished, or where it has no end."""
    finished_at = _finished_at(status)
    ttl = ttl_of(spec, status.resolved)
    if ttl is None or finished_at is None:
        return None
    return finished_at + timedelta(seconds=ttl)


def expires_at(conversion: Conversion) -> datetime | None:
    """When a finished Conversion is deleted; None where it stays."""
    if managed_by(conversion.metadata):
        return None
    return ttl_ends_at(conversion.spec, conversion.status)


def mp3_ttl(meta: ObjectMeta, spec: ConversionSpec) -> timedelta | None:
    """How long the mp3 stays once its Conversion has finished; None where no time to live ends it."""
    if spec.ttl_seconds_after_finished is None or spec.deletion_policy == "Retain" or managed_by(meta):
        return None
    return timedelta(seconds=spec.ttl_seconds_after_finished)


def made_at(file_id: str) -> datetime:
    """When a file's id was made, before its first byte was stored: an ObjectId begins with the second (BSON)."""
    return datetime.fromtimestamp(int(file_id[:8], 16), UTC)


def _finished_at(status: ConversionStatus) -> datetime | None:
    """When the verdict was given: its condition's time where somebody removed the other."""
    verdicts = (
        condition.last_transition_time
        for condition in status.conditions
        if condition.type in (ConditionType.COMPLETE, ConditionType.FAILED) and condition.status == "True"
    )
    return status.completion_time or next(verdicts, None)
