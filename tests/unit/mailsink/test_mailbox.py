"""The mail sink keeps what it accepted, within bounds, and shows it readably."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from video2mp3_mailsink.mailbox import Mailbox
from video2mp3_mailsink.settings import MailsinkSettings

NOW = datetime(2030, 1, 2, tzinfo=UTC)
MULTIPART = b"""\
Subject: =?utf-8?q?f=C3=BCr_dich?=\r
Message-ID: <1@example.com>\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
gr\xc3\xbc\xc3\x9fe\r
--b\r
Content-Type: text/html\r
\r
<p>hello</p>\r
--b--\r
"""


def mailbox(*, messages: int = 100, total_bytes: int = 1000) -> Mailbox:
    return Mailbox(max_messages=messages, max_total_bytes=total_bytes)


def test_a_message_is_shown_decoded_with_its_envelope() -> None:
    box = mailbox()
    box.add("from@example.com", ("to@example.com", "too@example.com"), MULTIPART, NOW)
    assert [message.summary() for message in box.all()] == [
        {
            "id": 1,
            "from": "from@example.com",
            "to": ["to@example.com", "too@example.com"],
            "subject": "für dich",
            "date": "",
            "messageId": "<1@example.com>",
            "receivedAt": "2030-01-02T00:00:00+00:00",
            "text": "grüße",
            "html": "<p>hello</p>",
        }
    ]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"Content-Type: multipart/mixed\r\n\r\nno boundary"])
def test_a_broken_message_is_shown_as_far_as_it_goes(content: bytes) -> None:
    box = mailbox()
    box.add("", (), content, NOW)
    [message] = box.all()
    assert message.summary()["html"] == ""


def test_the_oldest_messages_go_when_there_are_too_many() -> None:
    box = mailbox(messages=2)
    for _ in range(3):
        box.add("", (), b"", NOW)
    assert [message.id for message in box.all()] == [2, 3]


def test_the_oldest_messages_go_when_they_are_too_large_together() -> None:
    box = mailbox(total_bytes=10)
    for size in (6, 4, 5):
        box.add("", (), b"x" * size, NOW)
    assert [message.id for message in box.all()] == [2, 3]


def test_clearing_frees_the_room() -> None:
    box = mailbox(total_bytes=10)
    box.add("", (), b"x" * 10, NOW)
    box.clear()
    box.add("", (), b"x" * 10, NOW)
    assert [message.id for message in box.all()] == [2]


def test_half_a_login_is_refused() -> None:
    with pytest.raises(ValidationError, match="both, or neither"):
        MailsinkSettings(username="somebody")
