"""pymongo as every service uses it: a client whose every wait ends, and the ledger's moves.

The only module here that knows pymongo (extra `mongo`).
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import pymongo
from pymongo import MongoClient, ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, PyMongoError

from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.ledger.moves import UPSERT_LOOKS, Move
from video2mp3_contracts.ledger.storage import LEDGER_COLLECTION, MP3S_DATABASE

CONNECT_SECONDS: Final = 5
"""To find a server and to connect to it."""

ROUND_TRIP_SECONDS: Final = 30
"""For one answer. Long enough for a chunk of a file on a busy disk."""

MOVE_SECONDS: Final = 10
"""For one operation on the ledger, its retries included."""

Document = dict[str, Any]


class StoreError(Exception):
    """MongoDB is away or refused. The operation may have happened; all of the ledger's moves can be repeated."""


def connect(uri: str, name: str) -> MongoClient[Document]:
    """Make a client that answers times in UTC; it connects at its first use. `name` is shown in the server's log.

    There is deliberately no limit on a whole operation: it would cut the streaming of large files short.
    """
    return MongoClient(
        uri,
        appname=name,
        tz_aware=True,
        connectTimeoutMS=CONNECT_SECONDS * 1000,
        serverSelectionTimeoutMS=CONNECT_SECONDS * 1000,
        waitQueueTimeoutMS=CONNECT_SECONDS * 1000,
        socketTimeoutMS=ROUND_TRIP_SECONDS * 1000,
    )


def ledger(client: MongoClient[Document]) -> Collection[Document]:
    """The ledger's collection."""
    return client[MP3S_DATABASE][LEDGER_COLLECTION]


def apply(collection: Collection[Document], move: Move) -> LedgerEntry | None:
    """Run one move and answer the entry as it is then; None when it did not match. Raises StoreError.

    An upsert that meets a document which its filter excludes did not match either.
    """
    try:
        with pymongo.timeout(MOVE_SECONDS):
            for _ in range(UPSERT_LOOKS if move.upsert else 1):
                with suppress(DuplicateKeyError):
                    document = collection.find_one_and_update(
                        move.filter, move.update, upsert=move.upsert, return_document=ReturnDocument.AFTER
                    )
                    if document is not None:
                        return _entry(document)
    except PyMongoError as error:
        raise StoreError(f"the ledger did not answer: {type(error).__name__}") from error
    return None


def read(collection: Collection[Document], uid: str) -> LedgerEntry | None:
    """One Conversion's entry; None when there is none. Raises StoreError."""
    try:
        with pymongo.timeout(MOVE_SECONDS):
            document = collection.find_one({"_id": uid})
    except PyMongoError as error:
        raise StoreError(f"the ledger did not answer: {type(error).__name__}") from error
    return _entry(document)


def _entry(document: Mapping[str, Any] | None) -> LedgerEntry | None:
    return None if document is None else LedgerEntry.model_validate(document)
