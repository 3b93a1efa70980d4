"""Audio that is split, by the real operator on a real API server; its nodes are the test's."""

from datetime import UTC, datetime
from typing import Any

import gridfs
import pytest

from tests.integration.operator.cluster import OWNER, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers.process import await_condition
from video2mp3_contracts.api import names
from video2mp3_contracts.jobs.worker import TerminationMessage, WorkerRequest
from video2mp3_contracts.ledger.storage import FileMetadata

DIVIDED = TerminationMessage(exit_code=0, reason="Divided", message="The sound is long.")


def request(job: dict[str, Any]) -> WorkerRequest:
    [container] = job["spec"]["template"]["spec"]["containers"]
    [value] = [each["value"] for each in container["env"] if each["name"] == "WORKER_REQUEST"]
    return WorkerRequest.model_validate_json(value)


def note(cluster: Cluster, name: str, fields: dict[str, Any]) -> None:
    uid = cluster.conversion(name)["metadata"]["uid"]
    identity = {"namespace": cluster.namespace, "name": name, "owner": OWNER}
    with cluster.mongodb.client() as client:
        client.mp3s.conversions.update_one({"_id": uid}, {"$set": identity | fields}, upsert=True)


def store_part(cluster: Cluster, name: str, number: int) -> str:
    """A worker stores a part; answers its file's id."""
    uid = cluster.conversion(name)["metadata"]["uid"]
    metadata = FileMetadata(owner="", content_type="application/octet-stream", kind="part", conversion_uid=uid)
    with cluster.mongodb.client() as client:
        bucket = gridfs.GridFSBucket(client.mp3s)
        file_id = str(bucket.upload_from_stream("talk.mp3", b"part" * 9, metadata=metadata.as_document()))
        part = {"token": "t", "pod": "", "startedAt": datetime.now(UTC), "files": [file_id], "fileId": file_id}
        part["progress"] = {"processedSeconds": 30.0, "durationSeconds": 120.0}
        client.mp3s.conversions.update_one({"_id": uid}, {"$addToSet": {"uploads": file_id}}, upsert=True)
    note(cluster, name, {f"parts.{number}": part})
    return file_id


def stored(cluster: Cluster) -> set[str]:
    with cluster.mongodb.client() as client:
        return {str(file["_id"]) for file in client.mp3s["fs.files"].find()}


def await_divided_job(cluster: Cluster, name: str, parts: int) -> dict[str, Any]:
    """Wait for the Job with that many parts, and no other."""

    def there() -> bool:
        return [job["spec"].get("completions") for job in cluster.jobs(name)] == [parts]

    await_condition(there, seconds=30, what=f"{name} got no Job with {parts} parts")
    return cluster.jobs(name)[0]


def test_the_api_server_takes_a_job_with_many_parts_and_a_pod_of_it(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    name = cluster.convert(parallelism=3)

    job = await_divided_job(cluster, name, 3)

    spec = job["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (3, 0)
    assert {rule["action"] for rule in spec["podFailurePolicy"]["rules"]} == {"Ignore", "FailJob"}
    assert (request(job).parts, request(job).division) == (3, None)
    cluster.pod(name, running={"startedAt": "2026-03-01T12:00:00Z"})
    cluster.run(name)
    for number in range(2):
        store_part(cluster, name, number)
    running = cluster.await_status(name, lambda status: status.get("progress", {}).get("percent") == 50)
    assert running["reason"] == "Running"


def test_a_sound_that_a_worker_found_long_is_made_by_many(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(parallelism="auto")
    first = cluster.await_job(name)
    assert "completionMode" not in first["spec"] or first["spec"]["completionMode"] == "NonIndexed"
    assert request(first).division is not None
    cluster.pod(name, terminated=cluster.ended(DIVIDED))
    note(cluster, name, {"parallelism": 4, "attempt": {"token": "t", "pod": "", "startedAt": datetime.now(UTC)}})
    operator.kill()
    cluster.complete(name)
    operator.start()

    job = await_divided_job(cluster, name, 4)

    assert job["metadata"]["labels"][names.LABEL_JOB_GENERATION] == "1"
    assert job["metadata"]["name"] != first["metadata"]["name"]
    parts = {store_part(cluster, name, number) for number in range(4)}
    assert stored(cluster) == parts
    operator.kill()
    mp3 = cluster.work(name)
    with cluster.mongodb.client() as client:
        client.mp3s.conversions.update_one({}, {"$addToSet": {"uploads": {"$each": sorted(parts)}}})
    operator.start()
    status = cluster.await_reason(name, "Succeeded")
    assert [each["reason"] for each in status["attempts"]] == ["Divided"]
    assert stored(cluster) == {mp3}


@pytest.mark.parametrize("end", ["deleted", "failed"])
def test_the_parts_of_one_that_ends_without_an_mp3_go(cluster: Cluster, operator: OperatorProcess, end: str) -> None:
    name = cluster.convert(parallelism=2)
    await_divided_job(cluster, name, 2)
    store_part(cluster, name, 0)

    if end == "deleted":
        cluster.delete(name)
        cluster.await_gone(name)
    else:
        cluster.give_up(name, "MaxFailedIndexesExceeded")
        status = cluster.await_status(name, lambda status: status["phase"] == "Failed")
        assert status["reason"] == "RetriesExhausted"

    assert stored(cluster) == set()


def test_a_suspended_one_keeps_the_parts_that_are_complete(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(parallelism=2)
    await_divided_job(cluster, name, 2)
    part = store_part(cluster, name, 0)
    cluster.change(name, suspend=True)
    cluster.await_reason(name, "Suspended")
    await_condition(lambda: cluster.jobs(name) == [], seconds=30, what="the Job stayed")

    cluster.change(name, suspend=False)

    await_divided_job(cluster, name, 2)
    assert stored(cluster) == {part}
