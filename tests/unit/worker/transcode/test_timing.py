"""When a track plays: what containers say of their starts, and what follows for the mp3."""

import pytest

from tests.unit.worker.builders import a_media, a_track
from video2mp3_contracts.api.output import Output, Trim
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.transcode.plan import Plan, decide
from video2mp3_worker.transcode.timing import Timing, timing

MP4, MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"


@pytest.mark.parametrize(
    ("case", "found", "lead", "origin"),
    [
        ("together", timing(MP4, 0.0, 0.0, [0.0, 0.0]), 0.0, 0.0),
        ("sound later", timing(MP4, 0.0, 0.4, [0.0, 0.4]), 0.4, 0.0),
        ("picture later", timing(MP4, 0.0, 0.0, [0.4, 0.0]), 0.0, 0.0),
        ("a clock that began before", timing("flv", 1.4, 1.65, [1.4, 1.65]), 0.25, 0.0),
        ("a clock that may jump", timing("mpegts", 1.4, 1.65, [1.4, 1.65]), 0.25, -0.25),
        ("and begins with the picture", timing("mpegts", 1.4, 1.4, [1.4, 1.65]), 0.0, 0.0),
        ("a decoder's delay", timing(MATROSKA, -0.007, -0.007, [0.0, -0.007]), 0.0, 0.007),
        ("a delay, and later", timing(MATROSKA, -0.007, 0.5, [0.0, 0.5, -0.007]), 0.5, 0.007),
        ("only sound, with a delay", timing("mp3", 0.023, 0.023, [0.023]), 0.0, 0.0),
        ("subtitles first", timing(MATROSKA, 0.0, 2.0, [1.5, 2.0]), 0.5, 1.5),
        ("unknown", timing("flv", 0.0, None, [0.0]), 0.0, 0.0),
        ("nothing known", timing("aac", 0.0, None, []), 0.0, 0.0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_mp3_begins_with_the_first_picture_or_sound(case: str, found: Timing, lead: float, origin: float) -> None:
    assert (found.lead_seconds, found.origin_seconds) == pytest.approx((lead, origin))


@pytest.mark.parametrize(
    ("name", "fills"),
    [
        *((name, True) for name in (MP4, MATROSKA, "mpegts", "mpeg", "flv", "asf")),
        *((name, False) for name in ("ogg", "avi", "wav", "mp3", "aac", "")),
    ],
)
def test_gaps_are_filled_where_packets_have_times(name: str, fills: bool) -> None:
    assert timing(name, 0.0, 0.0, [0.0]).fills_gaps is fills


@pytest.mark.parametrize(
    ("name", "lead", "left_out"),
    [
        ("mpegts", 3600.0, 0.0),
        ("mpegts", 3600.1, 3600.1),
        ("flv", 18_000.0, 18_000.0),
        ("ogg", 18_000.0, 18_000.0),
        (MATROSKA, 18_000.0, 0.0),
        (MP4, 18_000.0, 0.0),
    ],
)
def test_where_a_clock_may_leap_no_lead_is_without_bound(name: str, lead: float, left_out: float) -> None:
    found = timing(name, 0.0, lead, [0.0, lead])

    assert found.left_out_seconds == pytest.approx(left_out)
    assert found.lead_seconds == pytest.approx(lead - left_out)


def test_each_programme_of_a_broadcast_has_a_beginning_of_its_own() -> None:
    later = a_track(0, start_seconds=1001.4, beside=(1001.0, 1001.4), duration_seconds=4.0)
    media = a_media(later, format="mpegts", starts=(1.0, 1.4, 1001.0, 1001.4), start_seconds=1.0)

    assert decide(media, Output(), WorkerLimits()).timing.lead_seconds == pytest.approx(0.4)


def planned(trim: Trim | None = None) -> Plan:
    track = a_track(start_seconds=2.0, duration_seconds=10.0)
    return decide(a_media(track, starts=(0.0, 2.0)), Output(trim=trim), WorkerLimits())


@pytest.mark.parametrize(
    ("trim", "silence", "duration"),
    [
        (None, 2.0, 12.0),
        (Trim(start="0.5"), 1.5, 11.5),
        (Trim(start=3), 0.0, 9.0),
        (Trim(start="0.5", end=1), 0.5, 0.5),
        (Trim(end=5), 2.0, 5.0),
    ],
)
def test_a_part_has_its_share_of_the_silence(trim: Trim | None, silence: float, duration: float) -> None:
    plan = planned(trim)

    assert plan.silence_seconds == pytest.approx(silence)
    assert plan.duration_seconds == pytest.approx(duration)
