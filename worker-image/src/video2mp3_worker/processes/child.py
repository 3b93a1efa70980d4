"""One run of ffmpeg or ffprobe, alone or with the encoder behind it: confined, watched, and ended with all of it.

The children get none of the worker's environment, no terminal, and a process group of their own.
"""

import contextlib
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker import encoder
from video2mp3_worker.ports.errors import TryAgain
from video2mp3_worker.processes.attendance import attending
from video2mp3_worker.processes.messages import Messages
from video2mp3_worker.processes.pipes import WATCH_SECONDS, both, pump
from video2mp3_worker.sandbox import launcher

_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")
"""What a program needs to start."""

_OPEN_FILES: Final = 64
_COMPLAINT_BYTES: Final = 3_000
_PIPE_BYTES: Final = 1024**2
"""Between two children; as much as Linux lets anybody have."""

_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"}
_END_SECONDS: Final = 10
_SPENT_SHARE: Final = 0.75
"""Of the processor time that is allowed: the kernel enforces it in whole ticks, and tells what was used exactly."""


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
    """The end of its standard error, for people: it may quote the file."""

    messages: tuple[str, ...] = ()
    """What it wrote there, message by message; see `Messages`. What is concluded, is concluded from these."""

    is_spent: bool = False
    """Whether it has used all the processor time that it may."""


@dataclass
class _Complaint:
    text: bytearray = field(default_factory=bytearray)
    messages: Messages = field(default_factory=Messages)

    def add(self, piece: bytes) -> None:
        self.messages.feed(piece)
        self.text.extend(piece)
        del self.text[:-_COMPLAINT_BYTES]

    def ended(self, status: int, *, is_spent: bool) -> Ended:
        return Ended(status, self.text.decode(errors="replace").strip(), self.messages.all(), is_spent)


def run(
    command: list[str], confinement: Confinement, *, output: Callable[[bytes], None], watch: Callable[[], None]
) -> Ended:
    """Run a command to its end. `output` gets its standard output in pieces; what `watch` raises ends it.

    `watch` is called about five times a second. Raises TryAgain when the program cannot be started.
    """
    complaint = _Complaint()
    with _started(_launched(command, confinement)) as process:
        attended = attending([process.pid], watch)
        pump([(process.stdout, output), (process.stderr, complaint.add)], attended)
        return _ended(process, complaint, confinement, attended)


def run_in_line(
    commands: Sequence[tuple[list[str], Confinement]], *, output: Callable[[bytes], None], watch: Callable[[], None]
) -> list[Ended]:
    """Run commands, each with its standard output going into the next, as `run` does; `output` gets that of the last.

    Answers how each of them ended. When one ends early, those before it follow.
    """
    return _in_line([_launched(*each) for each in commands], [each for _, each in commands], output, watch)


def run_into_encoder(
    commands: Sequence[tuple[list[str], Confinement]],
    options: list[str],
    confinement: Confinement,
    *,
    output: Callable[[bytes], None],
    complained: Callable[[bytes], None],
    watch: Callable[[], None],
) -> list[Ended]:
    """Run commands with the encoder behind them, as `run_in_line` does; it is the last in the answer as well.

    `complained` gets all of the first command's standard error.
    """
    line = [*(_launched(*each) for each in commands), _encoder(options, confinement)]
    return _in_line(line, [*(each for _, each in commands), confinement], output, watch, complained)


def _in_line(
    commands: list[list[str]],
    confinements: list[Confinement],
    output: Callable[[bytes], None],
    watch: Callable[[], None],
    complained: Callable[[bytes], None] | None = None,
) -> list[Ended]:
    complaints = [_Complaint() for _ in commands]
    with ExitStack() as stack:
        processes: list[subprocess.Popen[bytes]] = []
        given: IO[bytes] | None = None
        for command in commands:
            processes.append(stack.enter_context(_started(command, stdin=given or subprocess.DEVNULL)))
            if given is not None:
                # Only who reads holds the pipe's end now: when it goes, who writes learns of it.
                given.close()
            given = processes[-1].stdout
            assert given is not None  # noqa: S101 - it is a pipe
            if len(processes) < len(commands):
                fcntl.fcntl(given, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        attended = attending([each.pid for each in processes], watch)
        hear: list[Callable[[bytes], None]] = [complaint.add for complaint in complaints]
        if complained is not None:
            hear[0] = both(complaints[0].add, complained)
        heard = [(process.stderr, each) for process, each in zip(processes, hear, strict=True)]
        pump([(given, output), *heard], attended)
        ends = zip(processes, complaints, confinements, strict=True)
        return [_ended(process, each, confinement, attended) for process, each, confinement in ends]


def run_joiner(
    parts: Iterable[bytes],
    options: list[str],
    confinement: Confinement,
    *,
    output: Callable[[bytes], None],
    watch: Callable[[], None],
) -> Ended:
    """Run the encoder with these bytes on its standard input, as `run` does."""
    complaint = _Complaint()
    with _started(_encoder(options, confinement), stdin=subprocess.PIPE) as process:
        attended = attending([process.pid], watch)
        pump([(process.stdout, output), (process.stderr, complaint.add)], attended, (process.stdin, iter(parts)))
        return _ended(process, complaint, confinement, attended)


def _launched(command: list[str], confinement: Confinement) -> list[str]:
    program = shutil.which(command[0], path=_ENVIRONMENT["PATH"])
    if program is None:
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, f"{command[0]} is not installed.")
    limits = _limits(confinement, os.path.realpath(program))
    return [*_interpreter(launcher.__file__), *limits, "--", program, *command[1:]]


def _encoder(options: list[str], confinement: Confinement) -> list[str]:
    limits = _limits(confinement, sys.base_prefix)
    return [*_interpreter(f"{encoder.__path__[0]}/__main__.py"), *limits, "--", *options]


def _interpreter(file: str) -> tuple[str, ...]:
    # Isolated and without site-packages: a third of the time to start, and nothing of the environment's.
    return sys.executable, "-I", "-S", file


def _limits(confinement: Confinement, *reads: str | Path) -> list[str]:
    return [
        f"parent={os.getpid()}",
        f"cpu_seconds={confinement.cpu_seconds}",
        f"data_bytes={confinement.data_bytes}",
        f"file_bytes={confinement.file_bytes}",
        f"open_files={_OPEN_FILES}",
        *(f"read={path}" for path in (*_SYSTEM, *reads, *confinement.reads)),
        *(f"write={path}" for path in confinement.writes),
    ]


@contextmanager
def _started(command: list[str], stdin: IO[bytes] | int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    # What is written at once is read at once: see `Messages`.
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_DIRECT)
    with open(reading, "rb", buffering=0) as stderr:  # noqa: PTH123 - a descriptor
        try:
            process = subprocess.Popen(
                command,
                env=dict(_ENVIRONMENT),
                cwd="/",
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=writing,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        process.stderr = stderr
        with _ending(process):
            yield process


@contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    with process:
        try:
            yield
        finally:
            # Also after a good end: nothing that it may have started stays.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_END_SECONDS)


def _ended(
    process: subprocess.Popen[bytes], complaint: _Complaint, confinement: Confinement, watch: Callable[[], None]
) -> Ended:
    used_before = _seconds_of_the_ended()
    while True:
        try:
            status = process.wait(WATCH_SECONDS)
        except subprocess.TimeoutExpired:
            watch()
        else:
            break
    # ffmpeg takes the signal that its time is up for a wish to stop, and its status then says no more than that.
    used = _seconds_of_the_ended() - used_before
    return complaint.ended(status, is_spent=used >= _SPENT_SHARE * confinement.cpu_seconds)


def _seconds_of_the_ended() -> float:
    """Processor time of all children that have been waited for: here, one after the other."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
