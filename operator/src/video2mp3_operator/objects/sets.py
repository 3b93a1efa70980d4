"""④ ConversionSets, as far as they matter. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.conversion_set import ConversionSetSpec, ConversionSetStatus
from video2mp3_contracts.api.validation_errors import field_errors
from video2mp3_operator.objects.metadata import Key


@dataclass(frozen=True)
class ConversionSet:
    """One set as it was last seen."""

    meta: ObjectMeta
    spec: ConversionSetSpec | None
    """None where it is not understood."""

    status: ConversionSetStatus
    stored: Mapping[str, Any]
    """The status as a document."""

    trouble: str = ""
    """What of it is not understood, for people."""

    @property
    def key(self) -> Key:
        """Where it is found."""
        return Key(self.meta.namespace, self.meta.name)

    @property
    def version(self) -> int:
        """Its resourceVersion."""
        return int(self.meta.resource_version or 0)


def parse_set(document: Mapping[str, Any]) -> ConversionSet:
    """A document as a set."""
    spec, trouble, stored = None, "", document.get("status") or {}
    try:
        spec = ConversionSetSpec.model_validate(document.get("spec") or {})
    except ValidationError as error:
        trouble = "; ".join(map(str, field_errors(error, "spec")))
    try:
        status = ConversionSetStatus.model_validate(stored)
    except ValidationError:
        status = ConversionSetStatus()
    return ConversionSet(ObjectMeta.model_validate(document["metadata"]), spec, status, stored, trouble)
