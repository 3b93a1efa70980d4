"""What a child of the worker cannot do, tried from inside a child."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import child
from video2mp3_worker.child import Confinement, Ended
from video2mp3_worker.errors import TryAgain

_AS_IN_A_POD = """
import ctypes, os, sys
if os.geteuid() == 0:
    # CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_PERFMON look into others; a worker and its children have none of them.
    assert not any(ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) for capability in (19, 21, 38))
os.execv(sys.argv[1], sys.argv[1:])
"""
_INTERPRETER = (Path(sys.base_prefix), Path(sys.prefix))


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Ended, str]]:
    """Run Python code as a child; answer how it ended and what it printed."""
    monkeypatch.setitem(child._ENVIRONMENT, "PATH", str(Path(sys.executable).parent))
    monkeypatch.setenv("WORKER_MONGODB_URI", "mongodb://root:secret@example.org/")

    def run(code: str, watch: Callable[[], None] = lambda: None, **changes: object) -> tuple[Ended, str]:
        printed = bytearray()
        wanted = {"reads": _INTERPRETER} | changes
        command = [Path(sys.executable).name, "-I", "-c", code]
        ended = child.run(command, Confinement(**wanted), output=printed.extend, watch=watch)  # type: ignore[arg-type]
        return ended, printed.decode()

    return run


def test_a_child_may_read_and_write_what_is_named(ask: Callable[..., tuple[Ended, str]], tmp_path: Path) -> None:
    source, result = tmp_path / "source", tmp_path / "result"
    source.write_text("sound")
    result.touch()

    ended, _ = ask(
        f"open({str(result)!r}, 'w').write(open({str(source)!r}).read())",
        reads=(*_INTERPRETER, source),
        writes=(result,),
        file_bytes=100,
    )

    assert ended.status == 0, ended.complaint
    assert result.read_text() == "sound"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import socket; socket.socket()", "PermissionError"),
        ("import socket; socket.socketpair()", "PermissionError"),
        ("import os; os.fork()", "PermissionError"),
        ("import subprocess; subprocess.run(['/usr/bin/true'])", "PermissionError"),
        ("import os; os.kill(os.getppid(), 9)", "PermissionError"),
        ("open('/etc/passwd')", "PermissionError"),
        ("import os; open(f'/proc/{os.getppid()}/environ')", "PermissionError"),
        ("import os; os.listdir('/tmp')", "PermissionError"),
        ("open('/tmp/new', 'w')", "PermissionError"),
        ("x = bytearray(10**9)", "MemoryError"),
    ],
)
def test_a_child_can_do_nothing_else(ask: Callable[..., tuple[Ended, str]], code: str, error: str) -> None:
    ended, _ = ask(code)

    assert ended.status == 1
    assert error in ended.complaint


def test_a_child_may_start_threads(ask: Callable[..., tuple[Ended, str]]) -> None:
    ended, printed = ask("import threading; t = threading.Thread(target=print, args=('here',)); t.start(); t.join()")

    assert (ended.status, printed) == (0, "here\n"), ended.complaint


def test_a_child_knows_none_of_the_workers_secrets(ask: Callable[..., tuple[Ended, str]]) -> None:
    ended, printed = ask("import os; print(dict(os.environ))")

    assert ended.status == 0
    assert "secret" not in printed


@pytest.mark.parametrize(
    ("code", "readable"),
    [("from video2mp3_worker.main import main; main()", False), ("", True)],
    ids=["worker", "other"],
)
def test_no_process_of_the_same_user_reads_the_workers_environment(code: str, readable: bool) -> None:
    """Also not where the kernel has no Landlock. Without a request the worker ends at once, but for what is asked."""
    as_in_a_pod = (sys.executable, "-c", _AS_IN_A_POD)
    secrets = {
        "WORKER_MONGODB_URI": "mongodb://root:secret@example.org/",
        "WORKER_TERMINATION_MESSAGE_PATH": os.devnull,
    }
    keeper = subprocess.Popen(
        [*as_in_a_pod, sys.executable, "-c", f"{code}\nprint('ready', flush=True); input()"],
        env=secrets,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n"
        reading = [*as_in_a_pod, "/bin/cat", f"/proc/{keeper.pid}/environ"]
        read = subprocess.run(reading, capture_output=True, text=True, check=False)
        keeper.kill()

    assert ("secret" in read.stdout) is readable
    assert ("Permission denied" in read.stderr) is not readable


def test_a_child_cannot_write_more_than_it_may(ask: Callable[..., tuple[Ended, str]], tmp_path: Path) -> None:
    result = tmp_path / "result"
    result.touch()

    ended, _ = ask(
        f"f = open({str(result)!r}, 'wb'); f.write(bytes(1000)); f.close()", writes=(result,), file_bytes=100
    )

    assert ended.status != 0
    assert result.stat().st_size <= 100


def test_a_child_that_computes_for_too_long_is_ended(ask: Callable[..., tuple[Ended, str]]) -> None:
    ended, _ = ask("while True: pass", cpu_seconds=1)

    assert ended.status < 0


def test_what_the_watch_raises_ends_the_child(ask: Callable[..., tuple[Ended, str]]) -> None:
    def watch() -> None:
        raise TryAgain(Reason.STOPPED, "Stop.")

    with pytest.raises(TryAgain, match="Stop"):
        ask("import time; time.sleep(600)", watch=watch)


def test_a_program_that_is_not_there_is_an_attempt_to_repeat() -> None:
    with pytest.raises(TryAgain, match="not installed"):
        child.run(["no-such-program"], Confinement(reads=()), output=lambda _: None, watch=lambda: None)
