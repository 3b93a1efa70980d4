"""The chapters of a source as the mp3 has them: cleaned, without overlaps, clipped and shifted with the audio. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_CHAPTERS: Final = 255
"""An ID3v2 table of contents counts its entries in one byte."""

SHORTEST_SECONDS: Final = 0.001
"""ID3v2 counts milliseconds."""


@dataclass(frozen=True)
class Chapter:
    """A part of the audio with a title, which may be empty."""

    start_seconds: float
    end_seconds: float
    title: str = ""


def fitted(chapters: Iterable[Chapter], start_seconds: float, length_seconds: float) -> list[Chapter]:
    """The chapters of the part that begins at `start_seconds` and is so long, counted from its beginning.

    In order of time. Where one begins within another, the earlier one ends there.
    Of those that begin at the same moment the shortest stays: containers list parts before what they contain.
    """
    by_start: dict[float, Chapter] = {}
    for chapter in sorted(chapters, key=lambda known: (known.start_seconds, -known.end_seconds)):
        if chapter.end_seconds - chapter.start_seconds >= SHORTEST_SECONDS:
            by_start[chapter.start_seconds] = chapter
    found: list[Chapter] = []
    next_starts = (*list(by_start)[1:], float("inf"))
    for chapter, next_start in zip(by_start.values(), next_starts, strict=False):
        start = max(chapter.start_seconds - start_seconds, 0.0)
        end = min(chapter.end_seconds - start_seconds, next_start - start_seconds, length_seconds)
        if end - start >= SHORTEST_SECONDS:
            found.append(Chapter(start, end, chapter.title))
    return found


def limited(chapters: list[Chapter]) -> tuple[list[Chapter], list[str]]:
    """The first of them, as many as an mp3 can have; and a sentence on the others, if there are any."""
    if len(chapters) <= MAX_CHAPTERS:
        return chapters, []
    note = f"Of {len(chapters)} chapters the mp3 has the first {MAX_CHAPTERS}, which is as many as an mp3 can have."
    return chapters[:MAX_CHAPTERS], [note]
