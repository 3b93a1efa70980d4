"""Which track, rate and channels; and what is refused."""

from dataclasses import replace

import pytest

from tests.unit.worker.builders import a_media, a_track
from video2mp3_contracts.api.output import AudioTrack, Encoding, Output, Trim
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.probe.media import Media
from video2mp3_worker.transcode.plan import decide, fitting_rate

LIMITS = WorkerLimits()


@pytest.mark.parametrize(
    ("rate", "encoding", "expected"),
    [
        (44100, Encoding(vbr=2), 44100),
        (48000, Encoding(cbr=320), 48000),
        (96000, Encoding(vbr=0), 48000),
        (192000, Encoding(vbr=2), 48000),
        (8000, Encoding(vbr=4), 8000),
        (9000, Encoding(vbr=4), 11025),
        (37800, Encoding(vbr=4), 44100),
        (8000, Encoding(cbr=64), 8000),
        (8000, Encoding(cbr=80), 16000),
        (22050, Encoding(cbr=160), 22050),
        (22050, Encoding(cbr=192), 32000),
    ],
)
def test_the_rate_is_the_next_that_mp3_has_for_source_and_bit_rate(
    rate: int, encoding: Encoding, expected: int
) -> None:
    assert fitting_rate(rate, encoding) == expected


@pytest.mark.parametrize(
    ("channels", "wanted", "expected"),
    [(1, "source", 1), (2, "source", 2), (6, "source", 2), (8, "source", 2), (6, "mono", 1), (1, "stereo", 2)],
)
def test_channels(channels: int, wanted: str, expected: int) -> None:
    assert decide(a_media(a_track(channels=channels)), Output(channels=wanted), LIMITS).channels == expected


TRACKS = (
    a_track(0, language="eng"),
    a_track(1, language="ger", default=True),
    a_track(2, language="fra"),
)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, 1),
        (AudioTrack(), 1),
        (AudioTrack(index=0), 0),
        (AudioTrack(index=2), 2),
        (AudioTrack(language="de"), 1),
        (AudioTrack(language="deu"), 1),
        (AudioTrack(language="fr-CA"), 2),
        (AudioTrack(language="EN"), 0),
    ],
)
def test_the_track(wanted: AudioTrack | None, expected: int) -> None:
    assert decide(a_media(*TRACKS), Output(audio_track=wanted), LIMITS).track.index == expected


def test_without_a_default_the_first_track_is_taken() -> None:
    assert decide(a_media(a_track(0), a_track(1)), Output(), LIMITS).track.index == 0


@pytest.mark.parametrize(
    ("trim", "expected"),
    [
        (None, (0.0, None, 60.0)),
        (Trim(start=10), (10.0, None, 50.0)),
        (Trim(end="00:00:20.5"), (0.0, 20.5, 20.5)),
        (Trim(start=10, end=20), (10.0, 20.0, 10.0)),
        (Trim(start=10, end=600), (10.0, 600.0, 50.0)),
    ],
)
def test_the_part(trim: Trim | None, expected: tuple[float, float | None, float]) -> None:
    plan = decide(a_media(a_track()), Output(trim=trim), LIMITS)

    assert (plan.start_seconds, plan.end_seconds, plan.duration_seconds) == expected


def test_the_part_counts_for_the_limit_not_the_whole() -> None:
    day = a_media(a_track(duration_seconds=90_000.0), size=10**9)

    assert decide(day, Output(trim=Trim(start=0, end=60)), LIMITS).duration_seconds == 60


@pytest.mark.parametrize(
    ("media", "output", "reason"),
    [
        (a_media(), Output(), Reason.NO_AUDIO),
        (a_media(*TRACKS), Output(audio_track=AudioTrack(index=3)), Reason.BAD_REQUEST),
        (a_media(*TRACKS), Output(audio_track=AudioTrack(language="es")), Reason.BAD_REQUEST),
        (a_media(a_track()), Output(audio_track=AudioTrack(language="es")), Reason.BAD_REQUEST),
        (a_media(a_track(codec="ac4")), Output(), Reason.NOT_MEDIA),
        (a_media(a_track(codec="")), Output(), Reason.NOT_MEDIA),
        (a_media(a_track(channels=0)), Output(), Reason.NOT_MEDIA),
        (a_media(a_track(channels=9)), Output(), Reason.LIMIT_EXCEEDED),
        (a_media(a_track(sample_rate=1)), Output(), Reason.LIMIT_EXCEEDED),
        (a_media(a_track(sample_rate=10**6)), Output(), Reason.LIMIT_EXCEEDED),
        (a_media(a_track(), streams=64), Output(), Reason.LIMIT_EXCEEDED),
    ],
)
def test_refused(media, output: Output, reason: Reason) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused) as refused:
        decide(media, output, LIMITS)

    assert refused.value.reason is reason
    assert refused.value.message.endswith(".")
    expected = ExitCode.BAD_REQUEST if reason is Reason.BAD_REQUEST else ExitCode.BAD_MEDIA
    assert refused.value.exit_code is expected


@pytest.mark.parametrize(
    "media",
    [
        a_media(a_track(duration_seconds=86_401.0), size=10**9),
        a_media(a_track(duration_seconds=80_000.0), size=1_000),
        a_media(a_track(duration_seconds=3_600.0, bit_rate=128_000), size=1_000_000),
        replace(a_media(a_track(duration_seconds=3_600.0), size=10**9), is_endless=True),
    ],
    ids=["longer than is allowed", "too small by far", "too small for its bit rate", "a size that was made up"],
)
def test_a_length_that_cannot_be_refuses_nothing_and_is_not_told(media: Media) -> None:
    assert decide(media, Output(), LIMITS).duration_seconds is None


def test_a_part_behind_the_claimed_end_is_looked_for() -> None:
    plan = decide(a_media(a_track()), Output(trim=Trim(start=60)), LIMITS)

    assert (plan.start_seconds, plan.duration_seconds) == (60.0, None)


@pytest.mark.parametrize("codec", ["dts", "amr_nb", "amr_wb", "adpcm_g722", "mp3", "pcm_s16le", "opus"])
def test_codecs_whose_decoder_has_another_name_are_known(codec: str) -> None:
    assert decide(a_media(a_track(codec=codec)), Output(), LIMITS).track.codec == codec
