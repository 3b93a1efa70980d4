"""⑨ The SMTP adapter against a real mail server: what is accepted, refused, and tried again."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.integration.notifier.process import LEASE
from tests.servers import MailsinkServer
from tests.servers.process import free_port
from tests.unit.notifier.builders import a_message
from video2mp3_mailsink.behaviour import Mode
from video2mp3_notifier.compose import Composer
from video2mp3_notifier.ports import Email, MailNotSentError, MailRefusedError
from video2mp3_notifier.smtp import MailServer, SmtpMailer, TimeLimits, tls_context


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def an_email() -> Email:
    """An email whose text has what SMTP treats specially, lines of dots, and letters beyond ASCII."""
    composer = Composer("noreply@example.org", "https://mp3.example.org")
    email = composer.compose(a_message().named("Ü.mp3").build(), now())
    return replace(email, content=email.content.replace(b"Your mp3 is ready.\r\n", b"one\r\n.\r\ntw=C3=B6\r\n..\r\n"))


@dataclass
class Attempt:
    """One send, and what came of it."""

    server: MailServer

    def error(self) -> str:
        """Send, expecting that it may be tried again; the reason."""
        with pytest.raises(MailNotSentError) as error:
            self.send()
        return str(error.value)

    def send(self) -> None:
        """Send."""
        SmtpMailer(self.server, now).send(an_email(), claimed_at=now())


def test_an_accepted_email_arrives_as_it_was_written(server: MailServer, mailsink: MailsinkServer) -> None:
    Attempt(server).send()
    (email,) = mailsink.messages()
    assert email["text"].replace("\r\n", "\n").startswith("one\n.\ntwö\n..\n")
    assert email["subject"] == "Your mp3 is ready: Ü.mp3"


def test_a_temporary_refusal_is_tried_again(server: MailServer, mailsink: MailsinkServer) -> None:
    mailsink.behave(Mode.REJECT_TEMPORARILY)
    assert Attempt(server).error() == "the email was refused: 451 4.7.1 not now, try again later"


def test_a_permanent_refusal_is_final(server: MailServer, mailsink: MailsinkServer) -> None:
    mailsink.behave(Mode.REJECT_PERMANENTLY)
    with pytest.raises(MailRefusedError, match=r"550 5\.1\.1 no such user here"):
        Attempt(server).send()


def test_a_server_that_does_not_answer_is_left_in_time(server: MailServer, mailsink: MailsinkServer) -> None:
    mailsink.behave(Mode.STALL)
    began = time.monotonic()
    assert "no email could be sent" in Attempt(server).error()
    assert time.monotonic() - began < LEASE.total_seconds()
    mailsink.behave(Mode.ACCEPT)
    assert mailsink.messages() == []


def test_a_frozen_server_is_left_in_time(server: MailServer, mailsink: MailsinkServer) -> None:
    mailsink.pause()
    began = time.monotonic()
    Attempt(server).error()
    assert time.monotonic() - began < LEASE.total_seconds()


def test_a_claim_that_is_nearly_over_sends_nothing(server: MailServer, mailsink: MailsinkServer) -> None:
    late = now() - LEASE / 4
    with pytest.raises(MailNotSentError, match="took too long to let us in"):
        SmtpMailer(server, now).send(an_email(), claimed_at=late)
    assert mailsink.messages() == []


def test_no_server_is_tried_again(server: MailServer, mailsink: MailsinkServer) -> None:
    mailsink.stop()
    assert "ConnectionRefusedError" in Attempt(server).error()


def test_a_wrong_password_is_tried_again_and_not_shown(server: MailServer, mailsink: MailsinkServer) -> None:
    reason = Attempt(replace(server, password="wrong-password")).error()
    assert "535" in reason
    assert "wrong-password" not in reason
    assert mailsink.messages() == []


def test_a_certificate_that_nobody_vouches_for_gets_nothing(server: MailServer, mailsink: MailsinkServer) -> None:
    reason = Attempt(replace(server, tls=tls_context(None))).error()
    assert "CERTIFICATE_VERIFY_FAILED" in reason
    assert mailsink.messages() == []


def test_a_certificate_for_another_name_gets_nothing(server: MailServer, mailsink: MailsinkServer) -> None:
    reason = Attempt(replace(server, host="127.0.0.1")).error()
    assert "CERTIFICATE_VERIFY_FAILED" in reason
    assert mailsink.messages() == []


class Kept:
    """What a mail server with neither STARTTLS nor login was given."""

    def __init__(self) -> None:
        self.recipients: list[str] = []
        self.names: list[str | None] = []

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep it."""
        self.recipients += envelope.rcpt_tos
        self.names.append(session.host_name)
        return "250 kept"


@pytest.fixture
def plain_server() -> Iterator[tuple[MailServer, Kept]]:
    """Such a server, and what it keeps."""
    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield MailServer("127.0.0.1", controller.port, TimeLimits.within(LEASE)), kept
    finally:
        controller.stop()


def test_a_server_without_starttls_gets_nothing_where_it_is_required(plain_server: tuple[MailServer, Kept]) -> None:
    server, kept = plain_server
    assert "STARTTLS" in Attempt(replace(server, tls=tls_context(None))).error()
    assert kept.recipients == []


def test_a_server_without_starttls_is_used_where_that_was_chosen(plain_server: tuple[MailServer, Kept]) -> None:
    server, kept = plain_server
    Attempt(server).send()
    assert kept.recipients == ["ada@example.org"]


def test_it_calls_itself_by_its_name(plain_server: tuple[MailServer, Kept]) -> None:
    server, kept = plain_server
    Attempt(replace(server, ehlo_name="mp3.example.org")).send()
    assert kept.names == ["mp3.example.org"]
