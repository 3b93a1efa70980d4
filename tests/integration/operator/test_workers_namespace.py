"""Workers run in the release's namespace, whoever's Conversion it is: who may edit a tenant's sees none of it."""

from collections.abc import Iterator

import pytest

from tests.contract.chart.helm import Chart
from tests.integration.operator.cluster import SECONDS, Cluster, Document
from tests.integration.operator.conftest import grant, running
from tests.integration.operator.operator_process import OperatorProcess
from tests.integration.operator.test_disruptions import finish, start
from tests.servers import KubernetesServer
from tests.servers.process import await_condition
from video2mp3_contracts.api import names


@pytest.fixture
def tenant(cluster: Cluster, kube_apiserver: KubernetesServer) -> Cluster:
    """The namespace of a tenant, whose workers run in the cluster's."""
    namespace = kube_apiserver.new_namespace()
    return Cluster(cluster.api, namespace, cluster.mongodb, cluster.rabbitmq, workers=cluster.namespace)


@pytest.fixture
def operator(
    tenant: Cluster, kube_apiserver: KubernetesServer, operator_token: str, chart: Chart
) -> Iterator[OperatorProcess]:
    """An operator that watches the tenant's namespace alone, by the rights that the chart gives it for that."""
    grant(kube_apiserver, chart, tenant.namespace, release=tenant.workers)
    process = OperatorProcess(tenant.addresses, tenant.namespace, operator_token)
    process.changes["OPERATOR_WORKER_NAMESPACE"] = tenant.workers
    with running(process):
        yield process


def test_a_conversion_lives_in_one_namespace_and_its_workers_in_another(tenant: Cluster, operator: OperatorProcess):
    name = tenant.convert()
    job = tenant.await_job(name)
    assert "ownerReferences" not in job["metadata"]
    assert job["metadata"]["labels"][names.LABEL_CONVERSION_NAMESPACE] == tenant.namespace
    here = tenant.api("GET", f"/apis/batch/v1/namespaces/{tenant.namespace}/jobs")["items"]
    assert here == []
    pod = start(tenant, name)
    tenant.await_status(name, lambda status: status["phase"] == "Running")
    finish(tenant, name, pod)
    tenant.remove_pod(pod)
    tenant.delete(name)
    tenant.await_gone(name)
    await_condition(lambda: tenant.jobs(name) == [], seconds=SECONDS, what="its Job did not go")


def test_the_job_of_one_that_was_torn_away_goes(tenant: Cluster, operator: OperatorProcess):
    """Kubernetes clears nothing up over there."""
    name = tenant.convert()
    tenant.await_job(name)
    tenant.delete(name)
    tenant.api("PATCH", f"{tenant._conversions}/{name}", {"metadata": {"finalizers": None}})
    await_condition(lambda: tenant.jobs(name) == [], seconds=SECONDS, what="its Job did not go")


def test_the_same_while_the_operator_was_away(tenant: Cluster, operator: OperatorProcess):
    name = tenant.convert()
    tenant.await_job(name)
    operator.stop()
    tenant.delete(name)
    tenant.api("PATCH", f"{tenant._conversions}/{name}", {"metadata": {"finalizers": None}})
    tenant.await_gone(name)
    operator.start()
    await_condition(lambda: tenant.jobs(name) == [], seconds=SECONDS, what="its Job did not go")


def test_conversions_where_workers_run_are_nobodys_if_nobody_watches_them(tenant: Cluster, operator: OperatorProcess):
    beside = Cluster(tenant.api, tenant.workers, tenant.mongodb, tenant.rabbitmq)
    beside.convert("beside")
    tenant.await_job(tenant.convert())
    assert beside.jobs("beside") == []
    assert "finalizers" not in beside.conversion("beside")["metadata"]


def test_a_job_that_a_tenant_makes_is_taken_for_nobodys(tenant: Cluster, operator: OperatorProcess):
    """It says that it works for a Conversion of another namespace, and that it is done."""
    name = tenant.convert()
    uid = tenant.conversion(name)["metadata"]["uid"]
    real = tenant.await_job(name)["metadata"]["name"]
    labels = {
        names.LABEL_COMPONENT: names.COMPONENT_WORKER,
        names.LABEL_CONVERSION: name,
        names.LABEL_CONVERSION_UID: uid,
        names.LABEL_CONVERSION_NAMESPACE: tenant.namespace,
        names.LABEL_JOB_GENERATION: "7",
    }
    forged: Document = {
        "metadata": {"name": "forged", "labels": labels},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}},
    }
    tenant.api("POST", f"/apis/batch/v1/namespaces/{tenant.namespace}/jobs", forged)
    pod = start(tenant, name)
    finish(tenant, name, pod)
    assert real != "forged"
    assert tenant.api.request("GET", f"/apis/batch/v1/namespaces/{tenant.namespace}/jobs/forged").ok
