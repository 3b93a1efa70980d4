"""The Info frame, field by field, and its checksums."""

import random
from array import array

import pytest

from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.infoframe import RunningCRC, Stream, crc16, info_frame, info_frame_bytes


def a_stream(**changes: object) -> Stream:
    wanted: dict = {
        "layout": Layout(44100, 2),
        "first_header": b"\xff\xfb\x92\x64",
        "sizes": array("H", [418] * 1000),
        "samples": 1000 * 1152 - 576 - 700,
        "delay": 576,
        "crc": 0xBEEF,
        "version": "3.100",
        "lowpass": 18500,
        "level": 2,
        "bit_rate": None,
    }
    return Stream(**(wanted | changes))


def test_every_field_is_where_players_look_for_it() -> None:
    frame = info_frame(a_stream())

    total = len(frame) + 418_000
    assert len(frame) == info_frame_bytes(Layout(44100, 2), None) == 208
    assert frame[:4] == bytes((0xFF, 0xFB, 0x50, 0x44))
    assert frame[4:36] == bytes(32)
    assert frame[36:44] == b"Xing" + bytes((0, 0, 0, 15))
    assert int.from_bytes(frame[44:48], "big") == 1000
    assert int.from_bytes(frame[48:52], "big") == total
    assert int.from_bytes(frame[152:156], "big") == 77
    assert frame[156:165] == b"LAME3.100"
    assert frame[165] == 4
    assert frame[166] == 185
    assert frame[177:180] == (576 << 12 | 700).to_bytes(3, "big")
    assert frame[184:188] == total.to_bytes(4, "big")
    assert frame[188:190] == b"\xbe\xef"
    assert int.from_bytes(frame[190:192], "big") == crc16(frame[:190])


def test_a_constant_bit_rate_says_so() -> None:
    frame = info_frame(a_stream(level=None, bit_rate=192))

    assert len(frame) == Layout(44100, 2).frame_bytes(192)
    assert frame[36:40] == b"Info"
    assert (frame[165], frame[176]) == (1, 192)


def test_a_low_bit_rate_gets_an_info_frame_that_is_large_enough() -> None:
    frame = info_frame(a_stream(layout=Layout(48000, 1), level=None, bit_rate=32, first_header=b"\xff\xfb\x14\xc4"))

    assert len(frame) >= 4 + 17 + 156


def test_the_seek_table_follows_the_bytes() -> None:
    sizes = array("H", [100] * 500 + [900] * 500)

    table = info_frame(a_stream(sizes=sizes))[52:152]

    assert list(table) == sorted(table)
    assert table[50] == pytest.approx(256 * 0.1, abs=1)
    assert table[75] == pytest.approx(256 * 0.55, abs=1)


def test_the_crc_is_the_one_of_the_catalogue() -> None:
    """CRC-16/ARC's check value."""
    assert crc16(b"123456789") == 0xBB3D


@pytest.mark.parametrize("size", [0, 1, 32_766, 32_767, 32_768, 65_534, 100_001])
def test_the_running_crc_is_the_plain_one(size: int) -> None:
    chance = random.Random(size)
    data = chance.randbytes(size)
    running = RunningCRC()
    position = 0
    while position < size:
        step = chance.randint(1, 40_000)
        running.feed(data[position : position + step])
        position += step

    assert running.value() == crc16(data)
