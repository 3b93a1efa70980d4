"""⑥ Sources that are still being fetched while ffmpeg reads them."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.worker.samples import Samples, ffmpeg, with_chapters
from tests.integration.worker.test_carried_over import with_cover_in_mp4
from video2mp3_contracts.api.output import Loudness, Output, Trim
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import TryAgain
from video2mp3_worker.source.partial_download import LocalSource, PartialDownload
from video2mp3_worker.transcode.convert import Converter, Mp3

STEP_BYTES = 50_000
WAIT_SECONDS = 60


def coming(whole: Path, path: Path, share: float, before_the_rest: Callable[[], None]) -> LocalSource:
    """A copy of a file that has come as far as `share`, and comes to its end after `before_the_rest`."""
    content = whole.read_bytes()
    begun = round(share * len(content))
    path.write_bytes(content[:begun])

    def rest(go_on: Callable[[], None]) -> None:
        before_the_rest()
        with path.open("ab", buffering=0) as file:
            for start in range(begun, len(content), STEP_BYTES):
                go_on()
                file.write(content[start : start + STEP_BYTES])

    return LocalSource(path, len(content), PartialDownload(rest))


def same(one: Mp3, other: Mp3) -> bool:
    return (one.sha256, one.duration_seconds, one.notes) == (other.sha256, other.duration_seconds, other.notes)


def test_the_encoder_begins_before_all_is_there(samples: Samples, tmp_path: Path) -> None:
    film = samples.two_minutes()
    whole = Converter(Stop()).convert(LocalSource.whole(film), tmp_path / "whole.mp3", Output())
    encoded = threading.Event()

    def wait_for_the_encoder() -> None:
        assert encoded.wait(WAIT_SECONDS)

    def report(done: float, _expected: float | None) -> None:
        if done > 0:
            encoded.set()

    source = coming(film, tmp_path / "film.mp4", 0.7, wait_for_the_encoder)
    mp3 = Converter(Stop(), report=report).convert(source, tmp_path / "output.mp3", Output())

    source.wait(lambda: None)
    assert same(mp3, whole)


@pytest.mark.parametrize(
    "output",
    [
        Output(),
        Output(loudness=Loudness(integrated_lufs=-20.0)),
        Output(loudness=Loudness(integrated_lufs=-10.0, mode="limit")),
        Output(trim=Trim(start=3, end=7)),
    ],
    ids=["all", "loudness", "limited", "trim"],
)
@pytest.mark.parametrize("kind", ["clip", "gap", "camera", "chapters", "cover"])
def test_it_becomes_the_same_mp3(samples: Samples, tmp_path: Path, kind: str, output: Output) -> None:
    film = {
        "clip": samples.index_first,
        "gap": samples.with_gap,
        "camera": lambda: samples.camera(index_first=True),
        "chapters": lambda: chapters(samples, tmp_path),
        "cover": lambda: cover(samples, tmp_path),
    }[kind]()
    whole = Converter(Stop()).convert(LocalSource.whole(film), tmp_path / "whole.mp3", output)

    source = coming(film, tmp_path / "film.mp4", 0.2, lambda: None)
    mp3 = Converter(Stop()).convert(source, tmp_path / "output.mp3", output)

    source.wait(lambda: None)
    assert same(mp3, whole)


def test_it_shows_signs_of_life_while_it_waits_for_what_it_has_to_look_at(samples: Samples, tmp_path: Path) -> None:
    alive = threading.Event()

    def wait_for_a_sign() -> None:
        assert alive.wait(WAIT_SECONDS)

    source = coming(samples.index_first(), tmp_path / "film.mp4", 0.2, wait_for_a_sign)
    Converter(Stop(), report=lambda _done, _expected: alive.set()).plan(source, Output())

    source.wait(lambda: None)


def cover(samples: Samples, folder: Path) -> Path:
    tagged, film = folder / "tagged.mp4", folder / "cover.mp4"
    with_cover_in_mp4(samples, tagged, samples.picture("cover.jpg").read_bytes(), "image/jpeg")
    ffmpeg("-i", tagged, "-map", "0", "-c", "copy", "-movflags", "+faststart", film)
    return film


def chapters(samples: Samples, folder: Path) -> Path:
    film = folder / "chapters.mp4"
    with_chapters(samples.clip(), film, [(0, 4, "One"), (4, 10, "Two")], "-movflags", "+faststart")
    return film


def test_a_source_that_stops_coming_ends_the_attempt_and_leaves_no_process(samples: Samples, tmp_path: Path) -> None:
    def away() -> None:
        raise TryAgain(Reason.SERVICE_UNAVAILABLE, "The database that holds the files was away.")

    source = coming(samples.two_minutes(), tmp_path / "film.mp4", 0.5, away)

    with pytest.raises(TryAgain) as error:
        Converter(Stop()).convert(source, tmp_path / "output.mp3", Output())

    assert error.value.reason is Reason.SERVICE_UNAVAILABLE
    own = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert "ffmpeg" not in [Path(f"/proc/{child}/comm").read_text().strip() for child in own]
