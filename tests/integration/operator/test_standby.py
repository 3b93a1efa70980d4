"""Two real operators and one Lease: one works, the other takes over, and nothing is done twice.

That it takes no more than 15 seconds is shown in simulated time (`tests/unit/operator/leadership`); here it is printed.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.integration.operator.cluster import Cluster
from tests.integration.operator.conftest import running
from tests.integration.operator.operator_process import OperatorProcess
from tests.integration.operator.wire import Wire
from tests.servers import KubernetesServer, MongoDBServer, RabbitMQServer
from tests.servers.clock import SetClock
from tests.servers.process import await_condition
from video2mp3_operator.leadership.record import leader_name

PATIENCE_SECONDS = 60
"""A machine that is busy with other tests decides nothing."""
LEASES = "/apis/coordination.k8s.io/v1/namespaces/"
pytestmark = pytest.mark.timeout(240)


class Replica(NamedTuple):
    """An operator at the end of a wire of its own."""

    process: OperatorProcess
    wire: Wire

    @property
    def gauge(self) -> str:
        """What it says of itself: 1, 0 or nothing."""
        lines = self.process.ask("/metrics")[1].splitlines()
        return next((line.split()[1] for line in lines if line.startswith("video2mp3_operator_leader ")), "")

    @property
    def leads(self) -> bool:
        return self.gauge == "1.0"

    @property
    def written(self) -> int:
        """How much it has written, or asked to be written."""
        return len(self.wire.asked) + len(self.wire.writes)

    def await_leads(self, seconds: float = PATIENCE_SECONDS) -> None:
        await_condition(lambda: self.leads, seconds=seconds, what="it did not lead")

    def await_ended(self, seconds: float) -> None:
        """It ends by itself, and says why."""
        await_condition(lambda: not self.process.running, seconds=seconds, what="it did not end")
        assert '"event": "leadership_lost"' in self.process.log_file.read_text()


class Pair(NamedTuple):
    """The one that leads and the one that stands by, when the test begins."""

    leader: Replica
    standby: Replica
    start: Callable[[], Replica]
    """Start another one."""


@pytest.fixture
def pair(
    kube_apiserver: KubernetesServer,
    mongodb: MongoDBServer,
    rabbitmq: RabbitMQServer,
    cluster: Cluster,
    operator_token: str,
    rights: None,
) -> Iterator[Pair]:
    with ExitStack() as stack:

        def start(**changes: str) -> Replica:
            wire = stack.enter_context(Wire(kube_apiserver, mongodb, rabbitmq))
            process = OperatorProcess(wire.addresses, cluster.namespace, operator_token)
            process.changes = {"OPERATOR_LEADER_ELECTION": "true", "OPERATOR_NAMESPACE": cluster.namespace, **changes}
            return Replica(stack.enter_context(running(process)), wire)

        free_lease(kube_apiserver, cluster.namespace)
        leader = start()
        leader.await_leads()
        yield Pair(leader, start(), start)


def free_lease(server: KubernetesServer, namespace: str) -> None:
    """As a leader that ended cleanly leaves it; where there is none, the first one waits for eight seconds."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": leader_name("video2mp3"), "namespace": namespace},
        "spec": {"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 3},
    }
    server.kubectl("create", "--filename=-", stdin=json.dumps(lease))


def holder(cluster: Cluster, server: KubernetesServer) -> str:
    """Who has the Lease, as people see it."""
    lease = server.kubectl("get", "lease", leader_name("video2mp3"), "--namespace", cluster.namespace, "-o", "json")
    return str(json.loads(lease)["spec"]["holderIdentity"])


def jobs_made(*replicas: Replica) -> int:
    """How many Jobs the API server made for them."""
    writes = [write for each in replicas for write in each.wire.writes if write.what.startswith("POST /apis/batch/")]
    return sum(write.status == 201 for write in writes)


def assert_each_was_started_once(cluster: Cluster, names: list[str], *replicas: Replica) -> None:
    for name in names:
        cluster.await_reason(name, "Starting")
    assert [len(cluster.jobs(name)) for name in names] == [1] * len(names)
    assert jobs_made(*replicas) == len(names)


def test_a_standby_is_ready_and_does_nothing(cluster: Cluster, pair: Pair, kube_apiserver: KubernetesServer) -> None:
    names = [cluster.convert(f"talk-{number}") for number in range(3)]
    cluster.convert("bad", owner="b@example.com")
    assert_each_was_started_once(cluster, names, pair.leader)
    cluster.work(names[0], publish=False)
    cluster.complete(names[0])
    cluster.await_reason(names[0], "Succeeded")
    cluster.await_messages(2)
    assert pair.leader.process.ask("/readyz") == pair.standby.process.ask("/readyz") == (200, "ok\n")
    assert (pair.leader.gauge, pair.standby.gauge) == ("1.0", "0.0")
    assert "video2mp3_operator_conversions{" not in pair.standby.process.ask("/metrics")[1]
    heartbeat = f"PATCH {LEASES}{cluster.namespace}/leases/video2mp3-operator-heartbeat"
    assert set(pair.standby.wire.asked) == {heartbeat}
    assert pair.standby.wire.writes == []
    assert holder(cluster, kube_apiserver) in pair.leader.process.log_file.read_text()


@pytest.mark.parametrize("fault", ["kill", "pause", "cut"])
def test_a_standby_takes_over_and_each_conversion_is_started_once(cluster: Cluster, pair: Pair, fault: str) -> None:
    """Struck while it works: some are started, some are half way, and more come before somebody leads again."""
    leader, standby = pair.leader, pair.standby
    names = [cluster.convert(f"before-{number}") for number in range(8)]
    cluster.await_job(names[0])
    {"kill": leader.process.kill, "pause": leader.process.pause, "cut": leader.wire.cut}[fault]()
    began = time.monotonic()
    names += [cluster.convert(f"after-{number}") for number in range(4)]
    standby.await_leads()
    cluster.await_reason(names[-1], "Starting")
    print(f"{fault}: taken over after {time.monotonic() - began:.1f} s")  # noqa: T201 - a figure, for who asks by -rP
    if fault == "pause":
        written = leader.written
        leader.process.resume()
        leader.await_ended(PATIENCE_SECONDS)
        assert leader.written == written
    if fault == "cut":
        leader.await_ended(PATIENCE_SECONDS)
        leader.wire.heal()
    assert_each_was_started_once(cluster, names, leader, standby)


def test_one_that_was_paused_stands_by_when_it_is_started_again(cluster: Cluster, pair: Pair) -> None:
    pair.leader.process.pause()
    pair.standby.await_leads()
    pair.leader.process.resume()
    pair.leader.await_ended(PATIENCE_SECONDS)
    pair.leader.process.start()
    assert (pair.leader.gauge, pair.standby.gauge) == ("0.0", "1.0")
    pair.standby.process.kill()
    pair.leader.await_leads()
    name = cluster.convert()
    cluster.await_reason(name, "Starting")


def test_a_rolling_upgrade_hands_over_without_a_pause(cluster: Cluster, pair: Pair) -> None:
    """As the Deployment does it: another one is ready, then one of the two is asked to end, and again."""
    names, seconds, replicas = [], [], [pair.leader, pair.standby]
    for old in (pair.leader, pair.standby):
        replicas.append(pair.start())
        began = time.monotonic()
        os.kill(old.process.pid, signal.SIGTERM)
        names.append(cluster.convert(f"talk-{len(names)}"))
        cluster.await_job(names[-1])
        seconds.append(time.monotonic() - began)
        await_condition(lambda: not old.process.running, seconds=30, what="it did not end")  # noqa: B023
        assert "leadership_lost" not in old.process.log_file.read_text()
    # It gave the Lease up, so that nobody had to wait for its end.
    assert '"event": "resigned"' in pair.leader.process.log_file.read_text()
    print(f"handed over after {max(seconds):.1f} s at the most")  # noqa: T201 - a figure, for who asks by -rP
    assert_each_was_started_once(cluster, names, *replicas)


def test_a_clock_that_is_an_hour_off_on_one_of_two_changes_nothing(cluster: Cluster, pair: Pair) -> None:
    """Neither while it stands by, nor while it leads, nor for the other one then."""
    clock = SetClock(pair.standby.process.directory / "clock")
    pair.standby.process.stop()
    pair.standby.process.changes |= clock.environment
    pair.standby.process.start()
    for hours in (1, -1):
        clock.set(hours)
        time.sleep(3)
        assert (pair.leader.gauge, pair.standby.gauge) == ("1.0", "0.0")
    first = cluster.convert("first")
    cluster.await_reason(first, "Starting")
    pair.leader.process.kill()
    pair.standby.await_leads()
    pair.leader.process.start()
    time.sleep(3)
    clock.set(1)
    time.sleep(3)
    assert (pair.leader.gauge, pair.standby.gauge) == ("0.0", "1.0")
    second = cluster.convert("second")
    assert_each_was_started_once(cluster, [first, second], pair.leader, pair.standby)


def test_an_api_server_that_hangs_leaves_one_that_works_when_it_goes_on(
    cluster: Cluster, pair: Pair, kube_apiserver: KubernetesServer
) -> None:
    kube_apiserver.pause()
    pair.leader.await_ended(PATIENCE_SECONDS)
    kube_apiserver.resume()
    pair.standby.await_leads()
    name = cluster.convert()
    cluster.await_reason(name, "Starting")
    pair.leader.process.start()
    assert pair.leader.gauge == "0.0"


def test_a_standby_whose_watches_are_deaf_says_so(pair: Pair) -> None:
    standby = pair.standby
    standby.process.stop()
    standby.process.changes |= {"OPERATOR_WATCH_SECONDS": "2", "OPERATOR_HEARTBEAT_LIMIT_SECONDS": "3"}
    standby.process.start()
    standby.wire.deafen()
    await_condition(lambda: standby.process.ask("/healthz")[0] == 503, seconds=20, what="it stayed healthy")
    standby.wire.heal()
    await_condition(lambda: standby.process.ask("/healthz")[0] == 200, seconds=20, what="it did not recover")
    assert standby.gauge == "0.0"
