"""How a start of a node goes: from the mildest attempt to the most thorough, and what is remembered of it."""

import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from video2mp3_localcluster.node import node, system_images
from video2mp3_localcluster.node.image_loading import load_archive
from video2mp3_localcluster.node.readiness import Check, wait_for
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog
from video2mp3_localcluster.steps.steps import Step, run_steps

START_SECONDS = 120.0
"""How long each part of a new node may take to be well; ten seconds is usual on two free cores."""

ADOPT_SECONDS = 30.0
"""How long a node that was found running may take before it is started again."""


class Records:
    """What is remembered about the node beside its files: small texts in the state folder."""

    def __init__(self, files: NodeFiles) -> None:
        self._folder = files.state

    @property
    def key(self) -> str:
        """Of what the node was made, see :func:`video2mp3_localcluster.node.node_files.node_key`."""
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


class NodeStart(ABC):
    """One start of a node, after everything is built. ``key`` changes with everything that the node is made of."""

    def __init__(self, files: NodeFiles, key: str, label: str) -> None:
        self._files = files
        self._records = Records(files)
        self._key = key
        self._label = label

    def run(self) -> None:
        """Bring the node up, whatever state it is in."""
        until_one_succeeds([self._adopt, self._start_again, self._start_afresh])

    @abstractmethod
    def _write(self) -> None:
        """Write everything that a start of the node needs."""

    @abstractmethod
    def _complete(self, seconds: float = START_SECONDS) -> None:
        """Fill a new node and wait until all of it is well, each part for as long as said."""

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

    def launch(self, log: StepLog) -> None:
        """Start its processes from the data that is there, in place of those that run."""
        node.stop(log, self._files)
        node.clear_run_files(self._files)
        self._write()
        self._records.key = self._key
        node.start(log, self._files)

    def _launch(self) -> None:
        run_steps([Step(f"start the {self._label}", self.launch)])

    def _wait_step(self, check: Check, seconds: float, *needs: str) -> Step:
        return Step(check.name, lambda log: wait_for(log, self._files, check, seconds), needs)

    def _load_system_images(self, log: StepLog, *programs: str) -> None:
        wait_for(log, self._files, Check("containerd", self._containerd_answers), seconds=30)
        for program in programs:
            load_archive(log, self._files, system_images.image_archive(program))

    def _containerd_answers(self) -> str | None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._files.containerd_socket))
        return None


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
