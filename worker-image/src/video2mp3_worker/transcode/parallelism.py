"""⑥ How long audio is split among workers: which pieces each of them encodes. Pure.

All workers of one piece of audio come to the same answer by themselves, since it follows from the plan alone.
"""

import math

from video2mp3_contracts.jobs.worker import Division
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.pieces import PIECE_FRAMES, Span
from video2mp3_worker.transcode.plan import Plan

_FRAMES_AFTER = 1
"""Frames after a part that its last piece depends on."""


def span_of(plan: Plan, number: int, parts: int) -> Span:
    """The pieces of part `number`. A duration that is not true makes the last part longer, or some parts empty.

    Where no duration is known, the first part is all.
    """
    total = math.ceil((plan.duration_seconds or 0) / _piece_seconds(plan))
    if total == 0:
        return Span(0, None) if number == 0 else Span(1, 1)
    # Rounded up, so that the first part is never empty: who is asked for nothing cannot tell that from no audio.
    first, end = (-(-total * each // parts) for each in (number, number + 1))
    return Span(first, end if number + 1 < parts else None)


def start_seconds(plan: Plan, span: Span) -> float:
    """Where in the audio a span begins."""
    return span.first * _piece_seconds(plan)


def end_seconds(plan: Plan, span: Span) -> float | None:
    """After which moment of the audio a span needs nothing any more; None where it needs everything."""
    layout = Layout(plan.sample_rate, plan.channels)
    if span.end is None:
        return None
    return span.end * _piece_seconds(plan) + _FRAMES_AFTER * layout.samples / plan.sample_rate


def worthwhile_parts(duration_seconds: float | None, division: Division) -> int:
    """Into how many parts audio is worth splitting; 1 where it is not."""
    return max(1, min(division.max_parts, int((duration_seconds or 0) / division.part_seconds)))


def _piece_seconds(plan: Plan) -> float:
    return PIECE_FRAMES * Layout(plan.sample_rate, plan.channels).samples / plan.sample_rate
