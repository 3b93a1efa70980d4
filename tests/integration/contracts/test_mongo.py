"""The ledger's moves against a server, made by several at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from threading import Barrier

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.servers import MongoDBServer
from video2mp3_contracts.ledger import part_moves
from video2mp3_contracts.ledger.documents import LedgerPart
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_contracts.runtime import mongo

pytestmark = ON_FERRETDB_TOO

PARTS = 4
CONVERSIONS = 50


def test_of_several_first_writes_of_an_entry_each_is_made(mongodb: MongoDBServer) -> None:
    """The workers of a divided sound start at the same moment, and none finds an entry."""
    together = Barrier(PARTS)

    with mongodb.client() as client, ThreadPoolExecutor(PARTS) as workers:

        def open_parts(number: int) -> list[str]:
            refused = []
            for uid in (f"uid-{each}" for each in range(CONVERSIONS)):
                part = LedgerPart(token=f"worker-{number}", started_at=datetime.now(UTC))
                conversion = ConversionRef(uid=uid, namespace="media", name=uid)
                together.wait(timeout=30)
                if mongo.apply(mongo.ledger(client), part_moves.open_part(conversion, "", number, part)) is None:
                    refused.append(uid)
            return refused

        assert list(workers.map(open_parts, range(PARTS))) == [[]] * PARTS
        for each, number in product(range(CONVERSIONS), range(PARTS)):
            entry = mongo.read(mongo.ledger(client), f"uid-{each}")
            assert entry is not None
            assert entry.parts[number].token == f"worker-{number}"
