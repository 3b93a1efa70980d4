"""The two nodes of the local cluster, and what may happen to the second one."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.release import Account, Release, await_value, build_conversion
from video2mp3_contracts.api import names
from video2mp3_localcluster.node import cgroups, node, second_node
from video2mp3_localcluster.node.addresses import FIRST, SECOND, SECOND_INTERFACE
from video2mp3_localcluster.node.namespaces import link_commands
from video2mp3_localcluster.steps.layout import NodeFiles, log_dir
from video2mp3_localcluster.steps.step_log import StepLog

LOGS_OF_PODS = "private-var/log/pods"
"""Where a node keeps them, below its state."""


@dataclass(frozen=True)
class Nodes:
    """Both nodes, of which the first one has all pods that a test does not put on the other."""

    release: Release
    files: NodeFiles

    # --- who runs where ---

    def only(self, *allowed: str) -> None:
        """Have new pods started on these nodes alone."""
        for each in (FIRST.name, SECOND.name):
            self.release.kubectl("uncordon" if each in allowed else "cordon", each)

    def gather(self) -> None:
        """Move the release's pods to the first node, where they are unless it was installed on two."""
        self.only(FIRST.name)
        self.release.kubectl("delete", "pods", "--field-selector", f"spec.nodeName={SECOND.name}")
        for workload in self.release.kubectl("get", "deployments", "--output", "name").split():
            self.release.kubectl("rollout", "status", workload, "--timeout=100s")

    def begin(self, account: Account, video: Path, name: str, **spec: object) -> str:
        """Apply a Conversion that no failed attempt may be followed in; answers its uid."""
        file_id = self.release.store_source(video, account.email)
        self.release.apply(build_conversion(name, account, file_id, **{"retryLimit": 0} | spec))
        uid: str = self.release.conversion(name)["metadata"]["uid"]
        return uid

    def await_worker(self, uid: str, where: str) -> dict[str, Any]:
        """Wait until a worker on a node has made some progress, and halt it there; answers its pod."""

        def look() -> dict[str, Any] | None:
            entry = self.release.ledger(uid) or {}
            assert "result" not in entry, "the conversion was over before it could be disturbed"
            return entry if entry.get("progress", {}).get("processedSeconds", 0) > 0 else None

        await_value(look, seconds=90, what="the worker reports progress")
        [pod] = self.workers(uid)
        assert pod["spec"]["nodeName"] == where
        send(signal.SIGSTOP, self._processes_of(pod))
        assert "result" not in (self.release.ledger(uid) or {}), "the conversion was over before it could be disturbed"
        return pod

    def resume(self, pod: dict[str, Any]) -> None:
        """Let a worker go on that was halted."""
        send(signal.SIGCONT, self._processes_of(pod))

    def workers(self, uid: str) -> list[dict[str, Any]]:
        """A Conversion's pods."""
        return self.release.objects("pods", f"{names.LABEL_CONVERSION_UID}={uid}")

    # --- what happens to the second node ---

    def kill(self) -> None:
        """End kubelet, containerd and all containers without a word: the Node object stays."""
        log = StepLog(log_dir() / "e2e-kill-node.log")
        node.stop(log, self.files.second)
        log.close()

    def start_again(self) -> None:
        """Start the second node from its files, as when its power is back; waits for nothing."""
        log = StepLog(log_dir() / "e2e-start-node.log")
        second_node.launch(log, self.files)
        log.close()

    def cut(self) -> None:
        """Take its link down: it runs on, and reaches nobody."""
        self._in_first_network(["ip", "link", "set", SECOND_INTERFACE, "down"])

    def mend(self) -> None:
        """Bring its link back."""
        for command in link_commands():
            self._in_first_network(command)

    def _in_first_network(self, command: list[str]) -> None:
        inside = ["nsenter", f"--net={node.network(self.files)}"]
        subprocess.run([*inside, *command], check=True, timeout=30)

    def start_second(self) -> None:
        """Make the second node well, whatever was done to it."""
        second_node.start(self.files)

    def restore(self) -> None:
        """Make both nodes well again, whatever a test has left."""
        self.start_second()
        self.only(FIRST.name, SECOND.name)

    # --- its processes ---

    def _processes_of(self, pod: dict[str, Any]) -> set[int]:
        folder = f"pod{pod['metadata']['uid']}"
        groups = [each.group(self.files.cgroup) for each in cgroups.mounted()]
        return {pid for group in groups for found in group.rglob(folder) for pid in _pids(found)}

    def kubelet(self) -> int:
        """The pid of the second node's kubelet."""
        program = str(self.files.programs / "kubelet")
        own = {pid for each in cgroups.mounted() for pid in _pids(each.processes(self.files.second.cgroup))}
        return next(pid for pid in own if _command(pid).split("\0")[0] == program)

    def said(self, pod: dict[str, Any]) -> str:
        """What a worker on the second node has logged, read from its disk."""
        meta = pod["metadata"]
        folder = f"{meta['namespace']}_{meta['name']}_{meta['uid']}"
        return (self.files.second.state / LOGS_OF_PODS / folder / names.WORKER_CONTAINER / "0.log").read_text()


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to those of the processes that have not ended meanwhile."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _pids(folder: Path) -> set[int]:
    """Of the processes in a group and all below it."""
    return {int(pid) for file in folder.rglob("cgroup.procs") for pid in file.read_text().split()}


def _command(pid: int) -> str:
    try:
        return Path("/proc", str(pid), "cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
