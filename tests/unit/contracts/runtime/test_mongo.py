"""How a move is tried: what MongoDB does only at moments that no test can choose."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import LedgerAttempt
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_contracts.runtime import mongo

CONVERSION = ConversionRef(uid="uid-1", namespace="media", name="talk")
OPENED = moves.open_attempt(CONVERSION, "", LedgerAttempt(token="worker", started_at=datetime.now(UTC)))


class Colliding:
    """A collection in which the first writes of others come first so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def find_one_and_update(self, filter: dict[str, Any], update: dict[str, Any], **_: object) -> dict[str, Any]:  # noqa: A002
        self.times -= 1
        if self.times >= 0:
            raise DuplicateKeyError("E11000 duplicate key error collection: mp3s.conversions index: _id_")
        return {"_id": filter["_id"], **update["$set"]}


@pytest.mark.parametrize(
    ("times", "made"), [(0, True), (1, True), (2, False)], ids=["nobody else", "a race", "its filter excludes it"]
)
def test_an_upsert_is_refused_only_by_a_second_look(times: int, made: bool) -> None:
    collection = cast("Collection[dict[str, Any]]", Colliding(times))

    entry = mongo.apply(collection, OPENED)

    assert (entry is not None) == made
