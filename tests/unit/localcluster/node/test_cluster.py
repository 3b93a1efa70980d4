"""How a start goes from the mildest attempt to the most thorough."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from video2mp3_localcluster.node import cluster, second_node
from video2mp3_localcluster.node.cluster import choose_port
from video2mp3_localcluster.node.node_start import Records, until_one_succeeds
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed


def attempts(*results: str) -> tuple[list[int], list[Callable[[], bool]]]:
    """Attempts that succeed, "do not apply" or fail, and the list of those that were made."""
    made: list[int] = []

    def attempt(number: int, result: str) -> bool:
        made.append(number)
        if result == "fails":
            raise StepFailed(f"attempt {number}")
        return result == "succeeds"

    return made, [lambda n=n, r=r: attempt(n, r) for n, r in enumerate(results)]


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["succeeds", "succeeds", "succeeds"], [0]),
        (["does not apply", "succeeds", "succeeds"], [0, 1]),
        (["fails", "succeeds", "succeeds"], [0, 1]),
        (["fails", "does not apply", "succeeds"], [0, 1, 2]),
        (["fails", "fails", "succeeds"], [0, 1, 2]),
    ],
)
def test_each_attempt_is_made_only_if_those_before_did_not_help(results: list[str], expected: list[int]) -> None:
    made, tries = attempts(*results)
    until_one_succeeds(tries)
    assert made == expected


def test_the_last_failure_is_the_commands() -> None:
    _, tries = attempts("fails", "does not apply", "fails")
    with pytest.raises(StepFailed, match="attempt 2"):
        until_one_succeeds(tries)


@pytest.mark.parametrize(("nodes", "expected"), [(1, ["first", "remove"]), (2, ["first", "start"])])
def test_a_second_node_comes_and_goes_after_the_first_is_well(
    nodes: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(cluster, "_FirstNodeStart", lambda _files: SimpleNamespace(run=lambda: done.append("first")))
    monkeypatch.setattr(second_node, "start", lambda _files: done.append("start"))
    monkeypatch.setattr(second_node, "remove", lambda _files: done.append("remove"))
    cluster.start(NodeFiles(), nodes)
    assert done == expected


def test_where_there_is_no_second_node_none_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_node, "run_steps", lambda _steps: pytest.fail("there is nothing to do"))
    second_node.remove(NodeFiles(tmp_path, tmp_path))


def test_the_next_free_port_is_chosen() -> None:
    assert choose_port(8080, lambda port: port not in (8080, 8081)) == 8082
    with pytest.raises(StepFailed, match="8080 to 8179"):
        choose_port(8080, lambda _port: False)


def test_records_outlive_the_process_that_made_them(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path, tmp_path)
    assert (Records(files).key, Records(files).filled, Records(files).ingress_port) == ("", "", 0)
    records = Records(files)
    records.key = "k"
    records.ingress_port = 8081
    assert (Records(files).key, Records(files).filled, Records(files).ingress_port) == ("k", "", 8081)
