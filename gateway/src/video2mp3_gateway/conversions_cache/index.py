"""Records by name, and of each owner in the order of creation."""

from bisect import bisect_left
from collections.abc import Collection

from video2mp3_gateway.conversions_cache.records import Record
from video2mp3_gateway.ports.listing import Cursor


class ConversionIndex:
    """Not safe between threads: `cache` sees to that."""

    def __init__(self) -> None:
        self._by_name: dict[str, Record] = {}
        self._by_owner: dict[str, list[Record]] = {}
        """The oldest first, so that a new one is appended."""

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> Record | None:
        """The record of this name."""
        return self._by_name.get(name)

    def put(self, record: Record) -> None:
        """Take a record in, in the place of an earlier one of its name."""
        self.remove(record.name)
        self._by_name[record.name] = record
        owned = self._by_owner.setdefault(record.owner, [])
        owned.insert(_place(owned, record.position), record)

    def remove(self, name: str) -> None:
        """Forget a record, whether or not it is there."""
        record = self._by_name.pop(name, None)
        if record is None:
            return
        owned = self._by_owner[record.owner]
        del owned[_place(owned, record.position)]
        if not owned:
            del self._by_owner[record.owner]

    def remove_others(self, names: Collection[str], version: int) -> None:
        """Forget what is not named, but for what is newer than this version."""
        gone = [name for name, known in self._by_name.items() if name not in names and known.version <= version]
        for name in gone:
            self.remove(name)

    def clear(self) -> None:
        """Forget all."""
        self._by_name.clear()
        self._by_owner.clear()

    def older(self, owner: str, after: Cursor | None, limit: int) -> list[Record]:
        """An owner's records, newest first: the first ones, or those that come after a position."""
        owned = self._by_owner.get(owner, [])
        end = len(owned) if after is None else _place(owned, after)
        return owned[max(end - limit, 0) : end][::-1]


def _place(owned: list[Record], position: Cursor) -> int:
    return bisect_left(owned, position, key=_position)


def _position(record: Record) -> Cursor:
    return record.position
