"""Which files of a folder are opened, by whatever process: inotify(7)."""

import ctypes
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_OPEN: Final = 0x20
_EVENT: Final = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class Opened:
    """Notes the names of files that are opened while it is entered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        self._descriptor = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert _libc.inotify_add_watch(self._descriptor, os.fsencode(self._folder), _OPEN) >= 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.names()
        os.close(self._descriptor)
        self._descriptor = -1

    def names(self) -> set[str]:
        """The names so far."""
        while self._descriptor >= 0:
            try:
                events = os.read(self._descriptor, 65_536)
            except BlockingIOError:
                break
            while events:
                length = _EVENT.unpack_from(events)[3]
                self._names.add(os.fsdecode(events[_EVENT.size : _EVENT.size + length].rstrip(b"\0")))
                events = events[_EVENT.size + length :]
        return self._names - {""}
