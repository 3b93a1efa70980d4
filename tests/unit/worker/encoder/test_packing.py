"""Packing: whatever the frames are, they come out of the packed stream as they went in."""

import random
from collections.abc import Iterable

import pytest

from video2mp3_worker.encoder.frames import Frame, Layout, frames_of
from video2mp3_worker.encoder.packing import DoesNotFitError, Packer, needed_before

LARGEST_MAIN_BITS = 4095 // 8 * 8


def most(layout: Layout, bit_rate: int) -> int:
    """The largest main data, in bytes, that fits into a frame of a bit rate, and into what lengths can say."""
    room = layout.frame_bytes(bit_rate) - layout.head_bytes
    return min(room, len(layout.length_shifts) * LARGEST_MAIN_BITS // 8)


LAYOUTS = [Layout(rate, channels) for rate in (44100, 48000, 32000, 22050, 8000) for channels in (1, 2)]


def a_frame(layout: Layout, size: int, chance: random.Random) -> Frame:
    """A frame whose main data has a size in bytes; its lengths say so."""
    bits, side = size * 8, 0
    for shift in layout.length_shifts:
        length = min(bits, LARGEST_MAIN_BITS)
        side |= length << shift
        bits -= length
    assert bits == 0
    rate_bits = 0b1111_1011 if layout.is_mpeg1 else 0b1111_0011
    head = bytes((0xFF, rate_bits, 0x90, 0x64)) + side.to_bytes(layout.head_bytes - 4, "big")
    return Frame(head, chance.randbytes(size))


def batches(frames: list[Frame], chance: random.Random) -> Iterable[list[Frame]]:
    while frames:
        count = chance.randint(1, 20)
        yield frames[:count]
        frames = frames[count:]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_a_variable_bit_rate_loses_nothing(layout: Layout, seed: int) -> None:
    chance = random.Random(seed)
    largest = most(layout, layout.variable_bit_rates[-1])
    frames = [a_frame(layout, min(int(chance.expovariate(4 / largest)), largest), chance) for _ in range(200)]
    packer = Packer(layout, None)

    stream = b"".join([packer.add(batch) for batch in batches(frames, chance)]) + packer.finish()

    assert [frame.main for frame in frames_of(stream, layout)] == [frame.main for frame in frames]
    assert sum(packer.sizes) == len(stream)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_constant_bit_rate_keeps_its_rooms_and_its_padding(layout: Layout) -> None:
    chance = random.Random(5)
    frames = [a_frame(layout, chance.randint(0, most(layout, 64)), chance) for _ in range(200)]
    packer = Packer(layout, 64)

    stream = b"".join([packer.add(batch) for batch in batches(frames, chance)]) + packer.finish()

    assert [frame.main for frame in frames_of(stream, layout)] == [frame.main for frame in frames]
    assert list(packer.sizes) == [layout.frame_bytes(64, layout.padding(64, number)) for number in range(200)]


def test_what_does_not_fit_leaves_everything_as_it_was() -> None:
    layout, chance = Layout(44100, 2), random.Random(6)
    room = layout.frame_bytes(64) - layout.head_bytes
    small, large = a_frame(layout, room - 10, chance), a_frame(layout, room + 100, chance)
    packer = Packer(layout, 64)
    begun = packer.add([small])

    with pytest.raises(DoesNotFitError):
        packer.add([small, large])

    stream = begun + packer.add([small]) + packer.finish()
    assert [frame.main for frame in frames_of(stream, layout)] == [small.main] * 2


def test_the_reservoir_is_used_before_a_higher_rate() -> None:
    """Small frames leave room; a large one behind them takes it."""
    layout, chance = Layout(44100, 2), random.Random(7)
    frames = [a_frame(layout, 10, chance) for _ in range(10)] + [a_frame(layout, 400, chance)]
    alone, together = Packer(layout, None), Packer(layout, None)

    alone.add(frames[-1:])
    alone.finish()
    together.add(frames)
    together.finish()

    assert together.sizes[-1] < alone.sizes[-1]


@pytest.mark.parametrize("layout", [Layout(rate, 2) for rate in (8000, 11025, 12000)], ids=str)
@pytest.mark.parametrize("together", [True, False])
def test_frames_before_one_that_is_larger_than_any_room_leave_it_what_it_lacks(layout: Layout, together: bool) -> None:
    chance = random.Random(8)
    largest = layout.frame_bytes(layout.variable_bit_rates[-1])
    large = a_frame(layout, largest - layout.head_bytes + layout.usable_reservoir(largest), chance)
    small = [a_frame(layout, 40, chance) for _ in range(20)]
    packer = Packer(layout, None)

    parts = [packer.add([*small, large])] if together else [packer.add(small), packer.add([large])]
    stream = b"".join(parts) + packer.finish()

    assert [frame.main for frame in frames_of(stream, layout)] == [frame.main for frame in (*small, large)]
    assert packer.sizes[0] < packer.sizes[-2]
    assert max(packer.sizes) == largest


def test_what_is_needed_before_frames_is_what_makes_them_fit() -> None:
    layout, chance = Layout(44100, 2), random.Random(9)
    room = layout.frame_bytes(320) - layout.head_bytes
    large = [a_frame(layout, room + 100, chance), a_frame(layout, room + 30, chance)]

    assert needed_before(large[:1], layout) == 100
    assert needed_before(large, layout) == 130
    assert needed_before([a_frame(layout, room + 600, chance)], layout) == float("inf")
    with pytest.raises(DoesNotFitError):
        Packer(layout, None).add(large)
