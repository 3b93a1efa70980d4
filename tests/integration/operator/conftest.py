"""The real operator beside a real API server, with the chart's own RBAC."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.chart.conftest import chart, helm
from tests.contract.chart.helm import NAMESPACE, Chart
from tests.integration.operator.cluster import Api, Cluster
from tests.integration.operator.operator_process import OperatorProcess
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
    return Cluster(Api(kube_apiserver), kube_apiserver.new_namespace(), mongodb, rabbitmq)


@pytest.fixture
def operator(
    kube_apiserver: KubernetesServer, cluster: Cluster, operator_token: str, chart: Chart
) -> Iterator[OperatorProcess]:
    """The operator, running and ready; the test may stop, kill, pause and start it."""
    manifests = chart.render(
        {"operator": {"watchNamespaces": [cluster.namespace]}, "gateway": {"conversionNamespace": cluster.namespace}}
    )
    for kind in ("Role", "RoleBinding"):
        document = manifests.named(kind, "video2mp3-operator", cluster.namespace)
        kube_apiserver.kubectl("apply", "--filename", "-", stdin=json.dumps(document))
    process = OperatorProcess(kube_apiserver, cluster.mongodb, cluster.rabbitmq, cluster.namespace, operator_token)
    with process:
        yield process
        log = process.log_file.read_text()
    assert "background_task_ended" not in log
    assert "reconcile_failed" not in log


def log_lines(file: Path) -> list[dict[str, object]]:
    """What a process has logged, as documents."""
    return [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
