"""Dates and numbers as sources write them."""

import pytest

from video2mp3_worker.transcode.tag_forms import number, timestamp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021", "2021"),
        ("2021-05", "2021-05"),
        ("2021/05/03", "2021-05-03"),
        ("2021.5.3", "2021-05-03"),
        ("2021:05:03 10:15:30", "2021-05-03T10:15:30"),
        ("20210503", "2021-05-03"),
        ("2021/05", "2021-05"),
        ("2021-05-03T10:00:00Z", "2021-05-03T10:00:00"),
        ("2021-05-03T10:00:00.000+0200", "2021-05-03T10:00:00"),
        ("UTC 2021-05-03 9:15:30", "2021-05-03T09:15:30"),
        ("3 May 2021", "2021-05-03"),
        ("3. May 2021", "2021-05-03"),
        ("03-MAY-2021", "2021-05-03"),
        ("May 3rd, 2021", "2021-05-03"),
        ("Sept. 30, 2021", "2021-09-30"),
        ("May 2021", "2021-05"),
        ("Mon, 03 May 2021 10:15:30 GMT", "2021-05-03T10:15:30"),
        ("Mon May  3 10:15:30 2021", "2021-05-03T10:15:30"),
    ],
)
def test_a_date_that_can_mean_one_day_only(text: str, expected: str) -> None:
    assert timestamp(text) == (expected, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3/5/2021", ""),
        ("yesterday", ""),
        ("spring 2026", ""),
        ("Mai 2021", ""),
        ("20211345", ""),
        ("12345", ""),
        ("32 May 2021", ""),
        ("ma 2021", ""),
        ("2026-13-45", "2026"),
        ("2021-05-03 10:15 PM", "2021-05-03"),
        ("1999 (remastered)", "1999"),
    ],
)
def test_of_other_dates_all_words_are_kept(text: str, expected: str) -> None:
    assert timestamp(text) == (expected, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", "3"),
        ("03/12", "03/12"),
        ("3 of 12", "3/12"),
        ("3 / 12", "3/12"),
        ("Track 3", "3"),
        ("#3", "3"),
        ("3.", "3"),
        ("Disc 1 of 2", "1/2"),
        ("CD1", "1"),
    ],
)
def test_a_number_in_words(text: str, expected: str) -> None:
    assert number(text) == (expected, "")


@pytest.mark.parametrize(
    ("text", "expected"), [("A1", ""), ("first", ""), ("07/12 of it", "07/12"), ("3 of many", "3"), ("123456", "")]
)
def test_of_other_numbers_all_words_are_kept(text: str, expected: str) -> None:
    assert number(text) == (expected, text)
