"""The real operator as a process of its own, with the rights that the chart gives it and no more."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from tests.servers.kubeconfig import token_kubeconfig
from tests.servers.process import Server

INSTALLATION = "video2mp3/video2mp3"
"""Whose everything is, unless a test says otherwise."""

_ASK_SECONDS = 1


class Addresses(NamedTuple):
    """Where the operator finds everything."""

    kubernetes: str
    ca_file: Path
    mongodb: str
    rabbitmq: str


class OperatorProcess(Server):
    """`python -m video2mp3_operator` for one namespace, quick to notice things."""

    name: ClassVar[str] = "operator"

    def __init__(self, addresses: Addresses, namespace: str, token: str) -> None:
        super().__init__()
        self._addresses = addresses
        self._namespace = namespace
        self._token = token
        self.changes: dict[str, str] = {}
        """Settings that differ from a test's usual ones, as environment variables."""

    @property
    def _kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    def prepare(self) -> None:
        """Write the kubeconfig with the service account's token."""
        self._kubeconfig.write_text(token_kubeconfig(self._addresses.kubernetes, self._token, self._addresses.ca_file))

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [sys.executable, "-m", "video2mp3_operator"]

    def environment(self) -> Mapping[str, str]:
        """Return the settings."""
        return {
            "KUBECONFIG": str(self._kubeconfig),
            "OPERATOR_MONGODB_URI": self._addresses.mongodb,
            "OPERATOR_RABBITMQ_URI": self._addresses.rabbitmq,
            "OPERATOR_WATCH_NAMESPACES": self._namespace,
            "OPERATOR_INSTALLATION": INSTALLATION,
            # One that is killed and started again in a test would wait for its own Lease. See test_standby.py.
            "OPERATOR_LEADER_ELECTION": "false",
            "OPERATOR_WORKER_IMAGE": "video2mp3/worker:test",
            "OPERATOR_WORKER_SECRET": "video2mp3-worker",
            "OPERATOR_HTTP_PORT": str(self.port),
            "OPERATOR_SWEEP_SECONDS": "0.2",
            "OPERATOR_CLASS_SECONDS": "0.2",
            "OPERATOR_OUTBOX_SECONDS": "0.5",
            "OPERATOR_HEARTBEAT_SECONDS": "0.5",
            "OPERATOR_MONGODB_TIMEOUT_SECONDS": "1",
            **self.changes,
        }

    def run(self, *arguments: str, stdin: bytes = b"", code: int = 0) -> "subprocess.CompletedProcess[bytes]":
        """Run one of the operator's commands, as in its pod, which must end with that exit code."""
        environment = {**self.environment(), "PATH": "/usr/bin:/bin"}
        command = [*self.command(), *arguments]
        done = subprocess.run(command, input=stdin, env=environment, capture_output=True, timeout=120, check=False)
        assert done.returncode == code, done.stderr.decode()
        return done

    def answers(self) -> bool:
        """Ask whether it is ready."""
        return self.ask("/readyz")[0] == 200

    def ask(self, path: str) -> tuple[int, str]:
        """GET a path; answers status and body, 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.port}{path}", timeout=_ASK_SECONDS) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def memory_mib(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self._running_process().pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024
