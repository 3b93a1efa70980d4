"""How values are written for people."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from video2mp3_notifier import texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("talk.mp3", "talk.mp3"),
        ("Grüße 日本 🎵.mp3", "Grüße 日本 🎵.mp3"),
        ("two\r\nlines\tand  spaces", "two lines and spaces"),
        ("evil\u202e3pm.exe", "evil3pm.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("\U0001f468\u200d\U0001f3a4 \u0645\u06cc\u200c\u062e", "\U0001f468\u200d\U0001f3a4 \u0645\u06cc\u200c\u062e"),
        ("   ", ""),
        ("x" * 21, "x" * 19 + "…"),
        ("x" * 20, "x" * 20),
    ],
)
def test_text_is_one_plain_line(text: str, shown: str) -> None:
    assert texts.sanitize(text, 40 if len(set(text)) > 1 else 20) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (0.4, "0:00"), (59.6, "1:00"), (183.4, "3:03"), (3599.5, "1:00:00"), (3661, "1:01:01")],
)
def test_a_length_is_minutes_and_seconds(seconds: float, shown: str) -> None:
    assert texts.length(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1_048_575, "1.0 MiB"),
        (3_565_158, "3.4 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (10**18, "909494.7 TiB"),
    ],
)
def test_a_size_has_a_unit(count: int, shown: str) -> None:
    assert texts.size(count) == shown


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 3, 1, 9, 5, 59, tzinfo=UTC), "1 March 2026, 09:05 UTC"),
        (datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))), "28 February 2026, 22:30 UTC"),
    ],
)
def test_a_moment_is_told_to_the_minute_and_never_too_late(moment: datetime, shown: str) -> None:
    assert texts.moment(moment) == shown
