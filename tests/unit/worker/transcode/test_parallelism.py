"""How audio is split: completely, evenly, and by everybody in the same way."""

import math

import pytest

from tests.unit.worker.builders import a_track
from video2mp3_contracts.api.output import Encoding
from video2mp3_contracts.jobs.worker import Division
from video2mp3_worker.encoder.pieces import PIECE_FRAMES, Span
from video2mp3_worker.transcode.parallelism import end_seconds, span_of, start_seconds, worthwhile_parts
from video2mp3_worker.transcode.plan import Plan


def a_plan(seconds: float | None, rate: int = 44100) -> Plan:
    return Plan(a_track(), Encoding(vbr=2), sample_rate=rate, channels=2, duration_seconds=seconds)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize("seconds", [None, 0.1, 12.0, 13.0, 60.0, 3600.0, 86400.0])
@pytest.mark.parametrize("parts", [1, 2, 3, 16])
def test_every_piece_belongs_to_one_part(seconds: float | None, rate: int, parts: int) -> None:
    spans = [span_of(a_plan(seconds, rate), number, parts) for number in range(parts)]

    pieces = [number for span in spans if span.end is not None for number in range(span.first, span.end)]
    [open_end] = [span for span in spans if span.end is None]
    assert pieces == list(range(open_end.first))
    if seconds:
        assert spans[-1] is open_end
        last = math.ceil(seconds / start_seconds(a_plan(seconds, rate), Span(1)))
        sizes = [(last if span.end is None else span.end) - span.first for span in spans]
        assert max(sizes) - min(sizes) <= 1


def test_where_parts_begin_and_end_in_the_sound() -> None:
    plan, span = a_plan(3600.0), Span(2, 5)
    piece = PIECE_FRAMES * 1152 / 44100

    assert start_seconds(plan, span) == 2 * piece
    assert end_seconds(plan, span) == pytest.approx(5 * piece + 1152 / 44100)
    assert end_seconds(plan, Span(2)) is None


@pytest.mark.parametrize(
    ("seconds", "parts"), [(None, 1), (599, 1), (600, 1), (1199, 1), (1200, 2), (1900, 3), (100_000, 4)]
)
def test_a_sound_is_divided_as_far_as_that_is_worth_it(seconds: float | None, parts: int) -> None:
    assert worthwhile_parts(seconds, Division(part_seconds=600, max_parts=4)) == parts
