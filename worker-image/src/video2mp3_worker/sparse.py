"""⑥ A source of which only some chunks are on the disk: those that were needed, in a file of the source's full size."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

from video2mp3_worker.ports import SourceFile, Sources


class SparseFile(io.RawIOBase):
    """Reads a stored source like a file; fetches the chunks that are touched, each once, and keeps them on the disk."""

    def __init__(self, found: SourceFile, sources: Sources, destination: Path, watch: Callable[[], None]) -> None:
        self._found = found
        self._sources = sources
        self._watch = watch
        self._position = 0
        self._there: set[int] = set()
        self._file = destination.open("w+b")
        self._file.truncate(found.length)

    @property
    def fetched_bytes(self) -> int:
        """How much of the source is on the disk."""
        return len(self._there) * self._found.chunk_bytes

    def missing(self, ranges: Iterable[tuple[int, int]]) -> list[int]:
        """The numbers of the chunks in which ranges of bytes lie and that are not there yet."""
        size = self._found.chunk_bytes
        touched: set[int] = set()
        for start, end in ranges:
            touched.update(range(start // size, (end - 1) // size + 1))
        return sorted(touched - self._there)

    def fetch(self, numbers: list[int]) -> None:
        """Fetch chunks by their numbers."""
        for number, chunk in zip(numbers, self._sources.chunks(self._found, numbers), strict=True):
            self._file.seek(number * self._found.chunk_bytes)
            self._file.write(chunk)
            self._there.add(number)
            self._watch()

    def read(self, size: int = -1) -> bytes:
        """Read from the position on."""
        end = self._found.length if size < 0 else min(self._position + size, self._found.length)
        if end <= self._position:
            return b""
        self.fetch(self.missing([(self._position, end)]))
        self._file.seek(self._position)
        content = self._file.read(end - self._position)
        self._position = end
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position from the beginning of the file."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only from the beginning")
        self._position = offset
        return offset

    def close(self) -> None:
        """Close the file on the disk, which stays."""
        self._file.close()
        super().close()
