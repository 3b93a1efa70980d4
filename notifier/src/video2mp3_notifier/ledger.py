"""The claims, kept in the ledger."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import ORPHAN_RETENTION, ORPHANED_AT, LedgerMessage
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_contracts.runtime import mongo
from video2mp3_notifier.ports import Claimed, ClaimsUnavailableError, Held, Sent


class LedgerClaims:
    """`ports.Claims` over the collection `conversions`. Safe to use from several threads."""

    def __init__(
        self,
        collection: Collection[mongo.Document],
        lease: timedelta,
        new_token: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._collection = collection
        self._lease = lease
        self._new_token = new_token
        self._indexed = False

    def claim(self, message: ConversionFinished, now: datetime) -> Claimed | Held | Sent:
        """Claim the email until `now` + lease, or say who was before."""
        self._ensure_index()
        token = self._new_token()
        uid, kind = message.conversion.uid, message.kind
        try:
            if mongo.apply(self._collection, moves.claim_send(uid, kind, token, now, self._lease)):
                return Claimed(token, at=now)
            entry = mongo.read(self._collection, uid)
        except mongo.StoreError as error:
            raise ClaimsUnavailableError(str(error)) from error
        state = entry.messages.get(kind, LedgerMessage()) if entry else LedgerMessage()
        if state.sent_at is not None:
            return Sent()
        # A claim that was released between the two steps is held until now: the message comes back soon.
        return Held(state.claimed_until or now)

    def release(self, message: ConversionFinished, claim: Claimed) -> None:
        """Give the claim back, if it is still ours."""
        try:
            mongo.apply(self._collection, moves.release_send(message.conversion.uid, message.kind, claim.token))
        except mongo.StoreError as error:
            raise ClaimsUnavailableError(str(error)) from error

    def mark_sent(self, message: ConversionFinished, claim: Claimed, now: datetime) -> bool:
        """Note that the email was sent, if the claim is still ours."""
        move = moves.mark_sent(message.conversion.uid, message.kind, claim.token, now)
        try:
            return mongo.apply(self._collection, move) is not None
        except mongo.StoreError as error:
            raise ClaimsUnavailableError(str(error)) from error

    def _ensure_index(self) -> None:
        """Have MongoDB remove entries that only a claim made; once, with the first claim that reaches it."""
        if self._indexed:
            return
        seconds = int(ORPHAN_RETENTION.total_seconds())
        try:
            with pymongo.timeout(mongo.MOVE_SECONDS):
                self._collection.create_index(ORPHANED_AT, expireAfterSeconds=seconds)
        except PyMongoError as error:
            raise ClaimsUnavailableError(f"the ledger did not answer: {type(error).__name__}") from error
        self._indexed = True
