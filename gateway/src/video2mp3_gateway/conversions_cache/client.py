"""③ Conversions for requests: lists from memory, everything else from the API server.

Whoever has just uploaded or deleted looks at the list next. What this gateway wrote is in its memory at once; and it
answers only when its own watch has told of it too, because by then, as a rule, so have those of the other gateways.
"""

from typing import Final

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_gateway.conversions_cache.cache import ConversionsCache
from video2mp3_gateway.conversions_cache.records import record_of
from video2mp3_gateway.ports.listing import Cursor, Page
from video2mp3_gateway.ports.systems import CacheState, ConversionsApi, Document

_ECHO_SECONDS: Final = 1.0
"""The longest wait for the watch. It takes milliseconds; where it is interrupted, nobody is kept for long."""


class CachedConversions:
    """The Conversions of one namespace."""

    def __init__(self, api: ConversionsApi, cache: ConversionsCache) -> None:
        self._api = api
        self._cache = cache

    def create(self, conversion: Conversion) -> None:
        """Create it, once."""
        self._remember(self._api.create(conversion))

    def get(self, name: str) -> Conversion | None:
        """The Conversion of this name, as it is now."""
        return self._api.get(name)

    def newest(self, owner: str, limit: int, after: Cursor | None) -> Page:
        """An account's newest Conversions, as the watch told of them."""
        found: list[tuple[Cursor, Conversion]] = []
        while True:
            # One more than the page tells whether there is another page; what cannot be read is passed over.
            wanted = limit + 1 - len(found)
            records = self._cache.older(owner, after, wanted)
            found += [(record.position, shown) for record in records if (shown := record.conversion()) is not None]
            if len(records) < wanted or len(found) > limit:
                break
            after = records[-1].position
        page = found[:limit]
        return Page([shown for _position, shown in page], page[-1][0] if len(found) > limit else None)

    def delete(self, name: str, uid: str | None = None) -> None:
        """Delete it, and whatever belongs to it in the background."""
        left = self._api.delete(name, uid)
        if left is None:
            self._cache.await_removal(name, _ECHO_SECONDS)
        else:
            self._remember(left)

    def retry(self, name: str, uid: str, moment: str) -> bool:
        """Ask for it to be tried anew."""
        document = self._api.retry(name, uid, moment)
        if document is not None:
            self._remember(document)
        return document is not None

    @property
    def state(self) -> CacheState:
        """What is in memory."""
        return self._cache.state

    def ping(self) -> None:
        """Raise DependencyUnavailable while requests could not be served."""
        self._api.ping()
        self._cache.check()

    def _remember(self, document: Document) -> None:
        record = record_of(document)
        self._cache.wrote(record)
        self._cache.await_version(record.version, _ECHO_SECONDS)
