"""What is wrong with a document of the models, or with settings, in words for those who wrote it.

Values are never repeated.
"""

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_UNKNOWN_FIELD = "unknown field"
_OURS = "Value error, "
"""What pydantic puts before the words of a validator."""


@dataclass(frozen=True)
class FieldError:
    """One thing that is wrong."""

    field: str
    """Its path, for example `output.trim.start`."""

    message: str
    """What is allowed. The words of a rule of ours name the field, pydantic's do not."""

    def __str__(self) -> str:
        return self.message if self.field in self.message else f"{self.field}: {self.message}"


def field_errors(error: ValidationError, document: str) -> list[FieldError]:
    """What was wrong, field by field; `document` is the path of what was validated."""
    return [
        FieldError(
            field=".".join((document, *map(str, found["loc"]))),
            message=_UNKNOWN_FIELD if found["type"] == "extra_forbidden" else found["msg"].removeprefix(_OURS),
        )
        for found in _errors(error)
    ]


def of_variables(error: ValidationError, prefix: str) -> str:
    """What was wrong with settings from the environment, the names of whose variables are `prefix` and the fields'."""
    return "; ".join(_of_variable(found, prefix) for found in _errors(error))


def _of_variable(found: ErrorDetails, prefix: str) -> str:
    if not found["loc"]:
        return found["msg"]
    variable, *inside = map(str, found["loc"])
    return f"{'.'.join((prefix + variable.upper(), *inside))}: {found['msg'].removeprefix(_OURS)}"


def _errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)
