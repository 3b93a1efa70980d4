"""Fields in the head of an email: what is written, and that it is read as what was meant."""

import re
from email import message_from_string, policy
from email.header import decode_header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from video2mp3_contracts.text.mail_header import mailbox_field, text_field

ADDRESS = "noreply@example.org"

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
LOOKS_ENCODED = st.lists(
    st.sampled_from(["=?utf-7?q?+2AA-?=", "=?utf-8?q?a?=", "=?", "?=", "=", "_", " ", "  ", "é", "Ü", "a", '"', "\\"]),
    max_size=60,
).map("".join)
"""What a reader may take for what it is not, and accented letters among blanks: what Python 3.13 writes wrongly."""


def words_of(field: str) -> list[str]:
    """The encoded words of a field, each of which must stand alone between white space."""
    value = field.removesuffix("\r\n").partition(": ")[2]
    found = re.findall(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=", value)
    standing = [word for word in re.split(r"[ \r\n]+", value) if "=?" in word]
    assert found == standing
    return found


def decoded(field: str) -> str:
    """A field's text as RFC 2047 says it: encoded words joined, anything else as it is."""
    value = field.removesuffix("\r\n").partition(": ")[2]
    if "=?" not in value:
        return value
    return "".join(part if isinstance(part, str) else part.decode(charset or "ascii")
                   for part, charset in decode_header(value.replace("\r\n", "")))  # fmt: skip


@given(ANY_TEXT | LOOKS_ENCODED)
@example("=?utf-7?q?+2AA-?= x.mp4")
@example("Your mp3 is ready: Déjà vu à Orléans.mp3")
@example("\r\nBcc: eve@example.com")
def test_a_text_is_read_as_it_was_meant(text: str) -> None:
    field = text_field("Subject", text)
    assert decoded(field) == text
    assert field.isascii()
    *lines, end = field.split("\r\n")
    assert end == ""
    assert all(len(line) <= 76 and line.isprintable() and line.strip() for line in lines)
    assert all(line.startswith(" ") for line in lines[1:])
    assert all(len("=?utf-8?b??=") < len(word) <= 75 for word in words_of(field))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300) | LOOKS_ENCODED)
@example('Ada "Countess" \\ Lovelace <ada@example.com>')
def test_a_mailbox_keeps_its_address_whatever_the_name_is(name: str) -> None:
    field = mailbox_field("From", name, ADDRESS)
    assert field.endswith(f"{ADDRESS}\r\n" if not name else f"\r\n <{ADDRESS}>\r\n")
    assert all(len(word) <= 75 for word in words_of(field))
    [(_, value)] = message_from_string(field + "\r\n", policy=policy.default.clone(utf8=True)).items()
    [read] = value.addresses
    assert read.addr_spec == ADDRESS


@given(st.text())
def test_half_a_character_harms_nobody(text: str) -> None:
    assert text_field("Subject", text + "\ud800").isascii()
    assert mailbox_field("From", text + "\ud800", ADDRESS).isascii()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "Subject: \r\n"),
        ("Your mp3 is ready: talk.mp3", "Subject: Your mp3 is ready: talk.mp3\r\n"),
        ("é", "Subject: =?utf-8?b?w6k=?=\r\n"),
        ("=?utf-8?q?a?=", "Subject: =?utf-8?b?PT91dGYtOD9xP2E/PQ==?=\r\n"),
        (
            "é" * 40,
            f"Subject: =?utf-8?b?{'w6nDqcOp' * 6}w6k=?=\r\n =?utf-8?b?{'w6nDqcOp' * 7}?=\r\n",
        ),
    ],
)
def test_what_is_written(text: str, field: str) -> None:
    assert text_field("Subject", text) == field


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Video to mp3", "Video to mp3"),
        ("Video, to mp3", '"Video, to mp3"'),
        ('The "best"', '"The \\"best\\""'),
        ("Vidéo", "=?utf-8?b?Vmlkw6lv?="),
    ],
)
def test_how_a_name_is_written(name: str, written: str) -> None:
    assert mailbox_field("From", name, ADDRESS) == f"From: {written}\r\n <{ADDRESS}>\r\n"
