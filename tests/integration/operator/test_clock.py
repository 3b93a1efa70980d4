"""The operator's clock is set by an hour, ahead and back, while it works; its monotonic clock goes on evenly."""

import pytest

from tests.integration.operator.cluster import Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers.clock import SetClock

RUNNING = {"startedAt": "2026-03-01T12:00:00Z"}


@pytest.fixture
def clock(operator: OperatorProcess) -> SetClock:
    """The operator, started again on a clock that the test sets."""
    operator.stop()
    clock = SetClock(operator.directory / "clock")
    operator.changes = {**clock.environment, "OPERATOR_HEARTBEAT_LIMIT_SECONDS": "5", "OPERATOR_MAX_RUNNING": "5"}
    operator.start()
    return clock


def look_again(cluster: Cluster, operator: OperatorProcess, name: str, *waiting: str) -> None:
    """Have the operator look at those who wait, and then at a new Conversion, which shows that it has."""
    for each in waiting:
        cluster.annotate(each, "example.com/seen-by", name)
    cluster.convert(name, owner="b@example.com")
    cluster.await_reason(name, "OwnerMismatch")
    assert operator.ask("/healthz") == (200, "ok\n")


def test_a_clock_that_is_set_ends_no_wait_that_only_passing_time_may_end(
    cluster: Cluster, operator: OperatorProcess, clock: SetClock
) -> None:
    starts, runs, goes = cluster.convert("starts"), cluster.convert("runs"), cluster.convert("goes")
    for name in (starts, runs, goes):
        cluster.await_job(name)
    queued = [cluster.convert(f"queued-{number}", timeouts={"queueSeconds": 3 * 3600}) for number in range(4)]
    stays = cluster.convert("stays", ttlSecondsAfterFinished=3 * 3600)
    cluster.pod(starts, waiting={"reason": "ContainerCreating"})
    for name in (runs, goes):
        cluster.pod(name, running=RUNNING)
        cluster.run(name)
        cluster.await_reason(name, "Running")
    cluster.delete(goes)
    cluster.await_reason(goes, "Deleting")
    for number, hours in enumerate((1, -1, 0)):
        clock.set(hours)
        look_again(cluster, operator, f"look-{number}", starts, runs, goes, *queued, stays)
        reasons = {name: cluster.conversion(name)["status"]["reason"] for name in (starts, runs, goes)}
        assert reasons == {starts: "Starting", runs: "Running", goes: "Deleting"}
        for name in (*queued, stays):
            assert cluster.conversion(name)["status"]["phase"] in ("Queued", "Running")


def test_a_time_to_live_ends_early_by_no_more_than_the_clock_was_set(
    cluster: Cluster, operator: OperatorProcess, clock: SetClock
) -> None:
    """It is a date by the wall clock, as for Kubernetes' own Jobs."""
    for name, seconds in (("soon", 1800), ("later", 2 * 3600)):
        cluster.convert(name, ttlSecondsAfterFinished=seconds)
        cluster.await_job(name)
        cluster.work(name)
        cluster.complete(name)
        cluster.await_reason(name, "Succeeded")
    clock.set(-1)
    look_again(cluster, operator, "look-back", "soon", "later")
    assert cluster.exists("soon")
    clock.set(1)
    cluster.annotate("soon", "example.com/seen-by", "nobody")
    cluster.await_gone("soon")
    look_again(cluster, operator, "look-ahead", "later")
    assert cluster.exists("later")
