"""Commands are taken from one section, whole."""

from tests.commands_of_a_page import OPERATIONS, commands

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


def test_the_book_has_a_backup_and_a_restore() -> None:
    backup, restore = commands(OPERATIONS.read_text(), "Back up and restore")
    assert "auth dump" in backup
    assert "auth load" in restore
