"""The mp3's ID3 tag: what the source says of itself, overridden by what was asked for; its cover and its chapters.

ID3v2.4 in UTF-8 by mutagen; chapters by the "ID3v2 Chapter Frame Addendum" 1.0.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Final

from mutagen import id3

from video2mp3_contracts.output import Tags
from video2mp3_worker.chapters import Chapter
from video2mp3_worker.images import Picture

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
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_TAG_HEADER_BYTES: Final = 10
_NO_OFFSET: Final = 0xFFFFFFFF
"""A chapter's place in bytes: players take its time instead."""

_CHAPTER_TITLE_BYTES: Final = 120
"""ffmpeg, and every player that is made of it, takes the size of a frame within a chapter for an ordinary number. It is
one as long as it needs no more than seven bits."""

_LONGEST: Final = {"date": 32, "track": 16, "comment": 1024}
_LONGEST_OTHER: Final = 256


def merged(source: Mapping[str, str], wanted: Tags) -> dict[str, str]:
    """The tag's fields by the names of `Tags`. The source's are cut and cleaned to what `Tags` would allow."""
    copied = {name: _clean(name, value) for name, value in source.items()}
    overriding = wanted.model_dump(exclude_none=True)
    return {name: value for name, value in (copied | overriding).items() if value}


def render(
    fields: Mapping[str, str],
    cover: Picture | None = None,
    chapters: Sequence[Chapter] = (),
    texts: Mapping[str, str] | None = None,
) -> bytes:
    """The tag as the bytes that stand before the mp3's first frame; empty when there is nothing to say.

    `texts`: further fields by names of their own.
    """
    frames = [_frame(name, value) for name, value in fields.items()]
    frames += [id3.TXXX(encoding=id3.Encoding.UTF8, desc=name, text=[text]) for name, text in (texts or {}).items()]
    frames += _chapter_frames(chapters)
    if cover is not None:
        kind = id3.PictureType.COVER_FRONT
        frames.append(id3.APIC(encoding=id3.Encoding.UTF8, mime=cover.mime, type=kind, desc="", data=cover.data))
    if not frames:
        return b""
    content = b"".join(map(_in_bytes, frames))
    return b"ID3\x04\0\0" + id3.BitPaddedInt.to_str(len(content), width=4) + content


def _in_bytes(frame: id3.Frame) -> bytes:
    # One by one: mutagen puts the frames of a tag in order of size, and not every player sorts chapters by time.
    tag, buffer = id3.ID3(), BytesIO()
    tag.add(frame)
    tag.save(buffer, v2_version=4, padding=lambda _info: 0)
    return buffer.getvalue()[_TAG_HEADER_BYTES:]


def _frame(name: str, value: str) -> id3.Frame:
    if name == "comment":
        return id3.COMM(encoding=id3.Encoding.UTF8, lang="und", desc="", text=[value])
    if name == "date" and not _TIMESTAMP.fullmatch(value):
        # TDRC holds nothing but a timestamp; what is none is kept as a field of the user's.
        return id3.TXXX(encoding=id3.Encoding.UTF8, desc="DATE", text=[value])
    frame: Callable[..., id3.Frame] = _FRAMES[name]
    return frame(encoding=id3.Encoding.UTF8, text=[value])


def _chapter_frames(chapters: Sequence[Chapter]) -> list[id3.Frame]:
    if not chapters:
        return []
    names = [f"chp{number}" for number in range(len(chapters))]
    flags = id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED
    frames: list[id3.Frame] = [id3.CTOC(element_id="toc", flags=flags, child_element_ids=names, sub_frames=[])]
    for name, chapter in zip(names, chapters, strict=True):
        title = _cut(_clean("title", chapter.title), _CHAPTER_TITLE_BYTES)
        frames.append(
            id3.CHAP(
                element_id=name,
                start_time=round(chapter.start_seconds * 1000),
                end_time=round(chapter.end_seconds * 1000),
                start_offset=_NO_OFFSET,
                end_offset=_NO_OFFSET,
                sub_frames=[_frame("title", title)] if title else [],
            )
        )
    return frames


def _cut(text: str, size: int) -> str:
    """As much of a text as has room in so many bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore")


def _clean(name: str, value: str) -> str:
    text = _UNPRINTABLE.sub(" ", value).strip()[: _LONGEST.get(name, _LONGEST_OTHER)]
    if name == "date":
        found = _TIMESTAMP.match(text)
        return found.group() if found else ""
    if name == "track":
        found = _TRACK.match(text)
        return found.group() if found else ""
    return text
