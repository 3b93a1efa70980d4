"""The mp3's ID3 tag: what the source says of itself, overridden by what was asked for; its cover and its chapters.

By mutagen: ID3v2.3 in UTF-16, which is all the Unicode that it has, or ID3v2.4 in UTF-8; chapters by the "ID3v2 Chapter
Frame Addendum" 1.0.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from typing import Final

from mutagen import id3

from video2mp3_contracts.api.tags import MAX_COMMENT, MAX_LYRICS, MAX_TAG, Tags
from video2mp3_contracts.text.harm import harmless
from video2mp3_worker.probe.chapters import Chapter
from video2mp3_worker.transcode.images import Picture
from video2mp3_worker.transcode.tag_forms import NUMBER, TIMESTAMP, number, timestamp

_FRAMES: Final = {
    "title": id3.TIT2,
    "artist": id3.TPE1,
    "album": id3.TALB,
    "album_artist": id3.TPE2,
    "composer": id3.TCOM,
    "genre": id3.TCON,
    "track": id3.TRCK,
    "disc": id3.TPOS,
}
"""ID3v2.3 and ID3v2.4 alike, chapter 4.2 of each."""

_ENCODINGS: Final = {3: id3.Encoding.UTF16, 4: id3.Encoding.UTF8}
"""Of texts by version; numbers of ID3v2.3 are in Latin-1 (its chapter 3.3)."""

_LANGUAGE: Final = "und"
"""Undetermined (ISO 639-2)."""

_FORMS: Final = {"date": timestamp, "track": number, "disc": number}
"""What brings a field into the form that its frame has, and says what that leaves out."""

_TAG_HEADER_BYTES: Final = 10
_NO_OFFSET: Final = 0xFFFFFFFF
"""A chapter's place in bytes: players take its time instead."""

_CHAPTER_TITLE_BYTES: Final = 120
"""In ID3v2.4. ffmpeg, and every player that is made of it, takes the size of a frame within a chapter for an ordinary
number, as it is in ID3v2.3. It is one as long as it needs no more than seven bits."""

_IN_LINES: Final = frozenset({"comment", "lyrics"})
"""Fields that may have several lines."""

_LONGEST: Final = {"comment": MAX_COMMENT, "lyrics": MAX_LYRICS}


def merged(source: Mapping[str, str], wanted: Tags) -> dict[str, str]:
    """The tag's fields by the names of `Tags`. The source's are cut and cleaned to what `Tags` would allow."""
    copied = {name: _clean(name, value) for name, value in source.items()}
    overriding = {
        name: "\n".join(value.splitlines()) if name in _IN_LINES else value for name, value in wanted.fields.items()
    }
    return {name: value for name, value in (copied | overriding).items() if value}


def words_beside(source: Mapping[str, str], wanted: Tags) -> dict[str, str]:
    """What the source says of dates and numbers that their frames cannot hold, by names of free texts.

    It has a name of its own where a frame holds a part of it: some players show one of two that are named alike.
    """
    texts: dict[str, str] = {}
    for name in _FORMS.keys() & source.keys() - wanted.fields.keys():
        held, words = _FORMS[name](_harmless(name, source[name]))
        if words:
            texts[f"{name.upper()}_TEXT" if held else name.upper()] = words
    return texts


def free_texts(own: Mapping[str, str], wanted: Tags) -> dict[str, str]:
    """Fields by names of their own: `own`, overridden by what was asked for, also in other letters of a name."""
    custom = wanted.custom or {}
    named = {name.casefold() for name in custom}
    kept = {name: text for name, text in own.items() if name.casefold() not in named}
    return kept | {name: text for name, text in custom.items() if text}


def render(
    fields: Mapping[str, str],
    cover: Picture | None = None,
    chapters: Sequence[Chapter] = (),
    texts: Mapping[str, str] | None = None,
    version: int = 3,
) -> bytes:
    """The tag as the bytes that stand before the mp3's first frame; empty when there is nothing to say.

    `texts`: further fields by names of their own. `version`: 3 or 4, of ID3v2.
    """
    encoding = _ENCODINGS[version]
    frames = [frame for name, value in fields.items() for frame in _frames(name, value, version)]
    further = _date_in_words(fields) | dict(texts or {})
    frames += [id3.TXXX(encoding=encoding, desc=name, text=[text]) for name, text in further.items()]
    frames += _chapter_frames(chapters, version)
    if cover is not None:
        # Of an empty description; what it is does not matter to the picture, but some players know this one only.
        latin, kind = id3.Encoding.LATIN1, id3.PictureType.COVER_FRONT
        frames.append(id3.APIC(encoding=latin, mime=cover.mime, type=kind, desc="", data=cover.data))
    if not frames:
        return b""
    content = b"".join(_in_bytes(frame, version) for frame in frames)
    return b"ID3%c\0\0" % version + id3.BitPaddedInt.to_str(len(content), width=4) + content


def _in_bytes(frame: id3.Frame, version: int) -> bytes:
    # One by one: mutagen puts the frames of a tag in order of size, and not every player sorts chapters by time.
    tag, buffer = id3.ID3(), BytesIO()
    tag.add(frame)
    tag.save(buffer, v2_version=version, padding=lambda _info: 0)
    return buffer.getvalue()[_TAG_HEADER_BYTES:]


def _frames(name: str, value: str, version: int) -> Iterable[id3.Frame]:
    encoding = _ENCODINGS[version]
    if name == "comment":
        return [id3.COMM(encoding=encoding, lang=_LANGUAGE, desc="", text=[value])]
    if name == "lyrics":
        return [id3.USLT(encoding=encoding, lang=_LANGUAGE, desc="", text=value)]
    if name == "date":
        return _date_frames(value, version)
    if _FORMS.get(name) is number and version == 3 and NUMBER.fullmatch(value):
        encoding = id3.Encoding.LATIN1
    if name == "genre" and version == 3 and value.startswith("("):
        # There, what is in brackets is the number of a genre (ID3v2.3.0, 4.2.1, TCON).
        value = f"({value}"
    frame: Callable[..., id3.Frame] = _FRAMES[name]
    return [frame(encoding=encoding, text=[value])]


def _date_frames(value: str, version: int) -> list[id3.Frame]:
    """Of a timestamp. ID3v2.3 has frames for its year, for day and month together, and for hour and minute together."""
    found = TIMESTAMP.fullmatch(value)
    if found is None:
        return []
    if version == 4:
        return [id3.TDRC(encoding=id3.Encoding.UTF8, text=[value])]
    year, month, day, hour, minute = found.group("year", "month", "day", "hour", "minute")
    latin = id3.Encoding.LATIN1
    frames: list[id3.Frame] = [id3.TYER(encoding=latin, text=[year])]
    frames += [id3.TDAT(encoding=latin, text=[day + month])] if day else []
    frames += [id3.TIME(encoding=latin, text=[hour + minute])] if minute else []
    return frames


def _date_in_words(fields: Mapping[str, str]) -> dict[str, str]:
    """A date that is no timestamp: the frames for dates hold nothing else, so it is kept as a field of the user's."""
    date = fields.get("date", "")
    return {"DATE": date} if date and not TIMESTAMP.fullmatch(date) else {}


def _chapter_frames(chapters: Sequence[Chapter], version: int) -> list[id3.Frame]:
    if not chapters:
        return []
    names = [f"chp{number}" for number in range(len(chapters))]
    flags = id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED
    frames: list[id3.Frame] = [id3.CTOC(element_id="toc", flags=flags, child_element_ids=names, sub_frames=[])]
    for name, chapter in zip(names, chapters, strict=True):
        title = _clean("title", chapter.title)
        if version == 4:
            title = _cut(title, _CHAPTER_TITLE_BYTES)
        frames.append(
            id3.CHAP(
                element_id=name,
                start_time=round(chapter.start_seconds * 1000),
                end_time=round(chapter.end_seconds * 1000),
                start_offset=_NO_OFFSET,
                end_offset=_NO_OFFSET,
                sub_frames=_frames("title", title, version) if title else [],
            )
        )
    return frames


def _cut(text: str, size: int) -> str:
    """As much of a text as has room in so many bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore")


def _clean(name: str, value: str) -> str:
    text = _harmless(name, value)
    return _FORMS[name](text)[0] if name in _FORMS else text


def _harmless(name: str, value: str) -> str:
    lines = value.splitlines() if name in _IN_LINES else [value]
    return "\n".join(map(harmless, lines)).strip("\n")[: _LONGEST.get(name, MAX_TAG)].strip()
