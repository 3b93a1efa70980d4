"""The processes of the local cluster, found by what it recorded itself, and no others.

The node's supervisor is process 1 of a process namespace; what it reports are process ids in there. All that it
started, and all containers, descend from it. Its own parent is found by `node.find`.
"""

import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from video2mp3_localcluster.node import node
from video2mp3_localcluster.node.readiness import component_report
from video2mp3_localcluster.steps.layout import NodeFiles


@dataclass(frozen=True)
class Process:
    """One process, as /proc shows it."""

    pid: int
    parent: int
    started: str
    """With the pid it tells this process from every other, be it later."""

    inner: int
    """Its id in the node's process namespace; the same as `pid` outside of one."""

    program: str
    cgroups: str


def of_component(files: NodeFiles, name: str, proc: Path = node.PROC) -> list[Process]:
    """The process of one of the node's components; none where it does not run."""
    recorded = component_report(files).get(name, {}).get("pid")
    known = _all(proc)
    supervisors = _supervisors(files, known, proc)
    return [
        each
        for each in known.values()
        if each.parent in supervisors and each.inner == recorded and each.program == name
    ]


def of_pod(files: NodeFiles, uid: str, proc: Path = node.PROC) -> list[Process]:
    """All processes of a pod's containers, on whichever node it is."""
    known = _all(proc)
    return [each for node_files in (files, files.second) for each in _on_node(node_files, uid, known, proc)]


def _on_node(files: NodeFiles, uid: str, known: Mapping[int, Process], proc: Path) -> list[Process]:
    supervisors = _supervisors(files, known, proc)
    group = re.compile(rf"/{files.cgroup}/kubepods/(\w+/)?pod{re.escape(uid)}/")
    return [each for each in known.values() if group.search(each.cgroups) and _descends(each, supervisors, known)]


def kill(process: Process, proc: Path = node.PROC) -> bool:
    """End a process at once; False where it has ended, and its number may be another's."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(process.pid)
        try:
            if _read(proc / str(process.pid)) != process:
                return False
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            return True
        finally:
            os.close(handle)
    return False


def _supervisors(files: NodeFiles, known: Mapping[int, Process], proc: Path) -> set[int]:
    holder = node.find(files, proc)
    return {each.pid for each in known.values() if holder is not None and each.parent == holder}


def _descends(process: Process, ancestors: set[int], known: Mapping[int, Process]) -> bool:
    seen: set[int] = set()
    while process.parent in known and process.pid not in seen:
        if process.parent in ancestors:
            return True
        seen.add(process.pid)
        process = known[process.parent]
    return False


def _all(proc: Path) -> dict[int, Process]:
    found = (_read(entry) for entry in proc.iterdir() if entry.name.isdigit())
    return {each.pid: each for each in found if each is not None}


def _read(entry: Path) -> Process | None:
    try:
        # The program's name, in parentheses, may hold anything; state and parent follow it (see proc(5)).
        after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        inner = next(_numbers((entry / "status").read_text(), "NSpid"), [0])
        words = (entry / "cmdline").read_text(errors="replace").split("\0")
        cgroups = (entry / "cgroup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    second = inner[1] if len(inner) > 1 else inner[0]
    return Process(int(entry.name), int(after_name[1]), after_name[19], second, Path(words[0]).name, cgroups)


def _numbers(status: str, name: str) -> Iterator[list[int]]:
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            yield [int(word) for word in value.split()]
