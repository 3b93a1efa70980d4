"""③ ConversionClasses in a real API server, with the right that the chart gives the gateway, and without."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.builders import a_class
from tests.contract.chart.conftest import chart, helm
from tests.contract.chart.helm import NAMESPACE, Chart
from tests.integration.gateway.cluster import Cluster
from tests.servers import KubernetesServer
from tests.servers.process import ServerError
from tests.unit.gateway.fakes import FakeClock
from video2mp3_gateway.adapters import kubernetes_classes
from video2mp3_gateway.classes.catalogue import FRESH_SECONDS, ClassCatalogue
from video2mp3_gateway.ports.systems import DependencyUnavailable

__all__ = ["chart", "helm"]

ROLE = f"{NAMESPACE}-video2mp3-gateway-classes"
SPEECH: dict[str, Any] = {"offered": True, "description": "For talks.", "overrides": ["output"]}


@pytest.fixture
def cluster(kube_apiserver: KubernetesServer, tmp_path: Path) -> Iterator[Cluster]:
    """A gateway without the right; there are no classes afterwards, which other tests would take for theirs."""
    cluster = Cluster(kube_apiserver, tmp_path)
    yield cluster
    cluster.close()
    kube_apiserver.restore()
    kube_apiserver.kubectl("delete", "conversionclasses", "--all")


@pytest.fixture
def allowed(cluster: Cluster, chart: Chart) -> Iterator[Cluster]:
    """A gateway with the right, as the chart gives it."""
    rendered = chart.render({})
    binding = rendered.named("ClusterRoleBinding", ROLE)
    binding["subjects"] = [{"kind": "ServiceAccount", "name": "gateway", "namespace": cluster.namespace}]
    for document in (rendered.named("ClusterRole", ROLE), binding):
        cluster.server.kubectl("apply", "--filename=-", stdin=json.dumps(document))
    yield cluster
    cluster.server.restore()
    cluster.server.kubectl("delete", "clusterrolebinding", ROLE)


def apply(server: KubernetesServer, name: str, *, default: bool = False, **spec: Any) -> None:
    document = a_class(name, default=default, **spec)
    del document["metadata"]["generation"], document["metadata"]["creationTimestamp"]
    server.kubectl("apply", "--filename=-", stdin=json.dumps(document))


def names(catalogue: ClassCatalogue) -> list[str]:
    return [each.name for each in catalogue.known().offered]


def test_the_right_of_the_chart_shows_the_classes(allowed: Cluster) -> None:
    apply(allowed.server, "plain", offered=True, default=True)
    apply(allowed.server, "speech", **SPEECH)
    apply(allowed.server, "inner")
    apply(allowed.server, "theirs", offered=True, instance="another")
    catalogue = ClassCatalogue(allowed.classes, "video2mp3")
    assert names(catalogue) == ["plain", "speech"]
    default = catalogue.default()
    assert default is not None
    assert default.name == "plain"
    assert not default.decides_ttl
    assert [each.spec.description for each in catalogue.known().offered] == ["", "For talks."]


def test_the_right_is_to_list_and_nothing_else(allowed: Cluster) -> None:
    account = f"--as=system:serviceaccount:{allowed.namespace}:gateway"
    verbs = ("get", "list", "watch", "create", "patch", "update", "delete")
    can = [verb for verb in verbs if _can(allowed, verb, account)]
    assert can == ["list"]


def _can(cluster: Cluster, verb: str, account: str) -> bool:
    try:
        return (
            cluster.server.kubectl("auth", "can-i", verb, "conversionclasses.video2mp3.dev", account).strip() == "yes"
        )
    except ServerError:
        return False


def test_without_the_right_there_are_none_and_that_is_said_once(cluster: Cluster) -> None:
    apply(cluster.server, "speech", **SPEECH)
    with capture_logs() as logs:
        assert [cluster.classes.all() for _ in range(3)] == [[], [], []]
    assert [each["event"] for each in logs] == ["classes_not_served"]
    assert "403" in logs[0]["error"]


def test_a_cluster_that_does_not_know_the_kind_has_none(allowed: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one whose definitions are of a release before classes; the right is looked at first, so it is given."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ROLE},
        "rules": [{"apiGroups": ["video2mp3.dev"], "resources": ["unknownclasses"], "verbs": ["list"]}],
    }
    allowed.server.kubectl("apply", "--filename=-", stdin=json.dumps(role))
    monkeypatch.setattr(kubernetes_classes, "_PATH", "/apis/video2mp3.dev/v1/unknownclasses")
    with capture_logs() as logs:
        assert allowed.classes.all() == []
    assert "404" in logs[0]["error"]


def test_while_the_api_server_is_away_the_last_known_ones_hold(allowed: Cluster) -> None:
    apply(allowed.server, "speech", **SPEECH)
    clock = FakeClock()
    catalogue = ClassCatalogue(allowed.classes, "video2mp3", clock)
    assert names(catalogue) == ["speech"]
    allowed.server.stop()
    clock.now = FRESH_SECONDS
    assert names(catalogue) == ["speech"]
    with pytest.raises(DependencyUnavailable):
        ClassCatalogue(allowed.classes, "video2mp3").known()
    allowed.server.start()
    apply(allowed.server, "music", offered=True)
    clock.now = 2 * FRESH_SECONDS
    assert names(catalogue) == ["music", "speech"]


def test_an_api_server_that_hangs_takes_seconds(allowed: Cluster) -> None:
    allowed.server.pause()
    began = time.monotonic()
    with pytest.raises(DependencyUnavailable):
        allowed.classes.all()
    assert time.monotonic() - began < 8
