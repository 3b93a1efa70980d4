"""The SMTP side: takes mail as a provider does, after STARTTLS and login where an account is configured."""

import asyncio
import hmac
import ssl
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from video2mp3_mailsink.behaviour import Behaviour, Mode
from video2mp3_mailsink.mailbox import Mailbox
from video2mp3_mailsink.settings import MailsinkSettings

ANSWERS = {
    Mode.ACCEPT: "250 2.0.0 kept",
    Mode.REJECT_TEMPORARILY: "451 4.7.1 not now, try again later",
    Mode.REJECT_PERMANENTLY: "550 5.1.1 no such user here",
}


class SinkHandler:
    """Keeps the messages that the behaviour in force accepts, and only those."""

    def __init__(self, mailbox: Mailbox, behaviour: Behaviour) -> None:
        self._mailbox = mailbox
        self._behaviour = behaviour

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer the end of a message's data.

        A sender who leaves while the answer is stalled cancels this call, so nothing is kept that was not accepted.
        """
        mode = await self._behaviour.decided()
        if mode is Mode.ACCEPT:
            content = envelope.original_content or b""
            self._mailbox.add(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, datetime.now(UTC))
        return ANSWERS[mode]


class SingleAccount:
    """Accepts one login, compared in constant time."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username.encode()
        self._password = password.encode()

    def __call__(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, credentials: object
    ) -> AuthResult:
        """Check one AUTH LOGIN or PLAIN; aiosmtpd answers 535 where it fails."""
        known = (
            isinstance(credentials, LoginPassword)
            and hmac.compare_digest(credentials.login, self._username)
            and hmac.compare_digest(credentials.password, self._password)
        )
        return AuthResult(success=known, handled=False)


def smtp_protocol(settings: MailsinkSettings, handler: SinkHandler, tls: ssl.SSLContext | None) -> SMTP:
    """Build the protocol of one connection; TLS and login are demanded where an account is configured."""
    authenticator = None
    if settings.username is not None and settings.password is not None:
        authenticator = SingleAccount(settings.username, settings.password.get_secret_value())
    return SMTP(
        handler,
        hostname=settings.hostname,
        ident="video2mp3 mailsink",
        data_size_limit=settings.max_message_bytes,
        enable_SMTPUTF8=True,
        tls_context=tls,
        require_starttls=authenticator is not None,
        authenticator=authenticator,
        auth_required=authenticator is not None,
        loop=asyncio.get_running_loop(),
    )
