"""What `kubectl get` prints, by column: cells may be empty, so they are found by where their heading stands."""

import re


def rows(printed: str) -> dict[str, dict[str, str]]:
    """Each row by its name, as heading → cell."""
    heading, *lines = printed.splitlines()
    columns = [(match[0].strip(), match.start(), match.end()) for match in re.finditer(r"\S+\s*", heading)]
    last = columns[-1][0]
    table = [
        {name: line[start : None if name == last else end].strip() for name, start, end in columns} for line in lines
    ]
    return {row["NAME"]: row for row in table}
