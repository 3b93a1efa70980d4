"""One command at a time changes the machine's cluster."""

import threading
from pathlib import Path

from video2mp3_localcluster.steps.machine_lock import machine_lock


def test_a_second_command_waits_and_no_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    order: list[str] = []

    def second() -> None:
        with machine_lock(path):
            order.append("second")

    with machine_lock(path):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join(5)
    assert order == ["first", "second"]
    assert not path.exists()
