"""A Conversion that has failed and is tried anew, by the real operator on a real API server."""

from tests.integration.operator.cluster import Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers.process import await_condition
from video2mp3_contracts.api import names
from video2mp3_contracts.jobs.worker import TerminationMessage

NO_AUDIO = TerminationMessage(exit_code=65, reason="NoAudio", message="The video has no sound.")


def _fail(cluster: Cluster, name: str) -> str:
    """Its worker ends for good; answers the Job's uid."""
    job = cluster.await_job(name)
    cluster.pod(name, terminated=cluster.ended(NO_AUDIO))
    cluster.await_reason(name, "NoAudio")
    cluster.give_up(name, "PodFailurePolicy")
    uid: str = job["metadata"]["uid"]
    return uid


def _await_another_job(cluster: Cluster, name: str, *before: str) -> None:
    def there() -> bool:
        jobs = [job["metadata"] for job in cluster.jobs(name)]
        # Nothing but us finishes a deletion here: no garbage collector runs.
        return bool(jobs) and not {job["uid"] for job in jobs} & set(before)

    await_condition(there, seconds=30, what="no other Job followed")


def test_it_is_tried_anew_once_and_may_succeed(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(retryLimit=0)
    first = _fail(cluster, name)
    assert cluster.await_message().kind == "failed"
    cluster.annotate(name, names.ANNOTATION_RETRY, "2026-03-01T12:00:00Z")
    _await_another_job(cluster, name, first)
    waiting = cluster.await_status(name, lambda status: status.get("lastHandledRetryAt") is not None)
    assert waiting["lastHandledRetryAt"] == "2026-03-01T12:00:00Z"
    assert "Failed" not in {condition["type"] for condition in waiting["conditions"]}
    operator.kill()
    operator.start()
    pod = cluster.pod(name, running={"startedAt": "2026-03-01T12:00:00Z"})
    cluster.work(name, pod=pod)
    status = cluster.await_reason(name, "Succeeded")
    assert [attempt["reason"] for attempt in status["attempts"]] == ["NoAudio", "Succeeded"]
    assert ("Normal", "RetryRequested") in cluster.events(name)


def test_each_failure_is_told(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    first = _fail(cluster, name)
    cluster.annotate(name, names.ANNOTATION_RETRY, "once")
    _await_another_job(cluster, name, first)
    second = _fail(cluster, name)
    assert [message.message_id for message in cluster.await_messages(2)] == [
        f"{cluster.conversion(name)['metadata']['uid']}:failed"
    ] * 2
    cluster.annotate(name, names.ANNOTATION_RETRY, "twice")
    _await_another_job(cluster, name, first, second)


def test_a_source_that_came_later_is_converted(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert(owner="b@example.com")
    cluster.await_reason(name, "OwnerMismatch")
    cluster.give_source(name, "b@example.com")
    cluster.annotate(name, names.ANNOTATION_RETRY, "now")
    cluster.await_job(name)
    cluster.await_reason(name, "Starting")
