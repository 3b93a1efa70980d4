"""The first process of the node's namespaces: prepares them, then starts the components and keeps them running.

It runs as process 1 of a process namespace, so when it ends, the kernel ends every component and every container with
it, and with them go the namespaces' mounts, network interfaces and packet filter rules. Nothing has to be undone.

The program is started as a copy beside the cluster's state and imports only the standard library: a cluster must not
depend on the checkout that started it. Its instructions are a JSON file, see :class:`Instructions`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 10.0
STEADY_SECONDS = 30.0
"""A component that ran for this long is restarted without delay when it ends."""

PROBE_SECONDS = 0.2
"""Pause between two attempts of the command that a component waits for."""

LOG_CHECK_SECONDS = 20.0
LOG_BYTES = 16 * 1024 * 1024
"""A longer log is moved to ``NAME.log.1``, so that a component keeps at most twice this."""

SETUP_SECONDS = 30.0

HOST_NETWORK_FD = 9
"""The file descriptor that the program is started with: the host's network namespace, kept open."""


@dataclass
class Component:
    """One component: what to start, and what is known about it."""

    name: str
    arguments: list[str]
    after: list[str] = field(default_factory=list)
    """A command that must succeed before the component is started (again)."""

    pid: int = 0
    """The running component's process, 0 if it does not run."""
    probe_pid: int = 0
    due: float = 0.0
    """When to try next, on the monotonic clock."""
    started: float = 0.0
    delay: float = FIRST_DELAY_SECONDS
    restarts: int = 0
    last_exit: int | None = None

    def ended(self, status: int, now: float) -> None:
        """The component's process ended: plan the restart, ever later if it keeps ending soon after its start."""
        self.pid = 0
        self.restarts += 1
        self.last_exit = os.waitstatus_to_exitcode(status)
        steady = now - self.started >= STEADY_SECONDS
        self.due = now if steady else now + self.delay
        self.delay = FIRST_DELAY_SECONDS if steady else min(2 * self.delay, LONGEST_DELAY_SECONDS)

    def probed(self, status: int, now: float) -> bool:
        """The command that the component waits for ended; says whether the component may start."""
        self.probe_pid = 0
        self.due = now + PROBE_SECONDS
        return os.waitstatus_to_exitcode(status) == 0

    def report(self) -> dict[str, Any]:
        """What the status file says."""
        return {"pid": self.pid, "restarts": self.restarts, "lastExit": self.last_exit}


@dataclass(frozen=True)
class Instructions:
    """What the node consists of; the JSON file has the fields by these names.

    ``writes`` are (file, text) pairs for the kernel's control files, ``setup`` commands run one after the other; both
    must succeed. ``environment`` is that of the components; ``logs`` the folder of their logs; ``report`` the file
    that tells how they are.
    """

    writes: list[tuple[str, str]]
    setup: list[list[str]]
    components: list[Component]
    environment: dict[str, str]
    logs: Path
    report: Path

    @classmethod
    def read(cls, path: Path) -> "Instructions":
        """Read the JSON file."""
        document = json.loads(path.read_text())
        return cls(
            writes=[(name, text) for name, text in document["writes"]],
            setup=document["setup"],
            components=[Component(**component) for component in document["components"]],
            environment=document["environment"],
            logs=Path(document["logs"]),
            report=Path(document["report"]),
        )


def prepare(instructions: Instructions) -> None:
    """Set the namespaces up; raises on the first thing that does not work."""
    for command in instructions.setup:
        subprocess.run(command, check=True, timeout=SETUP_SECONDS, stdin=subprocess.DEVNULL)
    for name, text in instructions.writes:
        Path(name).write_text(text)


class Supervisor:
    """Starts the components and restarts those that end, until process 1 itself is ended."""

    def __init__(self, instructions: Instructions) -> None:
        self._instructions = instructions
        self._components = instructions.components
        self._log_check_due = 0.0

    def run(self) -> None:
        """Never returns. Sleeps until a child ends or something planned is due."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        while True:
            now = time.monotonic()
            self._start_due(now)
            if now >= self._log_check_due:
                self._log_check_due = now + LOG_CHECK_SECONDS
                self._bound_logs()
            self._report()
            signal.sigtimedwait([signal.SIGCHLD], max(0.0, self._next_due() - time.monotonic()))
            self._reap()

    def _next_due(self) -> float:
        planned = [component.due for component in self._components if not component.pid and not component.probe_pid]
        return min([self._log_check_due, *planned])

    def _start_due(self, now: float) -> None:
        for component in self._components:
            if component.pid or component.probe_pid or now < component.due:
                continue
            if component.after:
                component.probe_pid = self._spawn(component.after, os.devnull)
            else:
                self._start(component, now)

    def _start(self, component: Component, now: float) -> None:
        component.pid = self._spawn(component.arguments, str(self._log(component)))
        component.started = now

    def _spawn(self, arguments: list[str], log: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawnp(
            arguments[0],
            arguments,
            {**os.environ, **self._instructions.environment},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
        )

    def _reap(self) -> None:
        """Wait for all children that ended: components, probes, and orphans of containers that became ours."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, status, time.monotonic())

    def _ended(self, pid: int, status: int, now: float) -> None:
        for component in self._components:
            if component.pid == pid:
                component.ended(status, now)
            elif component.probe_pid == pid and component.probed(status, now):
                self._start(component, now)

    def _log(self, component: Component) -> Path:
        return self._instructions.logs / f"{component.name}.log"

    def _bound_logs(self) -> None:
        for component in self._components:
            log = self._log(component)
            if log.exists() and log.stat().st_size > LOG_BYTES:
                # The component keeps its open file, so its content is copied away; it writes by appending.
                log.with_suffix(".log.1").write_bytes(log.read_bytes())
                os.truncate(log, 0)

    def _report(self) -> None:
        text = json.dumps({component.name: component.report() for component in self._components})
        new = self._instructions.report.with_suffix(".new")
        new.write_text(text)
        new.replace(self._instructions.report)


def main() -> None:
    """Run as ``supervisor.py INSTRUCTIONS``."""
    # Only this process holds it; containers get no way out.
    os.set_inheritable(HOST_NETWORK_FD, False)  # noqa: FBT003 - the standard library's signature
    instructions = Instructions.read(Path(sys.argv[1]))
    prepare(instructions)
    Supervisor(instructions).run()


if __name__ == "__main__":
    main()
