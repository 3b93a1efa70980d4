"""What harms in a text that is shown on one line, in a page, an email, a terminal or a log: a list, and nothing else.

Whole categories of Unicode would take too much: joiners, without which Persian and families of emoji are misspelt, the
tags in a flag, and every character that is newer than this Python's tables.
"""

import unicodedata
from typing import Final


def _between(first: int, last: int) -> frozenset[str]:
    return frozenset(map(chr, range(first, last + 1)))


CONTROLS: Final = _between(0x00, 0x1F) | _between(0x7F, 0x9F)
"""C0, DEL and C1: ends of lines, escape sequences of terminals, NUL."""

SEPARATORS: Final = frozenset("\u2028\u2029")
"""Of lines and paragraphs: programs end a line there."""

DIRECTIONS: Final = _between(0x202A, 0x202E) | _between(0x2066, 0x2069)
"""Embeddings, overrides and isolates: "gpj.exe" is shown as "exe.jpg", and so may be what follows the name. The two
marks (U+200E, U+200F) reach no further than themselves; Hebrew and Arabic need them."""

UNSEEN: Final = frozenset("\u200b\u2060\ufeff") | _between(0x206A, 0x206F) | _between(0xFFF9, 0xFFFB)
"""Without width and meaning in a name: two names that look the same would differ."""

SURROGATES: Final = _between(0xD800, 0xDFFF)
"""Halves of characters: no encoding takes them."""

HARMFUL: Final = CONTROLS | SEPARATORS | DIRECTIONS | UNSEEN | SURROGATES

_SHOWS_NOTHING: Final = frozenset({"Cf", "Zs"})
"""Categories of what shows nothing by itself, joiners and spaces among them."""

_VARIATION_SELECTORS: Final = _between(0xFE00, 0xFE0F) | _between(0xE0100, 0xE01EF)


def harmless(text: str) -> str:
    """The text on one line: without what harms, each stretch of white space as one blank, "" if nothing is visible."""
    kept = "".join(character for character in text if character not in HARMFUL or character.isspace())
    return " ".join(kept.split()) if any(map(_is_visible, kept)) else ""


def _is_visible(character: str) -> bool:
    shows = unicodedata.category(character) not in _SHOWS_NOTHING and character not in _VARIATION_SELECTORS
    return shows and not character.isspace()
