"""⑧⑨ What becomes of one message: claim the email, send it, note that it was sent.

A crash between any two of these lines leaves one email, with one exception that no order of them can avoid: the
mail server has accepted the email and the ledger does not know yet. Then the email is sent again once the lease is
over, with the same Message-ID, by which mail programs can tell that they have it already.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_contracts.text.address import InvalidAddressError
from video2mp3_notifier.attempts import Attempts
from video2mp3_notifier.dispositions import DeadLetter, DeadReason, Disposition, Done, Outcome
from video2mp3_notifier.incoming import UnreadableMessageError, read_message
from video2mp3_notifier.ports import (
    Claimed,
    Claims,
    ClaimsUnavailableError,
    Email,
    Held,
    Mailer,
    MailNotSentError,
    MailRefusedError,
    MailTurnedAwayError,
    Sent,
)
from video2mp3_notifier.retry import after_failure, while_claimed

_MARK_TRIES: Final = 3
_log = structlog.get_logger(__name__)


class Notify:
    """Decides over messages, one at a time in each thread."""

    def __init__(
        self,
        claims: Claims,
        mailer: Mailer,
        compose: Callable[[ConversionFinished, datetime], Email],
        now: Callable[[], datetime],
    ) -> None:
        """`compose` raises InvalidAddressError; `now` is the time in UTC."""
        self._claims = claims
        self._mailer = mailer
        self._compose = compose
        self._now = now

    def handle(self, body: bytes, attempts: Attempts) -> Disposition:
        """What becomes of a message with this body and history."""
        try:
            message = read_message(body)
            if not message.email:
                return Done(Outcome.NO_ADDRESS)
            return self._tell(message, self._compose(message, self._now()), attempts)
        except UnreadableMessageError as error:
            return DeadLetter(error.reason, str(error))
        except InvalidAddressError as error:
            return DeadLetter(DeadReason.INVALID_ADDRESS, str(error))
        except MailRefusedError as error:
            return DeadLetter(DeadReason.REFUSED, str(error))
        except MailTurnedAwayError as error:
            return after_failure(attempts, str(error), Outcome.TURNED_AWAY)
        except (ClaimsUnavailableError, MailNotSentError) as error:
            return after_failure(attempts, str(error))

    def _tell(self, message: ConversionFinished, email: Email, attempts: Attempts) -> Disposition:
        now = self._now()
        match self._claims.claim(message, now):
            case Sent():
                return Done(Outcome.ALREADY_SENT)
            case Held(until):
                return while_claimed(attempts, until - now)
            case Claimed() as claim:
                self._send(message, email, claim)
        return Done(Outcome.SENT)

    def _send(self, message: ConversionFinished, email: Email, claim: Claimed) -> None:
        try:
            self._mailer.send(email, claim.at)
        except (MailNotSentError, MailRefusedError):
            # Without the release the next try would have to wait for the lease, which is all that is lost.
            with suppress(ClaimsUnavailableError):
                self._claims.release(message, claim)
            raise
        self._mark_sent(message, claim)

    def _mark_sent(self, message: ConversionFinished, claim: Claimed) -> None:
        # The email is out, so whatever happens here, the message must not come back: a second email would follow.
        for _ in range(_MARK_TRIES):
            with suppress(ClaimsUnavailableError):
                if not self._claims.mark_sent(message, claim, self._now()):
                    _log.warning("claim_lost_after_send", message_id=message.message_id)
                return
        _log.warning("sent_not_marked", message_id=message.message_id)
