"""Brings the cluster up, takes it down and says how it is.

``up`` is idempotent and heals: what runs and is well is left alone, a node that is not well is started again with its
data, and data that no node can start from is given up. Each of these is tried only when the one before did not help.
"""

import socket
from collections.abc import Callable
from pathlib import Path

import yaml

from video2mp3_localcluster.node import addresses, node, second_node, system_images
from video2mp3_localcluster.node.manifests import build_manifests
from video2mp3_localcluster.node.node_files import node_key, write_node_files
from video2mp3_localcluster.node.node_start import START_SECONDS, NodeStart, Records
from video2mp3_localcluster.node.preflight import check_machine
from video2mp3_localcluster.node.readiness import Probes, problem_of, second_node_checks
from video2mp3_localcluster.programs import binaries
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.packages import install_packages
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog
from video2mp3_localcluster.steps.steps import Step, run_steps

HOST_PACKAGES = ("iptables", "ipset")
"""Installed on the machine, since they start nothing; kube-proxy and kube-router use them in the node's own network."""

PORTS_TRIED = 100


def build_steps() -> list[Step]:
    """Everything that a start needs and that can be made ahead, see `programs.binaries`."""
    return [
        Step("packages", lambda log: install_packages(log, HOST_PACKAGES)),
        *binaries.build_steps(),
        *system_images.image_steps(),
    ]


def build() -> None:
    """Make and cache all programs and images of the cluster itself."""
    run_steps(build_steps())


def up(files: NodeFiles, nodes: int = 1) -> None:
    """Make what is needed, and bring the cluster up with so many nodes (1 or 2), whatever state it is in."""
    run_steps([Step("machine", check_machine)])
    build()
    start(files, nodes)


def start(files: NodeFiles, nodes: int = 1) -> None:
    """Bring the cluster up, whatever state it is in, with all of `build_steps` done."""
    _FirstNodeStart(files).run()
    if nodes > 1:
        second_node.start(files)
    else:
        second_node.remove(files)


class _FirstNodeStart(NodeStart):
    """One ``up`` of the first node."""

    def __init__(self, files: NodeFiles) -> None:
        self._programs = binaries.programs()
        self._pause_image = system_images.image_name(system_images.PAUSE)
        super().__init__(files, node_key(files, binaries.versions(), self._pause_image), "node")

    def _write(self) -> None:
        port = choose_port(self._records.ingress_port or addresses.FIRST_INGRESS_PORT)
        write_node_files(self._files, self._programs, self._pause_image, port)
        self._records.ingress_port = port

    def _complete(self, seconds: float = START_SECONDS) -> None:
        probes = Probes(self._files, self._records.ingress_port)
        api_server = probes.api_server()
        steps = [self._wait_step(api_server, seconds)]
        if self._records.filled != self._key:
            steps += [
                Step("system images", self._load_images),
                Step("system manifests", self._apply, needs=(api_server.name,)),
            ]
        rest = [check for check in probes.all() if check.name != api_server.name]
        # Nothing is ready before the manifests are there: rights, classes, DNS.
        needs = (api_server.name, "system images", "system manifests")
        steps += [self._wait_step(check, seconds, *needs) for check in rest]
        run_steps(steps)
        self._records.filled = self._key

    def _load_images(self, log: StepLog) -> None:
        self._load_system_images(log, system_images.PAUSE, system_images.DNS)

    def _apply(self, log: StepLog) -> None:
        manifests = build_manifests(system_images.image_name(system_images.DNS))
        kubectl: list[str | Path] = [self._files.programs / "kubectl", "--kubeconfig", self._files.kubeconfig]
        log.command(
            [*kubectl, "apply", "--server-side", "--force-conflicts", "--field-manager=localcluster", "-f", "-"],
            stdin=yaml.safe_dump_all(manifests).encode(),
        )


def is_free(port: int) -> bool:
    """Whether a TCP port of 127.0.0.1 can be listened on."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose_port(first: int, free: Callable[[int], bool] = is_free) -> int:
    """The first free TCP port of 127.0.0.1 from ``first`` on."""
    for port in range(first, first + PORTS_TRIED):
        if free(port):
            return port
    raise StepFailed(f"the ports {first} to {first + PORTS_TRIED - 1} of 127.0.0.1 are all in use")


def down(files: NodeFiles) -> None:
    """End the cluster and remove everything of it but the build cache."""

    def remove(log: StepLog) -> None:
        node.stop(log, files)
        node.remove_files(files)

    run_steps([Step("remove the cluster", remove)])


def ingress_url(files: NodeFiles) -> str:
    """Where the ingress controller listens."""
    return f"http://127.0.0.1:{Records(files).ingress_port}"


def problems(files: NodeFiles) -> dict[str, str | None]:
    """Every check of the running cluster by name: None if well, else what is wrong."""
    checks = Probes(files, Records(files).ingress_port).all()
    if files.second in node.running(files):
        checks += second_node_checks(files.second)
    return {check.name: problem_of(check) for check in checks}
