"""What a file holds, as far as a conversion needs to know it. Pure: parsed from ffprobe's JSON (`ffprobe -of json`)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from video2mp3_worker.chapters import Chapter

_TAG_FIELDS: Final = ("title", "artist", "album", "album_artist", "composer", "genre", "date", "track", "comment")
"""ffmpeg's names for what `conversion.Tags` holds (ffmpeg wiki, "FFmpeg Metadata")."""


@dataclass(frozen=True)
class AudioTrack:
    """One audio stream. `index` counts audio streams only, from 0, as ffmpeg's `0:a:index` does."""

    index: int
    codec: str
    """ffmpeg's name, for example `aac`; "" where ffmpeg does not know it."""

    sample_rate: int
    """Hz; 0 when it could not be found out."""

    channels: int
    """0 when it could not be found out."""

    duration_seconds: float | None = None
    language: str = ""
    """As the file says it: ISO 639-2 in most formats, BCP 47 in some; "" for none or undetermined."""

    default: bool = False
    bit_rate: int | None = None
    start_seconds: float | None = None
    """On the file's own clock; None when it could not be found out."""

    is_integer: bool = False
    """Whether ffmpeg's decoder gives whole numbers, as that of FLAC does, and not float, as that of AAC."""


@dataclass(frozen=True)
class AttachedPicture:
    """A picture that belongs to the whole file. `stream` counts streams of all kinds, as ffmpeg's `0:stream` does."""

    stream: int
    is_front: bool = False
    """Whether the file says that it is the front cover."""


@dataclass(frozen=True)
class Media:
    """A file that ffprobe could read."""

    format: str
    """ffmpeg's demuxer, for example `mov,mp4,m4a,3gp,3g2,mj2`."""

    size: int
    """Bytes."""

    duration_seconds: float | None = None
    starts: tuple[float, ...] = ()
    """Of all pictures and sounds, but for covers, as far as the file says."""

    tracks: tuple[AudioTrack, ...] = ()
    streams: int = 0
    """Of all kinds."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """By the names of `conversion.Tags`, as the file says them."""

    start_seconds: float = 0.0
    """What the clock of the file's timestamps shows at its beginning."""

    pictures: tuple[AttachedPicture, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    """Counted from the beginning of the file."""

    @property
    def is_indexed(self) -> bool:
        """Whether the container says in one place what its tracks are: mp4, mov and 3gp do."""
        return "mov" in self.format.split(",")


def parse_media(document: Mapping[str, Any], size: int) -> Media:
    """Read ffprobe's `-show_format -show_streams -show_chapters`. What is missing or malformed is taken as unknown."""
    container = document.get("format") or {}
    streams = document.get("streams") or []
    audio = [stream for stream in streams if stream.get("codec_type") == "audio"]
    tags: dict[str, str] = {}
    for stream in audio[:1]:
        tags |= _tags(stream)
    start = _number(container.get("start_time")) or 0.0
    name = str(container.get("format_name", ""))
    return Media(
        format=name,
        size=size,
        duration_seconds=_seconds(container.get("duration")),
        starts=tuple(_starts(streams)),
        tracks=tuple(_track(index, stream) for index, stream in enumerate(audio)),
        streams=len(streams),
        tags=tags | _tags(container),
        start_seconds=start,
        pictures=tuple(_pictures(streams)),
        # ID3 counts its chapters from the first sample that is heard, after what the encoder put in front.
        chapters=tuple(_chapters(document.get("chapters") or [], 0.0 if name == "mp3" else start)),
    )


def _track(index: int, stream: Mapping[str, Any]) -> AudioTrack:
    language = str(_lower_keys(stream).get("language", ""))
    return AudioTrack(
        index=index,
        codec=str(stream.get("codec_name", "")).replace("unknown", ""),
        sample_rate=_integer(stream.get("sample_rate")) or 0,
        channels=_integer(stream.get("channels")) or 0,
        duration_seconds=_seconds(stream.get("duration")),
        language="" if language == "und" else language,
        default=bool((stream.get("disposition") or {}).get("default")),
        bit_rate=_integer(stream.get("bit_rate")),
        start_seconds=_number(stream.get("start_time")),
        is_integer=str(stream.get("sample_fmt", "")).startswith(("u8", "s16", "s32", "s64")),
    )


def _pictures(streams: Iterable[Mapping[str, Any]]) -> Iterator[AttachedPicture]:
    for stream in streams:
        index, disposition = _integer(stream.get("index")), stream.get("disposition") or {}
        # The pictures of an mp4's chapters are marked too; where a source is not read whole, they are missing.
        if index is not None and disposition.get("attached_pic") and not disposition.get("timed_thumbnails"):
            said = _lower_keys(stream)
            # ID3 and FLAC name the kind of the picture, Matroska the cover's file (matroska.org, "Cover art").
            is_front = said.get("comment") == "Cover (front)" or said.get("filename", "").startswith("cover.")
            yield AttachedPicture(index, is_front)


def _chapters(chapters: Iterable[Mapping[str, Any]], file_start: float) -> Iterator[Chapter]:
    for chapter in chapters:
        start, end = _number(chapter.get("start_time")), _number(chapter.get("end_time"))
        if start is not None and end is not None:
            yield Chapter(start - file_start, end - file_start, _lower_keys(chapter).get("title", ""))


def _starts(streams: Iterable[Mapping[str, Any]]) -> Iterator[float]:
    for stream in streams:
        is_cover = (stream.get("disposition") or {}).get("attached_pic")
        start = _number(stream.get("start_time"))
        if stream.get("codec_type") in ("audio", "video") and not is_cover and start is not None:
            yield start


def _tags(part: Mapping[str, Any]) -> dict[str, str]:
    found = _lower_keys(part)
    return {name: found[name] for name in _TAG_FIELDS if found.get(name)}


def _lower_keys(part: Mapping[str, Any]) -> dict[str, str]:
    return {str(key).lower(): str(value) for key, value in (part.get("tags") or {}).items()}


def _seconds(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _integer(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
