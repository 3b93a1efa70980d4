"""The two outside systems as `notify` sees them. Adapters: `ledger` and `smtp`; the tests have fakes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_contracts.text.address import EmailAddress


class ClaimsUnavailableError(Exception):
    """The ledger is away: try again."""


class MailNotSentError(Exception):
    """The email was not accepted, and may be another time: try again."""


class MailTurnedAwayError(MailNotSentError):
    """The mail server refused it for a reason that an administrator can mend: try again, and tell them."""


class MailRefusedError(Exception):
    """The mail server will never accept this email."""


@dataclass(frozen=True)
class Email:
    """One email for one person, as it goes over the wire."""

    sender: str
    """The address of the envelope, where bounces go."""

    recipient: EmailAddress
    content: bytes
    """Head and body (RFC 5322), lines ended by CR LF, in ASCII; in UTF-8 where the recipient is international."""


@dataclass(frozen=True)
class Claimed:
    """This notifier, and no other, may send the email, for one lease from `at`."""

    token: str
    at: datetime


@dataclass(frozen=True)
class Held:
    """Another notifier holds the claim until `until` at the latest."""

    until: datetime


@dataclass(frozen=True)
class Sent:
    """The email was sent before."""


class Claims(Protocol):
    """Who may send the one email of a message. Every method raises ClaimsUnavailableError."""

    def claim(self, message: ConversionFinished, now: datetime) -> Claimed | Held | Sent:
        """Claim the email, in one atomic step."""

    def release(self, message: ConversionFinished, claim: Claimed) -> None:
        """Give the claim back: the email was surely not sent."""

    def mark_sent(self, message: ConversionFinished, claim: Claimed, now: datetime) -> bool:
        """Note that the email was sent; False when the claim is no longer ours or the entry is gone."""


class Mailer(Protocol):
    """A mail server that takes emails."""

    def send(self, email: Email, claimed_at: datetime) -> None:
        """Return once the server has accepted the email.

        Raises MailNotSentError, MailTurnedAwayError or MailRefusedError.

        Nothing is sent any more once the lease of a claim taken at `claimed_at` may be over.
        """
