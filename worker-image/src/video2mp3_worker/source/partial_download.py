"""⑥ The source on the worker's disk: all of it, or as much of it as has come yet."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WATCH_SECONDS: Final = 0.2


class ClosedError(Exception):
    """Nobody waits for the rest any more."""


class PartialDownload:
    """The rest of a source on its way, in a thread of its own.

    `fetch_rest` calls what it is given a few times a second, and ends with what that raises.
    """

    def __init__(self, fetch_rest: Callable[[Callable[[], None]], None]) -> None:
        self._fetch_rest = fetch_rest
        self._closed = threading.Event()
        self._end: Future[None] = Future()
        # A daemon: a process that is to end does not wait for somebody else's answer.
        threading.Thread(target=self._run, daemon=True).start()

    def is_over(self) -> bool:
        """Whether all has come. Raises what ended it before that."""
        if not self._end.done():
            return False
        self._end.result()
        return True

    def wait_for_all(self, watch: Callable[[], None]) -> None:
        """Return when all has come. Raises what ended it before that, and what `watch` raises on the way."""
        watch()
        while not self.is_over():
            wait([self._end], _WATCH_SECONDS)
            watch()

    def close(self) -> None:
        """Let nothing more come."""
        self._closed.set()

    def _run(self) -> None:
        try:
            self._fetch_rest(self._go_on)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._end.set_exception(error)
        else:
            self._end.set_result(None)

    def _go_on(self) -> None:
        if self._closed.is_set():
            raise ClosedError


@dataclass(frozen=True)
class LocalSource:
    """A source of `size` bytes at `path`. As long as more is to come, the file ends before what has not come yet."""

    path: Path
    size: int
    partial_download: PartialDownload | None = None
    """None where all is there."""

    @classmethod
    def whole(cls, path: Path) -> "LocalSource":
        """A file that is there already."""
        return cls(path, path.stat().st_size)

    def is_partial(self) -> bool:
        """Whether more is to come. Raises what the rest ended with, if that is not its end."""
        return self.partial_download is not None and not self.partial_download.is_over()

    def wait(self, watch: Callable[[], None]) -> None:
        """Return when all is there. Raises as `is_partial`, and what `watch` raises, which is called often."""
        if self.partial_download is not None:
            self.partial_download.wait_for_all(watch)

    def close(self) -> None:
        """Let nothing more come."""
        if self.partial_download is not None:
            self.partial_download.close()
