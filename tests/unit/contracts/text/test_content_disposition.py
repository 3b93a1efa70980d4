"""The name under which a download is saved."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from video2mp3_contracts.text.content_disposition import LONGEST, ascii_name, content_disposition

NAMES = {
    "talk.mp3": "talk.mp3",
    "Rede über Öl.mp3": "Rede uber Ol.mp3",
    "Straße.mp3": "Strasse.mp3",
    "講演.mp3": "JiangYan.mp3",
    "Привет.mp3": "Privet.mp3",
    "\U0001f3b5.mp3": "musical_note.mp3",
    "\ue000\ue001.mp3": "__.mp3",
    '"; x="y.mp3': "__ x=_y.mp3",
    "½ / 100%.mp3": "1_2 _ 100_.mp3",
    "می\u200cخ.mp3": "mykh.mp3",
    "e\u0301.mp3": "e.mp3",
    ".mp3": "_.mp3",
    "..": "_..",
    "": "_",
    "\u200d": "_",
    " a \n b .mp3": "a b.mp3",
    "a" * 300 + ".mp3": "a" * (LONGEST - 4) + ".mp3",
    "講" * 66 + ".mp3": ("Jiang" * 66)[: LONGEST - 4] + ".mp3",
}


@pytest.mark.parametrize(("filename", "written"), NAMES.items())
def test_the_name_in_ascii(filename: str, written: str) -> None:
    assert ascii_name(filename) == written


@given(st.text(max_size=100))
@example("a\r\nSet-Cookie: x=y")
def test_any_name_is_saved_under_itself(filename: str) -> None:
    header = content_disposition(filename)
    assert header.isascii()
    assert header.isprintable()
    found = re.fullmatch(r"attachment; filename=\"([^\"\\/]+)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]*)", header)
    assert found is not None
    plain, exact = found.groups()
    assert unquote(exact, errors="strict") == filename
    assert len(plain) <= LONGEST
    assert plain == plain.strip()
    assert not plain.startswith(".")


def test_half_a_character_harms_nobody() -> None:
    assert content_disposition("a\ud800.mp3") == "attachment; filename=\"a_.mp3\"; filename*=UTF-8''a%3F.mp3"
