"""The name under which a download is saved: the header Content-Disposition (RFC 6266)."""

import unicodedata
from typing import Final
from urllib.parse import quote

from anyascii import anyascii

LONGEST: Final = 200
"""Characters of the name in ASCII, whose letters may be many for one: file systems take 255 bytes."""

_LONGEST_ENDING: Final = 6
"""Characters of what is kept at the end of a name that is cut, its point included."""

_UNFIT: Final = str.maketrans(dict.fromkeys('"\\/:*?<>|%;', "_"))
"""What ends the text, what a file's name cannot hold somewhere, and what some clients decode."""

_SILENT: Final = frozenset({"Cf", "Mn", "Me"})
"""Categories of what only changes the letters around it."""


def content_disposition(filename: str) -> str:
    """Save under this name: as it is, and in ASCII for clients that know no better (`curl -OJ` is one)."""
    exact = quote(filename, safe="", errors="replace")
    return f"attachment; filename=\"{ascii_name(filename)}\"; filename*=UTF-8''{exact}"


def ascii_name(filename: str) -> str:
    """The name in ASCII: transliterated, and "_" in the place of each character for which there is no way to write it.

    Neither empty nor hidden, and without a blank at either end.
    """
    name = " ".join("".join(map(_letter, filename)).split())
    ending = name[name.rfind(".") :] if "." in name[-_LONGEST_ENDING:] else ""
    shown = name.removesuffix(ending)[: LONGEST - len(ending)].strip() + ending
    return f"_{shown}" if not shown or shown.startswith(".") else shown


def _letter(character: str) -> str:
    written = anyascii(character).strip(":").translate(_UNFIT)
    if not written.isprintable():
        return " " if character.isspace() else "_"
    return written or ("" if unicodedata.category(character) in _SILENT else "_")
