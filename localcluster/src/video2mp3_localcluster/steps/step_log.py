"""What a running step writes its log to and runs its programs through."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

TAIL_LINES = 25
"""How much of a failed step's log is shown."""


class StepFailed(Exception):
    """A step could not do its work. The message is meant for the person who ran the command."""


class Cancelled(StepFailed):
    """The step was stopped because another one failed or the user interrupted."""


class StepLog:
    """What a running step writes to: its log file, and one short remark for the progress display."""

    def __init__(self, path: Path, processes: "Processes | None" = None) -> None:
        self.path = path
        self.remark = ""
        self._processes = processes or Processes()
        self._file = path.open("wb", buffering=0)

    def say(self, text: str) -> None:
        """Add a line to the log."""
        self._file.write(f"{text}\n".encode())

    def note(self, remark: str) -> None:
        """Set the remark shown beside the step's name, such as ``cached`` or ``12 packages``."""
        self.remark = remark
        self.say(remark)

    def command(
        self,
        arguments: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout_seconds: float = 1800,
        may_be_killed: bool = True,
    ) -> None:
        """Run a program to its end, its output in the log; ``env`` adds to the environment.

        Raises :class:`StepFailed` if it cannot start, fails, or takes longer than ``timeout_seconds``. With
        ``may_be_killed=False`` it is left to finish if this process dies (a package manager in the middle of its work).
        """
        self._run(arguments, cwd, env, stdin, timeout_seconds, self._file.fileno(), may_be_killed=may_be_killed)

    def output(
        self,
        arguments: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout_seconds: float = 120,
    ) -> str:
        """As :meth:`command`, but what the program prints on its standard output is returned instead of logged."""
        return self._run(arguments, cwd, env, stdin, timeout_seconds, subprocess.PIPE).decode(errors="replace")

    def _run(
        self,
        arguments: Sequence[str | Path],
        cwd: Path | None,
        env: Mapping[str, str] | None,
        stdin: bytes | None,
        timeout_seconds: float,
        stdout: int,
        *,
        may_be_killed: bool = True,
    ) -> bytes:
        words = [str(argument) for argument in arguments]
        self.say("$ " + " ".join(words))
        if shutil.which(words[0]) is None:
            raise StepFailed(f"{words[0]} is not installed")
        # The kernel ends the program if this process dies, so that nothing goes on working behind the user's back.
        tied = ["setpriv", "--pdeathsig", "TERM", "--", *words] if may_be_killed else words
        with self._processes.start(
            tied,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=stdout,
            stderr=self._file.fileno(),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        ) as process:
            out, _ = self._communicate(process, words, stdin, timeout_seconds)
        if process.returncode != 0:
            self._processes.raise_if_cancelled()
            raise StepFailed(f"`{_brief(words)}` failed with exit code {process.returncode}")
        return out or b""

    def _communicate(
        self, process: "subprocess.Popen[bytes]", words: list[str], stdin: bytes | None, timeout_seconds: float
    ) -> tuple[bytes | None, bytes | None]:
        try:
            return process.communicate(stdin, timeout=timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"`{_brief(words)}` did not finish in {timeout_seconds:.0f} s") from error
        finally:
            self._processes.forget(process)

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of the log."""
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """Close the log file; the step is over."""
        self._file.close()


class Processes:
    """The programs that steps are running now, so that all of them can be ended together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._cancelled = False

    def start(
        self, words: list[str], *, cwd: Path | None, env: Mapping[str, str], stdin: int, stdout: int, stderr: int
    ) -> "subprocess.Popen[bytes]":
        """Start a program in a process group of its own; refused once :meth:`cancel` was called."""
        with self._lock:
            if self._cancelled:
                raise Cancelled("stopped")
            process = subprocess.Popen(
                words, cwd=cwd, env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr, process_group=0
            )
            self._running.add(process)
            return process

    def forget(self, process: "subprocess.Popen[bytes]") -> None:
        """The caller is done with a program; one that still runs is killed with its children."""
        with self._lock:
            self._running.discard(process)
        if process.poll() is None:
            _signal_group(process, signal.SIGKILL)

    def cancel(self) -> None:
        """Ask every running program to end and let no further one start."""
        with self._lock:
            self._cancelled = True
            for process in self._running:
                _signal_group(process, signal.SIGTERM)

    def raise_if_cancelled(self) -> None:
        """Raise :class:`Cancelled` if :meth:`cancel` was called."""
        if self._cancelled:
            raise Cancelled("stopped")


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    # Not yet waited for, so the pid is still this program's, even if it has ended.
    if process.returncode is None:
        os.killpg(process.pid, number)


def _brief(words: Sequence[str]) -> str:
    text = " ".join(words)
    return text if len(text) <= 120 else text[:117] + "..."
