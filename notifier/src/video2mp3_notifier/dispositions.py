"""What becomes of a message once it was handled: it is done, waits for another attempt, or is given up."""

from dataclasses import dataclass
from enum import StrEnum

from video2mp3_notifier.attempts import Attempts


class Outcome(StrEnum):
    """How a message was handled; the `outcome` of `video2mp3_notifier_messages_total`."""

    SENT = "sent"
    """The mail server has accepted the email."""
    ALREADY_SENT = "already-sent"
    """A duplicate: the email was sent for an earlier copy of the message."""
    NO_ADDRESS = "no-address"
    """Nobody asked to be told."""
    RETRIED = "retried"
    """It failed, and waits for the next attempt."""
    TURNED_AWAY = "turned-away"
    """The mail server refused it for a reason that an administrator can mend; it waits for the next attempt."""
    CLAIM_HELD = "claim-held"
    """Another notifier is sending the email, or died while it did; the message waits to see which."""
    CRASHED = "crashed"
    """It ended in an error nobody foresaw, and waits for the next of a few attempts. A bug: the log has a traceback."""
    DEAD_LETTERED = "dead-lettered"
    """It was given up, and lies in the dead-letter queue with the reason."""


class DeadReason(StrEnum):
    """Why a message was given up; the header `x-video2mp3-reason` of a dead letter."""

    MALFORMED = "Malformed"
    """The body is not the JSON that the contract describes."""
    UNKNOWN_VERSION = "UnknownVersion"
    """The message is of a version that this notifier does not know."""
    INVALID_ADDRESS = "InvalidAddress"
    """The recipient's address is none."""
    REFUSED = "Refused"
    """The mail server will never take it: there is no such address, or it takes no such email."""
    CRASHED = "Crashed"
    """Each of its few attempts ended in an error nobody foresaw: a bug."""
    TRIES_EXHAUSTED = "TriesExhausted"
    """It failed for longer than a day; the message tells of the last failure."""


@dataclass(frozen=True)
class Done:
    """Acknowledge the message."""

    outcome: Outcome


@dataclass(frozen=True)
class Retry:
    """Let the message wait for `delay_seconds`, one of RETRY_DELAYS_SECONDS."""

    outcome: Outcome
    delay_seconds: int
    attempts: Attempts
    why: str


@dataclass(frozen=True)
class DeadLetter:
    """Give the message up."""

    reason: DeadReason
    why: str


Disposition = Done | Retry | DeadLetter
