"""Conversions that end by a limit, and attempts that are replaced, each with its reason."""

from typing import Any

from tests.integration.operator.cluster import SECONDS, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers.process import await_condition
from video2mp3_contracts.api import names

RUNNING = {"startedAt": "2026-03-01T12:00:00Z"}
KILLED_FOR_MEMORY = {
    "exitCode": 137,
    "reason": "OOMKilled",
    **dict.fromkeys(("startedAt", "finishedAt"), "2026-03-01T12:00:00Z"),
}


def changed(operator: OperatorProcess, **settings: str) -> None:
    """Start it again with other settings."""
    operator.stop()
    operator.changes = {f"OPERATOR_{name.upper()}": value for name, value in settings.items()}
    operator.start()


def memory(job: dict[str, Any]) -> str:
    """What a Job's worker may use."""
    [container] = job["spec"]["template"]["spec"]["containers"]
    limit: str = container["resources"]["limits"]["memory"]
    return limit


def failed(cluster: Cluster, name: str, reason: str) -> str:
    """Wait until it failed for that reason, and its one message is out; answers the message."""
    status = cluster.await_reason(name, reason)
    assert {each["type"] for each in status["conditions"] if each["status"] == "True"} == {"Stalled", "Failed"}
    assert cluster.await_message().reason == reason
    return str(status["message"])


def test_whose_turn_does_not_come_in_time_fails(cluster: Cluster, operator: OperatorProcess) -> None:
    changed(operator, max_running="1")
    cluster.await_job(cluster.convert("first"))
    second = cluster.convert("second", timeouts={"queueSeconds": 2})
    assert failed(cluster, second, "QueueTimeout") == "Its turn did not come within timeouts.queueSeconds, 2 s."
    assert len(cluster.jobs()) == 1


def test_whose_pod_does_not_start_in_time_fails_and_says_what_it_waited_for(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    name = cluster.convert(timeouts={"startSeconds": 2})
    cluster.await_job(name)
    cluster.pod(name, waiting={"reason": "ImagePullBackOff", "message": "no such image"})
    told = "The worker's pod did not start within 2 s. ImagePullBackOff: no such image"
    assert failed(cluster, name, "StartTimeout") == told
    await_condition(lambda: cluster.jobs(name) == [], seconds=SECONDS, what="its Job was not ended")


def test_what_the_kubelet_ends_for_its_time_fails_as_that(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(retryLimit=0, timeouts={"runSeconds": 60})
    job = cluster.await_job(name)
    assert job["spec"]["template"]["spec"]["activeDeadlineSeconds"] == 660
    cluster.end_overdue(cluster.pod(name, running=RUNNING))
    cluster.give_up(name, "BackoffLimitExceeded")
    assert "ran for longer than timeouts.runSeconds" in failed(cluster, name, "RunTimeout")


def test_a_worker_that_shows_no_sign_of_life_is_replaced_and_counts(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    changed(operator, worker_stall_seconds="1")
    name = cluster.convert(retryLimit=1)
    first = cluster.await_job(name)
    pod = cluster.pod(name, running=RUNNING)
    cluster.run(name)
    cluster.await_status(name, lambda status: [each["reason"] for each in status.get("attempts", [])] == ["Stalled"])
    cluster.remove_pod(pod)
    await_condition(
        lambda: [job["metadata"]["uid"] for job in cluster.jobs(name)] not in ([], [first["metadata"]["uid"]]),
        seconds=SECONDS,
        what="no other Job came",
    )
    [second] = cluster.jobs(name)
    assert second["metadata"]["labels"][names.LABEL_JOB_GENERATION] == "1"
    assert second["spec"]["backoffLimit"] == 0
    again = cluster.pod(name, "node-2", running=RUNNING)
    cluster.run(name)
    assert "no sign of life for 1 s" in failed(cluster, name, "Stalled")
    cluster.remove_pod(again)


def test_who_needs_more_memory_gets_it_up_to_the_ceiling(cluster: Cluster, operator: OperatorProcess) -> None:
    changed(operator, worker_memory_ceiling="1Gi")
    name = cluster.convert(retryLimit=5)
    for generation, limit in enumerate(("512Mi", "1Gi")):
        await_condition(
            lambda generation=generation: (
                [job["metadata"]["labels"][names.LABEL_JOB_GENERATION] for job in cluster.jobs(name)]
                == [str(generation)]
            ),
            seconds=SECONDS,
            what=f"generation {generation} did not come",
        )
        assert memory(cluster.await_job(name)) == limit
        cluster.pod(name, terminated=KILLED_FOR_MEMORY)
    told = "All 2 attempts failed. The last one had 1024Mi of memory, which is the most."
    assert failed(cluster, name, "OutOfMemory") == told


def test_time_to_live_spares_what_git_manages_and_says_so(cluster: Cluster, operator: OperatorProcess) -> None:
    ours, gits = (cluster.convert(name, ttlSecondsAfterFinished=1) for name in ("ours", "gits"))
    cluster.label(gits, "kustomize.toolkit.fluxcd.io/name", "media")
    for name in (ours, gits):
        cluster.await_job(name)
        cluster.work(name)
        cluster.complete(name)
    cluster.await_gone(ours)
    status = cluster.await_status(gits, lambda status: any(each["type"] == "Expired" for each in status["conditions"]))
    [expired] = [each for each in status["conditions"] if each["type"] == "Expired"]
    assert (expired["status"], expired["reason"]) == ("True", "ManagedByGit")
    assert "kustomize.toolkit.fluxcd.io/name" in expired["message"]
    await_condition(lambda: cluster.jobs(gits) == [], seconds=SECONDS, what="its Job did not go")
    assert cluster.exists(gits)
