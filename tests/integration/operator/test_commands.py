"""An administrator's commands, run beside a real operator and real stores."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import gridfs
import pytest
from bson import ObjectId

from tests.contract.chart.helm import Chart
from tests.integration.operator.cluster import OWNER, Cluster
from tests.integration.operator.conftest import grant, running
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import KubernetesServer, MongoDBServer
from video2mp3_contracts.ledger.storage import FileMetadata

Stored = dict[str, list[dict[str, Any]]]


def forgotten(cluster: Cluster, installation: str) -> str:
    """An upload of two days ago that no Conversion names; answers its id."""
    file_id = ObjectId(ObjectId.from_datetime(datetime.now(UTC) - timedelta(days=2)).binary[:4] + ObjectId().binary[4:])
    metadata = FileMetadata(owner=OWNER, content_type="video/mp4", installation=installation or None).as_document()
    with cluster.mongodb.client() as client:
        bucket = gridfs.GridFSBucket(client["videos"])
        bucket.upload_from_stream_with_id(file_id, "a.mp4", b"x" * 300_000, metadata=metadata)
    return str(file_id)


def stored(mongodb: MongoDBServer) -> Stored:
    """Everything in the two databases."""
    with mongodb.client() as client:
        return {
            f"{database}.{name}": sorted(client[database][name].find(), key=lambda document: str(document["_id"]))
            for database in ("videos", "mp3s")
            for name in client[database].list_collection_names()
        }


def mark(cluster: Cluster, file_id: str, days: int) -> None:
    with cluster.mongodb.client() as client:
        since = datetime.now(UTC) - timedelta(days=days)
        client["videos"]["fs.files"].update_one({"_id": ObjectId(file_id)}, {"$set": {"metadata.unwantedSince": since}})


def test_a_dry_run_says_what_would_go_and_changes_nothing(cluster: Cluster, operator: OperatorProcess) -> None:
    assert operator.run("sweep", "--dry-run").stdout == b"Nothing is unwanted.\n"
    waiting = cluster.convert("waiting", suspend=True)
    cluster.await_reason(waiting, "Suspended")
    fresh, old, theirs = (forgotten(cluster, name) for name in (cluster.installation, cluster.installation, "other"))
    nameless = forgotten(cluster, "")
    mark(cluster, old, days=8)
    before = stored(cluster.mongodb)
    said = operator.run("sweep", "--dry-run").stdout.decode().splitlines()
    assert sorted(said) == sorted([f"upload {fresh} is marked next {OWNER}", f"upload {old} goes next {OWNER}"])
    assert stored(cluster.mongodb) == before
    assert {theirs, nameless} < set(cluster.files("videos"))


def test_what_an_older_version_stored_is_claimed_and_then_swept(cluster: Cluster, operator: OperatorProcess) -> None:
    nameless = forgotten(cluster, "")
    assert operator.run("sweep", "--dry-run").stdout == b"Nothing is unwanted.\n"
    assert operator.run("claim").stdout.startswith(b"1 files and ledger entries belong to")
    assert operator.run("sweep", "--dry-run").stdout == f"upload {nameless} is marked next {OWNER}\n".encode()


def test_what_is_held_back_goes_when_somebody_has_looked(cluster: Cluster, operator: OperatorProcess) -> None:
    files = [forgotten(cluster, cluster.installation) for _ in range(21)]
    for each in files:
        mark(cluster, each, days=8)
    said = operator.run("sweep", "--dry-run").stdout.decode()
    assert said.count("waits until somebody has looked") == 21
    assert "Nothing of the kind upload is removed: more is unwanted than could be by accident." in said
    operator.run("sweep", "--confirm")
    assert operator.run("sweep", "--dry-run").stdout.decode().count("goes next") == 21


def test_a_dump_is_put_back_as_it_was(cluster: Cluster, operator: OperatorProcess) -> None:
    cluster.convert("talk")
    cluster.await_job("talk")
    cluster.work("talk")
    cluster.complete("talk")
    cluster.await_reason("talk", "Succeeded")
    forgotten(cluster, cluster.installation)
    operator.stop()
    before = stored(cluster.mongodb)
    dump = operator.run("dump")
    count = sum(map(len, before.values()))
    assert dump.stderr.decode() == f"{count} documents were written.\n"
    cluster.mongodb.reset()
    for _ in range(2):  # what is there is replaced
        assert operator.run("load", stdin=dump.stdout).stderr.decode() == f"{count} documents were put back.\n"
        assert stored(cluster.mongodb) == before
    with cluster.mongodb.client() as client:
        assert "files_id_1_n_1" in client["mp3s"]["fs.chunks"].index_information()


@pytest.mark.parametrize("cut", [0.5, 1.0], ids=["in the middle", "before its end"])
def test_a_dump_that_was_cut_short_is_told(cluster: Cluster, operator: OperatorProcess, cut: float) -> None:
    forgotten(cluster, cluster.installation)
    dump = operator.run("dump").stdout
    end = len(dump) - 1 if cut == 1 else int(len(dump) * cut)
    assert operator.run("load", stdin=dump[:end], code=1).stderr.startswith(b"error: after ")


def test_what_is_no_dump_is_told(operator: OperatorProcess) -> None:
    assert operator.run("load", stdin=b"", code=1).stderr == b"error: it ends after 0 documents\n"
    assert operator.run("load", stdin=b"-- SQL" * 100, code=1).stderr.startswith(b"error: after 0 documents came")


def test_what_is_deleted_where_nobody_watches_any_more_is_let_go(
    cluster: Cluster, operator: OperatorProcess, operator_token: str, chart: Chart, kube_apiserver: KubernetesServer
) -> None:
    name = cluster.convert("talk")
    cluster.await_job(name)
    cluster.await_reason(name, "Starting")
    assert b"is watched" in operator.run("release", cluster.namespace, code=1).stderr
    operator.stop()
    other = kube_apiserver.new_namespace()
    grant(kube_apiserver, chart, other)
    with running(OperatorProcess(cluster.addresses, other, operator_token)) as elsewhere:
        cluster.delete(name)
        assert elsewhere.run("release", cluster.namespace).stdout == b"1 Conversions were let go.\n"
        assert not cluster.exists(name)
        assert (cluster.files("videos"), cluster.jobs()) == (set(), [])
        later = cluster.convert("later")
        assert b"1 stay, which nobody has deleted" in elsewhere.run("release", cluster.namespace).stdout
        assert cluster.exists(later)


def test_a_paused_operator_answers_and_does_nothing(cluster: Cluster, operator: OperatorProcess) -> None:
    operator.stop()
    operator.changes = {"OPERATOR_PAUSED": "true"}
    operator.start()
    cluster.convert("talk")
    time.sleep(2)  # in which one that is not paused would long have begun
    assert (operator.ask("/healthz")[0], operator.ask("/readyz")[0]) == (200, 200)
    operator.stop()  # as Kubernetes does, and it ends at once
    assert (cluster.jobs(), cluster.conversion("talk")["metadata"].get("finalizers", [])) == ([], [])


def test_what_was_kept_is_listed_and_purged(cluster: Cluster, operator: OperatorProcess) -> None:
    names = [cluster.convert(name, deletionPolicy="Retain") for name in ("kept", "other")]
    for name in names:
        cluster.await_job(name)
    mp3s = [cluster.work(name) for name in names]
    for name in names:
        cluster.await_reason(name, "Succeeded")
        cluster.delete(name)
        cluster.await_gone(name)
    listed = operator.run("retained")
    lines = [line.split() for line in listed.stdout.decode().splitlines()]
    assert sorted(line[:5] for line in lines) == sorted(
        [mp3, "0d", "27", OWNER, f"{cluster.namespace}/{name}"] for mp3, name in zip(mp3s, names, strict=True)
    )
    assert listed.stderr.decode() == "2 mp3s, 54 bytes.\n"
    assert operator.run("retained", "--owner", "b@example.com").stdout == b""
    assert operator.run("retained", "--older-than", "1", "--purge").stdout == b""
    assert cluster.files("mp3s") == {*mp3s}
    purged = operator.run("retained", "--owner", OWNER, "--purge").stdout.decode().splitlines()
    assert [line.endswith(" removed") for line in purged] == [True, True]
    assert (cluster.files("mp3s"), operator.run("retained").stdout) == (set(), b"")


def test_what_was_adopted_is_not_purged(cluster: Cluster, operator: OperatorProcess) -> None:
    file_id = cluster.upload()
    source = {"gridfs": {"fileId": file_id}}
    name = cluster.convert("first", source=source, deletionPolicy="Retain", sourcePolicy="Retain")
    cluster.await_job(name)
    mp3 = cluster.work(name)
    cluster.await_reason(name, "Succeeded")
    cluster.delete(name)
    cluster.await_gone(name)
    cluster.convert("second", source=source, output={"filename": "first.mp3"})
    cluster.await_reason("second", "Succeeded")
    said = operator.run("retained", "--purge").stdout.decode()
    assert "adopted since: it stays" in said
    assert mp3 in cluster.files("mp3s")
