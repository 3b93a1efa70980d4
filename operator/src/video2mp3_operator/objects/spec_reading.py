"""④ A spec as the API server let it in, read as far as it is understood. Pure.

Who applied it may use a newer version's fields, or another release's definition of the resource. What is not understood
is named and waits; it ends nothing, and what is understood holds meanwhile: whose it is, and what is to be kept.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.model import STORED
from video2mp3_contracts.api.resolution import effective
from video2mp3_contracts.api.status import Resolved
from video2mp3_contracts.api.validation_errors import field_errors

_MOST_TOLD: Final = 5
_GOES: Final = "DeleteAfterSuccess"
_ROUNDS: Final = 20
"""Passing over one thing may show another; a document with more than that is not understood at all."""


@dataclass(frozen=True)
class Reading:
    """What was understood."""

    spec: ConversionSpec | None
    """None where not even the source is understood. Fields that are not understood have their default."""

    trouble: str = ""
    """What is not understood, for people."""

    keeps_mp3: bool = False
    """Whether the mp3 stays when the Conversion goes: unless it says Delete, or nothing."""

    keeps_source: bool = False
    """Whether the source stays once it is converted: unless it says DeleteAfterSuccess, or nothing."""


def read_spec(document: Mapping[str, Any]) -> Reading:
    """Read a spec. Its policies are taken as they are written: what they do not plainly say to delete, is kept."""
    known = copy.deepcopy(dict(document))
    # Whose it is stays as it is written, also where the API server took it before there was a rule for it.
    owner = known.pop("owner", "") if isinstance(known.get("owner"), str) else ""
    spec, trouble = _understood(known)
    if spec is not None and owner:
        spec = spec.model_copy(update={"owner": owner})
    return Reading(
        spec=spec,
        trouble=trouble,
        keeps_mp3=document.get("deletionPolicy") not in (None, "Delete"),
        keeps_source=document.get("sourcePolicy") not in (None, "DeleteAfterSuccess"),
    )


def effective_reading(reading: Reading, resolved: Resolved | None) -> Reading:
    """The reading with what its ConversionClass says."""
    if reading.spec is None or resolved is None:
        return reading
    try:
        spec = effective(reading.spec, resolved)
    except ValidationError as error:
        trouble = "; ".join(map(str, field_errors(error, "status.resolved.output")[:_MOST_TOLD]))
        # What the class keeps is kept, whatever else it says.
        return replace(
            reading,
            trouble=reading.trouble or trouble,
            keeps_mp3=reading.keeps_mp3 or resolved.defaults.get("deletionPolicy", "Delete") != "Delete",
            keeps_source=reading.keeps_source or resolved.defaults.get("sourcePolicy", _GOES) != _GOES,
        )
    keeps_mp3 = reading.keeps_mp3 or spec.deletion_policy != "Delete"
    keeps_source = reading.keeps_source or spec.source_policy != _GOES
    return replace(reading, spec=spec, keeps_mp3=keeps_mp3, keeps_source=keeps_source)


def _understood(known: dict[str, Any]) -> tuple[ConversionSpec | None, str]:
    """The spec without what is not understood, and what that is; `known` loses it."""
    _drop_what_says_nothing(known)
    trouble = ""
    for _ in range(_ROUNDS):
        try:
            return ConversionSpec.model_validate(known, context=STORED), trouble
        except ValidationError as error:
            trouble = trouble or "; ".join(map(str, field_errors(error, "spec")[:_MOST_TOLD]))
            dropped = [_drop(known, found) for found in _errors(error)]
            if not any(dropped):
                break
    return None, trouble


def _drop_what_says_nothing(known: dict[str, Any]) -> None:
    """A newer definition of the resource fills in its defaults: what is unknown, empty or false says nothing."""
    try:
        ConversionSpec.model_validate(known, context=STORED)
    except ValidationError as error:
        for found in _errors(error):
            if found["type"] == "extra_forbidden" and _empty(found["input"]):
                _drop(known, found)


def _empty(value: Any) -> bool:
    return not any(map(_says, value.values())) if isinstance(value, dict) else not _says(value)


def _says(value: Any) -> bool:
    return not _empty(value) if isinstance(value, dict) else bool(value)


def _errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False)


def _drop(known: dict[str, Any], found: ErrorDetails) -> bool:
    """Remove what an error speaks of, as deep as its path leads; False where that is nowhere."""
    parent, name = None, ""
    value: Any = known
    for step in found["loc"]:
        if not isinstance(value, dict) or step not in value:
            break
        parent, name = value, str(step)
        value = value[step]
    if parent is None:
        return False
    del parent[name]
    return True
