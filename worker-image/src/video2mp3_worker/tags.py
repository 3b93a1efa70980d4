"""The mp3's ID3 tag: what the source says of itself, overridden by what was asked for. ID3v2.4 in UTF-8 by mutagen."""

import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Final

from mutagen import id3

from video2mp3_contracts.output import Tags

_FRAMES: Final = {
    "title": id3.TIT2,
    "artist": id3.TPE1,
    "album": id3.TALB,
    "album_artist": id3.TPE2,
    "composer": id3.TCOM,
    "genre": id3.TCON,
    "date": id3.TDRC,
    "track": id3.TRCK,
}
"""ID3v2.4 native frames, chapter 4.2."""

_TIMESTAMP: Final = re.compile(r"\d{4}(-\d\d(-\d\d([ T]\d\d(:\d\d(:\d\d)?)?)?)?)?")
_TRACK: Final = re.compile(r"\d{1,5}(/\d{1,5})?")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_LONGEST: Final = {"date": 32, "track": 16, "comment": 1024}
_LONGEST_OTHER: Final = 256


def merged(source: Mapping[str, str], wanted: Tags) -> dict[str, str]:
    """The tag's fields by the names of `Tags`. The source's are cut and cleaned to what `Tags` would allow."""
    copied = {name: _clean(name, value) for name, value in source.items()}
    overriding = wanted.model_dump(exclude_none=True)
    return {name: value for name, value in (copied | overriding).items() if value}


def render(fields: Mapping[str, str]) -> bytes:
    """The tag as the bytes that stand before the mp3's first frame; empty when there is nothing to say."""
    tag = id3.ID3()
    for name, value in fields.items():
        tag.add(_frame(name, value))
    if not tag:
        return b""
    buffer = BytesIO()
    tag.save(buffer, v2_version=4, padding=lambda _info: 0)
    return buffer.getvalue()


def _frame(name: str, value: str) -> id3.Frame:
    if name == "comment":
        return id3.COMM(encoding=id3.Encoding.UTF8, lang="und", desc="", text=[value])
    if name == "date" and not _TIMESTAMP.fullmatch(value):
        # TDRC holds nothing but a timestamp; what is none is kept as a field of the user's.
        return id3.TXXX(encoding=id3.Encoding.UTF8, desc="DATE", text=[value])
    frame: Callable[..., id3.Frame] = _FRAMES[name]
    return frame(encoding=id3.Encoding.UTF8, text=[value])


def _clean(name: str, value: str) -> str:
    text = _UNPRINTABLE.sub(" ", value).strip()[: _LONGEST.get(name, _LONGEST_OTHER)]
    if name == "date":
        found = _TIMESTAMP.match(text)
        return found.group() if found else ""
    if name == "track":
        found = _TRACK.match(text)
        return found.group() if found else ""
    return text
