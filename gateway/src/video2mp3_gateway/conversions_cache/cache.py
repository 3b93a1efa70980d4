"""What the watch has told so far, for many threads at once, and how long ago it last told anything.

The API server's changes come in order, by the watch; what this gateway changes itself is put in at once. Of two states
of one Conversion the one with the greater version counts, so neither undoes the other, whichever comes first.
"""

import threading
import time
from collections.abc import Callable, Collection
from typing import Final

from video2mp3_gateway.conversions_cache.index import ConversionIndex
from video2mp3_gateway.conversions_cache.records import Record
from video2mp3_gateway.ports.listing import Cursor
from video2mp3_gateway.ports.systems import CacheState, DependencyUnavailable

STALE_SECONDS: Final = 120.0
"""Lists are served for so long after the API server was last heard. Where nothing happens it is heard every minute,
when the next watch opens; and a restart of the API server is shorter."""


class ConversionsCache:
    """The index with a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._index = ConversionIndex()
        self._version = 0
        """All changes up to here are in the index."""

        self._listed = 0
        """The version of the list that is being read."""

        self._ready = False
        """Whether it has ever been complete."""

        self._complete = False
        self._heard_at = float("-inf")
        self._changed = threading.Condition()

    @property
    def state(self) -> CacheState:
        """How many Conversions are known, and how long nothing was heard."""
        with self._changed:
            return CacheState(len(self._index), self._clock() - self._heard_at)

    def check(self) -> None:
        """Raise DependencyUnavailable before the first list is complete and watched on."""
        with self._changed:
            _expect_all(self._ready)

    def older(self, owner: str, after: Cursor | None, limit: int) -> list[Record]:
        """An owner's records, newest first, after a cursor. Raises DependencyUnavailable for old ones."""
        with self._changed:
            _expect_all(self._complete)
            silence = self._clock() - self._heard_at
            if silence > STALE_SECONDS:
                raise DependencyUnavailable(
                    "kubernetes", f"the watch of the Conversions has been silent for {silence:.0f} s"
                )
            return self._index.older(owner, after, limit)

    # --- what the list and the watch say

    def list_from(self, version: int) -> None:
        """A list of this version begins."""
        with self._changed:
            if version < self._version:
                # The cluster was restored from a backup: what is known may never have happened there.
                self._index.clear()
                self._version = 0
                self._complete = False
            self._listed = version

    def list_page(self, records: Collection[Record]) -> None:
        """Some of the list, which overrules all but what was written since.

        After a restore from a backup, whose version is raised above all that were lost, what is known never happened.
        """
        with self._changed:
            for record in records:
                known = self._index.get(record.name)
                if known is None or known.version <= self._listed:
                    self._index.put(record)

    def list_ended(self, names: Collection[str], version: int) -> None:
        """All of the list was told: these names."""
        with self._changed:
            self._index.remove_others(names, version)
            self._reach(version)

    def watching(self) -> None:
        """The watch after a complete list is open."""
        with self._changed:
            self._ready = self._complete = True
            self._heard()

    def apply(self, record: Record, *, deleted: bool) -> None:
        """A change that the watch tells of; of what is deleted, its last state, with the deletion's version."""
        with self._changed:
            if not deleted:
                self._put(record)
            elif not self._is_later(record):
                self._index.remove(record.name)
            self._reach(record.version)

    def reach(self, version: int) -> None:
        """A bookmark of the watch: there are no other changes up to here."""
        with self._changed:
            self._reach(version)

    # --- what this gateway did itself

    def wrote(self, record: Record) -> None:
        """This gateway made or changed it, and the watch may not have said so yet."""
        with self._changed:
            # What the watch has passed by, it has told: and maybe also that it is gone again.
            if record.version > self._version:
                self._put(record)

    def await_version(self, version: int, seconds: float) -> None:
        """Wait until the watch has told all up to here, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._version >= version, seconds)

    def await_removal(self, name: str, seconds: float) -> None:
        """Wait until the watch has told that it is gone, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._index.get(name) is None, seconds)

    # --- with the lock held

    def _put(self, record: Record) -> None:
        if not self._is_later(record):
            self._index.put(record)

    def _is_later(self, record: Record) -> bool:
        """Whether what is known is later than this."""
        known = self._index.get(record.name)
        return known is not None and known.version > record.version

    def _reach(self, version: int) -> None:
        self._version = max(self._version, version)
        self._heard()

    def _heard(self) -> None:
        self._heard_at = self._clock()
        self._changed.notify_all()


def _expect_all(there: bool) -> None:
    if not there:
        raise DependencyUnavailable("kubernetes", "the Conversions have not all been read yet")
