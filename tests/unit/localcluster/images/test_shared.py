"""The images `builder` and `runtime`: their names, and when they are built."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from video2mp3_localcluster.debian.buildah import Buildah
from video2mp3_localcluster.images.catalogue import SHARED_FOLDER
from video2mp3_localcluster.images.shared import build_shared, shared_references
from video2mp3_localcluster.steps.layout import repository_root
from video2mp3_localcluster.steps.steps import StepLog

ARGUMENTS = {"BASE_IMAGE": "localhost/base:1", "APT_CONFIG": "/mnt/apt.conf"}


class Store(Buildah):
    """Remembers what it was told to build."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.built: dict[str, tuple[Path, Path, Mapping[str, str], str | None]] = {}

    def exists(self, log: StepLog, reference: str) -> bool:
        return reference in self.built

    def build(
        self, log: StepLog, reference: str, dockerfile: Path, context: Path, arguments: Mapping[str, str],
        trees: Any = None, target: str | None = None,
    ) -> None:  # fmt: skip
        self.built[reference] = (dockerfile, context, arguments, target)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "sources" / SHARED_FOLDER
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch AS builder\nFROM scratch AS runtime\n")
    (folder / "install").write_text("#!/bin/sh\n")
    return tmp_path / "sources"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[StepLog]:
    log = StepLog(tmp_path / "log")
    yield log
    log.close()


@pytest.mark.parametrize("file", ["Dockerfile", "install", "new"])
def test_what_they_are_made_from_gives_them_new_names(sources: Path, file: str) -> None:
    before = shared_references(sources)
    (sources / SHARED_FOLDER / file).write_text("changed")
    after = shared_references(sources)
    assert before.keys() == after.keys() == {"BUILDER_IMAGE", "RUNTIME_IMAGE"}
    assert not set(before.values()) & set(after.values())


def test_nothing_else_does(sources: Path) -> None:
    before = shared_references(sources)
    (sources / "contracts" / "source.py").write_text("")
    assert shared_references(sources) == before


def test_each_is_built_once_from_its_stage_by_the_arguments_of_every_build(sources: Path, log: StepLog) -> None:
    store, folder = Store(sources / "store"), sources / SHARED_FOLDER
    references = build_shared(log, store, sources, ARGUMENTS)
    assert references == shared_references(sources)
    assert store.built == {
        references["BUILDER_IMAGE"]: (folder / "Dockerfile", folder, ARGUMENTS, "builder"),
        references["RUNTIME_IMAGE"]: (folder / "Dockerfile", folder, ARGUMENTS, "runtime"),
    }
    built = dict(store.built)
    assert build_shared(log, store, sources, {}) == references
    assert store.built == built


def test_a_release_from_before_them_starts_from_the_base_alone(tmp_path: Path, log: StepLog) -> None:
    store = Store(tmp_path)
    assert build_shared(log, store, tmp_path, ARGUMENTS) == {}
    assert store.built == {}


def test_the_checkout_has_them() -> None:
    assert shared_references(repository_root())
