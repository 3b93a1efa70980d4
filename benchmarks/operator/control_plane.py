"""A control plane with everything that takes part in a Job: the tests' API server, and what they do without."""

import json
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.servers import KubernetesServer, Server
from tests.servers.kubernetes import Component
from tests.servers.process import HOST
from video2mp3_localcluster.node.configuration import build_scheduler_configuration
from video2mp3_localcluster.programs.binaries import compiled, compiled_program
from video2mp3_localcluster.programs.golang import GoProgram
from video2mp3_localcluster.steps.layout import NodeFiles, log_dir
from video2mp3_localcluster.steps.step_log import StepLog

_KWOK = Path(__file__).with_name("kwok").resolve()
_REQUESTS_PER_SECOND = 1000
"""What the controllers allow themselves. Their default, 20 and 50, is what a small cluster's API server is spared by;
here it would be the wall."""

_NODES = 10


def made(name: str) -> Path:
    """A Go program, compiled by the first run on a machine."""
    artefact = compiled("helm") if name == "helm" else compiled_program(_kwok())
    log = StepLog(log_dir() / f"{name}-for-benchmarks.log")
    try:
        artefact.make(log)
    finally:
        log.close()
    return artefact.folder / name


def _kwok() -> GoProgram:
    return GoProgram("kwok", str(_KWOK), "sigs.k8s.io/kwok/cmd/kwok")


class AuditedApi(KubernetesServer):
    """The API server with a record of the operator's requests: who asked for what, and when, without contents."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self._user = user

    @property
    def audit_file(self) -> Path:
        """One `audit.k8s.io/v1` Event a line."""
        return self.directory / "audit.jsonl"

    def prepare(self) -> None:
        """Write the policy."""
        super().prepare()
        rules: list[dict[str, Any]] = [{"level": "Metadata", "users": [self._user]}, {"level": "None"}]
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
        (self.directory / "audit-policy.json").write_text(json.dumps(policy))

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [
            *super().command(),
            f"--audit-policy-file={self.directory / 'audit-policy.json'}",
            f"--audit-log-path={self.audit_file}",
            # What would be compacted after five minutes in a quiet cluster fills a database's quota here.
            "--etcd-compaction-interval=1m",
            # Debian's etcd is too old for lists that are streamed, and kwok's watches look like those: they would end
            # as soon as they begin.
            "--feature-gates=WatchList=false",
        ]

    def environment(self) -> Mapping[str, str]:
        """Return what the Go runtime is told: a heap as small as this one's would be collected all the time."""
        return {"GOGC": "400"}


class _Controller(Component):
    """A component that works through the API server and is of no use without it."""

    def __init__(self, api: AuditedApi) -> None:
        super().__init__()
        self._api = api

    @property
    def files(self) -> NodeFiles:
        """The API server's."""
        return self._api.files

    def flags(self) -> dict[str, str]:
        """Listen on loopback only."""
        return {"bind-address": HOST, "secure-port": str(self.port)}

    def answers(self) -> bool:
        """Ask for its health, which it tells anybody."""
        context = ssl.create_default_context(cafile=self._api.ca_file)
        try:
            with urllib.request.urlopen(f"https://{HOST}:{self.port}/healthz", timeout=1, context=context) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def _write_kubeconfig(self, identity: str) -> None:
        folder = self.files.configuration
        folder.mkdir(parents=True, exist_ok=True)
        self._api.write_kubeconfig(identity, folder / f"{identity}.kubeconfig")


class ControllerManager(_Controller):
    """Makes pods of Jobs, follows them, and collects what has no owner any more."""

    name: ClassVar[str] = "kube-controller-manager"
    component: ClassVar[str] = "kube-controller-manager"

    def prepare(self) -> None:
        """Write its kubeconfig."""
        self._write_kubeconfig("controller-manager")

    def command(self) -> Sequence[str]:
        """Return the argv."""
        limits = [f"--kube-api-qps={_REQUESTS_PER_SECOND}", f"--kube-api-burst={_REQUESTS_PER_SECOND}"]
        return [*super().command(), *limits, "--concurrent-job-syncs=20"]


class Scheduler(_Controller):
    """Binds pods to nodes."""

    name: ClassVar[str] = "kube-scheduler"
    component: ClassVar[str] = "kube-scheduler"

    def prepare(self) -> None:
        """Write its kubeconfig and its configuration."""
        self._write_kubeconfig("scheduler")
        configuration = build_scheduler_configuration(self.files)
        configuration["clientConnection"] |= {"qps": _REQUESTS_PER_SECOND, "burst": _REQUESTS_PER_SECOND}
        (self.files.configuration / "scheduler.yaml").write_text(json.dumps(configuration))


class Nodes(Server):
    """kwok: nodes without kubelets, whose pods run as soon as they are told to."""

    name: ClassVar[str] = "kwok"

    def __init__(self, api: AuditedApi) -> None:
        super().__init__()
        self._api = api

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [
            str(made("kwok")),
            f"--kubeconfig={self._api.kubeconfig}",
            f"--config={self.directory / 'kwok.yaml'}",
            f"--server-address={HOST}:{self.port}",
            "--manage-all-nodes",
        ]

    def prepare(self) -> None:
        """Write what nodes and pods do."""
        options = {
            "nodeLeaseDurationSeconds": 40,
            "nodeLeaseParallelism": 4,
            "nodePlayStageParallelism": 4,
            "podPlayStageParallelism": 16,
            "podsOnNodeSyncParallelism": 4,
        }
        head = {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration", "options": options}
        stages = (_KWOK / "stages.yaml").read_text()
        (self.directory / "kwok.yaml").write_text(f"{json.dumps(head)}\n---\n{stages}")

    def answers(self) -> bool:
        """Ask for its health."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/healthz", timeout=1) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def initialise(self) -> None:
        """Make the nodes, and wait for them."""
        nodes = [
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number}"}} for number in range(_NODES)
        ]
        self._api.kubectl("create", "-f", "-", stdin="\n---\n".join(map(json.dumps, nodes)))
        self._api.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=50s")


class ControlPlane:
    """All of it. What is started beside it works through `api`."""

    def __init__(self, user: str) -> None:
        self.api = AuditedApi(user)
        self._others = (ControllerManager(self.api), Scheduler(self.api), Nodes(self.api))

    @property
    def to_start(self) -> tuple[Server, ...]:
        """What is started, in that order; the API server starts its etcd."""
        return (self.api, *self._others)

    @property
    def servers(self) -> tuple[Server, ...]:
        """Every process."""
        return (self.api, self.api.etcd, *self._others)
