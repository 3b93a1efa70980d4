"""What the models of a Conversion's spec have in common: strictness, and rules that are told to the API server too."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

KEEPS_ITS_VALUE: Final = "self == oldSelf"
"""The CEL rule of what is immutable."""


def rule(expression: str, message: str, **more: str) -> dict[str, str]:
    """A CEL rule as it stands in `x-kubernetes-validations`."""
    return {"rule": expression, "message": message, **more}


def immutable(field: str, kind: str = "Conversion") -> dict[str, str]:
    """The CEL rule of a field that keeps its first value."""
    return rule(KEEPS_ITS_VALUE, f"{field} is immutable: make a new {kind} instead")


def with_rules(*rules: dict[str, str]) -> dict[str, Any]:
    """What pydantic adds to a schema so that the API server checks these rules."""
    return {"x-kubernetes-validations": list(rules)}


ADDED_LATER: Final = {"x-added-later": True}
"""In the schema of a field that the earlier release does not know, where it has a default: the API server does not fill
it in. The definition of the resource is upgraded before the operator is, and the operator of before would find in every
Conversion a field that it does not know.
"""


BY_CLASS: Final = {"x-by-class": True}
"""In the schema of a field with a default that a ConversionClass may replace: the API server does not fill it in, so
that what a Conversion says is told from what it does not."""


STORED: Final = {"stored": True}
"""The validation context of what the API server let in, perhaps before there was a rule: whoever reads it so judges
for itself what came later, and ends it with a sentence."""


class Model(BaseModel):
    """A part of the resource: camelCase in YAML, unknown fields and other types refused, never changed in place."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, fields: Any) -> Any:
        """JSON has one kind of number, and for the API server 1.0 is as whole as 1."""
        if not isinstance(fields, dict):
            return fields
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in fields.items()
        }
