"""One run of ffmpeg or ffprobe: confined, watched, and ended with everything it started.

The child gets none of the worker's environment, no terminal, and a process group of its own.
"""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import launcher
from video2mp3_worker.errors import TryAgain

_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")
"""What a program needs to start."""

_OPEN_FILES: Final = 64
_COMPLAINT_BYTES: Final = 3_000
_READ_BYTES: Final = 65_536
_WATCH_SECONDS: Final = 0.2
_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"}
_END_SECONDS: Final = 10


@dataclass(frozen=True)
class Confinement:
    """What a child may touch and use."""

    reads: tuple[Path, ...]
    writes: tuple[Path, ...] = ()
    """Files that exist already: a child can make none."""

    cpu_seconds: int = 60
    data_bytes: int = 512 * 1024**2
    file_bytes: int = 0


@dataclass(frozen=True)
class Ended:
    """How a child ended. `status` as in `subprocess`: negative for a signal."""

    status: int
    complaint: str
    """The end of its standard error."""


def run(
    command: list[str], confinement: Confinement, *, output: Callable[[bytes], None], watch: Callable[[], None]
) -> Ended:
    """Run a command to its end. `output` gets its standard output in pieces; what `watch` raises ends it.

    `watch` is called about five times a second. Raises TryAgain when the program cannot be started.
    """
    complaint = bytearray()

    def complain(text: bytes) -> None:
        complaint.extend(text)
        del complaint[:-_COMPLAINT_BYTES]

    with _started(_confined(command, confinement)) as process:
        assert process.stdout is not None and process.stderr is not None  # noqa: PT018, S101 - both are pipes
        _pump({process.stdout.fileno(): output, process.stderr.fileno(): complain}, watch)
        while True:
            try:
                status = process.wait(_WATCH_SECONDS)
            except subprocess.TimeoutExpired:
                watch()
            else:
                break
    return Ended(status, complaint.decode(errors="replace").strip())


def _confined(command: list[str], confinement: Confinement) -> list[str]:
    program = shutil.which(command[0], path=_ENVIRONMENT["PATH"])
    if program is None:
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, f"{command[0]} is not installed.")
    reads = (*_SYSTEM, os.path.realpath(program), *confinement.reads)
    return [
        *(sys.executable, "-I", "-S", launcher.__file__),
        f"parent={os.getpid()}",
        f"cpu_seconds={confinement.cpu_seconds}",
        f"data_bytes={confinement.data_bytes}",
        f"file_bytes={confinement.file_bytes}",
        f"open_files={_OPEN_FILES}",
        *(f"read={path}" for path in reads),
        *(f"write={path}" for path in ("/dev/null", *confinement.writes)),
        "--",
        program,
        *command[1:],
    ]


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        env=dict(_ENVIRONMENT),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            # Also after a good end: nothing that it may have started stays.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_END_SECONDS)


def _pump(sinks: dict[int, Callable[[bytes], None]], watch: Callable[[], None]) -> None:
    with selectors.DefaultSelector() as selector:
        for descriptor, sink in sinks.items():
            selector.register(descriptor, selectors.EVENT_READ, sink)
        while selector.get_map():
            for key, _events in selector.select(_WATCH_SECONDS):
                piece = os.read(key.fd, _READ_BYTES)
                if piece:
                    key.data(piece)
                else:
                    selector.unregister(key.fd)
            watch()
