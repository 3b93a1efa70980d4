"""⑥ A stored source on its way to the disk: in the order of its bytes, and only those chunks of it that are wanted."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from video2mp3_worker.ports.systems import SourceFile, Sources


class SparseFile(io.RawIOBase):
    """Reads a stored source like a file; fetches the chunks that are touched, each once, and keeps them on the disk.

    The file ends with the last chunk that was fetched, until it is completed; what was not fetched is a hole. While
    it is read, `watch` is called for each chunk.
    """

    def __init__(self, found: SourceFile, sources: Sources, destination: Path, watch: Callable[[], None]) -> None:
        self._found = found
        self._sources = sources
        self._watch = watch
        self._position = 0
        self._there: set[int] = set()
        self._file = destination.open("w+b")

    @property
    def last(self) -> int:
        """The number of the last chunk that is there; -1 for none."""
        return max(self._there, default=-1)

    def touched(self, ranges: Iterable[tuple[int, int]]) -> list[int]:
        """The numbers of the chunks in which ranges of bytes lie, and of those that are there already."""
        return sorted(self._there.union(*map(self._lying_in, ranges)))

    def _lying_in(self, place: tuple[int, int]) -> range:
        start, end = place
        return range(start // self._found.chunk_bytes, (end - 1) // self._found.chunk_bytes + 1)

    def chunks(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """Chunks by their numbers, which ascend; those that are not there yet are, each before it is answered."""
        coming = self._sources.chunks(self._found, [number for number in numbers if number not in self._there])
        for number in numbers:
            at = number * self._found.chunk_bytes
            self._file.seek(at)
            if number in self._there:
                yield self._file.read(self._found.chunk_bytes)
                continue
            chunk = next(coming)
            self._file.write(chunk)
            # Who follows the file sees what is not in our buffer.
            self._file.flush()
            self._there.add(number)
            yield chunk

    def read(self, size: int = -1) -> bytes:
        """Read from the position on."""
        end = self._found.length if size < 0 else min(self._position + size, self._found.length)
        if end <= self._position:
            return b""
        for _ in self.chunks([number for number in self._lying_in((self._position, end)) if number not in self._there]):
            self._watch()
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

    def complete(self) -> None:
        """Give the file its full size."""
        self._file.truncate(self._found.length)

    def close(self) -> None:
        """Close the file on the disk, which stays."""
        self._file.close()
        super().close()
