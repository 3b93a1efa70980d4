"""How long a track plays, by its edit list, by a count of its samples, and by its packets."""

from typing import Any

import pytest

from video2mp3_worker.containers.edit_lists import Played, Segment
from video2mp3_worker.probe.edits import with_edits
from video2mp3_worker.probe.media import parse_media


def a_sound(**audio: Any) -> dict[str, Any]:
    """As ffprobe says it."""
    return {"format": {}, "streams": [{"codec_type": "audio", "codec_name": "aac"} | audio]}


ITUNES = " 00000000 00000840 000001CA 00000000000465F6 00000000 00000000"
"""288,246 samples, which are 6.00513 s at 48 kHz."""


@pytest.mark.parametrize(
    ("said", "played", "expected"),
    [
        (ITUNES, Played(), 288_246 / 48_000),
        (ITUNES, Played(unit_seconds=0.001, to_the_end=Segment(0.0, 6.0)), 6.0),
        (ITUNES, Played(unit_seconds=0.01), 288_246 / 48_000),
        (ITUNES.lower(), Played(), None),
        ("", Played(unit_seconds=0.001, to_the_end=Segment(0.0, 6.0)), 6.0),
    ],
    ids=["no edit list", "another end", "the same end", "in another form", "only an edit list"],
)
def test_what_counts_samples_counts_where_no_edit_list_says_otherwise(
    said: str, played: Played, expected: float | None
) -> None:
    document = a_sound(sample_rate="48000", duration="6.0")
    document["format"]["tags"] = {"iTunSMPB": said}

    (track,) = with_edits(parse_media(document, 1000), [played]).tracks

    assert track.exact_seconds == expected


@pytest.mark.parametrize(
    ("packets", "codec", "is_left_out"),
    [(7, "aac", True), (7, "mp3", False), (6, "aac", False), (8, "aac", False), (None, "aac", False)],
)
def test_a_last_packet_that_lies_behind_a_rounded_end_is_read(
    packets: int | None, codec: str, is_left_out: bool
) -> None:
    """5,121 samples behind a delay of 1,024: the last of them is alone in the seventh packet."""
    whole = Segment(1024 / 48_000, 6145 / 48_000)
    document = a_sound(sample_rate="48000", duration="0.106", nb_frames=packets, codec_name=codec)

    (track,) = with_edits(parse_media(document, 1000), [Played(to_the_end=whole, unit_seconds=0.001)]).tracks

    assert track.segments == ((whole,) if is_left_out else ())
    assert track.exact_seconds == (None if is_left_out else whole.end - whole.start)
