"""Starts and ends a node: one process namespace whose end takes everything of the node with it.

The second node's is inside the first one's, so it ends with that too.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from video2mp3_localcluster.node import cgroups
from video2mp3_localcluster.node.addresses import HOST_INTERFACE, SECOND_INTERFACE
from video2mp3_localcluster.node.supervisor import HOST_NETWORK_FD
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

END_SECONDS = 30.0
START_SECONDS = 10.0
PROC = Path("/proc")


def launch_command(files: NodeFiles) -> list[str]:
    """The command that becomes the holder of the node's namespaces.

    It records its pid before it starts anything, so that no kill between two steps leaves a node that nobody knows of.
    """
    # The shell's own pid, as the host knows it: in the second node's case "$$" is another.
    record = 'read -r pid _ < /proc/self/stat && echo "$pid" > "$1"'
    return [
        *_behind(files.of_first),
        *("sh", "-c", f'{record} && exec {HOST_NETWORK_FD}< /proc/self/ns/net && shift && exec "$@"'),
        *("sh", str(files.pid)),
        *("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--propagation", "slave"),
        *("--kill-child", "--", sys.executable, "-I", str(files.supervisor), str(files.instructions)),
    ]


def _behind(first: NodeFiles | None) -> list[str]:
    """What starts the rest in the process and network namespaces of a node that runs."""
    if first is None:
        return []
    holder = PROC / str(find(first)) / "ns"
    return ["nsenter", f"--net={holder / 'net'}", f"--pid={holder / 'pid_for_children'}", "--"]


def start(log: StepLog, files: NodeFiles) -> None:
    """Start the node from its written files; it lives on when this process ends."""
    cgroups.create_groups(files.cgroup)
    with (files.logs / "node.log").open("wb") as output:
        subprocess.run(
            ["setsid", "--fork", *launch_command(files)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            timeout=START_SECONDS,
            check=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while find(files) is None:
        if time.monotonic() > deadline:
            raise StepFailed(f"the node did not start in {START_SECONDS:.0f} s (log: {files.logs / 'node.log'})")
        time.sleep(0.02)
    log.say("started")


def find(files: NodeFiles, proc: Path = PROC) -> int | None:
    """The pid of the process that holds the running node, None if there is none.

    The pid file may be stale and its number may belong to another program by now, so the process has to have the
    command line of a node.
    """
    try:
        pid = int(files.pid.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if is_node(files, pid, proc) else None


def network(files: NodeFiles) -> Path:
    """The running node's network namespace; its holder went there before it started the node."""
    return PROC / str(find(files)) / "ns/net"


def running(files: NodeFiles) -> list[NodeFiles]:
    """The files of the cluster's nodes that run."""
    return [each for each in (files, files.second) if find(each) is not None]


def is_node(files: NodeFiles, pid: int, proc: Path = PROC) -> bool:
    """Whether a process is one that :func:`launch_command` became."""
    try:
        words = (proc / str(pid) / "cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    program = Path(words[0]).name
    return program in ("sh", "unshare") and str(files.supervisor) in words and str(files.instructions) in words


def stop(log: StepLog, files: NodeFiles) -> None:
    """End the node and everything in it, and wait until the kernel has taken it apart."""
    holder = find(files)
    if holder is None:
        log.say("no node is running")
    else:
        _end(holder)
    files.pid.unlink(missing_ok=True)
    if files.of_first is None:
        _remove_interface(log, HOST_INTERFACE, [])
    elif find(files.of_first) is not None:
        _remove_interface(log, SECOND_INTERFACE, ["nsenter", f"--net={network(files.of_first)}"])
    cgroups.remove_groups(files.cgroup)


def _end(holder: int) -> None:
    """Kill the first process of the node's process namespace, or the holder itself if it has started none yet.

    Process 1 of a namespace is only gone when every process of the namespace is, and its parent, the holder, ends after
    it: so when the holder has ended, nothing is left.
    """
    try:
        waited = os.pidfd_open(holder)
    except ProcessLookupError:
        return
    try:
        for pid in _children(holder) or [holder]:
            os.kill(pid, signal.SIGKILL)
        if not select.select([waited], [], [], END_SECONDS)[0]:
            raise StepFailed(f"the node (process {holder}) did not end in {END_SECONDS:.0f} s")
    finally:
        os.close(waited)


def _children(parent: int) -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and _parent(entry) == parent]


def _parent(process: Path) -> int:
    try:
        # The program's name, in parentheses, may hold anything; state and parent follow it.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _remove_interface(log: StepLog, name: str, inside: list[str]) -> None:
    """The kernel removes the link with the node's network namespace, but takes a moment; this does not wait for it."""
    subprocess.run([*inside, "ip", "link", "delete", name], capture_output=True, timeout=30, check=False)
    shown = subprocess.run([*inside, "ip", "link", "show", name], capture_output=True, timeout=30, check=False)
    if shown.returncode == 0:
        raise StepFailed(f"the network interface {name} could not be removed")
    log.say("the network interface is gone")


def remove_files(files: NodeFiles) -> None:
    """Remove all of the node's files. Nothing may be mounted below them any more.

    They are moved aside first: an interrupted removal must not leave half a state that looks like a whole one.
    """
    for folder in (files.state, files.run):
        below = [mount for mount in _mount_points() if mount.is_relative_to(folder)]
        if below:
            raise StepFailed(f"still mounted: {', '.join(map(str, below))}")
        removed = folder.with_suffix(".removed")
        for _ in range(2):
            # The first round removes what an interrupted removal left.
            if removed.exists():
                shutil.rmtree(removed)
            if folder.exists():
                folder.rename(removed)


def _mount_points() -> list[Path]:
    return [Path(line.split(" ")[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def clear_run_files(files: NodeFiles) -> None:
    """Forget what dies with a machine's kernel: sockets, pod addresses, containerd's view of running containers."""
    if files.run.exists():
        shutil.rmtree(files.run)
