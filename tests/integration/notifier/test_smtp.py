"""⑨ The SMTP adapter against a real mail server: what is accepted, refused, and tried again."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import MailsinkServer
from tests.servers.process import free_port
from tests.unit.notifier.builders import a_message
from video2mp3_mailsink.behaviour import Mode
from video2mp3_notifier.compose import Composer
from video2mp3_notifier.ports import Email, MailNotSentError, MailRefusedError, MailTurnedAwayError
from video2mp3_notifier.smtp import MailServer, SmtpMailer, TimeLimits, tls_context

LEASE = timedelta(seconds=24)


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def an_email() -> Email:
    """An email whose text has what SMTP treats specially, lines of dots, and letters beyond ASCII."""
    composer = Composer("noreply@example.org", "https://mp3.example.org")
    email = composer.compose(a_message().named("Ü.mp3").build(), now())
    return replace(email, content=email.content.replace(b"Your mp3 is ready.\r\n", b"one\r\n.\r\ntw=C3=B6\r\n..\r\n"))


@pytest.fixture
def server(mailsink: MailsinkServer) -> MailServer:
    """The mail server as the notifier's settings describe it."""
    return MailServer(
        host=mailsink.smtp_host,
        port=mailsink.port,
        limits=TimeLimits.within(LEASE),
        tls=tls_context(mailsink.ca_file),
        username=mailsink.username,
        password=mailsink.password,
    )


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


@dataclass
class Refusing:
    """A mail server that refuses recipients or emails with given words."""

    at: str
    reply: str

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse, or not yet."""
        envelope.mail_from = address
        return self.reply if self.at == "sender" else "250 fine"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse, or not yet."""
        envelope.rcpt_tos.append(address)
        return self.reply if self.at == "recipient" else "250 fine"

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        """Refuse."""
        return self.reply


REFUSALS = {
    # Greylisting, rates, load.
    ("recipient", "451 4.7.1 Greylisted, please try again in 300 seconds"): MailNotSentError,
    ("recipient", "450 4.2.1 The user you are trying to contact is receiving mail too quickly"): MailNotSentError,
    ("email", "421 4.7.0 Our system has detected an unusual rate of unsolicited mail"): MailNotSentError,
    ("email", "452 4.3.1 Insufficient system storage"): MailNotSentError,
    ("sender", "451 4.7.1 Greylisted, please try again in 300 seconds"): MailNotSentError,
    # The address is wrong.
    ("recipient", "550 5.1.1 The email account that you tried to reach does not exist"): MailRefusedError,
    ("recipient", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"): MailRefusedError,
    ("recipient", "550 5.2.1 The email account that you tried to reach is disabled"): MailRefusedError,
    ("recipient", "556 5.1.10 Recipient address has null MX"): MailRefusedError,
    ("recipient", "553 5.1.3 The recipient address is not a valid RFC 5321 address"): MailRefusedError,
    ("recipient", "550 No such user here"): MailRefusedError,
    ("email", "550 5.1.1 User unknown"): MailRefusedError,
    ("email", "554 5.6.0 Message content is not allowed"): MailRefusedError,
    # What an administrator can mend.
    ("recipient", "550 5.7.1 Relaying denied"): MailTurnedAwayError,
    ("sender", "550 5.7.60 Client does not have permissions to send as this sender"): MailTurnedAwayError,
    ("recipient", "554 5.7.1 Service unavailable; Client host blocked using a list"): MailTurnedAwayError,
    ("recipient", "552 5.2.2 The email account that you tried to reach is over quota"): MailTurnedAwayError,
    ("recipient", "504 5.5.2 <pod-1>: Helo command rejected: need fully-qualified hostname"): MailTurnedAwayError,
    ("recipient", "550 5.7.606 Access denied, banned sending IP"): MailTurnedAwayError,
    ("recipient", "554 Relay access denied"): MailTurnedAwayError,
    ("recipient", "552 Mailbox full"): MailTurnedAwayError,
    ("email", "550 5.7.26 This message does not pass authentication checks (SPF and DKIM both do not pass)"):
        MailTurnedAwayError,
    ("email", "554 5.7.0 Message rejected by policy"): MailTurnedAwayError,
    ("email", "550 5.1.8 Sender address rejected"): MailTurnedAwayError,
    ("email", "550 Message refused"): MailTurnedAwayError,
}  # fmt: skip
"""As the large providers word them."""


@pytest.mark.parametrize(("refused", "error"), REFUSALS.items(), ids=[f"{at}: {reply}" for at, reply in REFUSALS])
def test_a_refusal_is_final_only_where_the_address_is_wrong(refused: tuple[str, str], error: type[Exception]) -> None:
    controller = Controller(Refusing(*refused), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with pytest.raises(MailNotSentError if error is not MailRefusedError else MailRefusedError) as told:
            Attempt(MailServer("127.0.0.1", controller.port, TimeLimits.within(LEASE))).send()
    finally:
        controller.stop()

    assert type(told.value) is error
    assert refused[1] in str(told.value)


class TlsFirst(Controller):
    """A server that encrypts from the first byte."""

    def __init__(self, handler: object, mailsink: MailsinkServer) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(mailsink.ca_file, mailsink.ca_file.with_suffix(".key"))
        super().__init__(
            handler, hostname="127.0.0.1", port=free_port(), ssl_context=context, server_hostname="localhost"
        )


def test_a_server_may_encrypt_from_the_first_byte(server: MailServer, mailsink: MailsinkServer) -> None:
    kept = Kept()
    controller = TlsFirst(kept, mailsink)
    controller.start()
    try:
        Attempt(replace(server, port=controller.port, tls_first=True, username="", password="")).send()
    finally:
        controller.stop()
    assert kept.recipients == ["ada@example.org"]


def test_it_calls_itself_by_its_name(plain_server: tuple[MailServer, Kept]) -> None:
    server, kept = plain_server
    Attempt(replace(server, ehlo_name="mp3.example.org")).send()
    assert kept.names == ["mp3.example.org"]
