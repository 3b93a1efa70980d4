"""How long to wait, and when waiting is of no use."""

import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from video2mp3_localcluster.node import node, readiness
from video2mp3_localcluster.node.addresses import FIRST
from video2mp3_localcluster.node.readiness import (
    HOPELESS_RESTARTS,
    Check,
    NodeProbes,
    ends_again_and_again,
    problem_of,
    wait_for,
)
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {}, None),
        ({}, {"etcd": {"restarts": HOPELESS_RESTARTS - 1}}, None),
        ({}, {"kubelet": {"restarts": 0}, "etcd": {"restarts": HOPELESS_RESTARTS}}, "etcd"),
        ({"etcd": {"restarts": 40}}, {"etcd": {"restarts": 41}}, None),
        ({"etcd": {"restarts": 40}}, {"etcd": {"restarts": 40 + HOPELESS_RESTARTS}}, "etcd"),
    ],
)
def test_only_new_restarts_make_a_wait_hopeless(before, now, expected) -> None:
    assert ends_again_and_again(before, now) == expected


def refused() -> str | None:
    raise ConnectionRefusedError(111, "Connection refused")


def test_a_component_that_cannot_be_asked_is_not_well() -> None:
    assert "Connection refused" in (problem_of(Check("x", refused)) or "")
    assert problem_of(Check("x", lambda: None)) is None


@pytest.fixture
def log(tmp_path: Path):
    log = StepLog(tmp_path / "log")
    yield log
    log.close()


@pytest.fixture
def files(tmp_path: Path) -> NodeFiles:
    files = NodeFiles(tmp_path, tmp_path)
    files.logs.mkdir()
    return files


def test_a_wait_ends_when_all_is_well(log: StepLog, files: NodeFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "find", lambda _files: 1)
    answers = iter(["starting", "starting", None])
    wait_for(log, files, Check("x", lambda: next(answers)), seconds=10)
    assert log.tail().count("starting") == 1


def test_a_wait_ends_with_the_last_problem(log: StepLog, files: NodeFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "find", lambda _files: 1)
    with pytest.raises(StepFailed, match="not well after 0 s: starting"):
        wait_for(log, files, Check("x", lambda: "starting"), seconds=0)


def test_a_wait_ends_with_the_node(log: StepLog, files: NodeFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "find", lambda _files: None)
    (files.logs / "node.log").write_text("mount: permission denied\n")
    with pytest.raises(StepFailed, match="permission denied"):
        wait_for(log, files, Check("x", refused), seconds=10)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("-N KUBE-ROUTER-FORWARD\n-A KUBE-ROUTER-FORWARD -m mark --mark 0x20000/0x20000 -j ACCEPT\n", None),
        ("-N KUBE-ROUTER-FORWARD\n", "its rules are not there"),
    ],
)
def test_policies_are_enforced_once_the_packet_filter_has_them(
    rules: str, problem: str | None, files: NodeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_healthy", lambda *_asked: None)
    monkeypatch.setattr(readiness.subprocess, "run", lambda argv, **_how: CompletedProcess(argv, 0, rules, ""))
    found = NodeProbes(files, FIRST)._policies_enforced()
    assert (problem in found) if problem and found else found is problem


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        (None, "not reported yet"),
        ({"status": "True", "lastHeartbeatTime": "2026-01-01T00:00:00Z"}, "since it was started"),
        ({"status": "False", "lastHeartbeatTime": "2026-01-01T00:00:10Z", "message": "no network"}, "no network"),
        ({"status": "True", "lastHeartbeatTime": "2026-01-01T00:00:10Z"}, None),
    ],
)
def test_an_old_report_of_the_node_does_not_count(condition, problem: str | None, files: NodeFiles) -> None:
    files.pid.touch()
    started = 1767225610  # 2026-01-01T00:00:10Z
    os.utime(files.pid, (started, started))
    found = NodeProbes(files, FIRST)._problem_of_node(condition)
    assert (problem in found) if problem and found else found is problem
