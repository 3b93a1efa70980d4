"""⑥ The sound is as good as plain ffmpeg's with the same LAME: at every level, setting and rate, to the sample."""

import pytest

from tests.integration.worker.oracle import compare
from tests.integration.worker.oracle.compare import Heard
from tests.integration.worker.oracle.encoding import PIECE_FRAMES
from tests.integration.worker.oracle.grid import Case, covering, pairs, whole
from video2mp3_worker.encoder import pieces


@pytest.mark.parametrize("case", covering(), ids=str)
def test_it_is_no_noisier_than_plain_ffmpeg(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.quality.bit_rate is None:
        monkeypatch.setattr(pieces, "PIECE_FRAMES", PIECE_FRAMES)

    ours, plain = compare.compared(case)

    assert compare.faults(ours, plain) == []


def test_the_grid_covers_every_pair_of_properties() -> None:
    there = {pair for case in covering() for pair in pairs(case)}

    assert {pair for case in whole() for pair in pairs(case)} == there


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"snr_db": 29.6}, "noise"),
        ({"count": 999}, "length"),
        ({"lag": 1}, "offset"),
        ({"size": 103_000}, "size"),
    ],
)
def test_what_is_worse_is_found(changes: dict[str, float], fault: str) -> None:
    good = {"size": 100_000, "count": 1000, "snr_db": 30.0, "lag": 0}

    found = compare.faults(Heard(**{**good, **changes}), Heard(**good))  # type: ignore[arg-type]

    assert [said.split(":")[0] for said in found] == [fault]
