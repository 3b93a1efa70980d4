"""Conversions of a ConversionClass, by the real operator on a real API server with the chart's rights."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders import a_class
from tests.contract.chart.helm import NAMESPACE, Chart
from tests.integration.operator.cluster import Cluster
from tests.integration.operator.conftest import running
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import KubernetesServer
from tests.servers.process import ServerError, await_condition
from video2mp3_contracts.api import names
from video2mp3_contracts.jobs.worker import REQUEST_VARIABLE, WorkerRequest

CLASSES = {
    "plain": {"description": "Plain.", "offered": True},
    "speech": {"defaults": {"output": {"encoding": {"vbr": 5}, "channels": "mono"}, "retryLimit": 1}},
}


@pytest.fixture
def classes(kube_apiserver: KubernetesServer, chart: Chart) -> Iterator[KubernetesServer]:
    """The right to list and make classes, as the chart gives it; there are none afterwards."""
    rendered = chart.render({"classes": {"items": {"plain": CLASSES["plain"]}}})
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        document = rendered.named(kind, f"{NAMESPACE}-video2mp3-classes")
        kube_apiserver.kubectl("apply", "--filename=-", stdin=json.dumps(document))
    yield kube_apiserver
    kube_apiserver.kubectl("delete", "conversionclasses", "--all")
    kube_apiserver.kubectl("delete", "clusterrolebinding", f"{NAMESPACE}-video2mp3-classes")


@pytest.fixture
def operator(
    cluster: Cluster, operator_token: str, rights: None, classes: KubernetesServer
) -> Iterator[OperatorProcess]:
    """It makes one class itself."""
    process = OperatorProcess(cluster.addresses, cluster.namespace, operator_token)
    process.changes |= {
        "OPERATOR_CLASSES": json.dumps({"plain": CLASSES["plain"], "default": None}),
        "OPERATOR_DEFAULT_CLASS": "plain",
    }
    with running(process):
        yield process


def apply(server: KubernetesServer, name: str, **spec: Any) -> None:
    document = a_class(name, **spec)
    del document["metadata"]["generation"], document["metadata"]["creationTimestamp"]
    server.kubectl("apply", "--filename=-", stdin=json.dumps(document))


def request(job: dict[str, Any]) -> WorkerRequest:
    [container] = job["spec"]["template"]["spec"]["containers"]
    [value] = [each["value"] for each in container["env"] if each["name"] == REQUEST_VARIABLE]
    return WorkerRequest.model_validate_json(value)


def test_the_class_of_the_values_is_made_and_is_the_default(
    cluster: Cluster, operator: OperatorProcess, classes: KubernetesServer
) -> None:
    def made() -> bool:
        return "plain" in classes.kubectl("get", "conversionclasses", "--output=name")

    await_condition(made, seconds=10, what="the class was not made")
    row = classes.kubectl("get", "conversionclasses", "--no-headers").split()
    assert row[:4] == ["plain", "true", "true", "Plain."]
    name = cluster.convert()
    job = cluster.await_job(name)
    cluster.await_status(name, lambda status: status.get("resolved", {}).get("className") == "plain")
    assert job["metadata"]["labels"][names.LABEL_CLASS] == "plain"


def test_it_waits_for_a_class_and_goes_on_when_that_is_there(
    cluster: Cluster, operator: OperatorProcess, classes: KubernetesServer
) -> None:
    name = cluster.convert(className="speech")
    status = cluster.await_reason(name, "ClassNotFound")
    assert status["message"] == "There is no ConversionClass speech yet."
    apply(classes, "speech", **CLASSES["speech"])
    job = cluster.await_job(name)
    asked = request(job)
    assert (asked.output.encoding.vbr, asked.output.channels, job["spec"]["backoffLimit"]) == (5, "mono", 1)
    resolved = cluster.await_reason(name, "Starting")["resolved"]
    assert resolved["output"] == {"encoding": {"vbr": 5}, "channels": "mono"}
    assert resolved["defaults"]["retryLimit"] == 1


def test_what_is_on_record_outlives_the_class_and_the_operator(
    cluster: Cluster, operator: OperatorProcess, classes: KubernetesServer
) -> None:
    apply(classes, "speech", **CLASSES["speech"])
    name = cluster.convert(className="speech", suspend=True)
    cluster.await_status(name, lambda status: "resolved" in status)
    operator.kill()
    apply(classes, "speech", defaults={"output": {"encoding": {"vbr": 9}}})
    classes.kubectl("delete", "conversionclass", "speech")
    operator.start()
    cluster.change(name, suspend=False)
    assert request(cluster.await_job(name)).output.encoding.vbr == 5


def test_what_a_class_does_not_allow_is_told_by_its_field(
    cluster: Cluster, operator: OperatorProcess, classes: KubernetesServer
) -> None:
    apply(classes, "speech", overrides=["timeouts"])
    name = cluster.convert(className="speech", retryLimit=9)
    status = cluster.await_reason(name, "NotAllowedByClass")
    assert status["message"] == "The ConversionClass speech does not let it set spec.retryLimit."


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"defaults": {"output": {"encoding": {"cbr": 320}, "sampleRate": 8000}}},
            "output.encoding.cbr must be at most",
        ),
        ({"worker": {"resources": {"limits": {"cpu": 1}}}}, "must have a memory request and a memory limit"),
        ({"overrides": ["owner"]}, "Unsupported value"),
        ({"colour": "red"}, 'unknown field "spec.colour"'),
        ({"quota": {"maxRunning": 0}}, "should be greater than or equal to 1"),
    ],
)
def test_the_api_server_refuses_an_unsound_class(
    kube_apiserver: KubernetesServer, spec: dict[str, Any], words: str
) -> None:
    with pytest.raises(ServerError, match=words):
        apply(kube_apiserver, "unsound", **spec)


def test_without_the_right_to_list_them_all_goes_on_as_before(
    cluster: Cluster, operator_token: str, rights: None
) -> None:
    with running(OperatorProcess(cluster.addresses, cluster.namespace, operator_token)) as operator:
        name = cluster.convert()
        cluster.await_job(name)
        assert "resolved" not in cluster.await_reason(name, "Starting")
        assert operator.log_file.read_text().count("classes_not_served") == 1
