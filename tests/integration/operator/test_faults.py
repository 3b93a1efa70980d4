"""What goes wrong around the operator, on the wire and in the servers: nothing is lost, done twice, or stuck."""

import re
from collections import Counter
from dataclasses import replace

from tests.contract.chart.helm import NAMESPACE, Chart
from tests.integration.operator.cluster import SECONDS, Api, Cluster
from tests.integration.operator.conftest import grant, running
from tests.integration.operator.operator_process import OperatorProcess
from tests.integration.operator.wire import Wire
from tests.servers import KubernetesServer
from tests.servers.process import await_condition
from video2mp3_contracts.api import names
from video2mp3_operator.app.kopf_settings import BACKOFFS
from video2mp3_operator.telemetry.heartbeat import heartbeat_name

CONVERSION = re.compile(rf"PATCH .*/{names.PLURAL}/([a-z0-9-]+)(/status)?")
WATCHES = 4
"""Conversions, Jobs, pods and the heartbeat."""


def written(wire: Wire, status: int) -> Counter[str]:
    """How many changes of each Conversion the API server has answered so."""
    found = (CONVERSION.fullmatch(write.what) for write in wire.writes if write.status == status)
    return Counter(match[1] for match in found if match)


def await_ids(cluster: Cluster, count: int) -> set[str]:
    """Wait for messages under so many ids: two operators may both publish, which is the same message twice."""
    told: set[str] = set()

    def there() -> bool:
        told.update(message.message_id for message in cluster.messages())
        return len(told) >= count

    await_condition(there, seconds=SECONDS, what=f"not {count} messages came")
    return told


def test_watches_that_break_again_and_again_lose_nothing(
    cluster: Cluster, wired_operator: OperatorProcess, wire: Wire
) -> None:
    for number in range(4):
        wire.cut_watches()
        name = cluster.convert(f"talk-{number}")
        cluster.await_reason(name, "Starting")
        wire.cut_watches()
        cluster.run(name)
        cluster.await_reason(name, "Running")
        cluster.work(name)
        cluster.complete(name)
        cluster.await_reason(name, "Succeeded")
    assert wire.watches_opened > 2 * WATCHES


def test_a_deaf_operator_says_so_and_catches_up_once_it_hears_again(
    cluster: Cluster, wired_operator: OperatorProcess, wire: Wire
) -> None:
    """Longer than its watches' own time limits, so that it has tried to open them again in vain."""
    wired_operator.stop()
    wired_operator.changes = {"OPERATOR_WATCH_SECONDS": "2", "OPERATOR_HEARTBEAT_LIMIT_SECONDS": "2"}
    wired_operator.start()
    done, deleted = cluster.convert("done"), cluster.convert("deleted")
    for name in (done, deleted):
        cluster.await_reason(name, "Starting")
    wire.deafen()
    opened = wire.watches_opened
    await_condition(lambda: wired_operator.ask("/healthz")[0] == 503, seconds=SECONDS, what="it stayed healthy")
    cluster.convert("new")
    cluster.work(done)
    cluster.remove_job(done)
    cluster.delete(deleted)
    await_condition(
        lambda: wire.watches_opened >= opened + 2 * WATCHES, seconds=SECONDS, what="it opened no watch again"
    )
    assert cluster.conversion("new")["status"]["reason"] == "Pending"
    wire.heal()
    await_condition(lambda: wired_operator.ask("/healthz")[0] == 200, seconds=SECONDS, what="it did not recover")
    cluster.await_reason("new", "Starting")
    cluster.await_reason(done, "Succeeded")
    cluster.await_gone(deleted)


def test_a_rival_that_is_first_at_every_write_delays_verdicts_and_loses_none(
    cluster: Cluster, wired_operator: OperatorProcess, wire: Wire, kube_apiserver: KubernetesServer
) -> None:
    """Somebody else changes the Conversion just before each of the operator's writes, three times out of four."""
    rivals = Cluster(Api(kube_apiserver), cluster.namespace, cluster.mongodb, cluster.rabbitmq)
    writes: Counter[str] = Counter()

    def rival(method: str, path: str) -> None:
        match = CONVERSION.search(f"{method} {path}")
        if match is not None:
            writes[path] += 1
            if writes[path] % 4:
                rivals.annotate(match[1], "rival.example.com/count", str(writes[path]))

    wire.rival = rival
    good, bad = cluster.convert("good"), cluster.convert("bad", owner="b@example.com")
    cluster.await_job(good)
    cluster.await_reason(good, "Starting")
    cluster.work(good, publish=False)
    cluster.complete(good)
    cluster.await_reason(good, "Succeeded")
    cluster.await_reason(bad, "OwnerMismatch")
    assert sorted(message.kind for message in cluster.await_messages(2)) == ["failed", "succeeded"]
    accepted, refused = written(wire, 200), written(wire, 409)
    assert refused[good] == 3 * accepted[good] >= 9
    assert refused[bad] == 3 * accepted[bad] >= 6
    assert len(cluster.jobs()) == 1
    cluster.delete(good)
    cluster.await_gone(good)


def test_two_operators_by_mistake_run_each_conversion_once_and_do_not_fight(
    cluster: Cluster, wired_operator: OperatorProcess, wire: Wire, operator_token: str
) -> None:
    talks = [f"talk-{number}" for number in range(4)]
    with running(OperatorProcess(wire.addresses, cluster.namespace, operator_token)) as second:
        for name in talks:
            cluster.convert(name)
        cluster.convert("bad", owner="b@example.com")
        cluster.await_reason("bad", "OwnerMismatch")
        for name in talks:
            cluster.await_reason(name, "Starting")
            pod = cluster.pod(name, running={"startedAt": "2026-03-01T12:00:00Z"})
            cluster.run(name)
            cluster.await_reason(name, "Running")
            cluster.work(name, publish=False)
            cluster.remove_pod(pod)
            cluster.complete(name)
            cluster.await_reason(name, "Succeeded")
        told = await_ids(cluster, len(talks) + 1)
        assert len(told) == len(talks) + 1
        before = written(wire, 200)
        last = cluster.convert("last", owner="b@example.com")
        cluster.await_reason(last, "OwnerMismatch")
        assert written(wire, 200) - Counter({last: 9}) == before
        # Seen, started, running, with its attempt, succeeded: each is written once, or twice where they disagree.
        assert max(before.values()) <= 10
        created = Counter(write.status for write in wire.writes if write.what.startswith("POST /apis/batch/"))
        assert created[201] == len(talks)
        assert len(cluster.files("mp3s")) == len(talks)
        for name in talks:
            cluster.delete(name)
        for name in talks:
            cluster.await_gone(name)
        assert second.ask("/healthz")[0] == 200
    assert cluster.files("mp3s") == set()


def test_two_releases_that_watch_one_namespace_leave_each_others_jobs_alone(
    cluster: Cluster, operator: OperatorProcess, operator_token: str, kube_apiserver: KubernetesServer
) -> None:
    theirs = cluster.convert("theirs")
    job = cluster.await_job(theirs)
    assert job["metadata"]["labels"][names.LABEL_INSTANCE] == "video2mp3"
    cluster.await_reason(theirs, "Starting")
    operator.stop()
    let_beat(kube_apiserver, cluster.namespace, "other")
    second = OperatorProcess(cluster.addresses, cluster.namespace, operator_token)
    second.changes = {"OPERATOR_INSTANCE": "other"}
    with running(second):
        # Whose Job it were would delete it.
        cluster.change(theirs, suspend=True)
        own = cluster.convert("own")
        assert cluster.await_job(own)["metadata"]["labels"][names.LABEL_INSTANCE] == "other"
        cluster.await_reason(own, "Starting")
        assert cluster.jobs(theirs) == [job]
        assert cluster.conversion(theirs)["status"]["reason"] == "Starting"
    kept = cluster.jobs(own)
    cluster.change(own, suspend=True)
    operator.start()
    cluster.await_reason(theirs, "Suspended")
    await_condition(lambda: not cluster.jobs(theirs), seconds=SECONDS, what="it did not delete its own Job")
    assert cluster.jobs(own) == kept


def let_beat(server: KubernetesServer, namespace: str, instance: str) -> None:
    """Let the operator write another release's heartbeat, as that release's Role does."""
    name, lease = f"{instance}-heartbeat", f"--resource-name={heartbeat_name(instance)}"
    where = f"--namespace={namespace}"
    server.kubectl("create", "role", name, "--verb=patch", "--resource=leases.coordination.k8s.io", lease, where)
    account = f"--serviceaccount={NAMESPACE}:video2mp3-operator"
    server.kubectl("create", "rolebinding", name, f"--role={name}", account, where)


def test_a_frozen_mongodb_fails_nothing_and_nothing_twice(cluster: Cluster, operator: OperatorProcess) -> None:
    """It takes connections and answers nothing, while one has just been converted, one runs and one is new."""
    done, runs = cluster.convert("done"), cluster.convert("runs", retryLimit=0)
    for name in (done, runs):
        cluster.await_reason(name, "Starting")
    cluster.work(done, publish=False)
    operator.stop()
    file_id = cluster.upload()
    cluster.run(runs)
    cluster.complete(done)
    operator.start()
    cluster.mongodb.pause()
    cluster.convert("new", source={"gridfs": {"fileId": file_id}})
    cluster.await_reason("new", "ServiceUnavailable")
    cluster.mongodb.resume()
    cluster.await_reason("new", "Starting")
    cluster.await_reason(done, "Succeeded")
    cluster.await_reason(runs, "Running")
    cluster.work(runs)
    cluster.complete(runs)
    cluster.await_reason(runs, "Succeeded")
    assert cluster.await_message().conversion.name == done
    assert len(cluster.jobs()) == 3


def test_what_rabbitmq_missed_while_it_was_away_is_published_once(cluster: Cluster, operator: OperatorProcess) -> None:
    cluster.rabbitmq.stop()
    for number in range(3):
        cluster.convert(f"bad-{number}", owner="b@example.com")
    for number in range(3):
        cluster.await_reason(f"bad-{number}", "OwnerMismatch")
    cluster.rabbitmq.start()
    first = cluster.await_messages(3, seconds=60)
    cluster.convert("later", owner="b@example.com")
    assert {message.conversion.name for message in first} == {"bad-0", "bad-1", "bad-2"}
    assert [message.conversion.name for message in cluster.await_messages(1)] == ["later"]


def test_a_watched_namespace_that_goes_takes_its_files_with_it_and_leaves_the_others_served(
    cluster: Cluster, wire: Wire, operator_token: str, chart: Chart, kube_apiserver: KubernetesServer
) -> None:
    """The test plays the namespace's controller: what is in it goes first, then the operator's own rights there.

    It is the first of the watched ones, and it waits for as long as kopf would have gone on.
    """
    going = replace(cluster, namespace=kube_apiserver.new_namespace())
    grant(kube_apiserver, chart, cluster.namespace, going.namespace)
    operator = OperatorProcess(wire.addresses, f"{going.namespace},{cluster.namespace}", operator_token)
    operator.changes = {"OPERATOR_RESYNC_SECONDS": "1"}
    with running(operator):
        name = going.convert()
        going.await_job(name)
        kube_apiserver.kubectl("delete", "namespace", going.namespace, "--wait=false")
        going.delete(name)
        going.await_gone(name)
        assert (going.files("videos"), going.jobs()) == (set(), [])
        kube_apiserver.kubectl("delete", "rolebinding", "--all", "--namespace", going.namespace)
        await_condition(
            lambda: "resync_failed" in operator.log_file.read_text(), seconds=SECONDS, what="it was not refused"
        )
        wire.cut_watches()
        serve(cluster, operator, "at-once")
        # There kopf's own pauses end.
        gone_on = f"Request attempt #{len(BACKOFFS) + 1} failed; will retry"
        await_condition(
            lambda: gone_on in operator.log_file.read_text(), seconds=3 * sum(BACKOFFS), what="it was not refused on"
        )
        serve(cluster, operator, "later")
        operator.stop()
        operator.start()
        serve(cluster, operator, "after-a-restart")


def serve(cluster: Cluster, operator: OperatorProcess, name: str) -> None:
    """A Conversion goes through, and the operator is well."""
    cluster.convert(name)
    cluster.await_reason(name, "Starting")
    cluster.work(name)
    cluster.complete(name)
    cluster.await_reason(name, "Succeeded")
    assert operator.ask("/healthz") == (200, "ok\n")
