"""What a Conversion and its ConversionClass come to. Pure.

It is recorded once, in `status.resolved`, and read from there: a class that changes changes nothing that was seen.
What the Conversion itself may change later (its retries, timeouts, ttl and policies) goes before what was recorded.
"""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.conversion_class import OVERRIDABLE, ConversionClassSpec
from video2mp3_contracts.api.model import STORED
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.status import Resolved
from video2mp3_contracts.api.timeouts import Timeouts

_FIELDS: Final = {
    "retryLimit": "retry_limit",
    "ttlSecondsAfterFinished": "ttl_seconds_after_finished",
    "deletionPolicy": "deletion_policy",
    "sourcePolicy": "source_policy",
}
"""Fields of the spec that its class has a default for, but for output and timeouts."""


_OWN: Final = frozenset({"filename", "trim", "audioTrack", "tags"})
"""Of `output`: what the mp3 is called, says of itself, and is a part of is the Conversion's own in every class."""


def not_allowed(spec: ConversionSpec, allowed: Sequence[str] | None) -> tuple[str, ...]:
    """The fields that a Conversion sets itself though its class does not let it."""
    said = {name: field in spec.model_fields_set for name, field in _FIELDS.items()}
    said["output"] = not set(_document(spec.output)) <= _OWN
    said["timeouts"] = _document(spec.timeouts) != {}
    return tuple(name for name in OVERRIDABLE if said[name] and allowed is not None and name not in allowed)


def resolve(spec: ConversionSpec, name: str, generation: int, decided: ConversionClassSpec) -> Resolved:
    """What is to be recorded. Raises ValidationError where what both say of the mp3 does not go together."""
    defaults = decided.defaults
    output = merged_output(_document(defaults.output), _document(spec.output))
    Output.model_validate(output, context=STORED)
    return Resolved(
        class_name=name,
        class_generation=generation,
        instance=decided.instance,
        fixed=() if decided.overrides is None else tuple(each for each in OVERRIDABLE if each not in decided.overrides),
        output=output,
        defaults={key: value for key, value in _document(defaults).items() if key != "output"},
        limits=_document(decided.limits),
        worker=_document(decided.worker),
    )


def effective(spec: ConversionSpec, resolved: Resolved | None) -> ConversionSpec:
    """The spec as it holds. Raises ValidationError where a newer version recorded what is not understood."""
    if resolved is None:
        return spec
    defaults = resolved.defaults
    said = spec.model_fields_set - {_FIELDS.get(name) for name in resolved.fixed}
    changes: dict[str, Any] = {
        field: defaults.get(name, ConversionSpec.model_fields[field].default)
        for name, field in _FIELDS.items()
        if field not in said
    }
    own = {} if "timeouts" in resolved.fixed else _document(spec.timeouts)
    changes["output"] = Output.model_validate(resolved.output, context=STORED)
    changes["timeouts"] = Timeouts.model_validate(defaults.get("timeouts", {}) | own)
    return spec.model_copy(update=changes)


def ttl_of(spec: ConversionSpec, resolved: Resolved | None) -> int | None:
    """The `ttlSecondsAfterFinished` that holds."""
    name, field = "ttlSecondsAfterFinished", "ttl_seconds_after_finished"
    if resolved is None or (field in spec.model_fields_set and name not in resolved.fixed):
        return spec.ttl_seconds_after_finished
    ttl: int | None = resolved.defaults.get(name)
    return ttl


def merged_output(defaults: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Each field as it was said, else by default. Tags are joined; a field of another kind is one choice as a whole."""
    tags = {"tags": defaults.get("tags", {}) | said.get("tags", {})}
    return {name: value for name, value in (defaults | said | tags).items() if value != {}}


def _document(model: BaseModel) -> dict[str, Any]:
    document = model.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return {name: value for name, value in document.items() if value != {}}
