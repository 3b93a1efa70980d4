"""The file that an mp3 is made in, held from before the first child of it runs until it is stored.

Its name is only for the child that writes it. A file that something else put under that name is never looked at: what
is checked, and what is stored, is read through the one descriptor that was there from the beginning.
"""

import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_BLOCK_BYTES: Final = 1024**2


class Mp3File:
    """An empty file in place of whatever was there. Closed by `close`, or with its last reference."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def close(self) -> None:
        """Let the file go."""
        self._close()

    def opened(self) -> BinaryIO:
        """The file from its beginning, to be read or written; only one at a time."""
        file = os.fdopen(os.dup(self._descriptor), "r+b")
        file.seek(0)
        return file

    def empty(self) -> None:
        """Forget what was written."""
        os.ftruncate(self._descriptor, 0)

    @property
    def size(self) -> int:
        """In bytes."""
        return os.fstat(self._descriptor).st_size

    def blocks(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        position = 0
        while block := os.pread(self._descriptor, _BLOCK_BYTES, position):
            position += len(block)
            yield block
