"""How values are written in emails and log lines: made harmless, and in units that people read."""

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's general categories of what changes a text without being seen: controls, formats (the bidirectional
overrides among them), surrogates, private and unassigned characters, line and paragraph separators."""

_KIBI: Final = 1024
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_SECONDS_PER_HOUR: Final = 3600


def plain(text: str, longest: int) -> str:
    """The text on one line, without characters that hide or reorder others, cut to `longest` characters."""
    visible = "".join(" " if _is_space(character) else character for character in text if not _is_unseen(character))
    line = " ".join(visible.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _is_space(character: str) -> bool:
    return character.isspace()


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN and not character.isspace()


def length(seconds: float) -> str:
    """A duration as `m:ss`, or `h:mm:ss` from an hour on, rounded to the second."""
    whole = round(seconds)
    hours, rest = divmod(whole, _SECONDS_PER_HOUR)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes}:{seconds_left:02}"


def size(count: int) -> str:
    """A number of bytes with a binary unit (IEC 80000-13), with one decimal from KiB on."""
    if count < _KIBI:
        return f"{count} bytes"
    value, unit = float(count), 0
    # 1023.95 would be shown as 1024.0, which is one of the next unit.
    while round(value, 1) >= _KIBI and unit < len(_UNITS) - 1:
        value /= _KIBI
        unit += 1
    return f"{value:.1f} {_UNITS[unit]}"
