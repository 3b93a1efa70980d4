"""The table: how mail servers answer, and what the notifier has to do then.

The words are those of Gmail, Outlook and Exchange Online, Postfix, Exim and OpenBSD's spamd, as their documentation or
their source has them.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from video2mp3_mailsink.behaviour import Mode, Stage, Treatment

PROPERTY: Final = "providers"
"""By this name a test hands on its line of the table, which is shown at the end of the run."""

ADA: Final = "ada@example.org"


class Does(StrEnum):
    """What the notifier does."""

    SENT = "sent at once"
    RETRIED = "tried again and sent"
    ALERTED = "tried for a day, Video2mp3EmailsTurnedAway"
    AWAY = "tried for a day, Video2mp3EmailsNotSent"
    REFUSED = "given up at once: Refused"


@dataclass(frozen=True)
class Row:
    """One way in which a mail server answers."""

    title: str
    treatment: Treatment
    does: Does
    arrives: int
    """How often the email is in the mailbox at last."""

    recipient: str = ADA
    at: str = ADA
    """The recipient as the envelope has it."""

    mended: bool = False
    """Whether the server is well again after the first try."""

    tls_first: bool = False
    """Whether it is asked on port 465."""

    def to(self, recipient: str, at: str) -> Self:
        """For somebody else."""
        return replace(self, recipient=recipient, at=at, title=f"{self.title}; {recipient}")


def _answers(reply: str, does: Does, *, stage: Stage = Stage.RECIPIENT) -> Row:
    """A server that answers this: as long as it is asked, or once where it is a delay."""
    once = does is Does.RETRIED
    treatment = Treatment(mode=Mode.ANSWER, stage=stage, reply=reply, times=1 if once else None)
    return Row(f"{stage}: {reply.splitlines()[0]}", treatment, does, arrives=int(once))


def _answers_until_mended(reply: str, *, stage: Stage) -> Row:
    """A server that answers this throughout the first try."""
    row = _answers(reply, Does.RETRIED, stage=stage)
    return replace(row, treatment=row.treatment.model_copy(update={"times": None}), mended=True)


def _is(title: str, does: Does = Does.SENT, arrives: int = 1, mode: Mode = Mode.ACCEPT, **treatment: object) -> Row:
    """A server that is like this."""
    return Row(title, Treatment.model_validate({"mode": mode, **treatment}), does, arrives)


DELAYS: Final = (
    _answers("421 4.7.0 Try again later, closing connection.", Does.RETRIED, stage=Stage.GREETING),
    # On 465, since a server with STARTTLS may refuse HELO for want of it.
    replace(_answers_until_mended("421 4.3.2 Service not available, the concurrent connection limit is exceeded",
                                  stage=Stage.HELLO), tls_first=True),
    # Not once: a client that is refused by one mechanism may go on with another.
    _answers_until_mended("454 4.7.0 Too many login attempts, please try again later.", stage=Stage.LOGIN),
    _answers("451 4.7.1 Greylisted, please try again in 300 seconds", Does.RETRIED, stage=Stage.SENDER),
    _answers("450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted", Does.RETRIED),
    _answers("451 Temporary local problem - please try later", Does.RETRIED),
    _answers("450 4.2.1 The user you are trying to contact is receiving mail too quickly.", Does.RETRIED),
    _answers("452-4.2.2 The recipient's inbox is out of storage space.\r\n452 4.2.2 gsmtp", Does.RETRIED),
    _answers("451 4.7.500 Server busy. Please try again later", Does.RETRIED, stage=Stage.DATA),
    _answers("421-4.7.28 Gmail has detected an unusual rate of unsolicited mail.\r\n421 4.7.28 gsmtp", Does.RETRIED,
             stage=Stage.MESSAGE),
    _answers("452 4.3.1 Insufficient system storage", Does.RETRIED, stage=Stage.MESSAGE),
)  # fmt: skip
"""Not now."""

FINAL: Final = (
    _answers("550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 gsmtp", Does.REFUSED),
    _answers("550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown", Does.REFUSED),
    _answers("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Does.REFUSED),
    _answers("550 5.2.1 The email account that you tried to reach is inactive.", Does.REFUSED),
    _answers("556 5.1.10 Domain does not accept mail (nullMX)", Does.REFUSED),
    _answers("553 5.1.3 The recipient address is not a valid RFC 5321 address.", Does.REFUSED),
    _answers("550 Unrouteable address", Does.REFUSED),
    _answers("550 No such user here", Does.REFUSED),
    _answers("550 5.1.1 User unknown", Does.REFUSED, stage=Stage.MESSAGE),
    _answers("554 5.6.0 Message content is not accepted", Does.REFUSED, stage=Stage.MESSAGE),
)
"""There is no such address, or the server never takes such an email."""

TURNED_AWAY: Final = (
    _answers("554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org", Does.ALERTED,
             stage=Stage.GREETING),
    replace(_answers("550 5.7.1 <pod-1>: Helo command rejected: Host not found", Does.ALERTED, stage=Stage.HELLO),
            tls_first=True),
    _answers("534 5.7.9 Application-specific password required.", Does.ALERTED, stage=Stage.LOGIN),
    _answers("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", Does.ALERTED,
             stage=Stage.LOGIN),
    _answers("530 5.7.57 Client not authenticated to send mail.", Does.ALERTED, stage=Stage.SENDER),
    _answers("550 5.7.60 SMTP; Client does not have permissions to send as this sender", Does.ALERTED,
             stage=Stage.SENDER),
    _answers("550 5.4.5 Daily user sending limit exceeded.", Does.ALERTED, stage=Stage.SENDER),
    _answers("550 5.1.8 Access denied, bad outbound sender", Does.ALERTED, stage=Stage.SENDER),
    _answers("552 5.2.2 The email account that you tried to reach is over quota.", Does.ALERTED),
    _answers("554 5.7.1 <ada@example.org>: Relay access denied", Does.ALERTED),
    _answers("550 5.4.1 Recipient address rejected: Access denied.", Does.ALERTED),
    _answers("550 5.7.606 Access denied, banned sending IP", Does.ALERTED),
    _answers("550 relay not permitted", Does.ALERTED),
    _answers("550-Verification failed for <noreply@example.org>\r\n550 Sender verify failed", Does.ALERTED),
    _answers("550 Administrative prohibition", Does.ALERTED),
    _answers("550 Reverse DNS for your IP address not found", Does.ALERTED),
    _answers("550 Relaying denied for unknown user; please authenticate", Does.ALERTED),
    _answers("554 5.5.1 Error: no valid recipients", Does.ALERTED, stage=Stage.DATA),
    _answers("550-5.7.26 Your email has been blocked because the sender is unauthenticated.\r\n550 5.7.26 gsmtp",
             Does.ALERTED, stage=Stage.MESSAGE),
    _answers("550 5.7.708 Access denied, traffic not accepted from this IP", Does.ALERTED, stage=Stage.MESSAGE),
    _answers("552 5.3.4 Message size exceeds fixed limit", Does.ALERTED, stage=Stage.MESSAGE),
)  # fmt: skip
"""An administrator can mend it."""

CONNECTIONS: Final = (
    _is("drops after the greeting", Does.AWAY, 0, Mode.DROP, stage=Stage.HELLO),
    _is("drops at the recipient, once", Does.RETRIED, 1, Mode.DROP, stage=Stage.RECIPIENT, times=1),
    _is("drops after DATA, once", Does.RETRIED, 1, Mode.DROP, times=1),
    # The one case in which nobody can know: both copies carry one Message-ID (notifier/README.md, "Once").
    _is("keeps the email and drops after DATA, once", Does.RETRIED, 2, Mode.KEEP_AND_DROP, times=1),
    _is("slow: 0.1 s before each answer", seconds=0.1),
    replace(_is("a tarpit: a byte each 0.5 s", Does.RETRIED, seconds=0.5, bytewise=True), mended=True),
    replace(_is("a tarpit on port 465", Does.RETRIED, seconds=0.5, bytewise=True), mended=True, tls_first=True),
    replace(_is("no greeting", Does.RETRIED, 1, Mode.STALL, stage=Stage.GREETING), mended=True),
    replace(_is("no answer after DATA", Does.RETRIED, 1, Mode.STALL), mended=True),
    replace(_is("port 465, TLS from the first byte"), tls_first=True),
)
"""What becomes of the connection."""

_EIGHT_BIT: Final = _is("an 8-bit server with SMTPUTF8")
_NO_SMTPUTF8: Final = _is("an 8-bit server without SMTPUTF8", smtputf8=False)
_SEVEN_BIT: Final = _is("a 7-bit server", smtputf8=False, eightbitmime=False)
_JOSE: Final = ("josé@example.org", "josé@example.org")
_IDN: Final = ("ada@straße.de", "ada@xn--strae-oqa.de")

LETTERS: Final = (
    _EIGHT_BIT,
    _EIGHT_BIT.to(*_JOSE),
    _EIGHT_BIT.to(*_IDN),
    _NO_SMTPUTF8,
    replace(_NO_SMTPUTF8.to(*_JOSE), does=Does.REFUSED, arrives=0),
    _NO_SMTPUTF8.to(*_IDN),
    _SEVEN_BIT,
    replace(_SEVEN_BIT.to(*_JOSE), does=Does.REFUSED, arrives=0),
    _SEVEN_BIT.to(*_IDN),
)
"""Which letters it takes. The file's name has some beyond ASCII in every row."""

ROWS: Final = (*DELAYS, *FINAL, *TURNED_AWAY, *CONNECTIONS, *LETTERS)
