"""④ All that is in the two databases as one stream of BSON, and back: a backup that needs no tool but ours.

The stream is a sequence of BSON documents `{database, collection, document}`. The ledger comes first and the files'
contents last, so that what is stored meanwhile has its file; the last one, `{end: COUNT}`, shows that it is whole.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, ReplaceOne
from pymongo.errors import PyMongoError

from video2mp3_contracts.ledger.storage import LEDGER_COLLECTION, MP3S_DATABASE, VIDEOS_DATABASE
from video2mp3_operator.ports.errors import UnavailableError

_RAW: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)
_BATCH_BYTES: Final = 8 * 1024**2
"""Documents are put back together up to this size: half of what MongoDB takes in one message."""

_SERVER_SECONDS: Final = 30

Place = tuple[str, str]
"""A database and one of its collections."""


class CutShortError(Exception):
    """The stream ended before its end, or is none of ours."""


def dump(uri: str, out: BinaryIO) -> int:
    """Write everything; answers how many documents. Raises UnavailableError."""
    count = 0
    try:
        with _client(uri) as client:
            for database, collection in _places(client):
                for document in client[database][collection].find():
                    out.write(bson.encode({"database": database, "collection": collection, "document": document}))
                    count += 1
    except PyMongoError as error:
        raise UnavailableError(f"MongoDB did not answer: {type(error).__name__}") from error
    out.write(bson.encode({"end": count}))
    out.flush()
    return count


def load(uri: str, stream: BinaryIO) -> int:
    """Put everything back; answers how many documents. What is there and has an id of the stream's is replaced.

    Raises CutShortError, with what came put back; and UnavailableError.
    """
    count = 0
    try:
        with _client(uri) as client:
            for (database, collection), documents in _batches(stream):
                puts: list[ReplaceOne[RawBSONDocument]] = [
                    ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents
                ]
                client[database][collection].bulk_write(puts, ordered=False)
                count += len(puts)
            for database in (VIDEOS_DATABASE, MP3S_DATABASE):
                _index(client, database)
    except PyMongoError as error:
        raise UnavailableError(f"MongoDB did not answer: {type(error).__name__}") from error
    return count


def _client(uri: str) -> MongoClient[RawBSONDocument]:
    return MongoClient(
        uri,
        appname="video2mp3-backup",
        document_class=RawBSONDocument,
        serverSelectionTimeoutMS=_SERVER_SECONDS * 1000,
    )


def _places(client: MongoClient[RawBSONDocument]) -> list[Place]:
    """Every collection: the ledger, then what describes files, then their contents."""
    found = [
        (database, name)
        for database in (MP3S_DATABASE, VIDEOS_DATABASE)
        for name in client[database].list_collection_names()
        if not name.startswith("system.")
    ]
    return sorted(found, key=lambda place: (place[1] == "fs.chunks", place[1] != LEDGER_COLLECTION, place))


def _batches(stream: BinaryIO) -> Iterator[tuple[Place, list[RawBSONDocument]]]:
    """Documents of one collection at a time, as many as one message takes."""
    place: Place | None = None
    batch: list[RawBSONDocument] = []
    size = 0
    for record in _records(stream):
        document = record["document"]
        here = (str(record["database"]), str(record["collection"]))
        if batch and (here != place or size + len(document.raw) > _BATCH_BYTES):
            yield place or here, batch
            batch, size = [], 0
        place = here
        batch.append(document)
        size += len(document.raw)
    if batch and place:
        yield place, batch


def _records(stream: BinaryIO) -> Iterator[Any]:
    count = 0
    try:
        for record in bson.decode_file_iter(stream, _RAW):
            if "end" in record:
                if record["end"] != count:
                    raise CutShortError(f"{count} of {record['end']} documents came")
                return
            yield record
            count += 1
    except (InvalidBSON, KeyError) as error:
        raise CutShortError(f"after {count} documents came what is none") from error
    raise CutShortError(f"it ends after {count} documents")


def _index(client: MongoClient[RawBSONDocument], database: str) -> None:
    """The GridFS specification's index, without which a download reads everything."""
    keys = [("files_id", pymongo.ASCENDING), ("n", pymongo.ASCENDING)]
    client[database]["fs.chunks"].create_index(keys, unique=True)
