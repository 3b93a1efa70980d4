"""The second node comes back: after its time, at the end of a run that was interrupted, and when a blow went wrong."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.chaos.api import Pods
from tests.chaos.kills import Killer
from tests.chaos.outages import Outages, outages_of
from tests.chaos.plan import Kill, Kind, Manner
from tests.e2e.nodes import Nodes
from video2mp3_localcluster.node import node
from video2mp3_localcluster.node.addresses import FIRST, SECOND
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed

LONG = 3600.0
PATIENCE = 10.0


class FakeNodes:
    """Remembers what was done, in order."""

    def __init__(self, folder: Path) -> None:
        self.files = NodeFiles(folder, folder)
        self.done: list[str] = []
        self.ill: dict[str, Exception] = {}
        self.back = threading.Event()

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what in self.ill:
            raise self.ill[what]

    def kill(self) -> None:
        self._do("kill")

    def cut(self) -> None:
        self._do("cut")

    def start_again(self) -> None:
        self._do("start again")
        self.back.set()

    def mend(self) -> None:
        self._do("mend")
        self.back.set()

    def gather(self) -> None:
        self._do("gather")

    def start_second(self) -> None:
        self._do("start second")

    def only(self, *names: str) -> None:
        self._do(f"only {' '.join(names)}")


@pytest.fixture
def nodes(tmp_path: Path) -> FakeNodes:
    return FakeNodes(tmp_path)


@pytest.fixture
def outages(nodes: FakeNodes) -> Iterator[Outages]:
    outages = Outages(cast("Nodes", nodes), lambda _line: None)
    yield outages
    outages.end()


def outage(manner: Manner, seconds: float) -> Kill:
    return Kill(0, Kind.NODE, manner, 0, seconds)


@pytest.mark.parametrize(
    ("manner", "done"), [(Manner.KILLED, ["kill", "start again"]), (Manner.CUT_OFF, ["cut", "mend"])]
)
def test_a_node_comes_back_after_its_time_as_it_went(
    manner: Manner, done: list[str], nodes: FakeNodes, outages: Outages
) -> None:
    assert outages.begin(outage(manner, 0.01)) == f"{SECOND.name}, for 0 s"
    assert nodes.back.wait(PATIENCE)
    assert nodes.done == done


def test_while_a_node_is_away_it_is_not_struck_again(nodes: FakeNodes, outages: Outages) -> None:
    assert outages.begin(outage(Manner.KILLED, LONG))
    assert outages.begin(outage(Manner.CUT_OFF, LONG)) == ""
    assert nodes.done == ["kill"]


def test_at_the_end_it_comes_back_at_once(nodes: FakeNodes, outages: Outages) -> None:
    outages.begin(outage(Manner.KILLED, LONG))
    outages.end()
    assert nodes.done == ["kill", "start again"]


def test_a_blow_that_goes_wrong_is_made_good_as_well(nodes: FakeNodes, outages: Outages) -> None:
    nodes.ill["kill"] = StepFailed("it does not end")
    with pytest.raises(StepFailed):
        outages.begin(outage(Manner.KILLED, 0))
    assert nodes.back.wait(PATIENCE)


def test_a_run_ends_with_both_nodes_well_even_when_it_is_interrupted(
    nodes: FakeNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "running", lambda files: [files, files.second])
    nodes.ill["start again"] = StepFailed("it did not start")
    with pytest.raises(KeyboardInterrupt):
        interrupted(nodes)
    both = f"only {FIRST.name} {SECOND.name}"
    assert nodes.done == ["gather", both, "kill", "start again", "start second", both]


def interrupted(nodes: FakeNodes) -> None:
    """A run that ends while the node is away."""
    with outages_of(cast("Nodes", nodes), lambda _line: None) as outages:
        assert outages is not None
        outages.begin(outage(Manner.KILLED, LONG))
        raise KeyboardInterrupt


def test_one_node_alone_is_left_alone(nodes: FakeNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "running", lambda files: [files])
    with outages_of(cast("Nodes", nodes), lambda _line: None) as outages:
        assert outages is None
    assert nodes.done == []


def test_the_plan_reaches_the_node(nodes: FakeNodes, outages: Outages) -> None:
    killer = Killer("video2mp3", cast("Pods", None), nodes.files, outages)
    assert killer.strike(outage(Manner.CUT_OFF, LONG)).startswith(SECOND.name)
    assert nodes.done == ["cut"]
