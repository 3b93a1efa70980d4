"""Frames: sizes from the standard's formula, and taking LAME's own streams apart."""

import pytest

from tests.unit.worker.encoder.audio import samples
from video2mp3_worker.encoder import lame
from video2mp3_worker.encoder.frames import Layout, frames_of
from video2mp3_worker.encoder.lame import Lame, Quality

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@pytest.mark.parametrize(
    ("rate", "bit_rate", "padding", "size"),
    [
        (44100, 128, 0, 417),
        (44100, 128, 1, 418),
        (48000, 320, 0, 960),
        (32000, 32, 0, 144),
        (22050, 64, 0, 208),
        (24000, 160, 0, 480),
        (8000, 8, 0, 72),
        (11025, 64, 1, 418),
    ],
)
def test_a_frame_is_as_large_as_its_bit_rate_says(rate: int, bit_rate: int, padding: int, size: int) -> None:
    assert Layout(rate, 2).frame_bytes(bit_rate, padding) == size


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_lame_makes_comes_apart_into_its_frames(rate: int, channels: int) -> None:
    layout = Layout(rate, channels)
    encoder = Lame(lame.load(), layout, Quality(bit_rate=64))
    sound = bytearray(samples("music", rate, channels, 12 * layout.samples))

    stream = encoder.encode(sound, reservoir=True)

    frames = frames_of(stream, layout)
    assert len(frames) == 12 + (1 if layout.is_mpeg1 else 2)
    assert all(len(frame.main) <= layout.frame_bytes(64, 1) + layout.reservoir_bytes for frame in frames)
    assert sum(len(frame.main) + layout.head_bytes for frame in frames) > len(stream) / 3


@pytest.mark.parametrize("rate", [44100, 22050, 11025, 48000])
def test_padding_keeps_the_bit_rate_as_lame_does(rate: int) -> None:
    layout = Layout(rate, 1)
    stream = Lame(lame.load(), layout, Quality(bit_rate=64)).encode(
        bytearray(4 * 200 * layout.samples), reservoir=False
    )

    paddings, position = [], 0
    while position < len(stream):
        paddings.append(stream[position + 2] >> 1 & 1)
        position += layout.sizes[stream[position + 2]]

    assert paddings == [layout.padding(64, number) for number in range(len(paddings))]


@pytest.mark.parametrize("stream", [b"\xff\xfb\x00\x00" * 9, b"ID3\x04" * 9, b"\xff\xfb\xf0\x00" * 9])
def test_what_is_no_frame_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match="no frame at byte 0"):
        frames_of(stream, Layout(44100, 2))
