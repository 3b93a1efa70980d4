"""The cores that a container may use, from cgroups of both versions."""

import os
from pathlib import Path

import pytest

from video2mp3_worker.limits import cores

UNLIMITED = len(os.sched_getaffinity(0))


def a_group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content + "\n")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("max 100000", UNLIMITED),
        ("100000 100000", 1),
        ("20000 100000", 1),
        ("garbage", UNLIMITED),
        ("400000000 100000", UNLIMITED),
        ("150000 100000", min(2, UNLIMITED)),
    ],
)
def test_version_2(tmp_path: Path, limit: str, expected: int) -> None:
    (tmp_path / "self").write_text("0::/kubepods/pod1\n")
    a_group(tmp_path / "kubepods/pod1", cpu__max=limit)

    assert cores.available(tmp_path, tmp_path / "self") == expected


def test_the_tightest_of_the_groups_counts(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("0::/kubepods/pod1\n")
    a_group(tmp_path / "kubepods/pod1", cpu__max="max 100000")
    a_group(tmp_path / "kubepods", cpu__max="100000 100000")

    assert cores.available(tmp_path, tmp_path / "self") == 1


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
def test_version_1(tmp_path: Path, folder: str) -> None:
    (tmp_path / "self").write_text("4:memory:/kubepods\n3:cpu,cpuacct:/kubepods\n")
    a_group(tmp_path / folder / "kubepods", **{"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"})

    assert cores.available(tmp_path, tmp_path / "self") == 1


def test_version_1_without_a_quota(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("3:cpu:/kubepods\n")
    a_group(tmp_path / "cpu/kubepods", **{"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"})

    assert cores.available(tmp_path, tmp_path / "self") == UNLIMITED


def test_without_cgroups_affinity_decides(tmp_path: Path) -> None:
    assert cores.available(tmp_path, tmp_path / "self") == UNLIMITED
