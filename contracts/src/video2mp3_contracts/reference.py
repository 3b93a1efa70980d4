"""Writes the generated tables of `docs/conversion.md`: fields and reasons, between their markers."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from video2mp3_contracts import crd
from video2mp3_contracts.reasons import Reason


def fields(part: str) -> str:
    """The table of every field below `spec` or `status`."""
    root = crd.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part]
    rows = [
        f"| `{path}` | {_type(node)} | {_default(node)} | {node.get('description', '')} |" for path, node in _walk(root)
    ]
    return "\n".join(["| field | type | default | meaning |", "| --- | --- | --- | --- |", *rows])


def reasons() -> str:
    """The table of every reason."""
    return "\n".join(["| reason | meaning |", "| --- | --- |", *(f"| `{r.value}` | {r.meaning} |" for r in Reason)])


def _walk(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in node.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        yield here, child
        yield from _walk(child, here)
        yield from _walk(child.get("items", {}), f"{here}[]")


def _type(node: dict[str, Any]) -> str:
    if node.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    low, high = node.get("minimum"), node.get("maximum")
    span = f", {low} to {high}" if low is not None and high is not None else ""
    return f"{node['type']}{span}"


def _default(node: dict[str, Any]) -> str:
    default = node.get("default")
    return "" if default in (None, {}, "") else f"`{_inline(default)}`"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_inline(child)}" for key, child in value.items() if child != {})
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_tables(page: str) -> str:
    """The page with every generated part renewed."""
    tables = {"spec": fields("spec"), "status": fields("status"), "reasons": reasons()}
    for name, table in tables.items():
        block = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        page, found = block.subn(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page has {found} blocks named {name}; it needs one")
    return page


def main() -> None:
    """Renew the generated parts of the pages named on the command line."""
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(with_tables(page.read_text()))


if __name__ == "__main__":
    main()
