"""③ Conversions in a real API server, with the permissions that the chart gives the gateway."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.integration.gateway.cluster import BOB, Cluster
from tests.servers import KubernetesServer
from video2mp3_gateway.adapters.kubernetes_api import KubernetesConversions
from video2mp3_gateway.ports.systems import ConversionRefused, DependencyUnavailable, VersionExpired

UNREADABLE = '{"status": {"attempts": [{"number": 1, "startTime": "0000-01-01T00:00:00Z"}]}}'
"""What the API server takes and the models do not: a year that Python does not know."""
RUNNING = '{"status": {"phase": "Running"}}'


@pytest.fixture
def cluster(kube_apiserver: KubernetesServer, tmp_path: Path) -> Iterator[Cluster]:
    """An empty namespace."""
    cluster = Cluster(kube_apiserver, tmp_path)
    yield cluster
    cluster.close()


def test_what_is_created_is_there(cluster: Cluster) -> None:
    wanted = cluster.conversion()
    cluster.conversions.create(wanted)
    found = cluster.conversions.get(wanted.metadata.name)
    assert found is not None
    assert found.spec == wanted.spec
    assert found.status.phase == "Pending"
    assert found.metadata.uid
    assert found.metadata.creation_timestamp is not None


def test_creating_it_again_is_no_second_one(cluster: Cluster) -> None:
    created = [cluster.conversions.create(cluster.conversion()) for _ in range(3)]
    assert len({document["metadata"]["uid"] for document in created}) == 1
    assert len(cluster.conversions.list_page("").documents) == 1


def test_one_that_cannot_be_read_is_not_there(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    cluster.kubectl("patch", "conversion", "talk", "--subresource=status", "--type=merge", f"--patch={UNREADABLE}")
    assert cluster.conversions.get("talk") is None
    with pytest.raises(ConversionRefused, match="another one"):
        cluster.conversions.create(cluster.conversion(name="talk"))


def test_another_one_of_the_same_name_is_not_taken_for_it(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    with pytest.raises(ConversionRefused, match="another one"):
        cluster.conversions.create(cluster.conversion(name="talk", owner=BOB))
    with pytest.raises(ConversionRefused, match="another one"):
        cluster.conversions.create(cluster.conversion("b" * 24, name="talk"))


def test_a_long_list_comes_in_pages_of_one_version(cluster: Cluster) -> None:
    names = cluster.fill(70)
    first = cluster.conversions.list_page("")
    cluster.conversions.create(cluster.conversion(name="zzz-later"))
    second = cluster.conversions.list_page(first.following)
    assert (len(first.documents), second.version, second.following) == (50, first.version, "")
    assert [document["metadata"]["name"] for document in first.documents + second.documents] == names


def test_what_happens_is_watched_from_a_version_on(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="before"))
    version = cluster.conversions.list_page("").version
    cluster.conversions.create(cluster.conversion(name="talk"))
    events = cluster.conversions.watch(version)
    cluster.kubectl("patch", "conversion", "talk", "--subresource=status", "--type=merge", f"--patch={RUNNING}")
    cluster.conversions.delete("talk")
    told = list(islice(events, 3))
    assert [event.kind for event in told] == ["ADDED", "MODIFIED", "DELETED"]
    assert [event.document["status"]["phase"] for event in told] == ["Pending", "Running", "Running"]
    versions = [int(event.document["metadata"]["resourceVersion"]) for event in told]
    assert versions == sorted(versions)
    assert version < versions[0]
    assert cluster.conversions.version() >= versions[-1]


def test_a_version_that_is_forgotten_is_told_so(cluster: Cluster) -> None:
    with pytest.raises(VersionExpired, match="too old"):
        list(cluster.conversions.watch(1))


def test_a_watch_that_loses_its_server_says_so(cluster: Cluster) -> None:
    events = cluster.conversions.watch(cluster.conversions.list_page("").version)
    cluster.server.kill()
    with pytest.raises(DependencyUnavailable):
        list(events)


def test_deleting(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    found = cluster.conversions.get("talk")
    assert found is not None
    cluster.conversions.delete("talk", uid="another")
    assert cluster.conversions.get("talk") is not None
    assert cluster.conversions.delete("talk", found.metadata.uid) is None
    assert cluster.conversions.get("talk") is None
    assert cluster.conversions.delete("talk", found.metadata.uid) is None


def test_what_a_finalizer_holds_is_told_as_it_is_left(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.held(cluster.conversion(name="talk")))
    left = cluster.conversions.delete("talk")
    assert left is not None
    assert left["metadata"]["deletionTimestamp"]


MOMENT = "2026-03-01T12:05:00.000Z"


def test_asking_for_a_retry_sets_the_annotation_and_nothing_else(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    cluster.kubectl("annotate", "conversion", "talk", "somebody.example/note=stays")
    before = cluster.conversions.get("talk")
    assert before is not None
    answer = cluster.conversions.retry("talk", before.metadata.uid, MOMENT)
    assert answer is not None
    after = cluster.conversions.get("talk")
    assert after is not None
    assert after.metadata.retry_requested_at == MOMENT
    assert after.metadata.annotations["somebody.example/note"] == "stays"
    assert (after.spec, after.status, after.metadata.generation) == (
        before.spec,
        before.status,
        before.metadata.generation,
    )
    assert answer["metadata"]["resourceVersion"] == after.metadata.resource_version


def test_a_retry_of_another_one_or_of_none_is_none(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    assert cluster.conversions.retry("talk", "another", MOMENT) is None
    assert cluster.conversions.retry("missing", "another", MOMENT) is None
    there = cluster.conversions.get("talk")
    assert there is not None
    assert there.metadata.annotations == {}


@pytest.mark.parametrize("name", ["missing", "..", "../secrets", "a/status", "", "A", "x" * 300, "a\n"])
def test_what_is_no_name_is_not_there(cluster: Cluster, name: str) -> None:
    assert cluster.conversions.get(name) is None


def test_what_the_server_refuses_is_refused(cluster: Cluster) -> None:
    conversion = cluster.conversion(name="x" * 64)
    with pytest.raises(ConversionRefused, match="at most 63 characters"):
        cluster.conversions.create(conversion)


def test_a_namespace_without_permission_is_refused(cluster: Cluster) -> None:
    elsewhere = KubernetesConversions(cluster.client, "default")
    with pytest.raises(ConversionRefused, match="403"):
        elsewhere.create(cluster.conversion())
    with pytest.raises(DependencyUnavailable, match="forbidden"):
        elsewhere.ping()


def test_an_api_that_is_away_and_comes_back(cluster: Cluster) -> None:
    cluster.conversions.ping()
    cluster.server.stop()
    with pytest.raises(DependencyUnavailable):
        cluster.conversions.create(cluster.conversion())
    with pytest.raises(DependencyUnavailable):
        cluster.conversions.ping()
    cluster.server.start()
    cluster.conversions.create(cluster.conversion())
    assert cluster.conversions.get(cluster.conversion().metadata.name) is not None
