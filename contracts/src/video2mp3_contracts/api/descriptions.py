"""What `kubectl explain` says of a field: its meaning, which form it has, and its default. Pure.

kubectl shows the type of a field and its description, but no bounds, rules and default: so words are made of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from video2mp3_contracts.api.field_rules import FORM_LENGTH
from video2mp3_contracts.api.model import KEEPS_ITS_VALUE


def described(node: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """A structural schema whose descriptions tell what it asks for, all the way down; `path` is as in `spec.owner`."""
    documented = dict(node)
    if sentences := [*_sentences(node, path)]:
        documented["description"] = " ".join(sentences)
    if "properties" in node:
        below = node["properties"].items()
        documented["properties"] = {name: described(child, f"{path}.{name}".lstrip(".")) for name, child in below}
    if "items" in node:
        documented["items"] = described(node["items"], path)
    return documented


def _sentences(node: Mapping[str, Any], path: str) -> Iterator[str]:
    if "description" in node:
        yield node["description"]
    if node.get("x-kubernetes-int-or-string"):
        # kubectl calls its type Object.
        yield "An integer, or a text in quotes."
    yield from _bounds(node)
    for rule in node.get("x-kubernetes-validations", ()):
        yield "Immutable." if rule["rule"] == KEEPS_ITS_VALUE else _form(rule["message"], path)
    if (default := _default(node.get("default"))) is not None:
        yield f"Default: {default}."


def _form(words: str, path: str) -> str:
    """A rule's words, without the field that they begin with where that stands above its description already."""
    words = words.removeprefix(f"{path.removeprefix('spec.')} ")
    begins_with_a_field = "." in words.partition(" ")[0]
    return f"{words}." if begins_with_a_field else f"{words[0].upper()}{words[1:]}."


def _bounds(node: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in node:
        yield f"One of {', '.join(map(str, node['enum']))}."
    if "minimum" in node:
        yield f"From {node['minimum']} to {node['maximum']}."
    if node.get("maxLength", FORM_LENGTH) != FORM_LENGTH:
        yield f"At most {node['maxLength']} characters."
    if "maxItems" in node:
        yield f"At most {node['maxItems']}."


def _default(default: Any) -> str | None:
    """As it is written; None where there is none, or where the fields of an object have defaults themselves."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, dict):
        nested = any(isinstance(value, dict | list) for value in default.values())
        return None if nested or not default else ", ".join(f"{name}: {value}" for name, value in default.items())
    return '""' if default == "" else None if default is None else str(default)
