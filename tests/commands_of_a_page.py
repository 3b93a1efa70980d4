"""The commands that a page of the documentation tells its reader to type."""

import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
OPERATIONS = _ROOT / "docs" / "operations.md"
README = _ROOT / "README.md"

_HEADING = re.compile(r"^(#+) (.*)$")
_FENCE = "```"


def commands(page: str, heading: str) -> list[str]:
    """The fenced blocks without a language, from a heading to the next one of any level."""
    blocks: list[str] = []
    block: list[str] | None = None
    language = ""
    for line in _section(page, heading):
        if line.startswith(_FENCE) and block is None:
            block, language = [], line.removeprefix(_FENCE)
        elif line.startswith(_FENCE) and block is not None:
            if not language:
                blocks.append("\n".join(block) + "\n")
            block = None
        elif block is not None:
            block.append(line)
    return blocks


def session(block: str) -> list[tuple[str, str]]:
    """The commands of a block that shows a terminal, each with what it prints there."""
    _, *parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    return list(zip(parts[::2], parts[1::2], strict=True))


def _section(page: str, heading: str) -> Iterator[str]:
    inside = fenced = False
    for line in page.splitlines():
        fenced ^= line.startswith(_FENCE)
        found = None if fenced else _HEADING.match(line)
        if found and inside:
            return
        if inside:
            yield line
        inside = inside or bool(found and found[2] == heading)
