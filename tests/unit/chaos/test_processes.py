"""Only what the local cluster itself started is ever found, whatever else has the same numbers or names."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos import processes
from video2mp3_localcluster.steps.layout import NAME, NodeFiles

HOLDER, SUPERVISOR, SHIM = 100, 101, 150
UID = "9cba64cf-d5c2-4ada-a30d-43edb97f30f8"
POD = f"4:memory:/{NAME}/kubepods/burstable/pod{UID}/9dad7f\n"

Add = Callable[..., None]


@pytest.fixture
def files(tmp_path: Path) -> NodeFiles:
    (tmp_path / "run").mkdir()
    files = NodeFiles(tmp_path / "state", tmp_path / "run")
    files.pid.write_text(f"{HOLDER}\n")
    files.report.write_text(json.dumps({"etcd": {"pid": 25}, "kubelet": {"pid": 0}}))
    return files


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    return tmp_path / "proc"


@pytest.fixture
def add(files: NodeFiles, proc: Path) -> Add:
    """Adds processes; those of the node are there."""

    def add(pid: int, parent: int, *words: str, inner: int = 0, cgroup: str = f"4:memory:/{NAME}/node\n") -> None:
        entry = proc / str(pid)
        entry.mkdir()
        (entry / "cmdline").write_text("\0".join(words))
        (entry / "stat").write_text(f"{pid} (a ) name) S {parent} {' '.join(['0'] * 17)} {pid * 10} 0")
        (entry / "status").write_text(f"Name:\tx\nNSpid:\t{pid}" + (f"\t{inner}\n" if inner else "\n"))
        (entry / "cgroup").write_text(cgroup)

    add(HOLDER, 1, "unshare", "--", "python", str(files.supervisor), str(files.instructions))
    add(SUPERVISOR, HOLDER, "python", inner=1)
    add(SHIM, SUPERVISOR, "containerd-shim", inner=60)
    return add


def found(listed: list[processes.Process]) -> list[int]:
    return [each.pid for each in listed]


def test_a_component_is_found_by_the_recorded_pid_in_its_namespace(files: NodeFiles, proc: Path, add: Add) -> None:
    add(125, SUPERVISOR, "/state/bin/etcd", "--name=x", inner=25)
    assert found(processes.of_component(files, "etcd", proc)) == [125]


STRANGERS = {
    "somebody's etcd with the same number": {"pid": 25, "parent": 1, "words": ("etcd",)},
    "an etcd in another namespace": {"pid": 125, "parent": 1, "words": ("etcd",), "inner": 25},
    "another program by then": {"pid": 125, "parent": SUPERVISOR, "words": ("kubectl",), "inner": 25},
    "another of the node's": {"pid": 125, "parent": SUPERVISOR, "words": ("etcd",), "inner": 26},
    "a container's": {"pid": 125, "parent": SHIM, "words": ("etcd",), "inner": 25},
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_no_other_process_is_taken_for_a_component(stranger: dict, files: NodeFiles, proc: Path, add: Add) -> None:
    add(stranger["pid"], stranger["parent"], *stranger["words"], inner=stranger.get("inner", 0))
    assert processes.of_component(files, "etcd", proc) == []


def test_a_component_that_does_not_run_has_no_process(files: NodeFiles, proc: Path, add: Add) -> None:
    add(125, SUPERVISOR, "kubelet", inner=25)
    assert processes.of_component(files, "kubelet", proc) == []
    assert processes.of_component(files, "unheard-of", proc) == []


def test_without_a_node_there_is_nobody(files: NodeFiles, proc: Path, add: Add) -> None:
    add(125, SUPERVISOR, "etcd", inner=25)
    add(126, SHIM, "python3", cgroup=POD)
    files.pid.unlink()
    assert processes.of_component(files, "etcd", proc) == []
    assert processes.of_pod(files, UID, proc) == []


def test_a_pods_processes_are_those_of_its_group_below_the_node(files: NodeFiles, proc: Path, add: Add) -> None:
    add(200, SHIM, "/pause", inner=70, cgroup=POD)
    add(201, SHIM, "gunicorn", inner=71, cgroup=POD.replace("burstable/", ""))
    add(202, 201, "gunicorn", inner=72, cgroup=POD)
    add(203, SHIM, "another pod's", inner=73, cgroup=POD.replace("9cba", "0000"))
    add(204, 1, "another cluster's", cgroup=POD)
    add(205, 1, "of no cluster of ours", cgroup=POD.replace(NAME, "kind"))
    assert sorted(found(processes.of_pod(files, UID, proc))) == [200, 201, 202]
    assert processes.of_pod(files, UID[:8], proc) == []


def test_a_pods_processes_are_found_on_the_second_node_too(files: NodeFiles, proc: Path, add: Add) -> None:
    second, there = files.second, POD.replace(NAME, f"{NAME}/second")
    second.run.mkdir()
    second.pid.write_text("300\n")
    add(300, 1, "unshare", "--", "python", str(second.supervisor), str(second.instructions))
    add(301, 300, "python", inner=80)
    add(302, 301, "containerd-shim", inner=81)
    add(303, 302, "gunicorn", inner=82, cgroup=there)
    add(304, SHIM, "in its group, and not below it", inner=83, cgroup=there)
    assert found(processes.of_pod(files, UID, proc)) == [303]


def test_a_process_ends_unless_its_number_has_become_anothers() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child:
        seen = processes._read(Path(f"/proc/{child.pid}"))
        assert seen is not None
        assert not processes.kill(replace(seen, started="1"))
        assert child.poll() is None
        # Its command line may still have been the parent's when it was looked at first.
        assert processes.kill(processes._read(Path(f"/proc/{child.pid}")) or seen)
        assert child.wait(10) == -9
    assert not processes.kill(seen)
