"""Seconds, processor seconds and memory of a process and all that it starts."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Cost:
    """What a run took. `read` is the share of the source that was read, where that can be known."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    read: float | None = None


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    begin: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> Cost:
    """Run a command to its end. The time runs from its start; or from when `begin` returns, if there is one."""
    with Path(log or os.devnull).open("wb") as errors:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        started = time.monotonic()
        watcher = _MemoryWatcher(process.pid)
        watcher.start()
        if begin is not None:
            begin(process)
            started = time.monotonic()
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}; see {log}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, watcher.peak)


class _MemoryWatcher(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid

    def run(self) -> None:
        while Path(f"/proc/{self._pid}/task").exists():
            self.peak = max(self.peak, sum(map(_pss, _family(self._pid))))
            time.sleep(_EVERY_SECONDS)


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        # Any of them may end meanwhile, with its folder.
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{member}/task").glob("*/children"):
                found += map(int, task.read_text().split())
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
