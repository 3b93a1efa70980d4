"""The real operator beside a real API server, with the chart's own RBAC."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.chart.conftest import chart, helm
from tests.contract.chart.helm import NAMESPACE, Chart
from tests.contract.chart.manifests import Manifests
from tests.integration.operator.cluster import Api, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.integration.operator.wire import Wire
from tests.servers import KubernetesServer, MongoDBServer, RabbitMQServer

__all__ = ["chart", "helm"]


@pytest.fixture(scope="session")
def operator_token(kubernetes_server: KubernetesServer) -> str:
    """A token of the operator's service account."""
    kubernetes_server.kubectl("create", "namespace", NAMESPACE)
    kubernetes_server.kubectl("create", "serviceaccount", "video2mp3-operator", "--namespace", NAMESPACE)
    return kubernetes_server.kubectl(
        "create", "token", "video2mp3-operator", "--namespace", NAMESPACE, "--duration", "24h"
    ).strip()


@pytest.fixture
def cluster(kube_apiserver: KubernetesServer, mongodb: MongoDBServer, rabbitmq: RabbitMQServer) -> Cluster:
    """A namespace of the test's own, and empty stores."""
    api, namespace = Api(kube_apiserver), kube_apiserver.new_namespace()
    api("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "default"}})
    return Cluster(api, namespace, mongodb, rabbitmq)


@pytest.fixture
def rights(kube_apiserver: KubernetesServer, cluster: Cluster, chart: Chart) -> None:
    """What the chart lets the operator do in the test's namespace."""
    grant(kube_apiserver, chart, cluster.namespace)


def grant(server: KubernetesServer, chart: Chart, *namespaces: str, release: str = NAMESPACE) -> None:
    """Let the operator do what the chart says, where it watches these namespaces.

    `release` is where the chart is installed: there workers run. By default each runs beside its Conversion, as in
    releases that watch their own namespace alone.
    """
    values = {"operator": {"watchNamespaces": [*namespaces]}, "gateway": {"conversionNamespace": namespaces[0]}}
    if release != NAMESPACE:
        _apply(server, chart.render(values, "--namespace", release), {*namespaces, release})
        return
    for namespace in namespaces:
        own = {"operator": {"watchNamespaces": [namespace]}}
        _apply(server, chart.render(own, "--namespace", namespace), {namespace})


def _apply(server: KubernetesServer, manifests: Manifests, namespaces: set[str]) -> None:
    for kind in ("Role", "RoleBinding"):
        for namespace in namespaces:
            document = manifests.named(kind, "video2mp3-operator", namespace)
            for subject in document.get("subjects", ()):
                subject["namespace"] = NAMESPACE
            server.kubectl("apply", "--filename", "-", stdin=json.dumps(document))


@contextmanager
def running(process: OperatorProcess) -> Iterator[OperatorProcess]:
    """An operator, started and ready; none of its errors may be a bug."""
    with process:
        yield process
        log = process.log_file.read_text()
    assert "background_task_ended" not in log
    assert "background_loop_failed" not in log, log
    assert "reconcile_failed" not in log


@pytest.fixture
def operator(cluster: Cluster, operator_token: str, rights: None) -> Iterator[OperatorProcess]:
    """The operator, running and ready; the test may stop, kill, pause and start it."""
    with running(OperatorProcess(cluster.addresses, cluster.namespace, operator_token)) as process:
        yield process


@pytest.fixture
def wire(kube_apiserver: KubernetesServer, mongodb: MongoDBServer, rabbitmq: RabbitMQServer) -> Iterator[Wire]:
    """The wire between an operator and everything outside."""
    with Wire(kube_apiserver, mongodb, rabbitmq) as wire:
        yield wire


@pytest.fixture
def wired_operator(wire: Wire, cluster: Cluster, operator_token: str, rights: None) -> Iterator[OperatorProcess]:
    """The operator at the end of the wire."""
    with running(OperatorProcess(wire.addresses, cluster.namespace, operator_token)) as process:
        yield process


def log_lines(file: Path) -> list[dict[str, object]]:
    """What a process has logged, as documents."""
    return [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
