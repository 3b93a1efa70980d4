"""Names that users give: what is kept of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video2mp3_contracts.api.output import Output
from video2mp3_gateway.upload.filenames import MAX_BYTES, display_name, mp3_name

NAMES = {
    "plain": ("talk.mp4", "talk.mp4", "talk.mp3"),
    "spaces": ("  my   talk .mp4 ", "my talk.mp4", "my talk.mp3"),
    "no extension": ("talk", "talk", "talk.mp3"),
    "several extensions": ("talk.tar.mp4", "talk.tar.mp4", "talk.tar.mp3"),
    "a path": ("/etc/passwd", "passwd", "passwd.mp3"),
    "a path on Windows": ("C:\\videos\\talk.mp4", "talk.mp4", "talk.mp3"),
    "climbing": ("../../talk.mp4", "talk.mp4", "talk.mp3"),
    "only dots": ("..", "", None),
    "a title": ("Dr. Who and the Daleks", "Dr. Who and the Daleks", "Dr. Who and the Daleks.mp3"),
    "a title without blanks": ("Dr.Who", "Dr.Who", "Dr.Who.mp3"),
    "a date": ("2026.11.29 Interview", "2026.11.29 Interview", "2026.11.29 Interview.mp3"),
    "a date alone": ("2026.11.29", "2026.11.29", "2026.11.29.mp3"),
    "a title with an extension": ("Dr. Who.MP4", "Dr. Who.MP4", "Dr. Who.mp3"),
    "a copy": ("talk.mp4 (1)", "talk.mp4 (1)", "talk.mp4 (1).mp3"),
    "a new emoji": ("\U0001fae9.mp4", "\U0001fae9.mp4", "\U0001fae9.mp3"),
    "nothing visible before the extension": ("\u200d.mp4", "\u200d.mp4", "\u200d.mp4.mp3"),
    "an end of a sentence": ("What now?.", "What now?", "What now?.mp3"),
    "hidden": (".mp4", "mp4", "mp4.mp3"),
    "only a folder": ("videos/", "", None),
    "control characters": ("ta\x00l\x07k\x7f.mp4", "talk.mp4", "talk.mp3"),
    "line breaks": ("ta\r\nlk\u2028.mp4", "ta lk.mp4", "ta lk.mp3"),
    "reading direction": ("talk\u202e4pm.exe", "talk4pm.exe", "talk4pm.exe.mp3"),
    "isolates": ("\u2066talk\u2069.mp4", "talk.mp4", "talk.mp3"),
    "invisible": ("t\u200ba\ufefflk.mp4", "talk.mp4", "talk.mp3"),
    "a joiner that means something": ("\u0645\u06cc\u200c\u062e.mp4",) * 2 + ("\u0645\u06cc\u200c\u062e.mp3",),
    "composed": ("e\u0301.mp4", "\u00e9.mp4", "\u00e9.mp3"),
    "half a surrogate": ("a\ud800b.mp4", "ab.mp4", "ab.mp3"),
    "quotes": ('"talk".mp4', '"talk".mp4', '"talk".mp3'),
    "only what cannot be seen": ("\u200d\ufe0f", "", None),
    "a flag": ("\U0001f3f4\U000e0067\U000e0062\U000e007f.mp4",) * 2 + ("\U0001f3f4\U000e0067\U000e0062\U000e007f.mp3",),
    "emoji": ("\U0001f468\u200d\U0001f3a4.mp4", "\U0001f468\u200d\U0001f3a4.mp4", "\U0001f468\u200d\U0001f3a4.mp3"),
}


@pytest.mark.parametrize(("given_name", "shown", "mp3"), NAMES.values(), ids=NAMES.keys())
def test_what_is_kept_of_a_name(given_name: str, shown: str, mp3: str | None) -> None:
    assert display_name(given_name) == shown
    if mp3 is not None:
        assert mp3_name(shown) == mp3


def test_long_names_keep_their_extension_and_whole_characters() -> None:
    shown = display_name("ü" * 5000 + ".mp4")
    assert shown == "ü" * 98 + ".mp4"
    assert mp3_name(shown) == "ü" * 98 + ".mp3"


@given(st.text(max_size=400))
def test_whatever_is_left_satisfies_the_resource(name: str) -> None:
    shown = display_name(name)
    assert len(shown.encode()) <= MAX_BYTES
    assert display_name(shown) == shown
    if shown:
        assert Output(filename=shown).filename == shown
        assert Output(filename=mp3_name(shown)).filename == mp3_name(shown)
        assert len(mp3_name(shown).encode()) <= MAX_BYTES
