"""Steps run in the order of their needs, and one failure ends the run."""

import io
import threading
from pathlib import Path

import pytest

from video2mp3_localcluster.steps.steps import Step, StepFailed, StepLog, run_steps


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def nothing(_log: StepLog) -> None:
    """A step without work."""


def test_a_step_runs_after_those_it_needs() -> None:
    done: list[str] = []

    def record(name: str, *needs: str) -> Step:
        return Step(name, lambda _log: done.append(name), needs)

    run_steps(
        [record("c", "a", "b"), record("b", "a"), record("a"), record("d", "not part of this run")], out=io.StringIO()
    )
    assert [name for name in done if name != "d"] == ["a", "b", "c"]
    assert "d" in done


def test_steps_without_needs_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=5)
    run_steps([Step(name, lambda _log: both.wait() and None) for name in ("a", "b")], out=io.StringIO())


def test_a_failure_stops_running_programs_and_shows_the_log() -> None:
    out = io.StringIO()
    started = threading.Event()

    def fail(log: StepLog) -> None:
        assert started.wait(5)
        log.command(["sh", "-c", "echo the reason; exit 3"])

    def sleep(log: StepLog) -> None:
        started.set()
        log.command(["sleep", "60"])

    later: list[str] = []
    with pytest.raises(StepFailed, match=r"bad: .* exit code 3"):
        run_steps(
            [Step("bad", fail), Step("long", sleep), Step("later", lambda _log: later.append("ran"), ("bad",))], out=out
        )
    assert later == []
    assert "the reason" in out.getvalue()
    assert "stopped  long" in out.getvalue()


def test_a_circle_of_needs_is_an_error() -> None:
    with pytest.raises(ValueError, match="circle"):
        run_steps([Step("a", nothing, ("b",)), Step("b", nothing, ("a",))], out=io.StringIO())


def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "log")
    with pytest.raises(StepFailed, match="did not finish"):
        log.command(["sleep", "60"], timeout_seconds=0.1)
    log.close()


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "log")
    with pytest.raises(StepFailed, match="no-such-program is not installed"):
        log.command(["no-such-program"])
    log.close()


def test_output_is_returned_and_errors_are_logged(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "log")
    assert log.output(["sh", "-c", "cat; echo aside >&2"], stdin=b"in") == "in"
    assert "aside" in log.tail()
    log.close()
