"""Where a track ends to the sample: only where a duration goes with the packets that there are."""

import pytest

from tests.unit.worker.builders import a_media, a_track
from video2mp3_worker.containers.edit_lists import Segment
from video2mp3_worker.probe.gapless import exact_end

MATROSKA = "matroska,webm"


@pytest.mark.parametrize(
    ("case", "codec", "rate", "seconds", "packets", "expected"),
    [
        ("padding in the last packet", "aac", 48000, 6.0, 283, 7.0),
        ("nothing is padded", "aac", 48000, 6.144, 288, 7.144),
        ("doubled by replication", "aac", 48000, 6.0, 142, 7.0),
        ("longer than its packets", "aac", 48000, 7.0, 283, None),
        ("much shorter than its packets", "aac", 48000, 5.0, 283, None),
        ("Opus", "opus", 48000, 6.0, 301, 7.0),
        ("no packets known", "aac", 48000, 6.0, None, None),
        ("a codec without padding", "pcm_s16le", 48000, 6.0, 283, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_the_index_tells_the_end(
    case: str, codec: str, rate: int, seconds: float, packets: int | None, expected: float | None
) -> None:
    track = a_track(codec=codec, sample_rate=rate, duration_seconds=seconds, packets=packets)

    assert exact_end(a_media(track), track, 1.0) == expected
    assert exact_end(a_media(track, format=MATROSKA), track, 1.0) is None


def test_segments_have_ends_of_their_own() -> None:
    track = a_track(duration_seconds=6.0, sample_rate=48000, packets=283, segments=(Segment(0.0, 6.0),))

    assert exact_end(a_media(track), track, 0.0) is None


@pytest.mark.parametrize(
    ("exact", "expected"),
    [(6.0004, 6.0004), (None, 6.0), (7.0, 6.0), (5.0, 6.0)],
    ids=["told", "not", "longer", "shorter"],
)
def test_what_is_said_to_the_sample_counts_where_it_goes_with_the_packets(exact: float | None, expected: float) -> None:
    track = a_track(sample_rate=48000, duration_seconds=6.0, exact_seconds=exact, packets=283)

    assert exact_end(a_media(track), track, 0.0) == expected
