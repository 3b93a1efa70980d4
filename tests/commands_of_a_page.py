"""The commands that a page of the documentation tells its reader to type."""

import re
from collections.abc import Iterator
from pathlib import Path

OPERATIONS = Path(__file__).resolve().parents[1] / "docs" / "operations.md"

_HEADING = re.compile(r"^(#+) (.*)$")
_FENCE = "```"


def commands(page: str, heading: str) -> list[str]:
    """The fenced blocks without a language, from a heading to the next one of any level."""
    blocks: list[str] = []
    block: list[str] | None = None
    for line in _section(page, heading):
        if line.startswith(_FENCE) and block is None:
            block = []
        elif line.startswith(_FENCE) and block is not None:
            blocks.append("\n".join(block) + "\n")
            block = None
        elif block is not None:
            block.append(line)
    return blocks


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
