"""What to do with a source: which track, which rate, how many channels, how it is encoded. Pure decisions."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from video2mp3_contracts.api.output import (
    MAX_CBR_MPEG2,
    MAX_CBR_MPEG25,
    SAMPLE_RATES,
    Encoding,
    Loudness,
    Output,
    Trim,
    seconds,
)
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.limits import bounds
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.probe.gapless import exact_end
from video2mp3_worker.probe.media import AudioTrack, Media
from video2mp3_worker.probe.reading import Reading
from video2mp3_worker.probe.tracks import choose_track
from video2mp3_worker.probe.whitelists import is_decodable
from video2mp3_worker.transcode.copy_decision import may_be_copied
from video2mp3_worker.transcode.timing import Timing, timing

_HOUR = 3600


@dataclass(frozen=True)
class Plan:
    """One conversion, decided."""

    track: AudioTrack
    encoding: Encoding
    sample_rate: int
    """Hz, of the mp3."""

    channels: int
    """1 or 2, of the mp3."""

    start_seconds: float = 0.0
    end_seconds: float | None = None
    duration_seconds: float | None = None
    """How long the mp3 will be, as far as the source says so and can be believed. Nothing is refused by it."""

    loudness: Loudness | None = None
    """To reach, or only to measure; None leaves it as it is."""

    timing: Timing = field(default_factory=Timing)
    """When the track plays."""

    is_indexed: bool = False
    """Whether an index describes the track: then little of the media tells how it is to be decoded."""

    may_copy: bool = False
    """Whether the track is an mp3 whose frames may be passed on as they are, if they are as they are wanted."""

    allow_truncated: bool = False
    """Whether what is there of a source that was cut short or damaged is enough."""

    why: str = ""
    """What decided on the track and the rate, for people."""

    reading: Reading = field(default_factory=Reading)
    """How the file is to be read."""

    notes: tuple[str, ...] = ()
    """What was not done with the source as it might have been, and why, in sentences."""

    @property
    def silence_seconds(self) -> float:
        """How long the mp3 is silent before the track's first sample."""
        lead = self.timing.lead_seconds
        return max((lead if self.end_seconds is None else min(lead, self.end_seconds)) - self.start_seconds, 0.0)

    @property
    def summary(self) -> str:
        """The encoding in words, for people."""
        quality = f"CBR {self.encoding.cbr} kbit/s" if self.encoding.cbr else f"VBR V{self.encoding.vbr}"
        return f"{quality}, {self.shape}"

    @property
    def shape(self) -> str:
        """The mp3's rate and channels in words, for people."""
        return f"{self.sample_rate} Hz, {'mono' if self.channels == 1 else 'stereo'}"


def decide(media: Media, output: Output, limits: WorkerLimits) -> Plan:
    """Decide how `media` becomes the mp3 that `output` describes. Raises Refused."""
    choice = choose_track(media, output.audio_track)
    track = choice.track
    _refuse_extremes(media, track)
    beside = media.starts if track.beside is None else track.beside
    times = timing(media.format, media.start_seconds, track.start_seconds, beside)
    start, end = _trim(output.trim)
    end = _earlier(end, exact_end(media, track, times.lead_seconds))
    length = _believed_length(media, track, times, (start, end))
    sample_rate = output.sample_rate or fitting_rate(track.sample_rate, output.encoding)
    heard = 1 if track.is_ambisonic else min(track.channels, 2)
    channels = {"mono": 1, "stereo": 2, "source": heard}[output.channels]
    rate = "the rate that was asked for" if output.sample_rate else f"the rate that mp3 has for {track.sample_rate} Hz"
    return Plan(
        track=track,
        encoding=output.encoding,
        sample_rate=sample_rate,
        channels=channels,
        start_seconds=start,
        end_seconds=end,
        duration_seconds=None if length is None or length > limits.max_duration_seconds else length,
        loudness=output.loudness,
        timing=times,
        is_indexed=media.is_indexed,
        may_copy=may_be_copied(track, output, sample_rate, channels, times.lead_seconds),
        why=f"{choice.why}, {rate}",
        reading=media.reading,
        notes=(*choice.notes, *_notes(track, times)),
    )


def _notes(track: AudioTrack, times: Timing) -> Iterator[str]:
    if track.is_ambisonic:
        yield "The sound is ambisonic (a sound field): its first channel (W, all directions) was converted."
    if times.left_out_seconds:
        hours = times.left_out_seconds / _HOUR
        yield f"The file's clock leaps by {hours:.1f} hours before the sound begins: that is no silence and left out."


def fitting_rate(source_rate: int, encoding: Encoding) -> int:
    """The lowest rate that mp3 knows, is not under the source's, and allows the bit rate; else the highest.

    Bit rates over 64 and 160 kbit/s do not exist for rates up to 12,000 and under 32,000 Hz.
    """
    wanted = encoding.cbr or 0
    possible = [rate for rate in SAMPLE_RATES if wanted <= _max_cbr(rate)]
    return next((rate for rate in possible if rate >= source_rate), possible[-1])


def _max_cbr(rate: int) -> int:
    if rate <= 12_000:
        return MAX_CBR_MPEG25
    return MAX_CBR_MPEG2 if rate < 32_000 else 320


def _refuse_extremes(media: Media, track: AudioTrack) -> None:
    if not is_decodable(track.codec):
        codec = track.codec or "unknown"
        raise Refused(Reason.NOT_MEDIA, f"The sound is in a format that cannot be read here ({codec}).")
    if media.streams >= bounds.MAX_STREAMS:
        raise Refused(Reason.LIMIT_EXCEEDED, f"The file has more than {bounds.MAX_STREAMS - 1} tracks.")
    if track.channels > bounds.MAX_CHANNELS:
        raise Refused(
            Reason.LIMIT_EXCEEDED,
            f"The sound has {track.channels} channels; at most {bounds.MAX_CHANNELS} are allowed.",
        )
    if not track.channels or not track.sample_rate:
        raise Refused(Reason.NOT_MEDIA, "The file has an audio track, but no sound in it that can be read.")
    if not bounds.MIN_SAMPLE_RATE <= track.sample_rate <= bounds.MAX_SAMPLE_RATE:
        raise Refused(
            Reason.LIMIT_EXCEEDED,
            f"The sound has a sample rate of {track.sample_rate} Hz;"
            f" {bounds.MIN_SAMPLE_RATE} to {bounds.MAX_SAMPLE_RATE} Hz are allowed.",
        )


def _trim(trim: Trim | None) -> tuple[float, float | None]:
    start = seconds(trim.start) if trim and trim.start is not None else 0.0
    end = seconds(trim.end) if trim and trim.end is not None else None
    return start, end


def _believed_length(media: Media, track: AudioTrack, times: Timing, part: tuple[float, float | None]) -> float | None:
    """How long the wanted part plays by the source's own words; None where it says nothing that can be believed."""
    own, (start, end) = track.duration_seconds, part
    claimed = media.duration_seconds if own is None else own + times.lead_seconds
    if claimed is None or media.is_endless or not bounds.is_believable(claimed, media.size, track.bit_rate):
        return None
    return min(claimed, end or claimed) - start if claimed > start else None


def _earlier(end: float | None, other: float | None) -> float | None:
    return min((each for each in (end, other) if each is not None), default=None)
