"""The ledger as a test sees it."""

from typing import Any

from pymongo import MongoClient

from tests.servers.process import await_condition
from video2mp3_contracts.ledger.documents import LedgerEntry, LedgerMessage
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_contracts.runtime import mongo


class Ledger:
    """Entries of conversions."""

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self.collection = mongo.ledger(client)

    def add(self, message: ConversionFinished) -> None:
        """The entry that a worker leaves."""
        ref = message.conversion
        self.collection.insert_one(
            {"_id": ref.uid, "namespace": ref.namespace, "name": ref.name, "owner": message.owner}
        )

    def state(self, message: ConversionFinished) -> LedgerMessage:
        """What the entry says of the message's email."""
        entry = mongo.read(self.collection, message.conversion.uid) or LedgerEntry(_id=message.conversion.uid)
        return entry.messages.get(message.kind, LedgerMessage())

    def await_claim(self, message: ConversionFinished) -> None:
        """Wait until a notifier has claimed the email."""
        await_condition(lambda: self.state(message).claim_token is not None, seconds=10, what="no claim was made")

    def await_sent(self, message: ConversionFinished, seconds: float = 15) -> None:
        """Wait until the email is marked as sent."""
        await_condition(lambda: self.state(message).sent_at is not None, seconds=seconds, what="no email was marked")
