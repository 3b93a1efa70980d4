"""The cluster's cgroups: one group below the root of every hierarchy, of version 1, version 2 or both (hybrid).

The second node's group is inside it.
"""

import errno
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from video2mp3_localcluster.steps.layout import NAME
from video2mp3_localcluster.steps.step_log import StepFailed

MOUNTS = Path("/proc/self/mountinfo")
_REMOVE_SECONDS = 10.0

CLUSTER = Path(NAME)
"""The first node's group, which holds all others of the cluster."""

WEIGHT = 8
"""How many ordinary processes the cluster counts for: it consists of dozens."""

_CPU_WEIGHTS = {"cpu.shares": 1024, "cpu.weight": 100}
"""The file that says so, of version 1 and of version 2, and its default."""

_UNIFIED_CONTROLLERS = "+cpuset +cpu +io +memory +pids"


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup hierarchy; ``unified`` is version 2, ``controllers`` are version 1's."""

    mount: Path
    unified: bool
    controllers: frozenset[str] = frozenset()

    def group(self, cgroup: Path) -> Path:
        """A node's group."""
        return self.mount / cgroup

    def processes(self, cgroup: Path) -> Path:
        """The group of a node's own processes, beside its kubelet's groups of pods."""
        return self.group(cgroup) / "node"


def hierarchies(mountinfo: str) -> list[Hierarchy]:
    """The hierarchies mounted below ``/sys/fs/cgroup``, from the text of ``/proc/self/mountinfo`` (see proc(5))."""
    found: dict[Path, Hierarchy] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        path = Path(before.split(" ")[4])
        if kind in ("cgroup", "cgroup2") and path.is_relative_to("/sys/fs/cgroup"):
            found[path] = Hierarchy(path, unified=kind == "cgroup2", controllers=frozenset(options.split(",")))
    return list(found.values())


def mounted() -> list[Hierarchy]:
    """The hierarchies of this machine."""
    return hierarchies(MOUNTS.read_text())


def create_groups(cgroup: Path = CLUSTER) -> None:
    """Create a node's group in every hierarchy; its kubelet wants to find it."""
    for hierarchy in mounted():
        hierarchy.processes(cgroup).mkdir(parents=True, exist_ok=True)
        if hierarchy.unified:
            for above in reversed([cgroup, *cgroup.parents]):
                _delegate(hierarchy.group(above))
        _weigh(hierarchy.group(CLUSTER))


def _delegate(group: Path) -> None:
    """Let the group's children use the controllers that are there; in a hybrid set-up there are none."""
    available = (group / "cgroup.controllers").read_text().split()
    wanted = [word for word in _UNIFIED_CONTROLLERS.split() if word[1:] in available]
    if wanted:
        (group / "cgroup.subtree_control").write_text(" ".join(wanted))


def _weigh(group: Path) -> None:
    """Let the cluster as a whole count for more than one ordinary process when the processors are busy."""
    for name, default in _CPU_WEIGHTS.items():
        if (group / name).exists():
            (group / name).write_text(str(WEIGHT * default))


def join_writes(cgroup: Path = CLUSTER) -> list[tuple[str, str]]:
    """What a process writes to enter the node's groups ("0" is the writer), as (file, text).

    A cpuset of version 1 has no processors until it is told so; the node's processes stay where they are there.
    """
    return [
        (str(hierarchy.processes(cgroup) / "cgroup.procs"), "0")
        for hierarchy in mounted()
        if hierarchy.unified or "cpuset" not in hierarchy.controllers
    ]


def remove_groups(cgroup: Path = CLUSTER) -> None:
    """Remove a node's groups. Their processes have been ended, but may take a moment to leave."""
    deadline = time.monotonic() + _REMOVE_SECONDS
    remaining = [hierarchy.group(cgroup) for hierarchy in mounted()]
    while remaining := [group for group in remaining if not _remove(group)]:
        if time.monotonic() > deadline:
            raise StepFailed(f"cgroups are still in use: {', '.join(map(str, remaining))}")
        time.sleep(0.05)


def _remove(group: Path) -> bool:
    """Remove a group with all below it; says whether it is gone."""
    for folder in [*_below(group), group]:
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            raise
    return True


def _below(group: Path) -> Iterable[Path]:
    """All groups below one, the deepest first."""
    if group.is_dir():
        for child in group.iterdir():
            if child.is_dir():
                yield from _below(child)
                yield child
