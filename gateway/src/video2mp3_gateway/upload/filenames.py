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

# fmt: off
EXTENSIONS: Final = frozenset((
    "3g2", "3ga", "3gp", "3gpp", "aac", "ac3", "aif", "aiff", "amr", "amv", "ape", "asf", "au", "avi", "caf",
    "divx", "dts", "dv", "dvr-ms", "eac3", "f4v", "flac", "flv", "gxf", "h264", "h265", "hevc", "ismv", "ivf",
    "m1v", "m2t", "m2ts", "m2v", "m4a", "m4b", "m4v", "mj2", "mka", "mkv", "mlp", "mod", "mov", "mp2", "mp3", "mp4",
    "mpa", "mpe", "mpeg", "mpg", "mpg4", "mpv", "mts", "mxf", "nsv", "nut", "oga", "ogg", "ogm", "ogv", "ogx",
    "opus", "qt", "ra", "ram", "rm", "rmvb", "spx", "swf", "tod", "tp", "trp", "ts", "tta", "vob", "w64", "wav",
    "weba", "webm", "wm", "wma", "wmv", "wtv", "wv", "xvid", "y4m", "yuv",
))
# fmt: on
"""Of files that hold audio or pictures, in small letters. What else follows a point is part of the name: "Dr. Who",
"2026.11.29 Interview". A name that keeps an extension we do not know is odd; one that loses half its words is wrong."""

_MP3: Final = ".mp3"
_NAMELESS: Final = "audio"


def display_name(given: str) -> str:
    """The file's own name, without folders and without what harms; "" if nothing visible is left."""
    # One that ends in a backslash, as may happen where that is no separator, still has a name.
    last = re.split(r"[/\\]", given.rstrip("\\"))[-1]
    return harmless(_shortened(harmless(unicodedata.normalize("NFC", last)).strip(". ")))


def mp3_name(name: str) -> str:
    """What the mp3 made of a file with this display name is called."""
    stem, _extension = _split(name)
    return (_cut(stem, MAX_BYTES - len(_MP3)) or _NAMELESS) + _MP3


def _shortened(name: str) -> str:
    """Cut the stem of a name that is too long; the extension says what it is, so it stays."""
    stem, extension = _split(name)
    return _cut(stem, MAX_BYTES - len(extension)) + extension


def _split(name: str) -> tuple[str, str]:
    """A name in front of its extension, and the extension with its point; "" where there is none."""
    stem, point, extension = name.rpartition(".")
    is_one = bool(harmless(stem)) and extension.lower() in EXTENSIONS
    return (stem, point + extension) if is_one else (name, "")


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    return text.encode()[:limit].decode(errors="ignore").rstrip()
