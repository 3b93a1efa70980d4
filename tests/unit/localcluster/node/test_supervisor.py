"""The supervisor restarts what ends, later each time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from video2mp3_localcluster.node import supervisor
from video2mp3_localcluster.node.supervisor import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, STEADY_SECONDS, Component

FAILED = 256  # the wait status of a process that ended with exit code 1


def test_each_early_end_doubles_the_delay_up_to_a_limit() -> None:
    component = Component("x", ["x"])
    delays = []
    for _ in range(7):
        component.started = 100.0
        component.ended(FAILED, now=101.0)
        delays.append(component.due - 101.0)
    assert delays[:3] == [FIRST_DELAY_SECONDS, 2 * FIRST_DELAY_SECONDS, 4 * FIRST_DELAY_SECONDS]
    assert delays[-1] == LONGEST_DELAY_SECONDS
    assert component.report() == {"pid": 0, "restarts": 7, "lastExit": 1}


def test_a_component_that_ran_steadily_is_restarted_at_once() -> None:
    component = Component("x", ["x"], delay=LONGEST_DELAY_SECONDS, started=100.0)
    component.ended(FAILED, now=100.0 + STEADY_SECONDS)
    assert component.due == 100.0 + STEADY_SECONDS
    assert component.delay == FIRST_DELAY_SECONDS


@pytest.fixture
def instructions(tmp_path: Path) -> Path:
    """Two components: one that waits for a file and then stays, one that ends at once."""
    document = {
        "setup": [["touch", str(tmp_path / "prepared")]],
        "writes": [[str(tmp_path / "written"), "1"]],
        "components": [
            {"name": "steady", "arguments": ["sleep", "60"], "after": ["test", "-e", str(tmp_path / "go")]},
            {"name": "failing", "arguments": ["sh", "-c", "echo $WORD; exit 7"], "after": []},
        ],
        "environment": {"WORD": "from the environment"},
        "logs": str(tmp_path),
        "report": str(tmp_path / "report.json"),
    }
    path = tmp_path / "node.json"
    path.write_text(json.dumps(document))
    return path


def test_it_prepares_starts_restarts_and_reports(instructions: Path, tmp_path: Path) -> None:
    # The program is started with the host's network namespace as this descriptor.
    command = f"exec {supervisor.HOST_NETWORK_FD}</dev/null; exec {sys.executable} {supervisor.__file__} {instructions}"
    with subprocess.Popen(["bash", "-c", command], start_new_session=True) as process:
        try:
            report = wait_until(tmp_path, lambda report: report["failing"]["restarts"] >= 2)
            assert report["failing"]["lastExit"] == 7
            assert report["steady"]["pid"] == 0
            (tmp_path / "go").touch()
            pid = wait_until(tmp_path, lambda report: report["steady"]["pid"] > 0)["steady"]["pid"]
            os.kill(pid, signal.SIGKILL)
            report = wait_until(tmp_path, lambda report: report["steady"]["pid"] not in (0, pid))
            assert report["steady"]["lastExit"] == -signal.SIGKILL
            os.kill(report["steady"]["pid"], signal.SIGKILL)
        finally:
            process.kill()
    assert (tmp_path / "prepared").exists()
    assert (tmp_path / "written").read_text() == "1"
    assert "from the environment" in (tmp_path / "failing.log").read_text()


def wait_until(folder: Path, condition) -> dict:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        path = folder / "report.json"
        if path.exists() and condition(report := json.loads(path.read_text())):
            return report
        time.sleep(0.02)
    raise AssertionError(f"not reported in time: {(folder / 'report.json').read_text()}")
