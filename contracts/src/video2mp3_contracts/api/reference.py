"""Writes the generated tables of `docs/conversion.md`: fields and reasons, between their markers.

A block named `spec.output.trim` gets the table of that field and all below it, `fields` the list of all sections about
fields, `status` and `reasons` what their names say.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from video2mp3_contracts.api import crd
from video2mp3_contracts.api.field_rules import FORM_LENGTH
from video2mp3_contracts.api.model import KEEPS_ITS_VALUE
from video2mp3_contracts.api.reasons import Reason

_BLOCK: Final = re.compile(r"(<!-- begin (\S+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
_SECTION: Final = re.compile(r"^### (spec\.\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Field:
    """One field of the schema."""

    path: str
    """From the root, for example `spec.output.trim.start`."""

    node: dict[str, Any]
    default: Any
    """Its own, or the one that a field above it gives it; None without one."""

    immutable: bool

    @property
    def leaf(self) -> bool:
        """Whether it has no fields below it."""
        return not self.node.get("properties") and not self.node.get("items", {}).get("properties")


def all_fields() -> dict[str, Field]:
    """Every field of `spec` and `status` by its path, in the order of the schema."""
    root = crd.schema()["properties"]
    parts = (Field(part, root[part], {}, immutable=False) for part in ("spec", "status"))
    return {field.path: field for part in parts for field in _walk(part)}


def _walk(parent: Field) -> Iterator[Field]:
    list_of = parent.node.get("items", {}).get("properties")
    path = f"{parent.path}[]" if list_of else parent.path
    for name, node in (list_of or parent.node.get("properties", {})).items():
        given = parent.default.get(name) if isinstance(parent.default, dict) else None
        kept = any(rule["rule"] == KEEPS_ITS_VALUE for rule in node.get("x-kubernetes-validations", ()))
        field = Field(f"{path}.{name}", node, node.get("default", given), parent.immutable or kept)
        yield field
        yield from _walk(field)


def _spec_table(path: str) -> str:
    """The table of a field of the spec and of all below it."""
    found = [field for name, field in all_fields().items() if name == path or name.startswith(f"{path}.")]
    rows = [
        f"| `{field.path.removeprefix('spec.')}` | {_type(field.node)} | {_default(field.default)} |"
        f" {'never' if field.immutable else 'always'} | {field.node.get('description', '')} |"
        for field in found
        if field.leaf
    ]
    if not rows:
        raise ValueError(f"there is no field {path}")
    return "\n".join(["| field | type | default | may change | meaning |", "| --- | --- | --- | --- | --- |", *rows])


def _status_table() -> str:
    found = [field for name, field in all_fields().items() if name.startswith("status.")]
    rows = [
        f"| `{field.path.removeprefix('status.')}` | {_type(field.node)} | {field.node.get('description', '')} |"
        for field in found
    ]
    return "\n".join(["| field | type | meaning |", "| --- | --- | --- |", *rows])


def _table_of(schema: dict[str, Any]) -> str:
    """The table of what the spec of another kind may say."""
    spec = Field("spec", schema["properties"]["spec"], {}, immutable=False)
    rows = [
        f"| `{field.path.removeprefix('spec.')}` | {_type(field.node)} | {field.node.get('description', '')} |"
        for field in _walk(spec)
        if field.leaf and not field.path.startswith(("spec.template.spec.", "spec.sources[]."))
    ]
    return "\n".join(["| field | type | meaning |", "| --- | --- | --- |", *rows])


def _list_of_sections(page: str) -> str:
    """One line for each section about a field: a link and the field's meaning."""
    known = all_fields()
    return "\n".join(
        f"- [`{path}`](#{path.lower().replace('.', '')}): {known[path].node['description']}"
        for path in _SECTION.findall(page)
    )


def all_refusals() -> dict[str, str]:
    """The words of every rule of ours that the API server refuses by, and the field that each is about."""
    root = crd.schema()
    return dict(_rules(root, ""))


def _rules(node: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    yield from ((rule["message"], path or "metadata") for rule in node.get("x-kubernetes-validations", ()))
    for name, child in node.get("properties", {}).items():
        yield from _rules(child, f"{path}.{name}".lstrip("."))
    for below in ("items", "additionalProperties"):
        if isinstance(node.get(below), dict):
            yield from _rules(node[below], path)


def _refusals_table() -> str:
    rows = (f"| `{path}` | {words} |" for words, path in all_refusals().items())
    return "\n".join(["| field | what the API server says |", "| --- | --- |", *rows])


def _reasons_table() -> str:
    return "\n".join(["| reason | meaning |", "| --- | --- |", *(f"| `{r.value}` | {r.meaning} |" for r in Reason)])


def _type(node: dict[str, Any]) -> str:
    if node.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "additionalProperties" in node:
        of = node["additionalProperties"].get("type", "quantitie")
        return f"map of up to {node['maxProperties']} {of}s"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    low, high = node.get("minimum"), node.get("maximum")
    span = f", {low} to {high}" if low is not None and high is not None else ""
    bound = node.get("maxLength", FORM_LENGTH)
    longest = "" if bound == FORM_LENGTH else f", up to {bound} characters"
    kind = {"array": "list", "date-time": "time"}.get(node.get("format", node["type"]), node["type"])
    return f"{kind}{span}{longest}"


def _default(default: Any) -> str:
    if default in (None, {}):
        return ""
    return '`""`' if default == "" else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def with_tables(page: str) -> str:
    """The page with every generated part renewed. Raises ValueError for a block that nothing is known of."""

    def table(name: str) -> str:
        if name == "fields":
            return _list_of_sections(page)
        whole = {
            "class": lambda: _table_of(crd.class_schema()),
            "set": lambda: _table_of(crd.set_schema()),
            "status": _status_table,
            "reasons": _reasons_table,
            "refusals": _refusals_table,
        }
        return whole.get(name, lambda: _spec_table(name))()

    return _BLOCK.sub(lambda match: f"{match[1]}{table(match[2])}\n{match[3]}", page)


def main() -> None:
    """Renew the generated parts of the pages named on the command line."""
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(with_tables(page.read_text()))


if __name__ == "__main__":
    main()
