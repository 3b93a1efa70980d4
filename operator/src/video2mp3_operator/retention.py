"""④ How long a finished Conversion stays: `spec.ttlSecondsAfterFinished`. Pure.

What Git manages is never deleted by us: Argo CD or Flux would make it again, and it would run again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from video2mp3_contracts.conversion import ConversionSpec, ObjectMeta
from video2mp3_contracts.reasons import ConditionType
from video2mp3_contracts.status import ConversionStatus

_LABELS: Final = (
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
    "argocd.argoproj.io/instance",
    # Argo CD's tracking label unless it is told otherwise; Helm sets it as well, whose releases own what they hold.
    "app.kubernetes.io/instance",
)
_ANNOTATIONS: Final = ("argocd.argoproj.io/tracking-id",)


@dataclass(frozen=True)
class Lifetime:
    """What is left of a finished Conversion's time."""

    remaining: timedelta
    """Zero or less: it is over."""

    managed_by: str = ""
    """The label or annotation by which Git manages it; "" for none."""

    @property
    def over(self) -> bool:
        """Whether its time is over."""
        return self.remaining <= timedelta(0)


def managed_by(meta: ObjectMeta) -> str:
    """The label or annotation that says that Argo CD, Flux or Helm manages it; "" for none."""
    labels = (f"label {name}" for name in _LABELS if name in meta.labels)
    annotations = (f"annotation {name}" for name in _ANNOTATIONS if name in meta.annotations)
    return next(iter((*labels, *annotations)), "")


def lifetime(meta: ObjectMeta, spec: ConversionSpec | None, status: ConversionStatus, now: datetime) -> Lifetime | None:
    """The time that a finished Conversion has left; None where it may stay for ever."""
    finished_at = _finished_at(status)
    if spec is None or spec.ttl_seconds_after_finished is None or finished_at is None:
        return None
    end = finished_at + timedelta(seconds=spec.ttl_seconds_after_finished)
    return Lifetime(end - now, managed_by(meta))


def _finished_at(status: ConversionStatus) -> datetime | None:
    """When the verdict was given: its condition's time where somebody removed the other."""
    verdicts = (
        condition.last_transition_time
        for condition in status.conditions
        if condition.type in (ConditionType.COMPLETE, ConditionType.FAILED) and condition.status == "True"
    )
    return status.completion_time or next(verdicts, None)
