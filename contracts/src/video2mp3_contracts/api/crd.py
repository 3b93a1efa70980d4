"""Generates the CustomResourceDefinitions from the models."""

import sys
from pathlib import Path
from typing import Any, Final

import yaml

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.conversion_class import ConversionClassSpec
from video2mp3_contracts.api.conversion_set import ConversionSetSpec, ConversionSetStatus
from video2mp3_contracts.api.descriptions import described
from video2mp3_contracts.api.model import immutable, rule
from video2mp3_contracts.api.status import ConversionStatus
from video2mp3_contracts.api.structural import structural, without_defaults

_HEADER = "# Generated from contracts/ by `make generate`. Do not edit.\n"


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


def set_definition() -> dict[str, Any]:
    """The CustomResourceDefinition of ConversionSets, as a document."""
    version = {
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            _column("Phase", ".status.phase"),
            _column("Total", ".status.counts.total", "integer"),
            _column("Active", ".status.counts.active", "integer"),
            _column("Succeeded", ".status.counts.succeeded", "integer"),
            _column("Failed", ".status.counts.failed", "integer"),
            _column("Reason", ".status.reason"),
            _column("Age", ".metadata.creationTimestamp", "date"),
        ],
        "schema": {"openAPIV3Schema": described(set_schema())},
    }
    kind = {
        "kind": names.SET_KIND,
        "listKind": f"{names.SET_KIND}List",
        "plural": names.SET_PLURAL,
        "singular": names.SET_KIND.lower(),
        "shortNames": [names.SET_SHORT_NAME],
    }
    return _definition("Namespaced", kind, version)


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
    status = without_defaults(structural(ConversionStatus.model_json_schema(by_alias=True)))
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
            "spec": without_defaults(structural(ConversionClassSpec.model_json_schema(by_alias=True))),
        },
        "x-kubernetes-validations": [_short_name()],
    }


def set_schema() -> dict[str, Any]:
    """A ConversionSet as a structural schema.

    Of rules there are only those of the set itself: those of a thousand sources would cost the API server more than it
    lets rules cost. The operator tells what is wrong with a source.
    """
    conversion = structural(ConversionSpec.model_json_schema(by_alias=True))["properties"]
    source, output = (_without_rules(without_defaults(conversion[name])) for name in ("source", "output"))
    one = source["properties"] | {"output": output | {"description": "In the place of the template's, field by field."}}
    spec = structural(ConversionSetSpec.model_json_schema(by_alias=True))
    fields = spec["properties"]
    common = {name: node for name, node in conversion.items() if name not in _NOT_COMMON}
    fields["template"]["properties"]["spec"] |= {"properties": _without_rules(without_defaults(common))}
    fields["template"]["x-kubernetes-validations"] = [immutable("template", "ConversionSet")]
    fields["sources"]["items"] = {"type": "object", "description": "One source.", "properties": one}
    status = without_defaults(structural(ConversionSetStatus.model_json_schema(by_alias=True)))
    return {
        "type": "object",
        "description": "One template and many sources to turn into mp3s.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": without_defaults(spec) | {"required": ["template"]},
            "status": status | {"default": _unseen(names.SET_KIND)},
        },
        "x-kubernetes-validations": [_short_name()],
    }


_NOT_COMMON = frozenset({"source", "suspend", "ttlSecondsAfterFinished"})
"""Of a Conversion's spec: what is not the template's. How long the set stays, it says itself."""


def _without_rules(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_rules(child) for key, child in node.items() if key != "x-kubernetes-validations"}
    return node


def _unseen(kind: str) -> dict[str, Any]:
    ready = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "Pending",
        "message": f"No operator has seen this {kind} yet: where it stays so, none watches its namespace.",
        "observedGeneration": -1,
    }
    return {"observedGeneration": -1, "phase": "Pending", "reason": "Pending", "conditions": [ready]}


UNSEEN_STATUS: Final = _unseen(names.KIND)
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
    for document in (definition(), class_definition(), set_definition()):
        text = yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
        (Path(sys.argv[1]) / f"{document['metadata']['name']}.yaml").write_text(_HEADER + text)


if __name__ == "__main__":
    main()
