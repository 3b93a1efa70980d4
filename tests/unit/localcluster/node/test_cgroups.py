"""Which cgroup hierarchies there are, on every kind of machine."""

from pathlib import Path

import pytest

from video2mp3_localcluster.node import cgroups
from video2mp3_localcluster.node.cgroups import Hierarchy, hierarchies
from video2mp3_localcluster.steps.layout import NAME, NodeFiles

ROOT = Path("/sys/fs/cgroup")

VERSION_2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = """\
30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
32 30 0:28 / /sys/fs/cgroup/cpuset rw,relatime shared:2 master:1 - cgroup cgroup rw,cpuset
33 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
34 24 0:31 / /elsewhere/memory rw - cgroup cgroup rw,memory
"""


@pytest.mark.parametrize(
    ("mountinfo", "expected"),
    [
        (VERSION_2, [Hierarchy(ROOT, unified=True, controllers=frozenset({"rw", "nsdelegate"}))]),
        (
            HYBRID,
            [
                Hierarchy(ROOT / "memory", unified=False, controllers=frozenset({"rw", "memory"})),
                Hierarchy(ROOT / "cpuset", unified=False, controllers=frozenset({"rw", "cpuset"})),
                Hierarchy(ROOT / "unified", unified=True, controllers=frozenset({"rw"})),
            ],
        ),
        ("22 1 254:0 / / rw - ext4 /dev/vda rw\n", []),
    ],
)
def test_hierarchies_are_found(mountinfo: str, expected: list[Hierarchy]) -> None:
    assert hierarchies(mountinfo) == expected


def test_the_nodes_processes_stay_out_of_an_empty_cpuset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "mounted", lambda: hierarchies(HYBRID))
    assert cgroups.join_writes() == [
        (f"/sys/fs/cgroup/{name}/{NAME}/node/cgroup.procs", "0") for name in ("memory", "unified")
    ]


def test_the_second_nodes_group_is_in_the_clusters_and_goes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "mounted", lambda: [Hierarchy(tmp_path, unified=False)])
    second = NodeFiles().second.cgroup
    cgroups.create_groups()
    cgroups.create_groups(second)
    assert cgroups.join_writes(second) == [(str(tmp_path / NAME / "second" / "node" / "cgroup.procs"), "0")]
    cgroups.remove_groups(second)
    assert [each.name for each in (tmp_path / NAME).iterdir()] == ["node"]


def test_groups_are_created_and_removed_with_all_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(cgroups, "mounted", lambda: [Hierarchy(tmp_path / "memory", unified=False)])
    cgroups.create_groups()
    (tmp_path / "memory" / NAME / "kubepods" / "pod").mkdir(parents=True)
    cgroups.remove_groups()
    cgroups.remove_groups()
    assert list((tmp_path / "memory").iterdir()) == []


@pytest.mark.parametrize(("name", "expected"), [("cpu.shares", "8192"), ("cpu.weight", "800")])
def test_the_cluster_counts_for_more_than_one_process(
    name: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / name).touch()
    monkeypatch.setattr(cgroups, "mounted", lambda: [Hierarchy(tmp_path, unified=False)])
    cgroups.create_groups()
    assert (tmp_path / NAME / name).read_text() == expected


def test_version_2_passes_on_the_controllers_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path, tmp_path / NAME):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.controllers").write_text("cpu memory hugetlb\n")
    monkeypatch.setattr(cgroups, "mounted", lambda: [Hierarchy(tmp_path, unified=True)])
    cgroups.create_groups()
    assert (tmp_path / NAME / "cgroup.subtree_control").read_text() == "+cpu +memory"
