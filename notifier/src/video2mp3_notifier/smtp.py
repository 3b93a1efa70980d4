"""⑨ SMTP: TLS, login, one email, within time limits that follow from the claim's lease."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from threading import Event, Timer
from typing import Final, Self

from video2mp3_notifier.ports import Email, MailNotSentError, MailRefusedError, MailTurnedAwayError
from video2mp3_notifier.replies import Refusal, is_for_now, meaning
from video2mp3_notifier.texts import sanitize

IMPLICIT_TLS_PORT: Final = 465
"""Submission over TLS from the first byte (RFC 8314)."""

_LONGEST_REPLY: Final = 300


@dataclass(frozen=True)
class TimeLimits:
    """A claim's lease outlasts the send.

    A session that is not open (TLS, EHLO or HELO, login) a quarter of the lease after the claim is given up before a
    byte of the email is sent. Five steps follow in every session: MAIL, RCPT, DATA, the email itself, the server's last
    answer. They get an eighth each, so an eighth is left.
    """

    opening: timedelta
    step: timedelta

    @classmethod
    def within(cls, lease: timedelta) -> Self:
        """The limits for a lease."""
        return cls(opening=lease / 4, step=lease / 8)


@dataclass(frozen=True)
class MailServer:
    """Where to send to, and how."""

    host: str
    port: int
    limits: TimeLimits
    tls: ssl.SSLContext | None = None
    """None sends in the clear."""

    tls_first: bool = False
    """Encrypted from the first byte, instead of after STARTTLS."""

    ehlo_name: str = "localhost"
    """What we call ourselves: a name in DNS, or an address in brackets (RFC 5321, 4.1.1.1)."""

    username: str = ""
    """"" for no login."""

    password: str = field(default="", repr=False)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Verify certificates and names, by the system's authorities or those in a PEM file. Raises OSError."""
    return ssl.create_default_context(cafile=ca_file)


class _Lines(BufferedReader):
    """What a server says."""

    whole = True
    """Whether the last line was: where the connection ends within one, `readline` answers what there is of it."""

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line."""
        line = super().readline(size)
        self.whole = line.endswith(b"\n")
        return line


class _Session(smtplib.SMTP):
    """Has each reply as a whole within its time limit.

    A socket's own limit is for the next bytes: a server that sends one now and then, as tarpits do, outlasts any claim.
    """

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply. Raises TimeoutError, SMTPException or OSError."""
        late = Event()
        timer = Timer(self.timeout, self._hang_up, (late,))
        timer.daemon = True
        timer.start()
        try:
            return self._whole_reply()
        except (smtplib.SMTPException, OSError) as error:
            if late.is_set():
                raise TimeoutError("the answer was not complete in time") from error
            raise
        finally:
            timer.cancel()

    def rset(self) -> tuple[int, bytes]:
        """Do nothing: a connection is for one email, and the answer would be one more step within the lease."""
        return 250, b""

    def _whole_reply(self) -> tuple[int, bytes]:
        """Read one reply; of a success the code is enough, since trying again makes a second email."""
        if self.file is None and self.sock is not None:
            self.file = _Lines(self.sock.makefile("rb", buffering=0))
        # The timer comes first: a socket whose own limit is over gives away what has come of the line.
        self._limit_socket(2 * self.timeout)
        code, text = super().getreply()
        self._limit_socket(self.timeout)
        cut = self.file is not None and not self.file.whole
        if cut and not 200 <= code < 300:
            raise smtplib.SMTPServerDisconnected(f"the answer was cut off after {code}")
        return code, text

    def _limit_socket(self, seconds: float) -> None:
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def _hang_up(self, late: Event) -> None:
        late.set()
        sock = self.sock
        with suppress(OSError):
            if sock is not None:
                # Not SSLSocket's own: that takes TLS from under who is reading, for whom it is no OSError.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _TlsSession(_Session, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class SmtpMailer:
    """`ports.Mailer` over SMTP, with a connection for each email. Safe to use from several threads."""

    def __init__(self, server: MailServer, now: Callable[[], datetime]) -> None:
        """`now` is the time in UTC."""
        self._server = server
        self._now = now

    def send(self, email: Email, claimed_at: datetime) -> None:
        """See `ports.Mailer`."""
        with _translated(email), self._session() as session:
            if self._now() > claimed_at + self._server.limits.opening:
                raise MailNotSentError("the mail server took too long to let us in")
            session.sendmail(email.sender, [str(email.recipient)], email.content, _options(session, email))

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        session = self._connected()
        try:
            if server.tls is not None and not server.tls_first:
                session.starttls(context=server.tls)
            if server.username:
                session.login(server.username, server.password)
            # STARTTLS has forgotten it, and without a login it would come after the look at the lease.
            session.ehlo_or_helo_if_needed()
            yield session
            # The email is accepted, so a goodbye that fails is no failure. Its answer is not waited for: every moment
            # until the ledger knows is one in which a crash makes a second email.
            with suppress(smtplib.SMTPException, OSError):
                session.putcmd("QUIT")
        finally:
            session.close()

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        seconds = server.limits.step.total_seconds()
        if not server.tls_first:
            return _Session(server.host, server.port, server.ehlo_name, seconds)
        return _TlsSession(server.host, server.port, server.ehlo_name, timeout=seconds, context=server.tls)


def _options(session: smtplib.SMTP, email: Email) -> list[str]:
    """What is asked of the server for this email; raise MailRefusedError where it cannot do that."""
    if not email.recipient.international:
        return []
    if not session.has_extn("smtputf8"):
        raise MailRefusedError("the mail server takes only ASCII before the @ of an address (it has no SMTPUTF8)")
    return ["SMTPUTF8", "BODY=8BITMIME"]


@contextmanager
def _translated(email: Email) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        raise _refusal("the recipient", code, reply, email, of_recipient=True) from error
    except smtplib.SMTPDataError as error:
        raise _refusal("the email", error.smtp_code, error.smtp_error, email, of_recipient=False) from error
    except smtplib.SMTPResponseException as error:
        # Greeting, EHLO, STARTTLS, login, sender: what an administrator can mend, so even a 5xx is tried again.
        kind = MailNotSentError if is_for_now(error.smtp_code) else MailTurnedAwayError
        raise kind(_reply("the mail server answered", error.smtp_code, error.smtp_error, email)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailNotSentError(sanitize(f"no email could be sent: {error!r}", _LONGEST_REPLY)) from error


def _refusal(
    what: str, code: int, reply: bytes | str, email: Email, *, of_recipient: bool
) -> MailNotSentError | MailRefusedError:
    text = _reply(f"{what} was refused:", code, reply, email)
    match meaning(code, _said(reply), of_recipient=of_recipient):
        case Refusal.FINAL:
            return MailRefusedError(text)
        case Refusal.TURNED_AWAY:
            return MailTurnedAwayError(text)
        case Refusal.FOR_NOW:
            return MailNotSentError(text)


def _reply(what: str, code: int, reply: bytes | str, email: Email) -> str:
    """A server's answer for logs and headers: one line, without the recipient's address that many servers repeat."""
    return sanitize(f"{what} {code} {_said(reply).replace(str(email.recipient), 'the recipient')}", _LONGEST_REPLY)


def _said(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
