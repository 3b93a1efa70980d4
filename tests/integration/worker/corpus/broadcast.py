"""mpeg-ts as receivers and cameras record it."""

import struct
from itertools import zip_longest
from pathlib import Path

from tests.integration.worker.corpus.making import film, number_at, tone, ts_packets, written

_FIRST_SOUND = 0x101
_ENCODERS = ("-c:v", "mpeg2video", "-c:a", "mp2")
_TABLE = 0x1000
"""The PID of the programme's table (PMT)."""


def mpts_two_clocks(path: Path) -> None:
    """A whole multiplex: two programmes, the clock of the first 1000 s ahead, their packets in turns."""
    first = (*film(4, late=1000), *tone(4, rate=48_000, late=1000))
    second = (*film(4), *tone(4, rate=48_000, frequency=880))
    maps = [word for number in range(4) for word in ("-map", str(number))]
    programmes = ("-program", "program_num=1:st=0:st=1", "-program", "program_num=2:st=2:st=3")
    packets = list(ts_packets(written(path, "mpegts", *first, *second, *maps, *_ENCODERS, *programmes)))
    tables = {pid: packet for pid, packet in reversed(packets) if pid not in range(0x100, 0x104)}
    one = [packet for pid, packet in packets if pid in (0x100, 0x101)]
    other = [packet for pid, packet in packets if pid in (0x102, 0x103)]
    turns = [packet for pair in zip_longest(one, other, fillvalue=b"") for packet in pair]
    path.write_bytes(b"".join((*reversed(tables.values()), *turns)))


def ts_audio_description_first(path: Path) -> None:
    """The first sound is for those who cannot see the picture; the programme's own is the second."""
    sounds = (*tone(3, rate=48_000, frequency=300), *tone(3, rate=48_000))
    maps = ("-map", "0", "-map", "1", "-map", "2")
    languages = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=eng")
    written(path, "mpegts", *film(3), *sounds, *maps, *_ENCODERS, *languages, "-disposition:a:0", "visual_impaired")


def ts_audio_late(path: Path) -> None:
    """The table names a sound whose first packet comes after 20 seconds."""
    written(path, "mpegts", *film(24), *tone(4, rate=48_000, late=20), "-c:v", "mpeg2video", "-c:a", "aac")


def ts_first_audio_pid_empty(path: Path) -> None:
    """The table names two sounds, and the first never sends a packet."""
    sounds = (*tone(4, rate=48_000, frequency=300), *tone(4, rate=48_000))
    content = written(path, "mpegts", *film(4), *sounds, "-map", "0", "-map", "1", "-map", "2", *_ENCODERS)
    path.write_bytes(b"".join(packet for pid, packet in ts_packets(content) if pid != _FIRST_SOUND))


def ts_pid_change(path: Path) -> None:
    """A new version of the programme's table moves the sound to another PID, half-way."""
    halves = []
    for number, frequency in enumerate((440, 880)):
        place = ("-streamid", "0:256", "-streamid", f"1:{257 + number}", "-muxdelay", "0")
        later = ("-output_ts_offset", str(10 + 3 * number))
        made = written(path, "mpegts", *film(3), *tone(3, rate=48_000, frequency=frequency), *_ENCODERS, *place, *later)
        halves.append(
            b"".join(_newer(packet) if number and pid == _TABLE else packet for pid, packet in ts_packets(made))
        )
    path.write_bytes(b"".join(halves))


def _newer(packet: bytes) -> bytes:
    """A packet with a programme's table in it, as version 1 instead of 0: ISO/IEC 13818-1, 2.4.4.8."""
    start = 5 + packet[4]
    end = start + 3 + (number_at(packet, start + 1, ">H") & 0xFFF) - 4
    table = bytearray(packet[start:end])
    table[5] = table[5] & ~0x3E | 1 << 1
    return packet[:start] + table + struct.pack(">I", _checksum(table)) + packet[end + 4 :]


def _checksum(table: bytes | bytearray) -> int:
    """ISO/IEC 13818-1, annex A: CRC-32 without reflection."""
    rest = 0xFFFFFFFF
    for byte in table:
        rest ^= byte << 24
        for _ in range(8):
            rest = (rest << 1 ^ (0x04C11DB7 if rest >> 31 else 0)) & 0xFFFFFFFF
    return rest


def ts_s302m(path: Path) -> None:
    """A feed between broadcasters: uncompressed sound after SMPTE 302M."""
    sound = ("-ac", "2", "-c:a", "s302m", "-strict", "-2")
    written(path, "mpegts", *film(3), *tone(3, rate=48_000), "-c:v", "mpeg2video", *sound)
