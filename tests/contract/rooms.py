"""Writes what READMEs and docs/architecture.md show of the code's rooms: pictures by imports, tables by docstrings.

python -m tests.contract.rooms
"""

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import grimp

from tests.generated_parts import renewed

ROOT: Final = Path(__file__).resolve().parents[2]
ARCHITECTURE: Final = ROOT / "docs" / "architecture.md"
PACKAGES: Final = {
    "contracts": "video2mp3_contracts",
    "gateway": "video2mp3_gateway",
    "auth": "video2mp3_auth",
    "operator": "video2mp3_operator",
    "worker-image": "video2mp3_worker",
    "notifier": "video2mp3_notifier",
    "localcluster": "video2mp3_localcluster",
}
"""By folder."""

Arrows = Mapping[str, frozenset[str]]
"""By room: those that it imports."""


def pages() -> dict[Path, str]:
    """Every page with a generated part, as it should be."""
    pages = {ROOT / folder / "README.md": {"rooms": rooms(folder)} for folder in PACKAGES}
    pages[ARCHITECTURE] = {"rooms": whole()}
    return {page: renewed(page.read_text(), parts) for page, parts in pages.items()}


def rooms(folder: str) -> str:
    """A service's picture and the table of its modules."""
    found = arrows(PACKAGES[folder])
    return f"{picture(found)}\n\n{table(folder)}"


def whole() -> str:
    """The rooms of all services in one picture."""
    lines = ["```mermaid", "flowchart TB"]
    for folder, package in PACKAGES.items():
        prefix = folder.partition("-")[0]
        lines += [f"  subgraph {prefix} [{folder}]", *_lines(without_shortcuts(arrows(package)), f"{prefix}_"), "  end"]
    return "\n".join([*lines, "```"])


def picture(found: Arrows) -> str:
    """A room stands above those that it imports; where there is a longer way too, the direct arrow is left out."""
    return "\n".join(["```mermaid", "flowchart TB", *_lines(without_shortcuts(found)), "```"])


def _lines(found: Arrows, prefix: str = "") -> list[str]:
    named = [f"  {prefix}{room}[{room}]" for room in found] if prefix else [f"  {room}" for room in found]
    return [*named, *(f"  {prefix}{room} --> {prefix}{below}" for room in found for below in sorted(found[room]))]


@cache
def arrows(package: str) -> Arrows:
    """Which room imports which; a module that is in no room is one."""
    graph = grimp.build_graph(package, cache_dir=None)
    found: dict[str, set[str]] = {room: set() for room in sorted(map(_room, graph.modules)) if room}
    for module in graph.modules:
        here = _room(module)
        below = {_room(each) for each in graph.find_modules_directly_imported_by(module)}
        if here:
            found[here] |= below - {here, ""}
    return {room: frozenset(below) for room, below in found.items()}


def _room(module: str) -> str:
    """The room's name; "" for the package itself, and for what only starts it."""
    name = module.partition(".")[2].partition(".")[0]
    return "" if name == "__main__" else name


def without_shortcuts(found: Arrows) -> Arrows:
    """Without arrows to what is reached by others as well."""
    return {room: frozenset(below - _reached(found, below)) for room, below in found.items()}


def _reached(found: Arrows, begun: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    todo = [below for room in begun for below in found[room]]
    while todo:
        room = todo.pop()
        if room not in reached:
            reached.add(room)
            todo += found[room]
    return reached


def table(folder: str) -> str:
    """Each room with its modules, and what each of them says of itself."""
    package = PACKAGES[folder]
    source = ROOT / folder / "src" / package
    rows = ["| module | what it is |", "| --- | --- |"]
    for room in arrows(package):
        if not (source / room).is_dir():
            rows.append(_row(folder, source / f"{room}.py"))
            continue
        rows.append(f"| **`{room}/`** | {said(source / room / '__init__.py')} |")
        rows += [_row(folder, file) for file in sorted((source / room).rglob("*.py")) if file.name != "__init__.py"]
    return "\n".join(rows)


def _row(folder: str, file: Path) -> str:
    return f"| [`{file.stem}`]({file.relative_to(ROOT / folder)}) | {said(file)} |"


def said(file: Path) -> str:
    """The first sentences of a module's docstring, up to its first empty line."""
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text)
