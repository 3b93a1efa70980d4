"""④ Which Conversions a set is to have. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import chain, islice
from typing import Any, Final

from pydantic import ValidationError

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import ConversionSpec, is_file_id
from video2mp3_contracts.api.conversion_set import (
    LABEL_SET,
    MAX_SOURCES,
    SOURCE_FIELDS,
    ConversionSetSpec,
    SetFailure,
    child_name,
)
from video2mp3_contracts.api.resolution import merged_output
from video2mp3_contracts.api.validation_errors import field_errors
from video2mp3_operator.objects.metadata import controller_reference
from video2mp3_operator.objects.sets import ConversionSet

_LONGEST_SOURCE: Final = 200
_INVALID: Final = "InvalidSource"


@dataclass(frozen=True)
class Child:
    """A Conversion that is to be."""

    name: str
    source: str
    """For people: the address, or the file's id."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a set asks for."""

    children: tuple[Child, ...] = ()
    """In the order in which they begin; each source once."""

    bad: Mapping[str, SetFailure] = field(default_factory=dict)
    """Sources that no Conversion can be made of, by the names that it would have."""

    @property
    def names(self) -> Collection[str]:
        """Of all Conversions that it asks for, those included that another version could make."""
        return {*(child.name for child in self.children), *self.bad}

    @property
    def digest(self) -> str:
        """Of all that it asks for, whatever its order."""
        return hashlib.sha256("\n".join(sorted(self.names)).encode()).hexdigest()


def listed_sources(text: str) -> Iterator[dict[str, Any]]:
    """The sources in a ConfigMap's list: an address or a file's id in each line. Empty lines and # say nothing."""
    # Line by line: a list may be as large as a ConfigMap.
    for line in (each.strip() for each in StringIO(text)):
        if line and not line.startswith("#"):
            yield {"gridfs": {"fileId": line}} if is_file_id(line) else {"url": line}


def plan(found: ConversionSet, spec: ConversionSetSpec, listed: Iterable[Mapping[str, Any]] = ()) -> Plan:
    """The Conversions of a set; `listed` are sources that lie elsewhere. What comes after the most is passed over."""
    children: dict[str, Child] = {}
    bad: dict[str, SetFailure] = {}
    for source in islice(chain(spec.sources, listed), MAX_SOURCES):
        name = child_name(found.meta.name, source)
        document = _spec_of(spec, source)
        try:
            ConversionSpec.model_validate(document)
        except ValidationError as error:
            message = "; ".join(map(str, field_errors(error, "spec")))
            bad[name] = SetFailure(source=shown(source), reason=_INVALID, message=message)
        else:
            children[name] = Child(name, shown(source), _manifest(found, name, document))
    return Plan(tuple(children.values()), bad)


def template_trouble(spec: ConversionSetSpec) -> str:
    """What of the template is not understood, for people: then nothing is made, and nothing taken away."""
    try:
        ConversionSpec.model_validate(dict(spec.template.spec) | {"source": {"url": "https://example.com/"}})
    except ValidationError as error:
        return "; ".join(map(str, field_errors(error, "spec.template.spec")))
    return ""


def shown(source: Mapping[str, Any]) -> str:
    """A source for people."""
    gridfs = source.get("gridfs")
    file_id = gridfs.get("fileId") if isinstance(gridfs, Mapping) else None
    return str(source.get("url") or file_id or "")[:_LONGEST_SOURCE]


def _spec_of(spec: ConversionSetSpec, source: Mapping[str, Any]) -> dict[str, Any]:
    common = dict(spec.template.spec)
    output = merged_output(common.get("output") or {}, source.get("output") or {})
    own = {name: value for name, value in source.items() if name in SOURCE_FIELDS}
    strange = {name: value for name, value in source.items() if name not in SOURCE_FIELDS | {"output"}}
    return common | {"source": own | strange, "suspend": spec.suspend} | ({"output": output} if output else {})


def _manifest(found: ConversionSet, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {
            "name": name,
            "namespace": found.meta.namespace,
            "labels": {LABEL_SET: found.meta.name},
            "ownerReferences": [controller_reference(names.SET_KIND, found.meta)],
        },
        "spec": spec,
    }
