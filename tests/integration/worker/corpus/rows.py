"""The table: each file, how it is converted, and what has to come of it."""

from dataclasses import dataclass
from typing import Final

from tests.integration.worker.corpus import broadcast, flash, formats, sizes, tracks
from tests.integration.worker.corpus.making import Build
from video2mp3_contracts.api.reasons import Reason

PROPERTY: Final = "corpus"
"""By this name a test hands on its line of the table, which is shown at the end of the run."""

NOISE: Final = -1.0
SILENCE: Final = 0.0
ALLOWED: Final = ("--allow-truncated",)
_CUT: Final = "cut short.*--allow-truncated"


@dataclass(frozen=True)
class Part:
    """What is heard from one second to another: a tone of so many Hz, NOISE or SILENCE."""

    start: float
    end: float
    frequency: float = 440.0
    channel: int = 0

    def __str__(self) -> str:
        """In words, for people."""
        what = {NOISE: "noise", SILENCE: "silence"}.get(self.frequency, f"{self.frequency:g} Hz")
        return f"{what} {self.start:g}-{self.end:g}" + (" right" if self.channel else "")


@dataclass(frozen=True)
class Row:
    """One file, converted with the command line's options."""

    build: Build
    seconds: float = 0.0
    """How long the mp3 plays; 0 where there is none."""

    parts: tuple[Part, ...] = ()
    """What is heard of it."""

    options: tuple[str, ...] = ()
    off_seconds: float = 0.06
    """How much longer or shorter it may be, by what codecs put before and after the sound."""

    channels: int = 0
    """Of the mp3; 0 where that does not matter."""

    reason: Reason | None = None
    """Why it is refused; None where it is not."""

    says: str = ""
    """What is said with it, as a regular expression; "" where nothing is."""

    name: str = ""
    """Of the file, where that matters."""

    @property
    def title(self) -> str:
        """The builder's name and the options."""
        return " ".join((self.build.__name__, *self.options))

    @property
    def right(self) -> str:
        """What is right, in words."""
        if self.reason is not None:
            return str(self.reason)
        return f"{self.seconds:.2f} s: {', '.join(map(str, self.parts))}"


def _steady(build: Build, seconds: float, *options: str, off: float = 0.06, says: str = "") -> Row:
    """440 Hz from beginning to end."""
    return Row(build, seconds, (Part(0.1, seconds - 0.15),), options, off, says=says)


SIZES: Final = (
    _steady(sizes.wav_sox_pipe, 3),
    _steady(sizes.wav_arecord, 3),
    _steady(sizes.wav_zero, 3),
    _steady(sizes.wav_all_ones, 3),
    _steady(sizes.wav_odd_pad, 3),
    _steady(sizes.aiff_sox_pipe, 3),
    _steady(sizes.mp4_trailing_free_cut, 3),
    Row(sizes.avi_crash_1gb, reason=Reason.TRUNCATED, says=_CUT),
    _steady(sizes.avi_crash_1gb, 3, *ALLOWED, says="."),
    Row(sizes.asf_live_size, reason=Reason.TRUNCATED, says=_CUT),
    _steady(sizes.asf_live_size, 3, *ALLOWED, says="."),
    Row(sizes.fmp4_last_fragment_cut, reason=Reason.TRUNCATED, says=_CUT),
    _steady(sizes.fmp4_last_fragment_cut, 7, *ALLOWED, off=0.1, says="."),
)

CLAIMS: Final = (
    _steady(flash.flv_bad_metadata_duration, 4.05),
    _steady(flash.flv_short_metadata_duration, 4.05),
    _steady(flash.flv_short_metadata_duration, 2.05, "--start", "2"),
    Row(
        flash.flv_short_metadata_duration,
        options=("--start", "5"),
        reason=Reason.BAD_REQUEST,
        says="after the end of the sound",
    ),
    Row(
        flash.flv_long_short_metadata,
        flash.LONG_HOURS * 3600.0,
        (Part(3600, 3601, NOISE), Part(25_000, 25_001, NOISE)),
        ("--cbr", "160"),
        off_seconds=25.0,
        says="encoded anew",
    ),
)
"""Seven hours are off by as much as a minute's last frame is, 420 times."""

FORMATS: Final = (
    _steady(formats.wav_g726, 3),
    _steady(formats.mxf, 3),
    _steady(formats.dv_raw, 3),
    _steady(formats.realmedia, 3),
    _steady(formats.wtv, 3),
    _steady(formats.voc, 3),
    _steady(formats.amv, 3, off=0.15),
    _steady(broadcast.ts_s302m, 3),
)

TRACKS: Final = (
    Row(broadcast.mpts_two_clocks, 4.0, (Part(0.2, 3.8),), off_seconds=0.2),
    Row(tracks.avi_late_audio, 6.0, (Part(0.0, 1.9, SILENCE), Part(2.1, 5.8))),
    Row(broadcast.ts_pid_change, 6.0, (Part(0.2, 2.8), Part(3.2, 5.8, 880.0)), off_seconds=0.15),
    Row(broadcast.ts_audio_description_first, 3.0, (Part(0.2, 2.8),), off_seconds=0.1, says="track.*--audio-track"),
    Row(broadcast.ts_audio_description_first, 3.0, (Part(0.2, 2.8, 300.0),), ("--audio-track", "0"), off_seconds=0.1),
    Row(tracks.mov_two_mono_tracks, 3.0, (Part(0.1, 2.9),), channels=1, says="left and the right.*--audio-track"),
    Row(tracks.mp4_elst_hole, 3.0, (Part(0.1, 0.9, 400.0), Part(1.1, 1.9, SILENCE), Part(2.1, 2.9, 800.0))),
    Row(broadcast.ts_first_audio_pid_empty, 4.0, (Part(0.2, 3.8),), off_seconds=0.1, says="track.*--audio-track"),
    Row(tracks.mp4_ac4_then_aac, 3.0, (Part(0.1, 2.9),), says="track.*--audio-track"),
    Row(flash.flv_audio_late, 24.0, (Part(0.0, 19.8, SILENCE), Part(20.2, 23.8)), off_seconds=0.2),
    Row(broadcast.ts_audio_late, 24.0, (Part(0.0, 19.8, SILENCE), Part(20.2, 23.8)), off_seconds=0.2),
    _steady(flash.flv_jump, 4.05, off=0.1, says="pauses are left out: 1, of 300"),
    _steady(tracks.webm_ambisonic, 3, says="ambisonic"),
)

ENDS: Final = (
    # The pitch rises by the hundredth that the clock is slow by, once that is noticed: 442 Hz is between the two.
    Row(tracks.mkv_clock_drift_minus, 19.8, (Part(0.2, 19.6, 442.0),), off_seconds=0.25),
    Row(
        tracks.mka_ten_seconds_in_an_hour,
        3610.0,
        (Part(0.1, 4.8, NOISE), Part(5.1, 3604.8, SILENCE), Part(3605.1, 3609.8, NOISE)),
    ),
    Row(tracks.mp3_cut_after_one_frame, 0.01, says="encoded anew"),
    Row(tracks.name_not_utf8, 1.0, (Part(0.1, 0.9),), name=b"mod\xe0.mp4".decode("utf-8", "surrogateescape")),
)

ROWS: Final = (*SIZES, *CLAIMS, *FORMATS, *TRACKS, *ENDS)
