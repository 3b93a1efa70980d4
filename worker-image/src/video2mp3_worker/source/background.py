"""What blocks, in a thread of its own: whoever waits for it can look up meanwhile, and turn away."""

import queue
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Final, Generic, TypeVar

_WATCH_SECONDS: Final = 0.2
_End = BaseException | None
Item = TypeVar("Item")


class Background(Generic[Item]):
    """The items of a generator that blocks; `ahead` of them at most wait to be taken."""

    def __init__(self, items: Generator[Item, None, None], ahead: int) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[Item] | _End] = queue.Queue(ahead)
        self._closed = threading.Event()
        # A daemon: a process that is to end does not wait for somebody else's answer.
        threading.Thread(target=self._run, daemon=True).start()

    def take(self, watch: Callable[[], None], seconds: float) -> Item | None:
        """The next item; None after the last one. Raises what the generator raised, what `watch` raises, TimeoutError.

        `watch` is called a few times a second while there is no item.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                got = self._queue.get(timeout=_WATCH_SECONDS)
            except queue.Empty:
                watch()
                if time.monotonic() > end:
                    raise TimeoutError from None
            else:
                if isinstance(got, BaseException):
                    raise got
                return None if got is None else got[0]

    def close(self) -> None:
        """Take nothing any more. The generator is closed as soon as what it waits for lets it."""
        self._closed.set()

    def _run(self) -> None:
        end: _End = None
        try:
            with closing(self._items) as items:
                for item in items:
                    if not self._put((item,)):
                        return
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            end = error
        self._put(end)

    def _put(self, got: tuple[Item] | _End) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(got, timeout=_WATCH_SECONDS)
            except queue.Full:
                continue
            return True
        return False
