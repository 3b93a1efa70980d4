"""The second node: a kubelet and a containerd of its own, in namespaces inside the first node's process namespace.

So it ends with the first one. Its network hangs on the first one's by a pair of interfaces, with a route each way.
"""

from pathlib import Path

from video2mp3_localcluster.node import node, system_images
from video2mp3_localcluster.node.addresses import SECOND
from video2mp3_localcluster.node.node_files import second_node_key, write_second_node_files
from video2mp3_localcluster.node.node_start import START_SECONDS, NodeStart, Records
from video2mp3_localcluster.node.readiness import second_node_checks
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepLog
from video2mp3_localcluster.steps.steps import Step, run_steps

_IMAGE_STEP = "second node's system image"


def start(files: NodeFiles) -> None:
    """Bring the second node up beside the first one, which is well and whose files these are."""
    _SecondNodeStart(files.second, Records(files).key).run()


def launch(log: StepLog, files: NodeFiles) -> None:
    """Start the processes of a second node that was well before it ended, and wait for nothing."""
    _SecondNodeStart(files.second, Records(files).key).launch(log)


class _SecondNodeStart(NodeStart):
    """One start of the second node."""

    def __init__(self, files: NodeFiles, key_of_first: str) -> None:
        self._pause_image = system_images.image_name(system_images.PAUSE)
        super().__init__(files, second_node_key(files, self._pause_image, key_of_first), "second node")

    def _write(self) -> None:
        write_second_node_files(self._files, self._pause_image)

    def _complete(self, seconds: float = START_SECONDS) -> None:
        steps = []
        if self._records.filled != self._key:
            steps += [Step(_IMAGE_STEP, self._load_image)]
        steps += [self._wait_step(check, seconds, _IMAGE_STEP) for check in second_node_checks(self._files)]
        run_steps(steps)
        self._records.filled = self._key

    def _load_image(self, log: StepLog) -> None:
        self._load_system_images(log, system_images.PAUSE)


def remove(files: NodeFiles) -> None:
    """Take the second node away, if there is one: its processes, what Kubernetes knows of it, and its files."""
    second = files.second
    if not second.state.exists():
        return

    def end(log: StepLog) -> None:
        node.stop(log, second)
        _forget(log, files)
        node.remove_files(second)

    run_steps([Step("remove the second node", end)])


def _forget(log: StepLog, files: NodeFiles) -> None:
    """Its pods, which it cannot end any more, and the Node itself."""
    kubectl: list[str | Path] = [files.programs / "kubectl", "--kubeconfig", files.kubeconfig, "delete"]
    log.command([*kubectl, "node", SECOND.name, "--ignore-not-found"], timeout_seconds=60)
    pods = ["pods", "--all-namespaces", f"--field-selector=spec.nodeName={SECOND.name}"]
    log.command([*kubectl, *pods, "--grace-period=0", "--force"], timeout_seconds=60)
