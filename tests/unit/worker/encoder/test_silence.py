"""Silence before the sound, in whatever pieces it is read."""

import io

import pytest

from video2mp3_worker.encoder.silence import after_silence


@pytest.mark.parametrize("silence", [0, 1, 7, 8, 100])
@pytest.mark.parametrize("size", [1, 8, 1000])
def test_the_sound_follows_the_silence(silence: int, size: int) -> None:
    read, found = after_silence(io.BytesIO(b"sound").readinto, silence), bytearray()
    buffer = bytearray(b"x" * size)

    while count := read(memoryview(buffer)):
        found += buffer[:count]

    assert found == bytes(silence) + b"sound"
