"""Commands are taken from one section, whole."""

import re

from tests.commands_of_a_page import OPERATIONS, README, commands, session

PAGE = """# Page

```
not this
```

## Do it

Words.

```
one \\
  more
# two
```

```yaml
not: typed
```

```
three
```

### Below it

```
nor this
```
"""


def test_a_sections_commands() -> None:
    assert commands(PAGE, "Do it") == ["one \\\n  more\n# two\n", "three\n"]
    assert commands(PAGE, "Below it") == ["nor this\n"]
    assert commands(PAGE, "Nowhere") == []


def test_a_terminals_commands_and_what_they_print() -> None:
    assert session("$ one a\nsays\nmuch\n$ two\n$ three\ncosts $ 3\n") == [
        ("one a", "says\nmuch\n"),
        ("two", ""),
        ("three", "costs $ 3\n"),
    ]


def test_the_readme_has_commands_only_where_they_are_typed() -> None:
    """`make demo` and `make test` are continuous integration's, the others those of `tests/e2e/test_readme.py`."""
    page = README.read_text()
    blocks = {heading: len(commands(page, heading)) for heading in re.findall(r"^#+ (.*)$", page, re.MULTILINE)}
    assert {heading: count for heading, count in blocks.items() if count} == {
        "Try it: two commands": 2,
        "Install it on your cluster": 2,
        "Use it over REST: three calls": 1,
        "Use it with kubectl": 1,
    }


def test_the_book_has_a_backup_and_a_restore() -> None:
    backup, restore = commands(OPERATIONS.read_text(), "Back up and restore")
    assert "auth dump" in backup
    assert "auth load" in restore
