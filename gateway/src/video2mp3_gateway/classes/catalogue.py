"""③ The ConversionClasses in memory, for some seconds.

They are a handful that seldom change, so a list now and then is enough, and only when somebody asks. While the API
server is away what was last known holds on; and it is not asked again and again.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from video2mp3_gateway.classes.known_classes import KnownClass, KnownClasses
from video2mp3_gateway.ports.classes import ClassesApi
from video2mp3_gateway.ports.systems import DependencyUnavailable

FRESH_SECONDS: Final = 10.0
"""How long a list is used, and how long nobody asks again after one that failed."""

_log = structlog.get_logger(__name__)


class ClassCatalogue:
    """The classes, as the gateway of one release sees them."""

    def __init__(self, api: ClassesApi, instance: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._instance = instance
        self._clock = clock
        self._known: KnownClasses | None = None
        self._next_list_at = float("-inf")
        self._listing = threading.Lock()

    def known(self) -> KnownClasses:
        """The classes. Raises DependencyUnavailable while they were never listed."""
        self._refresh(wait=self._known is None)
        if self._known is None:
            raise DependencyUnavailable("kubernetes", "its ConversionClasses were never listed")
        return self._known

    def default(self) -> KnownClass | None:
        """The class of who chooses none, as far as it is known: nobody is refused because it is not."""
        self._refresh(wait=False)
        return self._known.default if self._known else None

    def _refresh(self, *, wait: bool) -> None:
        """List them, unless that was tried just now. One thread does; the others use what is known, or wait for it."""
        if self._clock() < self._next_list_at or not self._listing.acquire(blocking=wait):
            return
        try:
            if self._clock() >= self._next_list_at:
                self._list()
        finally:
            self._listing.release()

    def _list(self) -> None:
        try:
            self._known = KnownClasses.read(self._api.all(), self._instance)
        except DependencyUnavailable as error:
            _log.warning("classes_not_listed", error=str(error), known=self._known is not None)
        self._next_list_at = self._clock() + FRESH_SECONDS
