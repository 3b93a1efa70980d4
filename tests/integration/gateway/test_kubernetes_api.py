"""③ Conversions in a real API server, with the permissions that the chart gives the gateway."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import KubernetesServer
from video2mp3_contracts.conversion import Conversion, ConversionSpec, GridFSSource, Notify, ObjectMeta, Source
from video2mp3_contracts.output import Output
from video2mp3_gateway.kubernetes_api import KubernetesConversions, connect
from video2mp3_gateway.ports import ConversionRefused, ServiceAway

ALICE = "alice@example.com"
BOB = "bob@example.com"
UNREADABLE = '{"status": {"attempts": [{"number": 1, "startTime": "0000-01-01T00:00:00Z"}]}}'
"""What the API server takes and the models do not: a year that Python does not know."""


class Cluster:
    """A namespace of one's own, and the gateway's access to it."""

    def __init__(self, server: KubernetesServer, folder: Path) -> None:
        self.server = server
        self.namespace = server.new_namespace()
        self._client = connect(self._kubeconfig(folder), connections=2)
        self.conversions = KubernetesConversions(self._client, self.namespace)

    def close(self) -> None:
        self._client.close()

    def kubectl(self, *arguments: str) -> str:
        return self.server.kubectl("--namespace", self.namespace, *arguments)

    def _kubeconfig(self, folder: Path) -> Path:
        """A service account's token, with the rights of the chart's Role."""
        self.kubectl("create", "serviceaccount", "gateway")
        self.kubectl(
            "create", "role", "gateway", "--verb=create,delete,get,list,watch", "--resource=conversions.video2mp3.dev"
        )
        account = f"--serviceaccount={self.namespace}:gateway"
        self.kubectl("create", "rolebinding", "gateway", "--role=gateway", account)
        token = self.kubectl("create", "token", "gateway").strip()
        configuration = json.loads(self.server.kubeconfig.read_text())
        configuration["users"][0]["user"] = {"token": token}
        file = folder / "kubeconfig"
        file.write_text(json.dumps(configuration))
        return file

    def conversion(self, file_id: str = "a" * 24, owner: str = ALICE, name: str = "") -> Conversion:
        spec = ConversionSpec(
            source=Source(gridfs=GridFSSource(file_id=file_id)),
            output=Output(filename="talk.mp3"),
            owner=owner,
            notify=Notify(email=owner),
        )
        return Conversion(metadata=ObjectMeta(name=name or f"upload-{file_id}", namespace=self.namespace), spec=spec)


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
    for _ in range(3):
        cluster.conversions.create(cluster.conversion())
    assert len(list(cluster.conversions.owned_by(ALICE))) == 1


def test_one_that_cannot_be_read_is_not_there(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    cluster.kubectl("patch", "conversion", "talk", "--subresource=status", "--type=merge", f"--patch={UNREADABLE}")
    assert cluster.conversions.get("talk") is None
    assert list(cluster.conversions.owned_by(ALICE)) == []
    with pytest.raises(ConversionRefused, match="another one"):
        cluster.conversions.create(cluster.conversion(name="talk"))


def test_another_one_of_the_same_name_is_not_taken_for_it(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    with pytest.raises(ConversionRefused, match="another one"):
        cluster.conversions.create(cluster.conversion(name="talk", owner=BOB))
    with pytest.raises(ConversionRefused, match="another one"):
        cluster.conversions.create(cluster.conversion("b" * 24, name="talk"))


@pytest.mark.parametrize("owner", [ALICE, "a=b,c\\d@example.com", "spec.owner!=@example.com", "ü@example.com"])
def test_an_account_sees_its_own(cluster: Cluster, owner: str) -> None:
    cluster.conversions.create(cluster.conversion("a" * 24, owner))
    cluster.conversions.create(cluster.conversion("b" * 24, BOB))
    assert [found.spec.owner for found in cluster.conversions.owned_by(owner)] == [owner]


def test_a_long_list_is_complete(cluster: Cluster) -> None:
    file_ids = [f"{number:024x}" for number in range(230)]
    for file_id in file_ids:
        cluster.conversions.create(cluster.conversion(file_id))
    assert [found.metadata.name for found in cluster.conversions.owned_by(ALICE)] == [f"upload-{i}" for i in file_ids]


def test_deleting(cluster: Cluster) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    found = cluster.conversions.get("talk")
    assert found is not None
    cluster.conversions.delete("talk", uid="another")
    assert cluster.conversions.get("talk") is not None
    cluster.conversions.delete("talk", found.metadata.uid)
    assert cluster.conversions.get("talk") is None
    cluster.conversions.delete("talk", found.metadata.uid)


@pytest.mark.parametrize("name", ["missing", "..", "../secrets", "a/status", "", "A", "x" * 300, "a\n"])
def test_what_is_no_name_is_not_there(cluster: Cluster, name: str) -> None:
    assert cluster.conversions.get(name) is None


def test_what_the_server_refuses_is_refused(cluster: Cluster) -> None:
    conversion = cluster.conversion(name="x" * 64)
    with pytest.raises(ConversionRefused, match="at most 63 characters"):
        cluster.conversions.create(conversion)


def test_a_namespace_without_permission_is_refused(cluster: Cluster) -> None:
    elsewhere = KubernetesConversions(cluster._client, "default")
    with pytest.raises(ConversionRefused, match="403"):
        elsewhere.create(cluster.conversion())
    with pytest.raises(ServiceAway, match="forbidden"):
        elsewhere.ping()


def test_an_api_that_is_away_and_comes_back(cluster: Cluster) -> None:
    cluster.conversions.ping()
    cluster.server.stop()
    with pytest.raises(ServiceAway):
        cluster.conversions.create(cluster.conversion())
    with pytest.raises(ServiceAway):
        cluster.conversions.ping()
    cluster.server.start()
    cluster.conversions.create(cluster.conversion())
    assert cluster.conversions.get(cluster.conversion().metadata.name) is not None
