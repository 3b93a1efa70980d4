"""Processor seconds and memory of processes that run, from /proc (proc(5))."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.servers import Server

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """What a process has used since its start, in user and kernel mode, over all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_by_name(servers: Iterable[Server]) -> Mapping[str, float]:
    """What they and this process have used since their starts."""
    return {server.name: cpu_seconds(server.pid) for server in servers} | {"benchmark": time.process_time()}


def peak_bytes(pid: int) -> int:
    """The most resident memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
