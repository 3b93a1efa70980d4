"""JSON Schema as pydantic gives it, as the structural schema that the API server wants. Pure.

That has no references, no `anyOf` with null, and no titles.
"""

from typing import Any

from video2mp3_contracts.api.model import ADDED_LATER, BY_CLASS

_DROPPED = frozenset({"title", "$defs", "const", *ADDED_LATER, *BY_CLASS})


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


def without_defaults(node: Any) -> Any:
    """A schema that fills nothing in: the status is the operator's alone, and what it left out stays out."""
    if isinstance(node, dict):
        return {key: without_defaults(child) for key, child in node.items() if key != "default"}
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
