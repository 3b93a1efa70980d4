"""Nothing is lost and nobody is told twice when everything is lost but a backup: rehearsed with real stores.

The operator runs on a clock that is set weeks ahead for its sweeps; a file that nothing wants is put beside the others,
and its going shows that the sweep has been through everything.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gridfs
import pytest
from bson import ObjectId

from tests.contract.chart.helm import Chart
from tests.disaster import lose_conversions, store_unwanted
from tests.integration.operator.cluster import OWNER, SECONDS, Cluster
from tests.integration.operator.conftest import grant, running
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import KubernetesServer, MongoDBServer
from tests.servers.clock import SetClock
from tests.servers.process import await_condition
from video2mp3_contracts.api import names

WEEKS_IN_HOURS = 3 * 7 * 24
QUICK = {"OPERATOR_ORPHAN_SWEEP_SECONDS": "0.3"}


def restart(operator: OperatorProcess, **changes: str) -> None:
    operator.stop()
    operator.changes = {**QUICK, **changes}
    operator.start()


def finish(cluster: Cluster, name: str) -> str:
    """A Conversion that ends well, and whose worker tells so; answers its mp3's id."""
    cluster.convert(name)
    cluster.await_job(name)
    file_id = cluster.work(name)
    cluster.complete(name)
    cluster.await_reason(name, "Succeeded")
    await_condition(lambda: not cluster.has_source(name), seconds=SECONDS, what="the source did not go")
    return file_id


def listed(cluster: Cluster) -> str:
    """All Conversions, as `kubectl get conversions --output yaml` writes them."""
    return cluster.api.server.kubectl("get", "conversions", "--namespace", cluster.namespace, "--output", "json")


def remove_conversions(cluster: Cluster) -> None:
    lose_conversions(lambda *words: cluster.api.server.kubectl(*words, "--namespace", cluster.namespace))


def mp3s(mongodb: MongoDBServer) -> dict[str, tuple[bytes, str]]:
    """Each mp3's content and the uid of its Conversion, by id."""
    with mongodb.client() as client:
        bucket = gridfs.GridFSBucket(client["mp3s"])
        return {
            str(file._id): (file.read(), file.metadata["conversionUid"])
            for file in bucket.find({"metadata.kind": "mp3", "metadata.owner": OWNER})
        }


def decoy(cluster: Cluster, ahead: int = 0) -> str:
    """An upload that no Conversion names; answers its id."""
    moment = datetime.now(UTC) + timedelta(hours=ahead) - timedelta(days=2)
    with cluster.mongodb.client() as client:
        return store_unwanted(client, OWNER, cluster.installation, moment)


def marked(cluster: Cluster, file_id: str) -> bool:
    query = {"_id": ObjectId(file_id), "metadata.unwantedSince": {"$exists": True}}
    with cluster.mongodb.client() as client:
        return client["videos"]["fs.files"].find_one(query) is not None


def sweep_weeks_later(cluster: Cluster, operator: OperatorProcess, clock: SetClock) -> None:
    """Let the operator sweep now, three weeks later, and three weeks after that: until what is nobody's has gone."""
    left = decoy(cluster)
    for number in range(3):
        clock.set(number * WEEKS_IN_HOURS)
        restart(operator, **clock.environment)
        if number == 0:
            await_condition(lambda: marked(cluster, left), seconds=SECONDS, what="nothing was marked")
    later = decoy(cluster, 2 * WEEKS_IN_HOURS)
    await_condition(lambda: left not in cluster.files("videos"), seconds=SECONDS, what="nothing was swept")
    await_condition(lambda: marked(cluster, later), seconds=SECONDS, what="nothing was marked again")
    clock.set(3 * WEEKS_IN_HOURS)
    await_condition(lambda: later not in cluster.files("videos"), seconds=SECONDS, what="nothing was swept again")
    clock.set(0)


@pytest.fixture
def clock(operator: OperatorProcess) -> SetClock:
    return SetClock(operator.directory / "clock")


def test_a_restore_by_the_book_loses_nothing_and_tells_nobody_again(
    cluster: Cluster, operator: OperatorProcess, clock: SetClock
) -> None:
    restart(operator)
    made = {name: finish(cluster, name) for name in ("one", "two", "three")}
    cluster.convert("refused", owner="b@example.com")
    cluster.await_reason("refused", "OwnerMismatch")
    assert cluster.await_message().kind == "failed"
    waiting = cluster.convert("waiting", suspend=True)
    before = mp3s(cluster.mongodb)

    # The backup: Conversions first, so that what they name is in the dump.
    conversions = listed(cluster)
    dump = operator.run("dump").stdout
    operator.stop()
    remove_conversions(cluster)
    cluster.mongodb.reset()

    # The restore.
    operator.changes = {"OPERATOR_PAUSED": "true"}
    operator.start()
    operator.run("load", stdin=dump)
    cluster.api.server.kubectl("apply", "--filename", "-", stdin=conversions)
    restart(operator)

    for name, file_id in made.items():
        assert cluster.await_reason(name, "Succeeded")["output"]["fileId"] == file_id
    assert cluster.await_reason("refused", "OwnerMismatch")["phase"] == "Failed"
    assert cluster.await_reason(waiting, "Suspended")
    sweep_weeks_later(cluster, operator, clock)
    uids = {file_id: cluster.conversion(name)["metadata"]["uid"] for name, file_id in made.items()}
    assert mp3s(cluster.mongodb) == {file_id: (content, uids[file_id]) for file_id, (content, _) in before.items()}
    assert cluster.has_source(waiting)
    assert (cluster.jobs(), cluster.messages()) == ([], [])

    # And all of it still works: what is deleted goes, what waits is converted.
    restart(operator)
    cluster.delete("one")
    cluster.await_gone("one")
    assert set(mp3s(cluster.mongodb)) == {made["two"], made["three"]}
    cluster.change(waiting, suspend=False)
    cluster.await_job(waiting)


def test_a_restore_that_brings_statuses_back_keeps_every_mp3(
    cluster: Cluster, operator: OperatorProcess, clock: SetClock
) -> None:
    """Some backup tools do; a Conversion that is finished by its status never looks at the ledger again."""
    restart(operator)
    file_id = finish(cluster, "talk")
    status = cluster.conversion("talk")["status"]
    conversions = listed(cluster)
    operator.stop()
    remove_conversions(cluster)
    cluster.api.server.kubectl("apply", "--filename", "-", stdin=conversions)
    path = f"/apis/{names.GROUP}/{names.VERSION}/namespaces/{cluster.namespace}/{names.PLURAL}/talk/status"
    cluster.api("PATCH", path, {"status": status})
    operator.start()
    sweep_weeks_later(cluster, operator, clock)
    uid = cluster.conversion("talk")["metadata"]["uid"]
    assert {key: whose for key, (_, whose) in mp3s(cluster.mongodb).items()} == {file_id: uid}
    cluster.delete("talk")
    cluster.await_gone("talk")
    assert mp3s(cluster.mongodb) == {}


def test_two_installations_share_a_mongodb(
    kube_apiserver: KubernetesServer,
    chart: Chart,
    cluster: Cluster,
    operator: OperatorProcess,
    operator_token: str,
    clock: SetClock,
) -> None:
    other = Cluster(cluster.api, kube_apiserver.new_namespace(), cluster.mongodb, cluster.rabbitmq, "other/video2mp3")
    cluster.api("POST", f"/api/v1/namespaces/{other.namespace}/serviceaccounts", {"metadata": {"name": "default"}})
    grant(kube_apiserver, chart, cluster.namespace, other.namespace)
    restart(operator)
    ours = finish(cluster, "talk")
    neighbour = OperatorProcess(cluster.addresses, other.namespace, operator_token)
    neighbour.changes = {**QUICK, "OPERATOR_INSTALLATION": other.installation}
    with running(neighbour):
        theirs = finish(other, "talk")
        waiting = other.convert("waiting", suspend=True)
        other.await_reason(waiting, "Suspended")
        neighbour.stop()
        unwanted = decoy(other)
        sweep_weeks_later(cluster, operator, clock)
        assert set(mp3s(cluster.mongodb)) == {ours, theirs}
        assert other.has_source(waiting)
        assert unwanted in other.files("videos")
        neighbour.start()
        assert other.conversion("talk")["status"]["reason"] == "Succeeded"


class SetBack:
    """The API server's database, kept and put back as an administrator would: with both stopped."""

    def __init__(self, server: KubernetesServer, folder: Path) -> None:
        self._server = server
        self._kept = folder / "etcd"

    @property
    def _data(self) -> Path:
        [argument] = [each for each in self._server.etcd.command() if each.startswith("--data-dir=")]
        return Path(argument.partition("=")[2])

    def keep(self) -> None:
        self._stopped(lambda: shutil.copytree(self._data, self._kept))

    def put_back(self) -> None:
        def replace() -> None:
            shutil.rmtree(self._data)
            shutil.copytree(self._kept, self._data)

        self._stopped(replace)

    def _stopped(self, work: Any) -> None:
        self._server.stop()
        self._server.etcd.stop()
        work()
        self._server.etcd.start()
        self._server.start()


@pytest.fixture
def etcd(kube_apiserver: KubernetesServer, tmp_path: Path) -> Iterator[SetBack]:
    return SetBack(kube_apiserver, tmp_path)


def test_an_etcd_that_was_set_back_loses_no_mp3(
    cluster: Cluster, operator: OperatorProcess, clock: SetClock, etcd: SetBack
) -> None:
    restart(operator)
    old = finish(cluster, "old")
    cluster.convert("running")
    cluster.await_job("running")
    operator.stop()
    etcd.keep()
    operator.start()
    ran = cluster.work("running")
    cluster.complete("running")
    cluster.await_reason("running", "Succeeded")
    new = finish(cluster, "new")
    forgotten = listed(cluster)
    operator.stop()
    etcd.put_back()
    operator.start()

    assert cluster.await_reason("running", "Succeeded")["output"]["fileId"] == ran
    assert not cluster.exists("new")
    sweep_weeks_later(cluster, operator, clock)
    assert set(mp3s(cluster.mongodb)) == {old, ran, new}

    restart(operator)
    [lost] = [item for item in json.loads(forgotten)["items"] if item["metadata"]["name"] == "new"]
    cluster.api.server.kubectl("apply", "--filename", "-", stdin=json.dumps(lost))
    assert cluster.await_reason("new", "Succeeded")["output"]["fileId"] == new
    assert cluster.messages() == []
