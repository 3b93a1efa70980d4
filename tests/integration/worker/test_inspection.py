"""⑥ The last look at an mp3: what the encoder makes passes, and whatever is done to it does not."""

import io
from collections.abc import Callable

import pytest

from tests.unit.worker.encoder.audio import samples
from video2mp3_worker.encoder import lame
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.inspection import BrokenMp3Error, inspect
from video2mp3_worker.encoder.lame import Lame, Quality
from video2mp3_worker.encoder.writer import Mp3Writer

COUNT = 44_100 * 3 + 7


def encoded(layout: Layout, quality: Quality) -> bytes:
    file = io.BytesIO()
    sound = io.BytesIO(samples("music", layout.sample_rate, layout.channels, COUNT))
    Mp3Writer(file, Lame(lame.load(), layout, quality), layout, quality).write(sound.readinto, 1, lambda _done: None)
    return file.getvalue()


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("quality", [Quality(level=4), Quality(bit_rate=64)], ids=["vbr", "cbr"])
def test_what_the_encoder_makes_is_whole(rate: int, channels: int, quality: Quality) -> None:
    found = inspect(io.BytesIO(encoded(Layout(rate, channels), quality)))

    assert found.layout == Layout(rate, channels)
    assert found.seconds == COUNT / rate


@pytest.mark.parametrize(
    "damage",
    [
        lambda mp3: b"",
        lambda mp3: mp3[:-1],
        lambda mp3: mp3[:-500],
        lambda mp3: mp3 + b"\0",
        lambda mp3: mp3 + mp3[-500:],
        lambda mp3: mp3[300:],
        lambda mp3: bytes(200) + mp3[200:],
        lambda mp3: mp3[: len(mp3) // 2] + mp3[len(mp3) // 2 + 1 :],
        lambda mp3: b"ID3" + mp3,
        lambda mp3: mp3[:44] + b"\0\0\0\x05" + mp3[48:],
    ],
)
def test_what_is_damaged_is_noticed(damage: Callable[[bytes], bytes]) -> None:
    damaged = damage(encoded(Layout(44100, 2), Quality(level=4)))

    with pytest.raises(BrokenMp3Error):
        inspect(io.BytesIO(damaged))
