"""Rooms: what is told of frames from afar is what packing them does."""

import math
import random

import pytest

from tests.unit.worker.encoder.test_packing import LAYOUTS, a_frame
from video2mp3_worker.encoder.frames import Frame, Layout
from video2mp3_worker.encoder.packing import DoesNotFitError, Packer
from video2mp3_worker.encoder.reservoir_bounds import ReservoirBounds, passage

RATE = 32


def room(layout: Layout) -> int:
    """The main data, in bytes, that a frame has room for by itself."""
    return layout.frame_bytes(RATE) - layout.head_bytes


def some_frames(layout: Layout, chance: random.Random, count: int, fullness: float) -> list[Frame]:
    """Frames that fill their rooms to about a share."""
    return [a_frame(layout, int(room(layout) * fullness * chance.uniform(0.8, 1.2)), chance) for _ in range(count)]


def free_after(packer: Packer) -> int:
    """The bytes that the frames so far leave free."""
    return packer._free


def packed(packer: Packer, frames: list[Frame]) -> bool:
    try:
        packer.add(frames)
    except DoesNotFitError:
        return False
    return True


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("seed", range(8))
def test_a_passage_tells_what_the_packer_does(layout: Layout, seed: int) -> None:
    chance = random.Random(seed)
    packer, outcomes = Packer(layout, RATE), set()
    for _ in range(40):
        free, number = free_after(packer), len(packer.sizes)
        frames = some_frames(layout, chance, chance.randint(1, 40), chance.choice((0.7, 0.95, 1.4)))
        told = passage(frames, layout, RATE, number)

        fits = packed(packer, frames)

        assert told.fits(free) == fits
        if fits:
            assert told.after(free) == free_after(packer)
        outcomes.add(fits)
    assert outcomes == {True, False}


@pytest.mark.parametrize("seed", range(40))
def test_what_is_free_lies_between_the_least_and_the_most_and_what_surely_fits_does(seed: int) -> None:
    chance, layout = random.Random(seed), Layout(44100, 2)
    packer, rooms = Packer(layout, RATE), ReservoirBounds(0, math.inf)
    packer.add(some_frames(layout, chance, chance.randint(0, 5), 0.8))
    for _ in range(30):
        number = len(packer.sizes)
        frames = some_frames(layout, chance, 10, chance.choice((0.8, 0.95, 1.05)))
        spares = [a_frame(layout, min(len(frame.main), room(layout)), chance) for frame in frames]

        surely = rooms.surely(passage(frames, layout, RATE, number))
        if not surely:
            rooms.perhaps(passage(frames, layout, RATE, number), passage(spares, layout, RATE, number))

        fits = packed(packer, frames)
        assert fits or not surely
        if not fits:
            packer.add(spares)
        assert rooms.least <= free_after(packer) <= rooms.most


def test_frames_that_never_fit_are_told_so() -> None:
    layout, chance = Layout(44100, 2), random.Random(1)

    told = passage([a_frame(layout, room(layout) + layout.reservoir_bytes + 2, chance)], layout, RATE, 0)

    assert not told.fits(math.inf)
