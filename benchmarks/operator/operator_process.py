"""The operator as the chart runs it: its own account, its own rights, its own settings."""

import json
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmarks.operator.control_plane import AuditedApi, made
from tests.contract.chart.helm import NAMESPACE, Chart
from tests.servers import MongoDBServer, Server
from tests.servers.kubeconfig import token_kubeconfig
from tests.servers.process import HOST

ACCOUNT = "video2mp3-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"


class OperatorProcess(Server):
    """`python -m video2mp3_operator` with the settings' defaults, but for the cap."""

    name: ClassVar[str] = "operator"
    start_seconds: ClassVar[float] = 300.0

    def __init__(self, api: AuditedApi, mongodb: MongoDBServer, cap: int) -> None:
        super().__init__()
        self._api = api
        self._mongodb = mongodb
        self._cap = cap

    def prepare(self) -> None:
        """Make the account, grant it what the chart grants, and write its kubeconfig."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": NAMESPACE},
        }
        manifests = Chart(made("helm")).render()
        rights = [manifests.named(kind, ACCOUNT, NAMESPACE) for kind in ("Role", "RoleBinding")]
        for document in (namespace, account, *rights):
            self._api.kubectl("apply", "--filename", "-", stdin=json.dumps(document))
        token = self._api.kubectl("create", "token", ACCOUNT, "--namespace", NAMESPACE, "--duration", "24h").strip()
        self._kubeconfig.write_text(token_kubeconfig(self._api.url, token, self._api.ca_file))

    @property
    def _kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [sys.executable, "-m", "video2mp3_operator"]

    def environment(self) -> Mapping[str, str]:
        """Return the settings."""
        return {
            "KUBECONFIG": str(self._kubeconfig),
            "OPERATOR_MONGODB_URI": self._mongodb.uri,
            # Workers publish; the operator would only for conversions that fail.
            "OPERATOR_RABBITMQ_URI": f"amqp://{HOST}:1/",
            "OPERATOR_WATCH_NAMESPACES": NAMESPACE,
            "OPERATOR_NAMESPACE": NAMESPACE,
            "OPERATOR_WORKER_IMAGE": "video2mp3/worker:benchmark",
            "OPERATOR_WORKER_SECRET": "video2mp3-worker",
            "OPERATOR_HTTP_PORT": str(self.port),
            "OPERATOR_MAX_RUNNING": str(self._cap),
        }

    def answers(self) -> bool:
        """Ask whether it is ready, and leads: the first one in a cluster waits for the Lease."""
        try:
            return bool(self._ask("/readyz")) and _LEADS in self._ask("/metrics")
        except OSError:
            return False

    def finished(self) -> int:
        """How many conversions have got their verdict since it started."""
        lines = self._ask("/metrics").splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith(_FINISHED))

    def _ask(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=10) as response:
            return str(response.read().decode())


_LEADS = "video2mp3_operator_leader 1.0\n"
_FINISHED = "video2mp3_operator_conversions_finished_total{"
