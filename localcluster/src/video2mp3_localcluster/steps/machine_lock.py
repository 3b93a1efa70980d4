"""One command at a time may change the machine's cluster, whichever checkout it comes from."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video2mp3_localcluster.steps.layout import NAME

LOCK = Path("/run") / f"{NAME}.lock"


@contextmanager
def machine_lock(path: Path = LOCK) -> Iterator[None]:
    """Wait for the other command to end, if there is one, and keep further ones waiting. The file does not stay."""
    descriptor = _acquire(path)
    try:
        yield
    finally:
        path.unlink()
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another localcluster command to end", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # The holder removes the file before it lets go, so what was locked may no longer be the file at the path.
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)
