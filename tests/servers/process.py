"""One server program: its folder, its port, its life from start to removal."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Self

from tests.made import log_of
from video2mp3_localcluster.programs.binaries import Artefact
from video2mp3_localcluster.steps.step_log import StepFailed

HOST = "127.0.0.1"
REPOSITORY = Path(__file__).resolve().parents[2]

_PORTS = range(15_000, 30_000)
"""Below the kernel's ephemeral ports, so that no client's connection takes a port between a stop and a start, and
below the node ports of a local cluster."""

_POLL_SECONDS = 0.05
_LOG_TAIL_BYTES = 4_000

_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-spawner")
"""Starts every server. The kernel ends them when the thread that started them ends (PDEATHSIG), and this one lives as
long as the interpreter: a killed test run leaves no server behind, while a test may start servers from any thread."""


class ServerError(Exception):
    """A server program is missing, or did not come up or go down as it should."""


def make(artefact: Artefact, name: str) -> None:
    """Make a server's program where it is not there. Raises ServerError with the end of its log."""
    with log_of(name) as log:
        try:
            artefact.make(log)
        except StepFailed as error:
            raise ServerError(f"{error}:\n{log.tail()}") from error


def free_port() -> int:
    """Return a port that nothing listens on now."""
    for port in random.sample(_PORTS, k=200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise ServerError("no free port on the loopback address")


def program(name: str, package: str) -> str:
    """Return the path of a program, or say which Debian package brings it."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if path is None:
        raise ServerError(f"{name} is not installed: apt-get install {package}")
    return path


def await_condition(check: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Ask `check` again and again until it is true; raise `ServerError` when the time is up."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise ServerError(f"{what} within {seconds:g} s")
        time.sleep(_POLL_SECONDS)


class Server(ABC):
    """A server program with a folder of its own, which is removed with it."""

    name: ClassVar[str]
    start_seconds: ClassVar[float] = 120.0
    """Limit for coming up; generous, since the machine may be busy."""
    stop_seconds: ClassVar[float] = 30.0
    """Limit for going down after SIGTERM, then it is killed."""

    def __init__(self) -> None:
        self.host = HOST
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._folder: Path | None = None

    @property
    def directory(self) -> Path:
        """The server's folder: data, configuration, log."""
        if self._folder is None:
            raise ServerError(f"{self.name} is used outside of its with block")
        return self._folder

    @property
    def log_file(self) -> Path:
        """Everything the program printed, over all its starts."""
        return self.directory / "log"

    @property
    def running(self) -> bool:
        """Whether the process is there (it may be paused)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._running_process().pid

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the argv that starts the server in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server serves its protocol now; asked until it does, so it blocks for a second at most."""

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the program gets besides PATH; nothing else of this process's is passed on."""
        return {}

    def prepare(self) -> None:  # noqa: B027 - most servers need none
        """Make what the first start needs."""

    def initialise(self) -> None:  # noqa: B027 - most servers need none
        """Set up what needs the running server, once."""

    def cleanup(self) -> None:  # noqa: B027 - most servers need none
        """End what `prepare` started."""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix=f"video2mp3-test-{self.name}-"))
        try:
            self.prepare()
            self.start()
            self.initialise()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.cleanup()
        shutil.rmtree(self.directory)
        self._folder = None

    def start(self) -> None:
        """Start the server, on its port and with its data, and wait until it answers."""
        if self.running:
            raise ServerError(f"{self.name} runs already")
        self._process = spawn(self.command(), self.environment(), self.log_file, self.directory)
        try:
            await_condition(self._up, seconds=self.start_seconds, what=f"{self.name} did not answer")
        except BaseException:
            self.kill()
            raise

    def _up(self) -> bool:
        if not self.running:
            raise ServerError(f"{self.name} ended while starting:\n{self.log_tail()}")
        return self.answers()

    def stop(self) -> None:
        """End the server as an administrator would; its data stays."""
        process = self._running_process()
        self.resume()
        process.terminate()
        try:
            process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise ServerError(f"{self.name} did not stop within {self.stop_seconds:g} s") from error
        self._process = None

    def kill(self) -> None:
        """End the server as a power cut would, with its children; its data stays."""
        if self._process is not None:
            if self.running:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
        self._paused = False

    def pause(self) -> None:
        """Freeze the server: connections stay open and are even accepted, but nothing is answered."""
        self._running_process().send_signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let a frozen server go on."""
        if self._paused:
            self._running_process().send_signal(signal.SIGCONT)
            self._paused = False

    def restore(self) -> None:
        """Bring the server back, whatever a test did to it."""
        if self.running:
            self.resume()
        else:
            self.start()

    def log_tail(self) -> str:
        """Return the end of what the program printed."""
        return self.log_file.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")

    def _running_process(self) -> subprocess.Popen[bytes]:
        if self._process is None or not self.running:
            raise ServerError(f"{self.name} is not running")
        return self._process


def spawn(
    command: Sequence[str], environment: Mapping[str, str], log_file: Path, directory: Path
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own that ends with this interpreter."""

    def popen() -> subprocess.Popen[bytes]:
        with log_file.open("ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                env={"PATH": f"{os.environ['PATH']}:/usr/sbin:/usr/bin", **environment},
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    return _SPAWNER.submit(popen).result()
