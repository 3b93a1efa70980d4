"""What a file holds, as far as a conversion needs to know it. Pure: parsed from ffprobe's JSON (`ffprobe -of json`)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from video2mp3_contracts.api.tags import TAG_FIELDS
from video2mp3_worker.containers.edit_lists import Segment
from video2mp3_worker.probe.chapters import Chapter
from video2mp3_worker.probe.gains import Gains, said
from video2mp3_worker.probe.reading import Reading

_NOT_THE_PROGRAMME: Final = frozenset(
    {"comment", "descriptions", "visual_impaired", "hearing_impaired", "karaoke", "lyrics", "clean_effects"}
)
"""Of ffmpeg's dispositions (AV_DISPOSITION_…): audio that is beside the programme, or a version of it for few."""

_OTHER_NAMES: Final = {"date": ("wm/year",), "lyrics": ("unsyncedlyrics", "wm/lyrics")}
"""Beside ffmpeg's own names for what `api.tags.Tags` holds (ffmpeg wiki, "FFmpeg Metadata"), which are the same."""

_HEARD: Final = re.compile(r" ?[0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{16})( .*)?")
"""Of `iTunSMPB`, in which Apple's encoders write priming, remainder and the number of samples between them."""

_ID3_LYRICS: Final = "lyrics-"
"""What ffmpeg calls lyrics of ID3; a description follows, if there is one, and the language."""


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

    stream: int = -1
    """Counts streams of all kinds, as ffmpeg's `0:stream` does."""

    packets: int | None = None
    """As the container's index counts them; None where there is none."""

    is_programme: bool = True
    """Whether it is what everybody hears: no commentary, no description of the pictures, no version for few."""

    is_ambisonic: bool = False
    """Whether its channels are a sound field (WXYZ …) instead of loudspeakers."""

    segments: tuple[Segment, ...] = ()
    """What of its media it plays, where ffmpeg would not get that right; () where it does."""

    beside: tuple[float, ...] | None = None
    """When the pictures and audio of its own programme start, in a file that has programmes: broadcasts do."""

    is_integer: bool = False
    """Whether ffmpeg's decoder gives whole numbers, as that of FLAC does, and not float, as that of AAC."""

    gains: Gains | None = None
    """What the file says of this track's loudness."""

    exact_seconds: float | None = None
    """How long it plays to the sample, where the file says that beside its duration."""


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
    """Of all pictures and audio, but for covers, as far as the file says."""

    tracks: tuple[AudioTrack, ...] = ()
    streams: int = 0
    """Of all kinds."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """By the names of `api.tags.Tags`, as the file says them."""

    start_seconds: float = 0.0
    """What the clock of the file's timestamps shows at its beginning."""

    pictures: tuple[AttachedPicture, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    """Counted from the beginning of the file."""

    is_cut_short: bool = False
    """Whether some of its media are missing at its end."""

    is_endless: bool = False
    """Whether its header does not know how long the audio is: see `sniff.Seen`."""

    reading: Reading = field(default_factory=Reading)
    """How ffprobe came to know all this, and ffmpeg has to read the file as well."""

    @property
    def is_indexed(self) -> bool:
        """Whether the container says in one place what its tracks are: mp4, mov and 3gp do."""
        return "mov" in self.format.split(",")


def parse_media(document: Mapping[str, Any], size: int, reading: Reading | None = None) -> Media:
    """Read ffprobe's `-show_format -show_streams -show_programs -show_chapters`.

    What is missing or malformed is taken as unknown.
    """
    container = document.get("format") or {}
    streams = document.get("streams") or []
    programmes = [_indexes(programme) for programme in document.get("programs") or []]
    audio = [stream for stream in streams if stream.get("codec_type") == "audio"]
    tags: dict[str, str] = {}
    for stream in audio[:1]:
        tags |= _tags(stream)
    start = _number(container.get("start_time")) or 0.0
    name = str(container.get("format_name", ""))
    # What is said of the whole file is said of its audio, where there is only one.
    whole = _lower_keys(container) if len(audio) == 1 else {}
    return Media(
        format=name,
        size=size,
        duration_seconds=_seconds(container.get("duration")),
        starts=tuple(_starts(streams)),
        tracks=tuple(
            replace(
                _track(index, stream, _beside(stream, streams, programmes)),
                gains=_gains(stream, whole),
                exact_seconds=_heard_seconds(stream, whole),
            )
            for index, stream in enumerate(audio)
        ),
        streams=len(streams),
        tags=tags | _tags(container),
        start_seconds=start,
        pictures=tuple(_pictures(streams)),
        reading=reading or Reading(),
        # ID3 counts its chapters from the first sample that is heard, after what the encoder put in front.
        chapters=tuple(_chapters(document.get("chapters") or [], 0.0 if name == "mp3" else start)),
    )


def with_first_packets(media: Media, document: Mapping[str, Any]) -> Media:
    """The same file, whose tracks begin with their first packets. `document`: see `ffprobe_commands.first_packets`."""
    starts: dict[int, float] = {}
    for packet in document.get("packets") or []:
        stream, start = _integer(packet.get("stream_index")), _number(packet.get("pts_time"))
        if stream is not None and start is not None:
            starts.setdefault(stream, start)
    tracks = (replace(track, start_seconds=starts.get(track.stream, track.start_seconds)) for track in media.tracks)
    return replace(media, tracks=tuple(tracks))


def _track(index: int, stream: Mapping[str, Any], beside: tuple[float, ...] | None) -> AudioTrack:
    disposition = stream.get("disposition") or {}
    language = str(_lower_keys(stream).get("language", ""))
    return AudioTrack(
        index=index,
        codec=str(stream.get("codec_name", "")).replace("unknown", ""),
        sample_rate=_integer(stream.get("sample_rate")) or 0,
        channels=_integer(stream.get("channels")) or 0,
        duration_seconds=_seconds(stream.get("duration")),
        language="" if language == "und" else language,
        default=bool(disposition.get("default")),
        bit_rate=_integer(stream.get("bit_rate")),
        start_seconds=_number(stream.get("start_time")),
        stream=-1 if (number := _integer(stream.get("index"))) is None else number,
        packets=_integer(stream.get("nb_frames")),
        is_programme=not any(disposition.get(name) for name in _NOT_THE_PROGRAMME),
        is_ambisonic=str(stream.get("channel_layout", "")).startswith("ambisonic"),
        beside=beside,
        is_integer=str(stream.get("sample_fmt", "")).startswith(("u8", "s16", "s32", "s64")),
    )


def _indexes(programme: Mapping[str, Any]) -> set[int | None]:
    return {_integer(stream.get("index")) for stream in programme.get("streams") or []}


def _beside(
    stream: Mapping[str, Any], streams: Iterable[Mapping[str, Any]], programmes: Iterable[set[int | None]]
) -> tuple[float, ...] | None:
    own = set().union(*(each for each in programmes if _integer(stream.get("index")) in each))
    return tuple(_starts(each for each in streams if _integer(each.get("index")) in own)) if own else None


def _pictures(streams: Iterable[Mapping[str, Any]]) -> Iterator[AttachedPicture]:
    for stream in streams:
        index, disposition = _integer(stream.get("index")), stream.get("disposition") or {}
        # The pictures of an mp4's chapters are marked too; where a source is not read whole, they are missing.
        if index is not None and disposition.get("attached_pic") and not disposition.get("timed_thumbnails"):
            named = _lower_keys(stream)
            # ID3 and FLAC name the kind of the picture, Matroska the cover's file (matroska.org, "Cover art").
            is_front = named.get("comment") == "Cover (front)" or named.get("filename", "").startswith("cover.")
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
    texts_by_field = {field: [found[name] for name in _names(field, found) if found.get(name)] for field in TAG_FIELDS}
    return {field: _of_all(texts[0], field, found) for field, texts in texts_by_field.items() if texts}


def _of_all(text: str, field: str, found: Mapping[str, str]) -> str:
    """A number with how many there are, which Vorbis comments say beside it."""
    totals = [found[name] for name in (f"{field}total", f"total{field}s") if found.get(name, "").isdecimal()]
    return f"{text}/{totals[0]}" if totals and text.isdecimal() else text


def _names(field: str, found: Iterable[str]) -> Iterator[str]:
    """What a file may call a field, the surest first."""
    yield field
    if field == "lyrics":
        # Those without a description before others.
        lyrics = (name for name in found if name.startswith(_ID3_LYRICS))
        yield from sorted(lyrics, key=lambda name: (name.count("-"), name))
    yield from _OTHER_NAMES.get(field, ())


def _gains(stream: Mapping[str, Any], whole: Mapping[str, str]) -> Gains | None:
    return said({**whole, **_lower_keys(stream)}, str(stream.get("codec_name", "")))


def _heard_seconds(stream: Mapping[str, Any], whole: Mapping[str, str]) -> float | None:
    found, rate = _HEARD.fullmatch(whole.get("itunsmpb", "")), _integer(stream.get("sample_rate"))
    return _seconds(int(found[1], 16) / rate) if found and rate else None


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
