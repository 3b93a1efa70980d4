"""What is missing is said in words."""

from pathlib import Path

import pytest

from video2mp3_localcluster.node import preflight
from video2mp3_localcluster.node.addresses import HOST_INTERFACE
from video2mp3_localcluster.node.preflight import check_machine, network_conflicts
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog


@pytest.mark.parametrize(
    ("destination", "device", "conflicts"),
    [
        ("default", "eth0", 0),
        ("192.0.2.0/24", "eth0", 0),
        ("10.0.0.0/8", "tun0", 0),
        ("10.213.0.0/20", HOST_INTERFACE, 0),
        ("10.213.0.0/20", "br0", 1),
        ("10.213.17.0/24", "br0", 1),
        ("10.213.3.4", "tun0", 1),
        ("10.213.47.0/24", "tun0", 1),
    ],
)
def test_a_network_in_use_is_named(destination: str, device: str, conflicts: int) -> None:
    found = list(network_conflicts([{"dst": destination, "dev": device}]))
    assert len(found) == conflicts
    assert all(destination in problem and device in problem for problem in found)


def test_everything_that_is_missing_is_listed_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(preflight.platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(preflight.os, "geteuid", lambda: 501)
    monkeypatch.setattr(preflight.shutil, "which", lambda program: None if program == "apt-get" else "/bin/it")
    log = StepLog(tmp_path / "log")
    with pytest.raises(StepFailed) as failure:
        check_machine(log)
    log.close()
    for part in ("Darwin", "riscv64", "root", "apt-get", "kind or minikube", "helm install"):
        assert part in str(failure.value)
