"""Names that users give their files, made safe to store, to show and to put in a header.

They come from anywhere: with folders before them, control characters, invisible marks that turn the reading direction
round ("gpj.exe" shown as "exe.jpg"), megabytes long, or not text at all.
"""

import re
import unicodedata
from typing import Final

from video2mp3_contracts.text.harm import harmless

MAX_BYTES: Final = 200
"""Of a name in UTF-8: what every file system can hold, and what `Output.filename` allows."""

_MP3: Final = ".mp3"


def display_name(given: str) -> str:
    """The file's own name, without folders and without what harms; "" if nothing visible is left."""
    last = re.split(r"[/\\]", given)[-1]
    return harmless(_shortened(harmless(unicodedata.normalize("NFC", last)).strip(". ")))


def mp3_name(name: str) -> str:
    """What the mp3 made of a file with this display name is called."""
    stem, dot, _extension = name.rpartition(".")
    return _cut(stem if dot else name, MAX_BYTES - len(_MP3)) + _MP3


def _shortened(name: str) -> str:
    """Cut the stem of a name that is too long; the extension says what it is, so it stays."""
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        return _cut(name, MAX_BYTES)
    ending = dot + extension
    return _cut(stem, MAX_BYTES - len(ending.encode())) + ending


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    return text.encode()[:limit].decode(errors="ignore").rstrip()
