"""Which audio track of a source becomes the mp3. Pure.

Where nobody asked for one, it is the programme: of the tracks that can be decoded and have audio, the one that the file
marks as its default, else the first; a commentary or a description only where there is nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.api.output import AudioTrack as WantedTrack
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.probe.languages import same_language
from video2mp3_worker.probe.media import AudioTrack, Media
from video2mp3_worker.probe.whitelists import is_decodable

_LATE_TRACKS: Final = frozenset({"flv", "mpegts", "mpeg"})
"""Formats in which a track is not known before its first packet comes."""

_SAME_SECONDS: Final = 0.5
"""By how much the left and the right of one piece of audio may differ in length."""

_ASK: Final = "Ask for another by output.audioTrack.index."


@dataclass(frozen=True)
class Choice:
    """A track, and what decided on it."""

    track: AudioTrack
    why: str
    """For people, in words that follow a colon."""

    notes: tuple[str, ...] = ()
    """What was not taken, and why, where that is not what one would expect; in sentences."""


def choose_track(media: Media, wanted: WantedTrack | None) -> Choice:
    """Choose a track. Raises Refused where there is none, or not the one that was asked for."""
    if not media.tracks:
        raise Refused(Reason.NO_AUDIO, "The file has no sound: there is no audio track in it.")
    if wanted is not None and wanted.index is not None:
        return Choice(_by_index(media, wanted.index), "the track that was asked for")
    if wanted is not None and wanted.language is not None:
        return Choice(_best(_by_language(media, wanted.language)), "the track that was asked for")
    return _unasked(media.tracks)


def needs_further_look(media: Media) -> bool:
    """Whether a larger window may show audio, or more of it, than a first look did."""
    if media.is_indexed:
        return False
    if not media.tracks:
        return not _LATE_TRACKS.isdisjoint(media.format.split(","))
    expected = _expected(media.tracks)
    is_unseen = expected.start_seconds is None and len(media.tracks) > 1
    return is_decodable(expected.codec) and (not _has_audio(expected) or is_unseen)


def _unasked(tracks: tuple[AudioTrack, ...]) -> Choice:
    expected, track = _expected(tracks), _best(tracks)
    if len(tracks) == 1:
        return Choice(track, "the only audio track")
    if track is expected:
        why = "the default audio track" if track.default else "the first audio track, since none is the default"
        return Choice(track, why, _of_two_halves(track, tracks))
    obstacle = _obstacle(expected)
    note = f"Audio track {expected.index} {obstacle}: track {track.index} was converted. {_ASK}"
    return Choice(track, f"audio track {track.index}, since track {expected.index} {obstacle}", (note,))


def _expected(tracks: Iterable[AudioTrack]) -> AudioTrack:
    """What players take that look no further."""
    first, *others = tracks
    return next((track for track in (first, *others) if track.default), first)


def _best(tracks: Iterable[AudioTrack]) -> AudioTrack:
    return min(tracks, key=_rank)


def _rank(track: AudioTrack) -> tuple[bool, bool, bool, bool, int]:
    usable = is_decodable(track.codec) and _has_audio(track)
    return not usable, not track.is_programme, track.start_seconds is None, not track.default, track.index


def _has_audio(track: AudioTrack) -> bool:
    return bool(track.channels and track.sample_rate) and track.packets != 0


def _obstacle(track: AudioTrack) -> str:
    """Why the track that one would expect was not taken."""
    if not is_decodable(track.codec):
        return f"is in a format that cannot be read here ({track.codec or 'unknown'})"
    if not _has_audio(track) or track.is_programme:
        return "has no sound in it that can be read"
    return "is a commentary, a description or a version for few"


def _of_two_halves(track: AudioTrack, tracks: Iterable[AudioTrack]) -> tuple[str, ...]:
    """Cameras record left and right as two tracks of one channel each; nothing in the file says that they are."""
    alike = [each for each in tracks if _is_like(each, track)]
    if track.channels != 1 or len(alike) < 2:
        return ()
    note = f"The file has {len(alike)} mono audio tracks, which may be the left and the right of one sound"
    return (f"{note}: only track {track.index} was converted. {_ASK}",)


def _is_like(track: AudioTrack, other: AudioTrack) -> bool:
    is_same = (track.codec, track.sample_rate, track.channels, track.language, track.beside) == (
        other.codec, other.sample_rate, other.channels, other.language, other.beside,
    )  # fmt: skip
    return is_same and abs((track.duration_seconds or 0.0) - (other.duration_seconds or 0.0)) <= _SAME_SECONDS


def _by_index(media: Media, index: int) -> AudioTrack:
    if index >= len(media.tracks):
        count = "1 audio track" if len(media.tracks) == 1 else f"{len(media.tracks)} audio tracks"
        raise Refused(Reason.BAD_REQUEST, f"There is no audio track {index}: the file has {count}, counted from 0.")
    return media.tracks[index]


def _by_language(media: Media, language: str) -> list[AudioTrack]:
    found = [track for track in media.tracks if track.language and same_language(track.language, language)]
    if found:
        return found
    known = sorted({track.language for track in media.tracks if track.language})
    has = f"the file has {', '.join(known)}" if known else "the file does not say the languages of its tracks"
    raise Refused(Reason.BAD_REQUEST, f"There is no audio track in the language {language}: {has}.")
