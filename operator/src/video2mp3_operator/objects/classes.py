"""④ ConversionClasses, as far as they matter. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from video2mp3_contracts.api.conversion_class import ANNOTATION_DEFAULT, ConversionClassSpec
from video2mp3_contracts.api.validation_errors import field_errors
from video2mp3_operator.objects.metadata import parse_time


@dataclass(frozen=True)
class ConversionClass:
    """One class as it was last seen."""

    name: str
    generation: int
    is_default: bool
    created_at: datetime | None
    spec: ConversionClassSpec | None
    """None where it is not understood."""

    trouble: str = ""
    """What of it is not understood, for people."""


def parse_class(document: Mapping[str, Any]) -> ConversionClass:
    """A document as a class. One that a newer version wrote is not used in part: it may forbid something."""
    metadata = document["metadata"]
    spec, trouble = None, ""
    try:
        spec = ConversionClassSpec.model_validate(document.get("spec") or {})
    except ValidationError as error:
        trouble = "; ".join(map(str, field_errors(error, "spec")))
    return ConversionClass(
        name=metadata["name"],
        generation=metadata.get("generation", 1),
        is_default=(metadata.get("annotations") or {}).get(ANNOTATION_DEFAULT) == "true",
        created_at=parse_time(metadata.get("creationTimestamp")),
        spec=spec,
        trouble=trouble,
    )
