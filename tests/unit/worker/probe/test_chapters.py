"""Chapters under the trim, in disorder, overlapping, and too many."""

import pytest

from video2mp3_worker.probe.chapters import MAX_CHAPTERS, Chapter, fitted, limited

A, B, C = Chapter(0, 10, "A"), Chapter(10, 20, "B"), Chapter(20, 30, "C")
FOREVER = 10_000.0


@pytest.mark.parametrize(
    ("chapters", "start", "length", "expected"),
    [
        ([], 0, 30, []),
        ([A, B, C], 0, 30, [A, B, C]),
        ([C, A, B], 0, 30, [A, B, C]),
        ([A, B, C], 5, 10, [Chapter(0, 5, "A"), Chapter(5, 10, "B")]),
        ([A, B, C], 10, 10, [Chapter(0, 10, "B")]),
        ([A, B, C], 0, 10.0005, [A]),
        ([A, B, C], 30, FOREVER, []),
        ([A, Chapter(15, 18, "later")], 0, 30, [A, Chapter(15, 18, "later")]),
        ([Chapter(0, 15, "A"), B], 0, 30, [A, B]),
        ([Chapter(0, 30, "all"), A, B], 0, 30, [A, B]),
        ([Chapter(0, 30, "all"), B], 0, 30, [Chapter(0, 10, "all"), B]),
        ([Chapter(-5, 10, "early")], 0, 30, [Chapter(0, 10, "early")]),
        ([Chapter(7, 7, "none"), Chapter(9, 8, "backwards"), A], 0, 30, [A]),
        ([Chapter(20, 1e12, "endless")], 0, 30, [Chapter(20, 30, "endless")]),
    ],
)
def test_the_chapters_of_a_part(chapters: list[Chapter], start: float, length: float, expected: list[Chapter]) -> None:
    assert fitted(chapters, start, length) == expected


def test_of_too_many_the_first_stay_and_the_others_are_told_of() -> None:
    many = [Chapter(number, number + 1, str(number)) for number in range(5_000)]

    kept, notes = limited(fitted(many, 100, FOREVER))

    assert (len(kept), kept[-1].title) == (255, "354")
    assert notes == ["Of 4900 chapters the mp3 has the first 255, which is as many as an mp3 can have."]


def test_of_as_many_as_there_may_be_nothing_is_told() -> None:
    many = [Chapter(number, number + 1) for number in range(MAX_CHAPTERS)]

    assert limited(many) == (many, [])


def test_whatever_comes_goes_out_in_order_and_apart() -> None:
    """Each begins where or after the one before ends, within the sound."""
    tangled = [Chapter(number * 7 % 31, number * 11 % 37, str(number)) for number in range(200)]

    found = fitted(tangled, 3, 20)

    assert len(found) > 5
    edges = [edge for chapter in found for edge in (chapter.start_seconds, chapter.end_seconds)]
    assert edges == sorted(edges)
    assert (edges[0] >= 0, edges[-1] <= 20) == (True, True)
