"""The real operator, with everything around it real but the nodes."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.operator.cluster import OWNER, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import KubernetesServer
from tests.servers.process import await_condition
from video2mp3_contracts.api import names
from video2mp3_contracts.jobs.worker import TerminationMessage

NO_AUDIO = TerminationMessage(
    exit_code=65, reason="NoAudio", message="The video has no sound.", detail="Stream map '0:a' matches no streams."
)


def conditions(status: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in status["conditions"]}


def test_a_conversion_becomes_a_job_a_result_and_a_success(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    job = cluster.await_job(name)
    assert job["metadata"]["name"] == names.job_name(name, cluster.conversion(name)["metadata"]["uid"])
    cluster.await_reason(name, "Starting")
    pod = cluster.pod(name, running={"startedAt": "2026-03-01T12:00:00Z"})
    cluster.run(name)
    cluster.report(name, 40)
    cluster.await_reason(name, "Running")
    cluster.await_status(name, lambda status: status.get("progress", {}).get("percent") == 40)
    running = cluster.await_status(name, lambda status: bool(status.get("attempts")))
    assert [(each["pod"], each["node"], each["reason"]) for each in running["attempts"]] == [(pod, "node-1", "Running")]
    mp3 = cluster.work(name, pod=pod)
    status = cluster.await_reason(name, "Succeeded")
    assert conditions(status) == {"Ready": "True", "Complete": "True"}
    assert status["output"]["fileId"] == mp3
    assert [(each["pod"], each["reason"]) for each in status["attempts"]] == [(pod, "Succeeded")]
    assert not cluster.has_source(name)
    await_condition(lambda: len(cluster.events(name)) == 2, seconds=10, what="the Events did not come")
    assert set(cluster.events(name)) == {("Normal", "Starting"), ("Normal", "Succeeded")}


def test_a_result_counts_though_the_job_is_gone(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(ttlSecondsAfterFinished=3600)
    cluster.await_job(name)
    operator.stop()
    cluster.work(name, publish=False)
    cluster.remove_job(name)
    operator.start()
    status = cluster.await_reason(name, "Succeeded")
    assert cluster.jobs() == []
    message = cluster.await_message()
    assert (message.kind, message.email, message.filename) == ("succeeded", OWNER, "talk.mp3")
    assert message.expires_at is not None
    goes = datetime.fromisoformat(status["completionTime"]) + timedelta(hours=1)
    assert abs(goes - message.expires_at) < timedelta(seconds=30)


def test_a_permanent_failure_tells_why_at_once_and_sends_one_message(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    name = cluster.convert()
    cluster.await_job(name)
    pod = cluster.pod(name, terminated=cluster.ended(NO_AUDIO))
    status = cluster.await_reason(name, "NoAudio")
    # The Job says it a moment later, and stays for its log.
    cluster.give_up(name, "PodFailurePolicy")
    assert status["message"] == "The video has no sound."
    assert conditions(status) == {"Ready": "False", "Stalled": "True", "Failed": "True"}
    [attempt] = status["attempts"]
    assert {key: attempt[key] for key in ("pod", "node", "exitCode", "reason", "detail")} == {
        "pod": pod,
        "node": "node-1",
        "exitCode": 65,
        "reason": "NoAudio",
        "detail": "Stream map '0:a' matches no streams.",
    }
    message = cluster.await_message()
    assert (message.kind, message.reason, message.message) == ("failed", "NoAudio", "The video has no sound.")
    await_condition(
        lambda: bool((cluster.ledger(name) or {}).get("messages", {}).get("failed", {}).get("publishedAt")),
        seconds=10,
        what="the message was not marked as published",
    )
    operator.kill()
    operator.start()
    # Its first sweep looks for messages that are owed; a later Conversion's message shows that it is over.
    cluster.convert("later", owner="b@example.com")
    assert cluster.await_message().reason == "OwnerMismatch"


def test_killed_between_the_job_and_the_status_it_makes_no_second_job(
    cluster: Cluster, operator: OperatorProcess, kube_apiserver: KubernetesServer
) -> None:
    """The status write is made to fail, so that the kill surely comes between the two."""
    role = kube_apiserver.kubectl("get", "role", "video2mp3-operator", "-n", cluster.namespace, "-o", "json")
    without = json.loads(role)
    without["rules"] = [rule for rule in without["rules"] if rule["resources"] != ["conversions/status"]]
    kube_apiserver.kubectl("replace", "--filename", "-", stdin=json.dumps(without))
    name = cluster.convert()
    job = cluster.await_job(name)
    operator.kill()
    assert cluster.conversion(name)["status"]["phase"] == "Pending"
    whole = json.loads(role)
    del whole["metadata"]["resourceVersion"]
    kube_apiserver.kubectl("replace", "--filename", "-", stdin=json.dumps(whole))
    operator.start()
    cluster.await_reason(name, "Starting")
    assert [each["metadata"]["uid"] for each in cluster.jobs()] == [job["metadata"]["uid"]]


@pytest.mark.parametrize(
    ("reason", "spec"),
    [
        ("SourceNotFound", {"source": {"gridfs": {"fileId": "0123456789abcdef01234567"}}}),
        ("OwnerMismatch", {"owner": "b@example.com"}),
        ("SourceNotAllowed", {"source": {"url": "https://example.org/film.mp4"}}),
    ],
)
def test_what_cannot_be_done_fails_at_once(
    cluster: Cluster, operator: OperatorProcess, reason: str, spec: dict[str, Any]
) -> None:
    name = cluster.convert(**spec)
    cluster.await_reason(name, reason)
    assert cluster.jobs() == []
    assert cluster.await_message().reason == reason


def test_deletion_takes_the_files_with_it(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    cluster.await_job(name)
    cluster.work(name)
    cluster.complete(name)
    cluster.await_reason(name, "Succeeded")
    assert cluster.files("mp3s")
    cluster.delete(name)
    cluster.await_gone(name)
    assert (cluster.files("mp3s"), cluster.files("videos"), cluster.jobs()) == (set(), set(), [])


def test_deletion_while_it_runs_stops_the_job_and_leaves_nothing(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    cluster.await_job(name)
    cluster.run(name)
    cluster.await_reason(name, "Running")
    cluster.delete(name)
    cluster.await_gone(name)
    assert (cluster.files("mp3s"), cluster.files("videos"), cluster.jobs()) == (set(), set(), [])


def test_deletion_while_the_operator_is_down_waits_for_it(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    cluster.await_job(name)
    operator.kill()
    cluster.delete(name)
    assert cluster.exists(name)
    operator.start()
    cluster.await_gone(name)
    assert cluster.files("videos") == set()


def test_deletion_waits_for_mongodb(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    cluster.await_job(name)
    cluster.mongodb.stop()
    cluster.delete(name)
    cluster.await_reason(name, "Deleting")
    cluster.mongodb.start()
    cluster.await_gone(name)
    assert cluster.files("videos") == set()


def test_deletion_does_not_wait_for_mongodb_for_ever(cluster: Cluster, operator: OperatorProcess) -> None:
    operator.stop()
    operator.changes = {"OPERATOR_RELEASE_AFTER_SECONDS": "3"}
    operator.start()
    name = cluster.convert()
    cluster.await_job(name)
    cluster.mongodb.stop()
    cluster.delete(name)
    cluster.await_gone(name)
    assert "video2mp3_operator_deletions_abandoned_total 1.0" in operator.ask("/metrics")[1]


def test_mongodb_away_delays_and_fails_nothing(cluster: Cluster, operator: OperatorProcess) -> None:
    file_id = cluster.upload()
    cluster.mongodb.stop()
    name = cluster.convert(source={"gridfs": {"fileId": file_id}})
    cluster.await_reason(name, "ServiceUnavailable")
    assert cluster.jobs() == []
    cluster.mongodb.start()
    cluster.await_reason(name, "Starting")


def test_rabbitmq_away_delays_the_message_and_not_the_status(cluster: Cluster, operator: OperatorProcess) -> None:
    cluster.rabbitmq.stop()
    name = cluster.convert(owner="b@example.com")
    cluster.await_reason(name, "OwnerMismatch")
    cluster.rabbitmq.start()
    assert cluster.await_message(60).kind == "failed"


def test_rabbitmq_away_and_the_operator_killed_loses_no_message(cluster: Cluster, operator: OperatorProcess) -> None:
    cluster.rabbitmq.stop()
    name = cluster.convert(owner="b@example.com")
    cluster.await_reason(name, "OwnerMismatch")
    operator.kill()
    cluster.rabbitmq.start()
    operator.start()
    assert cluster.await_message(60).message_id == f"{cluster.conversion(name)['metadata']['uid']}:failed"


def test_suspending_stops_the_job_and_resuming_makes_a_new_one(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    first = cluster.await_job(name)
    cluster.change(name, suspend=True)
    assert conditions(cluster.await_reason(name, "Suspended")) == {"Ready": "True"}
    assert cluster.jobs() == []
    cluster.change(name, suspend=False)
    cluster.await_reason(name, "Starting")
    [second] = cluster.jobs(name)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]


def test_it_survives_an_api_server_that_restarts(
    cluster: Cluster, operator: OperatorProcess, kube_apiserver: KubernetesServer
) -> None:
    first = cluster.convert("first")
    cluster.await_job(first)
    kube_apiserver.kill()
    kube_apiserver.start()
    second = cluster.convert("second")
    cluster.await_reason(second, "Starting", 60)
    cluster.work(first)
    cluster.await_reason(first, "Succeeded", 60)
    assert len(cluster.jobs()) == 2


def test_health_fails_while_beats_do_not_come_back_and_recovers(
    cluster: Cluster, operator: OperatorProcess, kube_apiserver: KubernetesServer
) -> None:
    """A frozen API server has taken the beat that is under way, as far as anybody can tell."""
    operator.stop()
    operator.changes = {"OPERATOR_HEARTBEAT_LIMIT_SECONDS": "2"}
    operator.start()
    assert operator.ask("/healthz") == (200, "ok\n")
    kube_apiserver.pause()
    await_condition(lambda: operator.ask("/healthz")[0] == 503, seconds=20, what="it stayed healthy")
    kube_apiserver.resume()
    await_condition(lambda: operator.ask("/healthz")[0] == 200, seconds=60, what="it did not recover")


def test_it_writes_nothing_but_status_and_finalizer(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    before = cluster.conversion(name)
    cluster.await_reason(name, "Starting")
    cluster.work(name)
    cluster.await_reason(name, "Succeeded")
    after = cluster.conversion(name)
    assert after["spec"] == before["spec"]
    ignored = {"finalizers", "resourceVersion", "managedFields"}
    assert {key: value for key, value in after["metadata"].items() if key not in ignored} == {
        key: value for key, value in before["metadata"].items() if key not in ignored
    }
    assert after["metadata"]["finalizers"] == [names.FINALIZER]


def test_it_stops_within_its_grace_period_and_idles_small(cluster: Cluster, operator: OperatorProcess) -> None:
    assert operator.memory_mib() < 120
    operator.stop()
    assert not operator.running


def test_a_finished_conversion_goes_when_its_time_is_over(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(ttlSecondsAfterFinished=1)
    cluster.await_job(name)
    cluster.work(name)
    cluster.remove_job(name)
    cluster.await_gone(name)
