"""④ Which fields of the spec this version cannot do yet. Such a Conversion is refused, never half done. Pure."""

from collections.abc import Callable
from typing import Final

from video2mp3_contracts.conversion import ConversionSpec

_UNSUPPORTED: Final[dict[str, Callable[[ConversionSpec], bool]]] = {
    "spec.parallelism": lambda spec: spec.parallelism != 1,
}


def unsupported_fields(spec: ConversionSpec) -> tuple[str, ...]:
    """The paths of the fields that are set and not supported, in the order of the schema."""
    return tuple(path for path, used in _UNSUPPORTED.items() if used(spec))
