"""What harms in a text, and what does not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from video2mp3_contracts.text.harm import HARMFUL, harmless

KEPT = {
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "the flag of Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "an emoji newer than Python's tables": "\U0001fae9",
    "a character that Unicode has not given yet": "\U0001faff",
    "a heart in colour": "\u2764\ufe0f",
    "a direction mark": "\u05d0\u200f!",
    "Devanagari": "\u0915\u094d\u200d\u0937",
    "private use": "\ue000",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_what_means_something_is_kept(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\tand  spaces", "two lines and spaces"),
        ("evil\u202e3pm.exe", "evil3pm.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("line\u2028separator\u2029", "line separator"),
        ("bell\x07 and escape\x1b[31m", "bell and escape[31m"),
        ("next\x85line \x9b31m", "next line 31m"),
        ("lone\udcffsurrogate", "lonesurrogate"),
        (" \u3000\u00a0 ", ""),
        ("\u200d\ufe0f", ""),
        ("\u202e", ""),
    ],
)
def test_what_harms_is_taken_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
@example("\ud83d\udc68")
def test_nothing_that_harms_is_left_of_any_text(text: str) -> None:
    shown = harmless(text)
    assert not HARMFUL.intersection(shown)
    assert shown.encode().decode() == shown
    assert harmless(shown) == shown
    assert len(shown.splitlines()) <= 1
