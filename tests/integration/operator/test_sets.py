"""ConversionSets, by the real operator on a real API server with the chart's rights."""

import json
from typing import Any

import pytest

from tests.integration.operator.cluster import OWNER, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import KubernetesServer
from tests.servers.process import ServerError, await_condition
from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_set import child_name


class Sets:
    """The sets of a test's namespace."""

    def __init__(self, server: KubernetesServer, cluster: Cluster) -> None:
        self.server = server
        self.cluster = cluster

    def apply(self, *sources: dict[str, Any], name: str = "talks", server_side: bool = False, **spec: Any) -> None:
        document = {
            "apiVersion": names.API_VERSION,
            "kind": names.SET_KIND,
            "metadata": {"name": name, "namespace": self.cluster.namespace},
            "spec": {"template": {"spec": {"owner": OWNER}}, "sources": [*sources]} | spec,
        }
        how = ["--server-side"] if server_side else []
        self.server.kubectl("apply", *how, "--filename=-", stdin=json.dumps(document))

    def get(self, name: str = "talks") -> dict[str, Any]:
        where = ("conversionset", name, f"--namespace={self.cluster.namespace}", "--output=json")
        found: dict[str, Any] = json.loads(self.server.kubectl("get", *where))
        return found

    def await_phase(self, phase: str, name: str = "talks") -> dict[str, Any]:
        def there() -> bool:
            return bool(self.get(name)["status"]["phase"] == phase)

        await_condition(there, seconds=30, what=f"the set did not become {phase}")
        status: dict[str, Any] = self.get(name)["status"]
        return status

    def children(self) -> list[str]:
        where = (f"--namespace={self.cluster.namespace}", "--output=name", "--selector=video2mp3.dev/set=talks")
        return [each.partition("/")[2] for each in self.server.kubectl("get", "conversions", *where).split()]

    def await_children(self, *wanted: str) -> None:
        await_condition(lambda: {*self.children()} == {*wanted}, seconds=30, what="the set has other Conversions")


@pytest.fixture
def sets(kube_apiserver: KubernetesServer, cluster: Cluster) -> Sets:
    return Sets(kube_apiserver, cluster)


def uploads(cluster: Cluster, count: int) -> list[dict[str, Any]]:
    return [{"gridfs": {"fileId": cluster.upload()}} for _ in range(count)]


def test_a_set_becomes_conversions_and_succeeds_with_them(
    cluster: Cluster, operator: OperatorProcess, sets: Sets
) -> None:
    sources = uploads(cluster, 3)
    sets.apply(*sources, parallelism=2)
    order = [child_name("talks", each) for each in sources]
    sets.await_children(*order[:2])
    for name in order:
        cluster.await_job(name)
        cluster.work(name)
        cluster.await_reason(name, "Succeeded")
    status = sets.await_phase("Succeeded")
    assert status["counts"] == {"total": 3, "waiting": 0, "active": 0, "suspended": 0, "succeeded": 3, "failed": 0}
    assert {each["type"]: each["status"] for each in status["conditions"]} == {"Ready": "True", "Complete": "True"}
    row = sets.server.kubectl("get", "convset", f"--namespace={cluster.namespace}", "--no-headers").split()
    assert row[:6] == ["talks", "Succeeded", "3", "0", "3", "0"]


def test_applied_again_by_the_server_or_reordered_it_makes_nothing_anew(
    cluster: Cluster, operator: OperatorProcess, sets: Sets
) -> None:
    sources = uploads(cluster, 2)
    sets.apply(*sources, server_side=True)
    sets.await_children(*(child_name("talks", each) for each in sources))
    sets.await_phase("Running")
    before = {name: cluster.conversion(name)["metadata"]["uid"] for name in sets.children()}
    generation = sets.get()["metadata"]["generation"]
    sets.apply(*sources, server_side=True)
    assert sets.get()["metadata"]["generation"] == generation
    sets.apply(*reversed(sources), server_side=True)
    operator.kill()
    operator.start()
    await_condition(
        lambda: sets.get()["status"]["observedGeneration"] == generation + 1, seconds=30, what="it was not seen"
    )
    assert {name: cluster.conversion(name)["metadata"]["uid"] for name in sets.children()} == before


def test_a_bad_source_and_a_failure_are_named_and_tried_anew(
    cluster: Cluster, operator: OperatorProcess, sets: Sets
) -> None:
    [good] = uploads(cluster, 1)
    sets.apply(good, {"gridfs": {"fileId": "0" * 24}}, {"url": "ftp://example.com/a.mp4"})
    name, missing = (child_name("talks", each) for each in (good, {"gridfs": {"fileId": "0" * 24}}))
    cluster.await_job(name)
    cluster.work(name)
    status = sets.await_phase("Failed")
    reasons = {(each.get("conversion", ""), each["reason"]) for each in status["failures"]}
    assert reasons == {(missing, "SourceNotFound"), ("", "InvalidSource")}
    where = ("conversionset/talks", f"--namespace={cluster.namespace}", "--overwrite")
    sets.server.kubectl("annotate", *where, f"{names.ANNOTATION_RETRY}=now")
    cluster.await_status(missing, lambda found: found.get("lastHandledRetryAt") == "now")
    await_condition(
        lambda: sets.get()["status"].get("lastHandledRetryAt") == "now", seconds=30, what="it was not tried anew"
    )
    sets.await_phase("Failed")
    assert cluster.conversion(name)["status"]["phase"] == "Succeeded"


def test_suspended_edited_and_fed_by_a_config_map(cluster: Cluster, operator: OperatorProcess, sets: Sets) -> None:
    sources = uploads(cluster, 2)
    sets.apply(*sources)
    first, second = (child_name("talks", each) for each in sources)
    cluster.await_job(first)
    sets.apply(*sources, suspend=True)
    cluster.await_reason(first, "Suspended")
    cluster.await_reason(second, "Suspended")
    sets.await_phase("Suspended")
    sets.apply(sources[1], sourcesFrom={"configMap": {"name": "list"}})
    assert sets.await_phase("Pending")["message"] == "There is no ConfigMap list yet."
    third = {"gridfs": {"fileId": cluster.upload()}}
    literal = f"--from-literal=sources={third['gridfs']['fileId']}"
    sets.server.kubectl("create", "configmap", "list", literal, f"--namespace={cluster.namespace}")
    operator.kill()
    operator.start()
    sets.await_children(second, child_name("talks", third))
    cluster.await_reason(second, "Starting")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"template": {"spec": {"source": {}}}},
            'unknown field "spec.template.spec.source"',
        ),
        ({"template": {"spec": {"retryLimit": 11}}}, "should be less than or equal to 10"),
        ({"parallelism": 0}, "should be greater than or equal to 1"),
        ({"sources": [{"colour": "red"}]}, "unknown field"),
        ({"sources": [{"url": "https://example.com/a"}] * 1001}, "must have at most 1000 items"),
    ],
)
def test_the_api_server_refuses_what_is_no_set(sets: Sets, spec: dict[str, Any], words: str) -> None:
    with pytest.raises(ServerError, match=words):
        sets.apply(name="unsound", **spec)
