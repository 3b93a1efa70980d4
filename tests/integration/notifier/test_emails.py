"""⑨ Emails about files of any name, read by a strict reader that is not Python's: what was meant, and nothing else."""

import html
import re
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.notifier.strict_reader import ReadEmail, read_emails
from tests.unit.notifier.builders import a_message
from tests.unit.notifier.fakes import START
from video2mp3_notifier import texts
from video2mp3_notifier.compose import Composer

COMPOSER = Composer('"Vidéo, to mp3" <noreply@example.org>', "https://mp3.example.org")
FIELDS = ["from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"]
ANY_NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
LOOKS_ENCODED = st.lists(
    st.sampled_from(
        ["=?utf-7?q?+2AA-?=", "=?utf-8?q?a?=", "=?", "?=", "_", " ", "é", "à ", "Ü", "a", "<b>", "日本", "🎵"]
    ),
    min_size=1,
    max_size=40,
).map("".join)
FRENCH = [
    "Déjà vu à Orléans.mp3",
    "L'été à la forêt, épisode 1.mp3",
    "Où être né à Évreux, çà et là, à côté de l'île.mp3",
    "Übergrößenträger & Söhne über Öl.mp3",
    "A á â ã ä å æ ç è é ê ë ì í î ï.mp3",
]


def written(name: str) -> bytes:
    """The email about a file of this name."""
    return COMPOSER.compose(a_message().named(name).build(), START).content


def check(name: str, email: ReadEmail) -> None:
    """What a person is shown of it."""
    shown = texts.sanitize(name, 120) or "talk"
    assert [field for field, _ in email.fields] == FIELDS
    fields = dict(email.fields)
    assert fields["subject"] == f"Your mp3 is ready: {shown}"
    assert fields["from"] == "Vidéo, to mp3 <noreply@example.org>"
    assert f"\n  {shown}\n" in email.text
    [strong] = re.findall(r"<strong[^>]*>(.*?)</strong>", email.html)
    assert html.unescape(strong) == shown


@settings(max_examples=10)
@given(st.lists(ANY_NAME | LOOKS_ENCODED, min_size=1, max_size=40))
def test_any_name_is_read_as_it_is(names: list[str]) -> None:
    for name, email in zip(names, read_emails([written(name) for name in names]), strict=True):
        check(name, email)


def test_ordinary_accented_names_are_read_as_they_are() -> None:
    names = [name[start:] for name in FRENCH for start in range(20)]
    for name, email in zip(names, read_emails([written(name) for name in names]), strict=True):
        check(name, email)


def test_until_when_the_mp3_is_kept_is_read_in_both_texts() -> None:
    message = a_message().expiring(START + timedelta(days=30)).build()
    [email] = read_emails([COMPOSER.compose(message, START).content])
    for text in (email.text, email.html):
        assert "It is kept until 31 March 2026, 12:30 UTC, and then deleted." in text


def test_the_reader_is_strict() -> None:
    """What Python 3.13 wrote: two words that nothing parts, which large providers refuse."""
    wrong = written("talk.mp3").replace(b"Your mp3 is ready: talk.mp3", b"=?utf-8?q?_?==?utf-8?q?=C3=A9?=")
    [email] = read_emails([wrong])
    assert dict(email.fields)["subject"] == "=?utf-8?q?_?==?utf-8?q?=C3=A9?="
