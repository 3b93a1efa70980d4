"""Bytes between us and processes: every pipe at the same time, so that none waits for another."""

import os
import selectors
from collections.abc import Callable, Iterator
from typing import IO, Final

WATCH_SECONDS: Final = 0.2
"""Between two looks at whether a process must end, at most."""

_READ_BYTES: Final = 65_536


def both(first: Callable[[bytes], None], second: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """What gives each piece to both."""

    def take(piece: bytes) -> None:
        first(piece)
        second(piece)

    return take


def pump(
    sinks: list[tuple[IO[bytes] | None, Callable[[bytes], None]]],
    watch: Callable[[], None],
    source: tuple[IO[bytes] | None, Iterator[bytes]] | None = None,
) -> None:
    """Give each sink what comes out of its pipe, and what the source gives into the source's pipe, to their ends."""
    with selectors.DefaultSelector() as selector:
        for pipe, sink in sinks:
            assert pipe is not None  # noqa: S101 - all of them are
            selector.register(pipe, selectors.EVENT_READ, _emptied_into(sink))
        if source is not None:
            pipe, given = source
            assert pipe is not None  # noqa: S101 - it was asked for
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_WRITE, _filled_from(given))
        while selector.get_map():
            for key, _events in selector.select(WATCH_SECONDS):
                if not key.data(key.fd):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr] # it is one of the pipes
            watch()


def _emptied_into(sink: Callable[[bytes], None]) -> Callable[[int], bool]:
    def step(pipe: int) -> bool:
        piece = os.read(pipe, _READ_BYTES)
        if piece:
            sink(piece)
        return bool(piece)

    return step


def _filled_from(given: Iterator[bytes]) -> Callable[[int], bool]:
    rest = memoryview(b"")

    def step(pipe: int) -> bool:
        nonlocal rest
        if not rest:
            piece = next(given, None)
            if piece is None:
                return False
            rest = memoryview(piece)
        try:
            rest = rest[os.write(pipe, rest) :]
        except BrokenPipeError:
            return False  # how the child ended says why
        return True

    return step
