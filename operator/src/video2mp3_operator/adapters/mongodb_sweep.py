"""④ MongoDB as garbage collection sees it: whose things are, marks, and what is known of other clusters."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.storage import (
    INSTALLATION,
    INSTALLATIONS_COLLECTION,
    LEDGER_COLLECTION,
    MP3S_DATABASE,
    TORN_COLLECTION,
    UNWANTED_SINCE,
    VIDEOS_DATABASE,
)
from video2mp3_operator.objects.stored import Census, Presence

Document = dict[str, Any]

_PLACES: Final = {
    "upload": (VIDEOS_DATABASE, "fs.files", "metadata."),
    "mp3": (MP3S_DATABASE, "fs.files", "metadata."),
    "entry": (MP3S_DATABASE, LEDGER_COLLECTION, ""),
}
"""Where each kind is, and what stands before its fields' names."""

_TORN_MEMORY_SECONDS: Final = 30 * 24 * 3600
"""What is not seen torn any more is forgotten after this long, by MongoDB."""


class MongoSweep:
    """Implements Store's marks; the rest of it needs what else is stored."""

    _client: AsyncMongoClient[Document]
    _ask: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
    _installation: str

    # --- installations ---

    async def appear(self, cluster: str, now: datetime) -> Presence:
        """See the port."""
        seen = {"$set": {f"clusters.{cluster}.seenAt": now}}
        installations = self._installations
        await self._ask(lambda: installations.update_one({"_id": self._installation}, seen, upsert=True))
        return await self.presence(cluster)

    async def presence(self, cluster: str) -> Presence:
        """See the port."""
        installations = self._installations
        known = await self._ask(lambda: installations.find_one({"_id": self._installation})) or {}
        others = [seen["seenAt"] for name, seen in known.get("clusters", {}).items() if name != cluster]
        return Presence(max(others, default=None), known.get("confirmedAt"))

    async def confirm(self, now: datetime) -> None:
        """See the port. Clusters are forgotten with it: one that still sweeps is soon seen again."""
        said = {"$set": {"confirmedAt": now}, "$unset": {"clusters": ""}}
        await self._ask(lambda: self._installations.update_one({"_id": self._installation}, said, upsert=True))

    async def claim(self, before: str) -> int:
        """See the port. An empty name and none are the same."""
        whose: Any = before or {"$in": ["", None]}
        claimed = 0
        for collection, prefix in map(self._place, _PLACES):
            field = f"{prefix}{INSTALLATION}"
            change = {"$set": {field: self._installation}}
            done = await self._ask(partial(collection.update_many, {field: whose}, change))
            claimed += done.modified_count
        return claimed

    @property
    def _installations(self) -> AsyncCollection[Document]:
        return self._client[MP3S_DATABASE][INSTALLATIONS_COLLECTION]

    def _ours(self, prefix: str) -> Document:
        """The filter of what is the installation's; one without a name has nothing."""
        return {f"{prefix}{INSTALLATION}": self._installation or {"$in": []}}

    # --- marks ---

    async def census(self, kind: str, confirmed_at: datetime | None) -> Census:
        """See the port."""
        collection, prefix = self._place(kind)
        unwanted: Document = {"$exists": True} | ({"$gt": confirmed_at} if confirmed_at else {})
        ours = self._ours(prefix)
        total = await self._ask(lambda: collection.count_documents(ours))
        marked = await self._ask(lambda: collection.count_documents(ours | {f"{prefix}{UNWANTED_SINCE}": unwanted}))
        return Census(total, marked)

    async def mark(self, kind: str, name: str, at: datetime) -> None:
        """See the port."""
        collection, prefix = self._place(kind)
        field = f"{prefix}{UNWANTED_SINCE}"
        unmarked = self._ours(prefix) | {"_id": _key(kind, name), field: {"$exists": False}}
        await self._ask(lambda: collection.update_one(unmarked, {"$set": {field: at}}))

    async def unmark(self, kind: str, name: str) -> None:
        """See the port."""
        collection, prefix = self._place(kind)
        change = {"$unset": {f"{prefix}{UNWANTED_SINCE}": ""}}
        await self._ask(lambda: collection.update_one({"_id": _key(kind, name)}, change))

    async def doom(self, kind: str, name: str, unwanted_since: datetime) -> bool:
        """See the port. A file's document goes, its chunks are torn from then on; an entry is shut."""
        collection, prefix = self._place(kind)
        marked = self._ours(prefix) | {"_id": _key(kind, name), f"{prefix}{UNWANTED_SINCE}": unwanted_since}
        if kind == "entry":
            end = moves.shut(name, unwanted_since).update
            done = await self._ask(lambda: collection.update_one(marked, end))
            return bool(done.matched_count)
        gone = await self._ask(lambda: collection.delete_one(marked))
        return bool(gone.deleted_count)

    async def note_torn(self, database: str, file_ids: Collection[str], now: datetime) -> None:
        """See the port."""
        torn, change = self._torn, {"$set": {"seenAt": now}, "$setOnInsert": {UNWANTED_SINCE: now}}
        if file_ids:
            await self._ask(lambda: torn.create_index("seenAt", expireAfterSeconds=_TORN_MEMORY_SECONDS))
        for file_id in file_ids:
            await self._ask(partial(torn.update_one, {"_id": f"{database}/{file_id}"}, change, upsert=True))

    async def torn_since(self, database: str, file_ids: Collection[str]) -> Mapping[str, datetime]:
        """See the port."""
        query = {"_id": {"$in": [f"{database}/{file_id}" for file_id in file_ids]}}
        torn = self._torn
        found = await self._ask(lambda: torn.find(query).to_list())
        return {known["_id"].removeprefix(f"{database}/"): known[UNWANTED_SINCE] for known in found}

    @property
    def _torn(self) -> AsyncCollection[Document]:
        return self._client[MP3S_DATABASE][TORN_COLLECTION]

    def _place(self, kind: str) -> tuple[AsyncCollection[Document], str]:
        database, collection, prefix = _PLACES[kind]
        return self._client[database][collection], prefix


def _key(kind: str, name: str) -> Any:
    return name if kind == "entry" else ObjectId(name)
