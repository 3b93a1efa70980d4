"""What a source says of its own loudness, for players: ReplayGain, or R128 as Opus has it. Pure.

Sources: "ReplayGain 2.0 specification" (wiki.hydrogenaud.io); RFC 7845, 5.2.1: R128_TRACK_GAIN and R128_ALBUM_GAIN are
256ths of a dB towards -23 LUFS.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.text.harm import harmless

_GAIN: Final = re.compile(r"([+-]?\d{1,2}(?:\.\d{1,6})?)(?: ?dB)?", re.IGNORECASE)
_PEAK: Final = re.compile(r"\d{1,2}(?:\.\d{1,12})?")
_R128: Final = re.compile(r"[+-]?\d{1,5}")
_REFERENCE: Final = re.compile(r"-?\d{1,3}(?:\.\d{1,6})? (?:dB|LUFS)")

_R128_TO_REPLAYGAIN: Final = 5.0
"""dB: from -23 LUFS to ReplayGain's -18."""


@dataclass(frozen=True)
class Gains:
    """As far as they are said: gains in dB; peaks, where 1 is full scale; what the gains lead to, in words."""

    track: float | None = None
    track_peak: float | None = None
    album: float | None = None
    album_peak: float | None = None
    reference: str = ""

    def behind(self, gain: float) -> "Gains":
        """What is true of the audio after a gain in dB."""
        factor = 10 ** (gain / 20)
        return Gains(
            track=None if self.track is None else self.track - gain,
            track_peak=None if self.track_peak is None else self.track_peak * factor,
            album=None if self.album is None else self.album - gain,
            album_peak=None if self.album_peak is None else self.album_peak * factor,
            reference=self.reference,
        )

    @property
    def fields(self) -> dict[str, str]:
        """Of the ID3 tag, each a text of its own (TXXX)."""
        return dict(self._fields())

    def _fields(self) -> Iterator[tuple[str, str]]:
        for name, gain, peak in (("TRACK", self.track, self.track_peak), ("ALBUM", self.album, self.album_peak)):
            if gain is not None:
                yield f"REPLAYGAIN_{name}_GAIN", f"{gain:.2f} dB"
                if peak is not None:
                    yield f"REPLAYGAIN_{name}_PEAK", f"{peak:.6f}"
        if self.reference:
            yield "REPLAYGAIN_REFERENCE_LOUDNESS", self.reference


def said(tags: Mapping[str, str], codec: str) -> Gains | None:
    """The gains among a source's tags, whose names are in small letters; None where there are none.

    Opus has R128 of its own, and others seldom: what is not theirs goes behind what is.
    """
    ours, theirs = _replaygain(tags), _r128(tags)
    first, second = (theirs, ours) if codec == "opus" else (ours, theirs)
    found = second if first.track is None and first.album is None else first
    return None if found.track is None and found.album is None else found


def _replaygain(tags: Mapping[str, str]) -> Gains:
    return Gains(
        track=_number(_GAIN, tags, "replaygain_track_gain"),
        track_peak=_number(_PEAK, tags, "replaygain_track_peak"),
        album=_number(_GAIN, tags, "replaygain_album_gain"),
        album_peak=_number(_PEAK, tags, "replaygain_album_peak"),
        reference=_matched(_REFERENCE, tags, "replaygain_reference_loudness"),
    )


def _r128(tags: Mapping[str, str]) -> Gains:
    track, album = (_number(_R128, tags, f"r128_{name}_gain") for name in ("track", "album"))
    return Gains(
        track=None if track is None else track / 256 + _R128_TO_REPLAYGAIN,
        album=None if album is None else album / 256 + _R128_TO_REPLAYGAIN,
    )


def _number(form: re.Pattern[str], tags: Mapping[str, str], name: str) -> float | None:
    text = _matched(form, tags, name)
    return float(re.sub(r"[^\d.+-]", "", text)) if text else None


def _matched(form: re.Pattern[str], tags: Mapping[str, str], name: str) -> str:
    text = harmless(tags.get(name, ""))
    return text if form.fullmatch(text) else ""
