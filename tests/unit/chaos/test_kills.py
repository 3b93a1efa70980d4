"""What is struck, and how; a plan is carried out to its end, whoever is not there."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from tests.chaos.api import Pods
from tests.chaos.ending import Inbox
from tests.chaos.kills import Killer
from tests.chaos.load import Load
from tests.chaos.patience import TooLongError
from tests.chaos.plan import Kill, Kind, Manner
from tests.chaos.run import _strike
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed


class FakePods:
    """Two gateways and a worker."""

    def __init__(self) -> None:
        self.deleted: list[tuple[str, int | None]] = []

    def labelled(self, selector: str) -> list[dict[str, Any]]:
        names = {"gateway": ["gateway-b", "gateway-a"], "worker": ["worker-a"]}[selector.rpartition("=")[2]]
        return [{"metadata": {"name": name, "uid": name}, "status": {"phase": "Running"}} for name in names]

    def delete(self, name: str, grace_seconds: int | None) -> None:
        self.deleted.append((name, grace_seconds))


@pytest.fixture
def pods() -> FakePods:
    return FakePods()


@pytest.fixture
def killer(pods: FakePods, tmp_path: Path) -> Killer:
    """On a machine where no local cluster runs."""
    return Killer("video2mp3", cast("Pods", pods), NodeFiles(tmp_path, tmp_path))


@pytest.mark.parametrize(("chance", "name"), [(0.0, "gateway-a"), (0.49, "gateway-a"), (0.5, "gateway-b")])
def test_a_pod_is_deleted_with_its_time_to_end(chance: float, name: str, pods: FakePods, killer: Killer) -> None:
    assert killer.strike(Kill(0, Kind.GATEWAY, Manner.DELETED, chance)) == name
    assert pods.deleted == [(name, None)]


def test_a_worker_is_forced_out(pods: FakePods, killer: Killer) -> None:
    assert killer.strike(Kill(0, Kind.WORKER, Manner.FORCED, 0.9)) == "worker-a"
    assert pods.deleted == [("worker-a", 0)]


def test_where_no_cluster_of_ours_runs_nothing_is_killed(pods: FakePods, killer: Killer) -> None:
    assert killer.strike(Kill(0, Kind.GATEWAY, Manner.KILLED, 0)) == ""
    assert killer.strike(Kill(0, Kind.API_SERVER, Manner.KILLED, 0)) == ""
    assert pods.deleted == []


class FakeKiller:
    """Finds no worker, and waits for MySQL for too long; a node does not end."""

    def strike(self, kill: Kill) -> str:
        if kill.kind is Kind.MYSQL:
            raise TooLongError("mysql is away")
        if kill.kind is Kind.NODE:
            raise StepFailed("the node did not end")
        return "" if kill.kind is Kind.WORKER else f"{kill.kind}-0"


class FakeLoad:
    uploads = (1, 2, 3)


class FakeInbox:
    looked = 0

    def look(self) -> None:
        self.looked += 1
        raise ConnectionError("the mail server is away")


class BusyKiller(FakeKiller):
    """Waits for MySQL until a gateway was struck."""

    def __init__(self) -> None:
        self.gateway = threading.Event()

    def strike(self, kill: Kill) -> str:
        if kill.kind is Kind.GATEWAY:
            self.gateway.set()
        return kill.kind if kill.kind is Kind.GATEWAY or self.gateway.wait(2) else ""


def strike(plan: Sequence[Kill], seconds: float, killer: FakeKiller | None = None) -> tuple[list[Kill], list[str], int]:
    said: list[str] = []
    inbox = FakeInbox()
    hands = cast("Killer", killer or FakeKiller())
    struck = _strike(plan, hands, cast("Load", FakeLoad()), cast("Inbox", inbox), seconds, said.append)
    return struck, said, inbox.looked


def test_a_plan_is_carried_out_whoever_is_not_there() -> None:
    kinds = (Kind.GATEWAY, Kind.WORKER, Kind.MYSQL, Kind.NODE, Kind.ETCD)
    plan = [Kill(0.01 * number, kind, Manner.KILLED, 0) for number, kind in enumerate(kinds)]
    struck, said, looked = strike(plan, 2)
    assert [kill.kind for kill in struck] == [Kind.GATEWAY, Kind.ETCD]
    assert looked == len(plan)
    assert sum(line.endswith(" 3 uploads") for line in said) == len(plan)
    assert any("no worker to be killed" in line for line in said)
    assert any("mysql is away" in line for line in said)
    assert any("the node did not end" in line for line in said)


def test_nobody_waits_for_the_store_that_waits_for_the_others() -> None:
    plan = [Kill(0, Kind.MYSQL, Manner.KILLED, 0), Kill(0.1, Kind.GATEWAY, Manner.KILLED, 0)]
    struck, _, _ = strike(plan, 3, BusyKiller())
    assert struck == plan


def test_what_goes_wrong_beside_the_stores_ends_the_run() -> None:
    class Broken(FakeKiller):
        def strike(self, kill: Kill) -> str:
            raise RuntimeError(kill.kind)

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="gateway"):
        strike([Kill(0, Kind.GATEWAY, Manner.KILLED, 0)], 30, Broken())
    assert time.monotonic() - began < 15


def test_what_is_planned_for_later_than_the_end_is_left() -> None:
    struck, _, looked = strike([Kill(0.3, Kind.ETCD, Manner.KILLED, 0)], 0.1)
    assert (struck, looked) == ([], 0)
