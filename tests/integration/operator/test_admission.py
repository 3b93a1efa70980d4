"""Who runs and who waits: caps, priority, fairness, Kueue."""

from concurrent.futures import ThreadPoolExecutor

from tests.integration.operator.cluster import OWNER, SECONDS, Api, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.integration.operator.test_limits import changed
from tests.servers import KubernetesServer
from tests.servers.process import await_condition
from video2mp3_contracts.api import names

MANY = 1000
OTHER = "b@example.com"


def running(cluster: Cluster) -> list[str]:
    """Names of the Conversions that have a Job, oldest Job first."""
    jobs = sorted(cluster.jobs(), key=lambda job: int(job["metadata"]["resourceVersion"]))
    return [job["metadata"]["labels"][names.LABEL_CONVERSION] for job in jobs]


def await_running(cluster: Cluster, *expected: str) -> None:
    await_condition(
        lambda: sorted(running(cluster)) == sorted(expected), seconds=SECONDS, what=f"not {expected} but others run"
    )


def finish(cluster: Cluster, name: str) -> None:
    """Its worker is done, and its Job cleaned up."""
    cluster.work(name)
    cluster.remove_job(name)


def test_a_place_that_comes_free_goes_by_priority_which_may_change_while_they_wait(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    changed(operator, max_running="1")
    cluster.convert("first")
    await_running(cluster, "first")
    for name, priority in (("old", 0), ("urgent", 10), ("late", 0)):
        cluster.convert(name, priority=priority)
        cluster.await_reason(name, "Queued")
    cluster.change("late", priority=20)
    cluster.await_status("late", lambda status: status["observedGeneration"] == 2)
    for done, following in (("first", "late"), ("late", "urgent"), ("urgent", "old")):
        finish(cluster, done)
        await_running(cluster, following)


def test_caps_of_an_owner_and_of_a_namespace_hold(cluster: Cluster, operator: OperatorProcess) -> None:
    changed(operator, max_running_per_owner="1", max_running_per_namespace="2")
    others = cluster.upload(OTHER)
    cluster.convert("a-1")
    await_running(cluster, "a-1")
    cluster.convert("a-2")
    for name in ("b-1", "b-2"):
        cluster.convert(name, owner=OTHER, source={"gridfs": {"fileId": others}})
        await_running(cluster, "a-1", "b-1")
    # Ages are whole seconds: of those created within one, the priority makes sure who goes first.
    nobodys = cluster.convert("nobodys", owner="", priority=-1, source={"gridfs": {"fileId": cluster.upload("")}})
    cluster.await_reason(nobodys, "Queued")
    finish(cluster, "a-1")
    await_running(cluster, "b-1", "a-2")
    for name in ("b-2", nobodys):
        assert cluster.conversion(name)["status"]["reason"] == "Queued"


def test_a_thousand_uploads_of_one_account_do_not_starve_the_first_of_the_next(
    cluster: Cluster, operator: OperatorProcess, kube_apiserver: KubernetesServer
) -> None:
    changed(operator, max_running="2")
    source = {"gridfs": {"fileId": cluster.upload()}}
    numbers = iter(range(MANY))

    def apply_some() -> None:
        mine = Cluster(Api(kube_apiserver), cluster.namespace, cluster.mongodb, cluster.rabbitmq)
        for number in numbers:
            mine.convert(f"many-{number:04}", source=source)

    with ThreadPoolExecutor(1) as one:
        one.submit(apply_some).result()
    await_condition(lambda: len(running(cluster)) == 2, seconds=SECONDS, what="nobody ran")
    cluster.convert("hers", owner=OTHER, source={"gridfs": {"fileId": cluster.upload(OTHER)}})
    cluster.await_reason("hers", "Queued", 120)
    finish(cluster, running(cluster)[0])
    cluster.await_reason("hers", "Starting", 60)
    assert len(running(cluster)) == 2
    assert cluster.conversion("hers")["spec"]["owner"] != OWNER


def test_kueue_gets_a_suspended_job_though_no_place_is_free(cluster: Cluster, operator: OperatorProcess) -> None:
    changed(operator, max_running="1")
    cluster.convert("first")
    await_running(cluster, "first")
    name = cluster.convert("handed-over", labels={"kueue.x-k8s.io/queue-name": "audio"})
    job = cluster.await_job(name)
    assert (job["spec"]["suspend"], job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]) == (True, "audio")
    cluster.await_reason(name, "Queued")
    cluster.unsuspend_job(name)
    cluster.run(name)
    cluster.await_reason(name, "Running")
