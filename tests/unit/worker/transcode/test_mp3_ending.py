"""What the first frame of an mp3 says of its end."""

import io
import struct

import pytest

from video2mp3_worker.transcode.mp3_ending import frames_of_cut

TAG = b"ID3\x04\0\0\0\0\x02\x10" + bytes(0x110)


def an_mp3(size: int, *, flags: int = 3, frames: int = 100, length: int = 10_000, name: bytes = b"Info") -> bytes:
    told = name + struct.pack(">III", flags, frames, length)
    return (b"\xff\xfb\x90\x64" + bytes(32) + told).ljust(size, b"\0")


def found(content: bytes) -> int:
    return frames_of_cut(io.BytesIO(content), len(content))


@pytest.mark.parametrize("in_front", [b"", TAG, TAG + TAG], ids=["no tag", "a tag", "two tags"])
@pytest.mark.parametrize("name", [b"Info", b"Xing"])
def test_fewer_bytes_than_it_says(in_front: bytes, name: bytes) -> None:
    assert found(in_front + an_mp3(9_999, name=name)) == 100
    assert found(in_front + an_mp3(10_000, name=name)) == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"ID3", TAG, an_mp3(200, flags=1), an_mp3(200, flags=2), an_mp3(200)[:50], an_mp3(200, name=b"????")],
    ids=["nothing", "half a tag", "only a tag", "no bytes", "no frames", "too short", "no name"],
)
def test_what_says_nothing(content: bytes) -> None:
    assert found(content) == 0
