"""Keeps the cache like the API server: lists once, then watches; lists again only where the watch cannot go on.

The way is that of Kubernetes' own clients (client-go's Reflector): a paged list, a watch from its version with
bookmarks, after any interruption another watch from the last version heard, and another list when the API server has
forgotten that version.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Final, NoReturn

import structlog

from video2mp3_gateway.conversions_cache.cache import ConversionsCache
from video2mp3_gateway.conversions_cache.records import record_of
from video2mp3_gateway.ports.systems import ConversionsApi, DependencyUnavailable, VersionExpired, WatchEvent

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
"""Seconds between two tries, doubled from the first up to the longest, and half of it by chance: gateways that lost the
API server together do not come back together."""

_SHORTEST_WATCH: Final = 1.0
"""Seconds. A watch that ends sooner and told nothing is counted as a failure."""

_MANY: Final = 10
"""Failures that are counted; more make no pause longer."""

_GROWN: Final = 10_000
"""Changes after which the cache holds much that it did not hold before."""

_log = structlog.get_logger(__name__)


class Reflector:
    """Follows one API server into one cache, for as long as the process runs."""

    def __init__(
        self,
        api: ConversionsApi,
        cache: ConversionsCache,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        on_grown: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_grown` is called when all Conversions have been read, and after each 10,000 changes."""
        self._api = api
        self._cache = cache
        self._pause = pause
        self._clock = clock
        self._on_grown = on_grown
        self._changes = 0
        self._version: int | None = None
        """Where the watch goes on; None to list first."""

        self._failures = 0
        """Since a watch last held or told anything."""

    def start(self) -> None:
        """Begin, on a thread of its own."""
        threading.Thread(target=self.run, name="conversions-cache", daemon=True).start()

    def run(self) -> NoReturn:
        """Go round until the process ends."""
        while True:
            self.go_round()

    def go_round(self) -> None:
        """List if need be and watch until the watch ends, or wait a while after an error.

        No error ends it silently: after one that is a bug, all is listed anew.
        """
        try:
            self._follow()
        except DependencyUnavailable as error:
            _log.warning("conversions_not_followed", error=str(error))
            self._pause_longer()
        except VersionExpired as error:
            _log.info("conversions_version_expired", error=str(error))
            self._begin_anew()
        except Exception:  # noqa: BLE001 - whatever it is, lists would grow old without a word
            _log.exception("conversions_reflector_failed")
            self._begin_anew()

    def _follow(self) -> None:
        if self._version is None:
            self._version = self._list()
        began, reported = self._clock(), False
        events = self._api.watch(self._version)
        self._cache.watching()
        try:
            for event in events:
                self._version = self._take(event)
                reported = True
        finally:
            # Whatever ends it: a proxy may cut each one that is quiet for a while.
            held = self._clock() - began
            if reported or held >= _SHORTEST_WATCH:
                self._failures = 0
        if not reported:
            self._doubt(self._version, held)

    def _list(self) -> int:
        """Read all pages of one version; answers the version."""
        names: set[str] = set()
        page = self._api.list_page("")
        version = page.version
        self._cache.list_from(version)
        while True:
            records = [record_of(document) for document in page.documents]
            names.update(record.name for record in records)
            self._cache.list_page(records)
            if not page.following:
                break
            page = self._api.list_page(page.following)
        self._cache.list_ended(names, version)
        self._on_grown()
        _log.info("conversions_listed", conversions=len(names))
        return version

    def _take(self, event: WatchEvent) -> int:
        """Tell the cache; answers the version that it has reached."""
        if event.kind == "BOOKMARK":
            version = int(event.document["metadata"]["resourceVersion"])
            self._cache.reach(version)
            return version
        record = record_of(event.document)
        self._cache.apply(record, deleted=event.kind == "DELETED")
        self._changes += 1
        if self._changes % _GROWN == 0:
            self._on_grown()
        return record.version

    def _doubt(self, version: int, seconds: float) -> None:
        """Look whether a watch that ended and told nothing could have told something."""
        if seconds < _SHORTEST_WATCH:
            raise DependencyUnavailable("kubernetes", "the watch ended as soon as it began")
        if self._api.version() < version:
            # A watch from a version that is yet to come is no error, and tells nothing until then.
            raise VersionExpired("the cluster was restored from a backup")

    def _begin_anew(self) -> None:
        self._version = None
        self._pause_longer()

    def _pause_longer(self) -> None:
        longest = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
        self._failures = min(self._failures + 1, _MANY)
        self._pause(longest * random.uniform(0.5, 1))  # noqa: S311 - no secret
