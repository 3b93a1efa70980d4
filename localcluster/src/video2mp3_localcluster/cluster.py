"""Brings the cluster up, takes it down and says how it is.

``up`` is idempotent and heals: what runs and is well is left alone, a node that is not well is started again with its
data, and data that no node can start from is given up. Each of these is tried only when the one before did not help.
"""

import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from video2mp3_localcluster import addresses, binaries, node, system_images
from video2mp3_localcluster.image_loading import load_archive
from video2mp3_localcluster.layout import NodeFiles
from video2mp3_localcluster.manifests import build_manifests
from video2mp3_localcluster.node_files import node_key, write_node_files
from video2mp3_localcluster.packages import install_packages
from video2mp3_localcluster.preflight import check_machine
from video2mp3_localcluster.readiness import Check, Probes, problem_of, wait_for
from video2mp3_localcluster.step_log import StepFailed, StepLog
from video2mp3_localcluster.steps import Step, run_steps

HOST_PACKAGES = ("iptables", "ipset")
"""Installed on the machine, since they start nothing; kube-proxy and kube-router use them in the node's own network."""

PORTS_TRIED = 100

START_SECONDS = 120.0
"""How long each part of a new node may take to be well; ten seconds is usual on two free cores."""

ADOPT_SECONDS = 30.0
"""How long a node that was found running may take before it is started again."""


def build_steps() -> list[Step]:
    """Everything that a start needs and that can be made ahead, see :func:`video2mp3_localcluster.binaries`."""
    return [
        Step("packages", lambda log: install_packages(log, HOST_PACKAGES)),
        *binaries.build_steps(),
        *system_images.image_steps(),
    ]


def build() -> None:
    """Make and cache all programs and images of the cluster itself."""
    run_steps(build_steps())


class Records:
    """What is remembered about the node beside its files: small texts in the state folder."""

    def __init__(self, files: NodeFiles) -> None:
        self._folder = files.state

    @property
    def key(self) -> str:
        """Of what the node was made, see :func:`video2mp3_localcluster.node_files.node_key`."""
        return self._read("key")

    @key.setter
    def key(self, value: str) -> None:
        self._write("key", value)

    @property
    def filled(self) -> str:
        """The key once more, when images and manifests are in the cluster."""
        return self._read("filled")

    @filled.setter
    def filled(self, value: str) -> None:
        self._write("filled", value)

    @property
    def ingress_port(self) -> int:
        """Where the ingress controller listens; 0 if not known."""
        return int(self._read("ingress-port") or 0)

    @ingress_port.setter
    def ingress_port(self, value: int) -> None:
        self._write("ingress-port", str(value))

    def _read(self, name: str) -> str:
        path = self._folder / name
        return path.read_text().strip() if path.exists() else ""

    def _write(self, name: str, value: str) -> None:
        new = self._folder / f"{name}.new"
        new.write_text(f"{value}\n")
        new.replace(self._folder / name)


def up(files: NodeFiles) -> None:
    """Make what is needed, and bring the cluster up, whatever state it is in."""
    run_steps([Step("machine", check_machine)])
    build()
    start(files)


def start(files: NodeFiles) -> None:
    """Bring the cluster up, whatever state it is in, with all of `build_steps` done."""
    _Start(files).run()


class _Start:
    """One ``up``, after everything is built."""

    def __init__(self, files: NodeFiles) -> None:
        self._files = files
        self._records = Records(files)
        self._programs = binaries.programs()
        self._pause_image = system_images.image_name(system_images.PAUSE)
        self._key = node_key(files, binaries.versions(), self._pause_image)

    def run(self) -> None:
        until_one_succeeds([self._adopt, self._start_again, self._start_afresh])

    def _adopt(self) -> bool:
        """A node of the same making runs: it only has to be well."""
        if node.find(self._files) is None or self._records.key != self._key:
            return False
        self._complete(ADOPT_SECONDS)
        return True

    def _start_again(self) -> bool:
        """There is data of the same making: start a node from it."""
        if self._records.key != self._key:
            return False
        self._launch()
        self._complete()
        return True

    def _start_afresh(self) -> bool:
        """Start with nothing; what is there is of another making, or of no use."""

        def clear(log: StepLog) -> None:
            existed = self._files.state.exists()
            node.stop(log, self._files)
            node.remove_files(self._files)
            log.note("replaced what was there" if existed else "")

        run_steps([Step("clear", clear)])
        self._launch()
        self._complete()
        return True

    def _launch(self) -> None:
        def launch(log: StepLog) -> None:
            node.stop(log, self._files)
            node.clear_run_files(self._files)
            port = choose_port(self._records.ingress_port or addresses.FIRST_INGRESS_PORT)
            write_node_files(self._files, self._programs, self._pause_image, port)
            self._records.ingress_port = port
            self._records.key = self._key
            node.start(log, self._files)

        run_steps([Step("start the node", launch)])

    def _complete(self, seconds: float = START_SECONDS) -> None:
        """Fill a new cluster and wait until all of it is well, each part for as long as said."""

        def wait_step(check: Check, *needs: str) -> Step:
            return Step(check.name, lambda log: wait_for(log, self._files, check, seconds), needs)

        probes = Probes(self._files, self._records.ingress_port)
        api_server = probes.api_server()
        steps = [wait_step(api_server)]
        if self._records.filled != self._key:
            steps += [
                Step("system images", self._load_images),
                Step("system manifests", self._apply, needs=(api_server.name,)),
            ]
        rest = [check for check in probes.all() if check.name != api_server.name]
        # Nothing is ready before the manifests are there: rights, classes, DNS.
        steps += [wait_step(check, api_server.name, "system images", "system manifests") for check in rest]
        run_steps(steps)
        self._records.filled = self._key

    def _load_images(self, log: StepLog) -> None:
        wait_for(log, self._files, Check("containerd", self._containerd_answers), seconds=30)
        for program in (system_images.PAUSE, system_images.DNS):
            load_archive(log, self._files, system_images.image_archive(program))

    def _containerd_answers(self) -> str | None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._files.containerd_socket))
        return None

    def _apply(self, log: StepLog) -> None:
        manifests = build_manifests(system_images.image_name(system_images.DNS))
        kubectl: list[str | Path] = [self._files.programs / "kubectl", "--kubeconfig", self._files.kubeconfig]
        log.command(
            [*kubectl, "apply", "--server-side", "--force-conflicts", "--field-manager=localcluster", "-f", "-"],
            stdin=yaml.safe_dump_all(manifests).encode(),
        )


def until_one_succeeds(attempts: Sequence[Callable[[], bool]]) -> None:
    """Make the attempts one after the other until one succeeds; one that does not apply says False.

    A failure of the last one is raised: it starts from nothing, and would fail again.
    """
    for attempt in attempts:
        try:
            if attempt():
                return
        except StepFailed as failure:
            if attempt is attempts[-1]:
                raise
            print(f"{failure}\nTrying again, more thoroughly.", file=sys.stderr)


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
    return {check.name: problem_of(check) for check in Probes(files, Records(files).ingress_port).all()}
