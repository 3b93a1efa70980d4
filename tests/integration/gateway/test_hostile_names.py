"""A thousand names that harm somewhere: from the upload to the Conversion, the email and the download."""
# ruff: noqa: RUF001 - letters that look alike belong to it

import email
import email.policy
import random
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

import pytest
import requests

from tests.integration.gateway.conftest import Installation
from tests.integration.gateway.test_downloads import an_mp3, download
from tests.integration.notifier.strict_reader import read_emails
from tests.unit.notifier.builders import a_message
from tests.unit.notifier.fakes import START
from video2mp3_notifier.compose import Composer

COUNT: Final = 1000
COMPOSER: Final = Composer("mp3@example.org", "https://mp3.example.org")
AT_A_TIME: Final = 100
"""Emails that the strict reader is given."""

LONGEST_SUBJECT: Final = 120
"""Of a name in a subject; a longer one is cut and says so."""

SEEN: Final = (
    "=?utf-7?q?+2AA-?= x.mp4",
    "=?utf-8?q?a=0D=0ABcc:_eve@example.org?=.mp4",
    "Où être né à Évreux, çà et là.mp4",
    "講演.mp4",
    "Straße.mp4",
    "Dr. Who and the Daleks",
    "2026.11.29 Interview",
    "\U0001fae9.mp4",
    "C:\\fakepath\\a.mp4",
    "ends in\\",
    "نام\u200cخانوادگی.mp4",
    "👨\u200d👩\u200d👧 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f.mp4",
    'say "a.mp4"; filename="b.mp4',
    "%22%0D%0A.mp4",
    "-rf.mp4",
    ".mp4",
    "..",
    "\u202e4pm.exe",
    "é" * 300 + ".mp4",
)
"""Each of these went wrong somewhere once."""

PIECES: Final = (
    *(
        "=?utf-8?q?",
        "?=",
        "=?",
        "+2AA-",
        "_",
        "\r\n",
        "\n",
        "\0",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\t",
        "  ",
        " ",
        "\u3000",
    ),
    *("\u2028", "\u202e", "\u2066", "\u200b", "\u200d", "\u200f", "\ufeff", "\ufff9", "\ufe0f", "\U000e0001", "\ud800"),
    *(
        "../",
        "..\\",
        "C:\\",
        "/",
        "\\",
        '"',
        "'",
        "`",
        "$(id)",
        "%0a",
        "%22",
        "%",
        "&lt;",
        "<script>",
        "<b>",
        "{{7*7}}",
    ),
    *(";", ",", ":", "*", "?", "|", "#", "&", "=", "-", ".", "..", ".mp4", ".tar.gz", "CON", "a", "talk", "Dr. ", "1"),
    *(
        "é",
        "e\u0301",
        "ß",
        "Ǆ",
        "ﬁ",
        "日本",
        "Привет",
        "שלום",
        "مرحبا",
        "🎵",
        "👩\u200d👧",
        "\U0001fae9",
        "𝒳",
        "\U0010fffd",
    ),
)

HARMFUL: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What ends a line somewhere, or turns it round, or has no encoding."""


def names() -> list[str]:
    """A thousand, the same in every run, of which no two are equal."""
    chance = random.Random(12)
    found = dict.fromkeys(SEEN)
    while len(found) < COUNT:
        pieces = chance.choices(PIECES, k=chance.randint(1, 12))
        found["".join(pieces) + chance.choice(("", ".mp4", ".MKV", ".mov "))] = None
    return list(found)


def upload(installation: Installation, name: str) -> requests.Response:
    """As browsers write the form (HTML Standard, multipart/form-data)."""
    written = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22").encode(errors="surrogatepass")
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + written + b'"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=B"} | installation.authorized()
    body = head + b"video\r\n--B--\r\n"
    return requests.post(f"{installation.gateway.url}/upload", data=body, headers=headers, timeout=60)


def accepted(installation: Installation) -> dict[str, str]:
    """What the mp3 of each name is called; no name does more than be refused."""
    found = {}
    for name in names():
        answer = upload(installation, name)
        if answer.status_code == 202:
            conversion = installation.kubernetes.objects[answer.json()["conversion"]]
            found[name] = conversion["spec"]["output"]["filename"]
            assert found[name] == answer.json()["filename"]
        else:
            assert (answer.status_code, answer.json()["code"]) == (400, "no-filename"), (name, answer.text)
    return found


@pytest.mark.timeout(900)
def test_a_thousand_hostile_names_from_upload_to_email_and_download(installation: Installation) -> None:
    mp3s = accepted(installation)
    assert len(mp3s) > COUNT * 0.9, "most can be shown"
    assert set(SEEN) - mp3s.keys() == {".."}
    assert installation.stored == (len(mp3s), len(mp3s), len(mp3s)), "of the others nothing is left"
    for name, mp3 in mp3s.items():
        assert is_a_filename(mp3), (name, mp3)
        if is_ordinary(name):
            assert mp3 == f"{unicodedata.normalize('NFC', name)}.mp3"
    check_emails(list(mp3s.values()))
    for mp3 in mp3s.values():
        check_download(installation, mp3)


def is_a_filename(mp3: str) -> bool:
    return (
        mp3.endswith(".mp3")
        and len(mp3.encode()) <= 200
        and not HARMFUL.search(mp3)
        and not set("/\\") & set(mp3)
        and mp3.strip() == mp3
    )


def is_ordinary(name: str) -> bool:
    """Nothing has to be taken away: words, of whatever script, and one blank at a time."""
    return re.fullmatch(r"[\w-]+( [\w-]+)*", name) is not None and len(name) < 40


def check_emails(mp3s: list[str]) -> None:
    """Whoever reads them, Perl or Python, sees the name and no field that we did not write."""
    written = [COMPOSER.compose(a_message().named(mp3).build(), START).content for mp3 in mp3s]
    reads = [
        read for start in range(0, len(written), AT_A_TIME) for read in read_emails(written[start : start + AT_A_TIME])
    ]
    for mp3, content, read in zip(mp3s, written, reads, strict=True):
        subject = dict(read.fields)["subject"]
        python = email.message_from_bytes(content, policy=email.policy.default)
        assert python["subject"] == subject
        shown = subject.removeprefix("Your mp3 is ready: ")
        assert shown == mp3 if len(mp3) <= LONGEST_SUBJECT else mp3.startswith(shown.rstrip("…").rstrip())
        assert {field for field, _ in read.fields}.isdisjoint({"bcc", "cc", "reply-to"})


def check_download(installation: Installation, mp3: str) -> None:
    """Browsers save under the name as it is, and what knows only ASCII under one that it can take."""
    answer = download(installation, an_mp3(installation, b"mp3", mp3))
    head = answer.headers["Content-Disposition"]
    found = re.fullmatch(r"attachment; filename=\"([^\"\\]+)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)", head)
    assert found, head
    assert unquote(found[2]) == mp3
    assert re.fullmatch(r"[^.\s/\\:*?<>|%;][\x20-\x7e]*", found[1]), head
    assert found[1].endswith(".mp3")
