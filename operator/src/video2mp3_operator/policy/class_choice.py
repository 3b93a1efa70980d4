"""④ Which ConversionClass holds for a Conversion, and what comes of it. Pure.

It is chosen when the Conversion is first seen, and recorded before its Job is made: see `status.resolved`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import ValidationError

from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.resolution import not_allowed, resolve
from video2mp3_contracts.api.status import ConversionStatus, Resolved
from video2mp3_contracts.api.validation_errors import field_errors
from video2mp3_operator.objects.classes import ConversionClass
from video2mp3_operator.policy.memory import in_bytes
from video2mp3_operator.policy.resources import complaints
from video2mp3_operator.policy.settings import Settings


class Classes(Protocol):
    """The classes there are."""

    @property
    def default(self) -> ConversionClass | None:
        """The class of who names none."""

    def get(self, name: str, /) -> ConversionClass | None:
        """The class of that name."""


@dataclass(frozen=True)
class ClassChoice:
    """What is known of it."""

    resolved: Resolved | None = None
    """What holds; None where no class does."""

    recorded: bool = True
    """Whether the status says so."""

    waits: str = ""
    """Why it waits for its class, in a sentence."""

    refused: str = ""
    """Why its class does not let it be done, in a sentence."""

    served_by: str = ""
    """The release that serves the class; "" for whichever watches the namespace."""


NO_CLASS: Final = ClassChoice()


def choose(
    spec: ConversionSpec | None, status: ConversionStatus, *, has_job: bool, in_set: bool, classes: Classes
) -> ClassChoice:
    """The choice as it was recorded, or as it is to be. `spec` is None where not all of it is understood.

    How long the Conversions of a set stay, is the set's to say: `in_set`.
    """
    if status.resolved is not None:
        return ClassChoice(status.resolved, served_by=status.resolved.instance)
    if spec is None or has_job:
        return NO_CLASS
    if spec.class_name is not None:
        found = classes.get(spec.class_name)
        missing = ClassChoice(waits=f"There is no ConversionClass {spec.class_name} yet.")
        return _of(spec, found, in_set=in_set) if found else missing
    found = classes.default if _is_unseen(status) else None
    return _of(spec, found, in_set=in_set) if found else NO_CLASS


def _is_unseen(status: ConversionStatus) -> bool:
    """Whom an operator has seen and understood without a class stays without: a later default is too late."""
    return status.observed_generation in (None, -1) or status.reason == Reason.INVALID_SPEC


def _of(spec: ConversionSpec, found: ConversionClass, *, in_set: bool) -> ClassChoice:
    name, decided = found.name, found.spec
    trouble = found.trouble or (_trouble(decided.worker.model_dump(mode="json", by_alias=True)) if decided else "")
    if decided is None or trouble:
        return ClassChoice(waits=f"The ConversionClass {name} cannot be used: {trouble}.")
    served_by = decided.instance
    forbidden = not_allowed(spec, decided.overrides)
    if forbidden:
        fields = ", ".join(f"spec.{field}" for field in forbidden)
        return ClassChoice(refused=f"The ConversionClass {name} does not let it set {fields}.", served_by=served_by)
    try:
        resolved = resolve(spec, name, found.generation, decided)
        if in_set:
            kept = {name: value for name, value in resolved.defaults.items() if name != "ttlSecondsAfterFinished"}
            resolved = resolved.model_copy(update={"defaults": kept})
        return ClassChoice(resolved, recorded=False, served_by=served_by)
    except ValidationError as error:
        words = "; ".join(map(str, field_errors(error, "spec.output")))
        refused = f"What it says does not go with what its ConversionClass {name} says: {words}."
        return ClassChoice(refused=refused, served_by=served_by)


def _trouble(worker: Mapping[str, Any]) -> str:
    """What Kubernetes would refuse of its workers' resources."""
    resources, ceiling = worker.get("resources"), worker.get("memoryCeiling")
    try:
        if ceiling:
            in_bytes(ceiling)
    except ValueError as error:
        return f"spec.worker.memoryCeiling: {error}"
    if not resources:
        return ""
    missing = [part for part in ("requests", "limits") if "memory" not in resources.get(part, {})]
    if missing:
        return f"spec.worker.resources.{missing[0]}.memory is missing"
    try:
        return "; ".join(f"spec.worker.resources.{each}" for each in complaints(_quantities(resources)))
    except ValueError as error:
        return f"spec.worker.resources: {error}"


def _quantities(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    return {
        part: {name: str(value) for name, value in resources.get(part, {}).items()} for part in ("requests", "limits")
    }


def with_class(settings: Settings, resolved: Resolved | None) -> Settings:
    """The settings as they hold for a Conversion of a class. Its limits are never wider than the installation's."""
    if resolved is None or not (resolved.limits or resolved.worker):
        return settings
    limits, worker = resolved.limits, resolved.worker
    changes: dict[str, Any] = {
        field: min(limits[name], getattr(settings, field)) for name, field in _LIMITS.items() if name in limits
    }
    changes |= {field: worker[name] for name, field in _WORKER.items() if name in worker}
    if "tolerations" in worker:
        changes["worker_tolerations"] = tuple(worker["tolerations"])
    if "resources" in worker:
        changes["worker_resources"] = _quantities(worker["resources"])
    return settings.model_copy(update=changes)


_LIMITS: Final = {
    "maxSourceBytes": "max_source_bytes",
    "maxOutputBytes": "max_output_bytes",
    "maxDurationSeconds": "max_duration_seconds",
}
_WORKER: Final = {
    "memoryCeiling": "worker_memory_ceiling",
    "nodeSelector": "worker_node_selector",
    "priorityClassName": "worker_priority_class",
}
