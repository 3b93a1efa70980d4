"""What happens to Jobs and pods that is nobody's fault: people, evictions, nodes and garbage collectors."""

from tests.integration.operator.cluster import Cluster
from tests.integration.operator.operator_process import OperatorProcess
from video2mp3_contracts.jobs.worker import TerminationMessage

STOPPED = TerminationMessage(exit_code=143, reason="Stopped", message="It was asked to stop.")
NO_AUDIO = TerminationMessage(exit_code=65, reason="NoAudio", message="The video has no sound.")
RUNNING = {"startedAt": "2026-03-01T12:00:00Z"}


def attempts(cluster: Cluster, name: str) -> list[tuple[str, str]]:
    """Node and reason of each attempt."""
    return [(each["node"], each["reason"]) for each in cluster.conversion(name)["status"].get("attempts", [])]


def start(cluster: Cluster, name: str, node: str = "node-1") -> str:
    """Its pod runs; answers the pod's name."""
    pod = cluster.pod(name, node, running=RUNNING)
    cluster.run(name)
    cluster.await_status(
        name, lambda status: any(each["pod"] == pod for each in status.get("attempts", [])), what="see its pod"
    )
    cluster.await_reason(name, "Running")
    return pod


def finish(cluster: Cluster, name: str, pod: str) -> None:
    """Its worker is done, and has told so itself."""
    cluster.work(name, pod=pod)
    cluster.complete(name)
    cluster.await_reason(name, "Succeeded")


def test_a_job_deleted_by_hand_while_it_runs_comes_again_and_costs_no_attempt(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    name = cluster.convert(retryLimit=0)
    first = cluster.await_job(name)
    pod = start(cluster, name)
    cluster.remove_job(name)
    cluster.remove_pod(pod)
    cluster.await_status(name, lambda status: status["reason"] == "Starting" and bool(cluster.jobs(name)))
    assert cluster.await_job(name)["metadata"]["uid"] != first["metadata"]["uid"]
    finish(cluster, name, start(cluster, name))
    assert attempts(cluster, name) == [("node-1", "Disrupted"), ("node-1", "Succeeded")]
    assert cluster.messages() == []


def test_an_evicted_pod_costs_no_attempt(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(retryLimit=0)
    cluster.await_job(name)
    pod = start(cluster, name)
    cluster.disrupt(pod)
    cluster.set_pod(pod, terminated=cluster.ended(STOPPED))
    cluster.wait(name)
    cluster.await_reason(name, "Starting")
    finish(cluster, name, start(cluster, name, "node-2"))
    assert attempts(cluster, name) == [("node-1", "Disrupted"), ("node-2", "Succeeded")]
    assert len(cluster.jobs(name)) == 1


def test_a_pod_that_goes_with_its_node_costs_no_attempt(cluster: Cluster, operator: OperatorProcess) -> None:
    """Nobody reports how it ended: the pod is just gone, and the Job controller makes another."""
    name = cluster.convert(retryLimit=0)
    cluster.await_job(name)
    cluster.remove_pod(start(cluster, name))
    cluster.wait(name)
    finish(cluster, name, start(cluster, name, "node-2"))
    assert attempts(cluster, name) == [("node-1", "Disrupted"), ("node-2", "Succeeded")]


def test_a_job_that_failed_for_good_and_was_cleaned_up_unseen_does_not_run_again(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    """The operator was away for longer than finished Jobs stay; the worker's last words are in the ledger."""
    name = cluster.convert()
    cluster.await_job(name)
    operator.stop()
    cluster.say(name, NO_AUDIO)
    cluster.remove_job(name)
    operator.start()
    assert cluster.await_reason(name, "NoAudio")["message"] == "The video has no sound."
    assert cluster.jobs() == []
    assert cluster.await_message().reason == "NoAudio"


def test_a_job_that_was_cleaned_up_before_anything_came_of_it_runs_again(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    name = cluster.convert()
    first = cluster.await_job(name)
    operator.stop()
    cluster.give_up(name, "BackoffLimitExceeded")
    cluster.remove_job(name)
    operator.start()
    cluster.await_status(name, lambda status: status["reason"] == "Starting" and bool(cluster.jobs(name)))
    assert cluster.await_job(name)["metadata"]["uid"] != first["metadata"]["uid"]
