"""Generates the CustomResourceDefinition from the models.

pydantic gives JSON Schema; the API server wants a structural schema: no references, no `anyOf` with null, no titles.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.conversion_class import ConversionClassSpec
from video2mp3_contracts.api.descriptions import described
from video2mp3_contracts.api.model import ADDED_LATER, BY_CLASS, rule
from video2mp3_contracts.api.status import ConversionStatus

_DROPPED = frozenset({"title", "$defs", "const", *ADDED_LATER, *BY_CLASS})
_HEADER = "# Generated from contracts/ by `make generate`. Do not edit.\n"


def structural(schema: dict[str, Any]) -> dict[str, Any]:
    """A pydantic JSON Schema as a structural schema of the same meaning."""
    return _convert(schema, schema.get("$defs", {}))


def _convert(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    node = _resolve(node, definitions)
    converted: dict[str, Any] = {}
    for key, value in node.items():
        if key in _DROPPED or (key == "default" and (value is None or _left_out(node))):
            continue
        if key == "default":
            converted[key] = _filled_in(value, node, definitions)
        elif key == "properties":
            converted[key] = {name: _convert(child, definitions) for name, child in value.items()}
        elif key == "items" or (key == "additionalProperties" and isinstance(value, dict)):
            converted[key] = _convert(value, definitions)
        elif key == "additionalProperties":
            continue  # The API server refuses what is not in `properties` by itself.
        elif key == "exclusiveMinimum":
            converted.update(minimum=value, exclusiveMinimum=True)
        else:
            converted[key] = value
    return converted


def _filled_in(value: Any, node: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """A default without the fields that are unset, since the API server refuses null where a type is asked for.

    Nor has it those that it is not to fill in.
    """
    if not isinstance(value, dict):
        return value
    fields = {name: _resolve(child, definitions) for name, child in node.get("properties", {}).items()}
    return {
        name: _filled_in(child, fields[name], definitions)
        for name, child in value.items()
        if child is not None and not _left_out(fields[name])
    }


def _left_out(node: dict[str, Any]) -> bool:
    """Whether the API server is not to fill in its default."""
    return ADDED_LATER.items() <= node.items() or BY_CLASS.items() <= node.items()


def _without_defaults(node: Any) -> Any:
    """A schema that fills nothing in: the status is the operator's alone, and what it left out stays out."""
    if isinstance(node, dict):
        return {key: _without_defaults(child) for key, child in node.items() if key != "default"}
    return node


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Put a reference's target, and the one type that is not null, in the node's place; the node's own words win."""
    while "$ref" in node or "anyOf" in node or "allOf" in node:
        if "$ref" in node:
            inner = definitions[node["$ref"].rsplit("/", 1)[1]]
        else:
            inner = next(child for child in node.get("anyOf") or node["allOf"] if child.get("type") != "null")
        node = inner | {key: value for key, value in node.items() if key not in ("$ref", "anyOf", "allOf")}
    return _with_enum_type(node)


def _with_enum_type(node: dict[str, Any]) -> dict[str, Any]:
    if "const" in node and "enum" not in node:
        return node | {"enum": [node["const"]]}
    return node


def definition() -> dict[str, Any]:
    """The CustomResourceDefinition of Conversions, as a document."""
    version = {
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": ".spec.owner"}],
        "additionalPrinterColumns": _columns(),
        "schema": {"openAPIV3Schema": described(schema())},
    }
    kind = {
        "kind": names.KIND,
        "listKind": f"{names.KIND}List",
        "plural": names.PLURAL,
        "singular": names.SINGULAR,
        "shortNames": [names.SHORT_NAME],
    }
    return _definition("Namespaced", kind, version)


def class_definition() -> dict[str, Any]:
    """The CustomResourceDefinition of ConversionClasses, as a document."""
    version = {
        "additionalPrinterColumns": [
            _column("Default", f".metadata.annotations.{names.GROUP.replace('.', chr(92) + '.')}/is-default-class"),
            _column("Offered", ".spec.offered", "boolean"),
            _column("Description", ".spec.description"),
            _column("Age", ".metadata.creationTimestamp", "date"),
        ],
        "schema": {"openAPIV3Schema": described(class_schema())},
    }
    kind = {
        "kind": names.CLASS_KIND,
        "listKind": f"{names.CLASS_KIND}List",
        "plural": names.CLASS_PLURAL,
        "singular": names.CLASS_KIND.lower(),
        "shortNames": [names.CLASS_SHORT_NAME],
    }
    return _definition("Cluster", kind, version)


def _definition(scope: str, kind: dict[str, Any], version: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind['plural']}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": scope,
            "names": kind,
            "versions": [{"name": names.VERSION, "served": True, "storage": True} | version],
        },
    }


def schema() -> dict[str, Any]:
    """The resource as a structural schema, whose descriptions say no more than what a field means."""
    status = _without_defaults(structural(ConversionStatus.model_json_schema(by_alias=True)))
    return {
        "type": "object",
        "description": "One video to turn into an mp3.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            # Without its name: who makes JSON Schemas of definitions would take all that is not listed for unknown.
            "metadata": {"type": "object"},
            "spec": structural(ConversionSpec.model_json_schema(by_alias=True)),
            "status": status | {"default": UNSEEN_STATUS},
        },
        "x-kubernetes-validations": [_short_name()],
    }


def _short_name() -> dict[str, str]:
    """It is the value of a label."""
    return rule(
        f"self.metadata.name.size() <= {names.MAX_NAME_LENGTH}",
        f"metadata.name must have at most {names.MAX_NAME_LENGTH} characters",
        fieldPath=".metadata",
    )


def class_schema() -> dict[str, Any]:
    """A ConversionClass as a structural schema."""
    return {
        "type": "object",
        "description": "What administrators decide for the Conversions that name it.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": _without_defaults(structural(ConversionClassSpec.model_json_schema(by_alias=True))),
        },
        "x-kubernetes-validations": [_short_name()],
    }


UNSEEN_STATUS: dict[str, Any] = {
    "observedGeneration": -1,
    "phase": "Pending",
    "reason": "Pending",
    "conditions": [
        {
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "No operator has seen this Conversion yet: where it stays so, none watches its namespace.",
            "observedGeneration": -1,
        }
    ],
}
"""What a Conversion's status is before an operator has seen it, so that nobody takes it for healthy.

A default knows no time, so its condition has none."""


def _column(name: str, path: str, kind: str = "string", *, wide: bool = False) -> dict[str, Any]:
    return {"name": name, "type": kind, "jsonPath": path, **({"priority": 1} if wide else {})}


def _columns() -> list[dict[str, Any]]:
    return [
        _column("Phase", ".status.phase"),
        _column("Progress", ".status.progress.percent", "integer"),
        _column("Queue", ".status.queue.position", "integer"),
        _column("Attempts", ".status.attempts[-1:].number", "integer"),
        _column("Reason", ".status.reason"),
        _column("Age", ".metadata.creationTimestamp", "date"),
        _column("Output", ".status.output.fileId", wide=True),
        _column("Duration", ".status.output.durationSeconds", "number", wide=True),
        _column("Owner", ".spec.owner", wide=True),
        _column("Class", ".status.resolved.className", wide=True),
    ]


def main() -> None:
    """Write every CustomResourceDefinition into the folder that is named."""
    for document in (definition(), class_definition()):
        text = yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
        (Path(sys.argv[1]) / f"{document['metadata']['name']}.yaml").write_text(_HEADER + text)


if __name__ == "__main__":
    main()
