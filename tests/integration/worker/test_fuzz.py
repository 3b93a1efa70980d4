"""Broken media of many formats through the real worker: each ends as an mp3, or with a reason that speaks of the media.

`make fuzz` does the same for as long as one likes.
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.fuzz.__main__ import seeds_in
from tests.fuzz.attempt import attempt, content_of
from tests.integration.worker.catalogue import FORMATS
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import TryAgain
from video2mp3_worker.transcode.convert import Converter

SEED = 20
FILES = 40
_ROUNDS = 4
pytestmark = pytest.mark.timeout(900)
_FORMATS = {one.container: number for number, one in enumerate(FORMATS)}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One format of each container."""
    return seeds_in(tmp_path_factory.mktemp("seeds"), sorted(_FORMATS.values()))


@pytest.fixture(scope="module")
def apart() -> Iterator[Executor]:
    """A process of its own: what its children used is told of all that it ever had."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        yield process


@pytest.mark.parametrize("part", range(_ROUNDS))
def test_broken_media_ends_well(seeds: list[bytes], apart: Executor, tmp_path: Path, part: int) -> None:
    for number in range(part * FILES // _ROUNDS, (part + 1) * FILES // _ROUNDS):
        outcome = apart.submit(attempt, content_of(seeds, SEED, number), number, tmp_path).result()

        assert not outcome.wrong, outcome
        assert not list(tmp_path.iterdir())


def test_the_same_seed_makes_the_same_files(seeds: list[bytes]) -> None:
    files = [content_of(seeds, SEED, number) for number in range(20)]

    assert files == [content_of(seeds, SEED, number) for number in range(20)]
    assert len(set(files)) > 15


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (TryAgain(Reason.STALLED, "It does not move."), "not the media's"),
        (ValueError("not expected"), "crash"),
    ],
)
def test_other_ends_are_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, wrong: str) -> None:
    def convert(_self: Converter, _source: Path, mp3: Path, _output: Output) -> None:
        mp3.touch()
        raise error

    monkeypatch.setattr(Converter, "convert", convert)

    outcome = attempt(b"anything", 1, tmp_path)

    assert wrong in outcome.wrong
    assert not list(tmp_path.iterdir())
