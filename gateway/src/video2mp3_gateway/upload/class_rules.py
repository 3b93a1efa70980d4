"""③ What the ConversionClass of an upload lets it say of its mp3. The operator would refuse the same, by email."""

from typing import Final

from pydantic import ValidationError

from video2mp3_contracts.api.conversion import ConversionSpec, GridFSSource, Source
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.resolution import not_allowed, resolve
from video2mp3_contracts.api.validation_errors import field_errors
from video2mp3_gateway.classes.known_classes import KnownClass
from video2mp3_gateway.http import problems

_FIELD: Final = "output"
_ANY: Final = Source(gridfs=GridFSSource(file_id="0" * 24))


def check_output(output: Output, decided: KnownClass | None) -> None:
    """Raise Problem for options that the class keeps to itself, or that do not go with what it says."""
    if decided is None:
        return
    spec = ConversionSpec(source=_ANY, output=output)
    if not_allowed(spec, decided.spec.overrides):
        message = f"the class {decided.name} decides what the mp3 is like"
        detail = f"The options are not supported: {message}. Nothing was stored."
        raise problems.invalid_options(detail, [{"field": _FIELD, "message": message}])
    try:
        resolve(spec, decided.name, 0, decided.spec)
    except ValidationError as error:
        found = field_errors(error, _FIELD)
        detail = f"The options do not go with the class {decided.name}: {found[0]}. Nothing was stored."
        raise problems.invalid_options(
            detail, [{"field": each.field, "message": each.message} for each in found]
        ) from error
