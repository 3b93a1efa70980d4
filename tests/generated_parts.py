"""The generated parts of a page, each between two markers: `<!-- begin NAME -->` and `<!-- end NAME -->`."""

import re
from collections.abc import Mapping


def renewed(page: str, parts: Mapping[str, str]) -> str:
    """The page with its parts replaced, by their names. Raises ValueError where one has no place, or several."""
    for name, text in parts.items():
        block = re.compile(rf"(<!-- begin {re.escape(name)} -->\n).*?(<!-- end {re.escape(name)} -->)", re.DOTALL)
        page, found = block.subn(lambda match, text=text: f"{match[1]}{text}\n{match[2]}", page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"no markers of {name}, or several: the page has {found} places for it; it needs one")
    return page
