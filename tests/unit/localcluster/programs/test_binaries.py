"""Artefacts are made once and completely, or not at all."""

from pathlib import Path

import pytest

from video2mp3_localcluster.programs.binaries import Artefact
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    log = StepLog(tmp_path / "log")
    yield log
    log.close()


def test_an_artefact_is_made_once(log: StepLog) -> None:
    made: list[Path] = []
    artefact = Artefact("tool", "1", lambda _log, folder: made.append(folder))
    artefact.make(log)
    artefact.make(log)
    assert len(made) == 1
    assert artefact.folder.is_dir()
    assert log.remark == "cached"


def test_half_an_artefact_is_never_used(log: StepLog) -> None:
    def interrupted(_log: StepLog, folder: Path) -> None:
        (folder / "half").touch()
        raise StepFailed("interrupted")

    with pytest.raises(StepFailed):
        Artefact("tool", "1", interrupted).make(log)
    assert not Artefact("tool", "1", interrupted).folder.exists()
    Artefact("tool", "1", lambda _log, folder: (folder / "whole").touch()).make(log)
    assert [path.name for path in Artefact("tool", "1", interrupted).folder.iterdir()] == ["whole"]


def test_two_versions_are_kept(log: StepLog) -> None:
    for key in ("1", "2", "3"):
        Artefact("tool", key, lambda _log, _folder: None).make(log)
    Artefact("tool-box", "9", lambda _log, _folder: None).make(log)
    folders = Artefact("tool", "1", lambda _log, _folder: None).folder.parent
    assert sorted(path.name for path in folders.iterdir() if path.is_dir()) == ["tool-2", "tool-3", "tool-box-9"]
