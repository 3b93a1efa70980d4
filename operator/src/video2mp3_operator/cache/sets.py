"""④ ConversionSets as they were last seen, and which Conversions are theirs."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from video2mp3_contracts.api import names
from video2mp3_operator.objects.metadata import Key, controller_of
from video2mp3_operator.objects.sets import ConversionSet, parse_set


class SetCache:
    """By namespace and name."""

    def __init__(self) -> None:
        self._sets: dict[Key, ConversionSet] = {}

    def get(self, key: Key) -> ConversionSet | None:
        """A set as it was last seen."""
        return self._sets.get(key)

    @property
    def known(self) -> Collection[Key]:
        """The names of all sets."""
        return [*self._sets]

    def see(self, document: Mapping[str, Any]) -> Key | None:
        """Take a set in; answers it if it is news."""
        found = parse_set(document)
        known = self._sets.get(found.key)
        if known is not None and known.version >= found.version:
            return None
        self._sets[found.key] = found
        return found.key

    @property
    def newest(self) -> int:
        """The highest resourceVersion of those that are known."""
        return max((each.version for each in self._sets.values()), default=0)

    def forget(self, key: Key) -> None:
        """It is gone."""
        self._sets.pop(key, None)


class Owned:
    """The names of the Conversions that each set controls, by the set's uid."""

    def __init__(self) -> None:
        self._by_set: dict[str, set[Key]] = defaultdict(set)

    def of(self, uid: str) -> Collection[Key]:
        """Of one set."""
        return sorted(self._by_set.get(uid, ()))

    def see(self, key: Key, before: Mapping[str, Any] | None, document: Mapping[str, Any]) -> None:
        """A Conversion is there, and was known as `before`: whose it is may have changed."""
        if before is not None:
            self.forget(key, before)
        uid = set_of(document)
        if uid:
            self._by_set[uid].add(key)

    def forget(self, key: Key, document: Mapping[str, Any]) -> None:
        """A Conversion is gone."""
        uid = set_of(document)
        if uid in self._by_set:
            self._by_set[uid].discard(key)
            if not self._by_set[uid]:
                del self._by_set[uid]


def set_of(document: Mapping[str, Any]) -> str:
    """The uid of the set that controls a Conversion; "" for none."""
    return controller_of(document["metadata"], f"{names.GROUP}/", names.SET_KIND)
