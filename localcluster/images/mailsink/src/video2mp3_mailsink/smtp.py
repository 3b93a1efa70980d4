"""The SMTP side: takes mail as a provider does, after TLS and login where an account is configured."""

import asyncio
import hmac
import ssl
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from video2mp3_mailsink.behaviour import Behaviour, Mode, Stage, Treatment
from video2mp3_mailsink.mailbox import Mailbox
from video2mp3_mailsink.settings import MailsinkSettings

_KEPT = "250 2.0.0 kept"
_REFUSALS = {
    Mode.REJECT_TEMPORARILY: "451 4.7.1 not now, try again later",
    Mode.REJECT_PERMANENTLY: "550 5.1.1 no such user here",
}
_DROPS = (Mode.DROP, Mode.KEEP_AND_DROP)


class SinkHandler:
    """Keeps the messages that the behaviour in force accepts, and only those."""

    def __init__(self, mailbox: Mailbox, behaviour: Behaviour) -> None:
        self._mailbox = mailbox
        self._behaviour = behaviour

    async def handle_DATA(self, server: "SinkProtocol", _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer the end of a message's data.

        A sender who leaves while the answer is stalled cancels this call, so nothing is kept that was not accepted.
        """
        treatment = await self._behaviour.decided(Stage.MESSAGE)
        if treatment.mode in (Mode.ACCEPT, Mode.KEEP_AND_DROP):
            content = envelope.original_content or b""
            self._mailbox.add(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, datetime.now(UTC))
        if treatment.mode in _DROPS:
            await server.hang_up()
        return _refusal(treatment) or _KEPT


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


class SinkProtocol(SMTP):
    """One connection, which the behaviour in force may end or slow down at any stage."""

    def __init__(self, handler: SinkHandler, behaviour: Behaviour, **options: Any) -> None:
        """`options` are those of aiosmtpd."""
        super().__init__(handler, **options)
        self._behaviour = behaviour
        self._greeted = False

    async def push(self, status: str | bytes) -> None:
        """Send one answer, as slowly as the behaviour says."""
        if not self._greeted:
            self._greeted = True
            status = await self._refused(Stage.GREETING) or status
        treatment = self._behaviour.treatment
        octets = status.encode() if isinstance(status, str) else status
        await asyncio.sleep(treatment.seconds)
        while treatment.bytewise and octets:
            self._writer.write(octets[:1])
            await self._writer.drain()
            octets = octets[1:]
            await asyncio.sleep(treatment.seconds)
        await super().push(octets)

    async def hang_up(self) -> None:
        """End the connection; that cancels whoever calls this."""
        if self.transport is not None:
            self.transport.close()
        await asyncio.get_running_loop().create_future()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        """Answer EHLO, with the extensions that there are."""
        if not await self._answered(Stage.HELLO):
            await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        """Answer HELO, which senders try where EHLO is refused."""
        if not await self._answered(Stage.HELLO):
            await super().smtp_HELO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        """Answer AUTH."""
        if not await self._answered(Stage.LOGIN):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        """Answer MAIL."""
        if not await self._answered(Stage.SENDER):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        """Answer RCPT."""
        if not await self._answered(Stage.RECIPIENT):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Answer DATA, and then the message."""
        if not await self._answered(Stage.DATA):
            await super().smtp_DATA(arg)

    async def _answered(self, stage: Stage) -> bool:
        refusal = await self._refused(stage)
        if refusal:
            await self.push(refusal)
        return bool(refusal)

    async def _refused(self, stage: Stage) -> str:
        treatment = await self._behaviour.decided(stage)
        if treatment.mode in _DROPS:
            await self.hang_up()
        return _refusal(treatment)


def _refusal(treatment: Treatment) -> str:
    """What a sender is told who goes no further; "" where there is no such answer."""
    return treatment.reply or _REFUSALS.get(treatment.mode, "")


def smtp_protocol(
    settings: MailsinkSettings,
    handler: SinkHandler,
    behaviour: Behaviour,
    tls: ssl.SSLContext | None,
    *,
    tls_first: bool = False,
) -> SinkProtocol:
    """Build the protocol of one connection; TLS and login are demanded where an account is configured.

    With `tls_first` the connection is encrypted already, and STARTTLS is not offered.
    """
    authenticator = None
    if settings.username is not None and settings.password is not None:
        authenticator = SingleAccount(settings.username, settings.password.get_secret_value())
    return SinkProtocol(
        handler,
        behaviour,
        hostname=settings.hostname,
        ident="video2mp3 mailsink",
        data_size_limit=settings.max_message_bytes,
        enable_SMTPUTF8=behaviour.treatment.smtputf8,
        # Text is decoded as ASCII, and refused where it is not; that it was decoded is of no use here.
        decode_data=not behaviour.treatment.eightbitmime,
        tls_context=None if tls_first else tls,
        require_starttls=authenticator is not None and not tls_first,
        authenticator=authenticator,
        auth_required=authenticator is not None,
        auth_require_tls=not tls_first,
        loop=asyncio.get_running_loop(),
    )
