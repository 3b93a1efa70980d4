"""How many processors this process may use: not the machine's, but what affinity and the container's quota leave.

Source: the kernel's cgroup-v2.rst (`cpu.max`) and sched-bwc.rst (`cpu.cfs_quota_us`, `cpu.cfs_period_us`).
"""

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_SELF = Path("/proc/self/cgroup")


def available(cgroups: Path = _CGROUPS, of_self: Path = _SELF) -> int:
    """At least 1. Half a processor more than whole ones counts as one."""
    least = float(len(os.sched_getaffinity(0)))
    for folder in _folders(cgroups, of_self):
        least = min(least, _quota(folder))
    return max(1, round(least + 1e-9))


def _folders(cgroups: Path, of_self: Path) -> Iterator[Path]:
    """Where limits may stand: from this process's group up to the root that the container sees."""
    for hierarchy, controllers, path in _groups(of_self):
        roots = [cgroups] if hierarchy == "0" else [cgroups / controllers, cgroups / "cpu"]
        if hierarchy != "0" and "cpu" not in controllers.split(","):
            continue
        inside = Path(path.lstrip("/"))
        for root in roots:
            yield from (root / part for part in (inside, *inside.parents))


def _groups(of_self: Path) -> list[tuple[str, str, str]]:
    lines = (_read(of_self) or "").splitlines()
    fields = (line.split(":", 2) for line in lines)
    return [(field[0], field[1], field[2]) for field in fields if len(field) == 3]


def _quota(folder: Path) -> float:
    words = (_read(folder / "cpu.max") or "").split()
    if not words:
        words = [_read(folder / f"cpu.cfs_{name}_us") or "" for name in ("quota", "period")]
    try:
        quota, period = (int(word) for word in words)
    except ValueError:
        return float("inf")
    return quota / period if quota > 0 and period > 0 else float("inf")


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
