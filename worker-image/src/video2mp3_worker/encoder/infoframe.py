"""The Info frame: a silent frame before the first that tells players how long the mp3 is, where to seek, what to cut.

Source: "Mp3 Info Tag rev 1 specifications" (gabriel.mp3-tech.org), and VbrTag.c of LAME 3.100 where that is silent.
Pure.
"""

from array import array
from dataclasses import dataclass
from typing import Final

from video2mp3_worker.encoder.frames import HEADER_BYTES, Layout
from video2mp3_worker.encoder.lame import DEFAULT_QUALITY

_XING_BYTES: Final = 120
_LAME_BYTES: Final = 36
_CRC_BYTES: Final = 2
_ALL_FIELDS: Final = 0b1111
_VBR_MTRH, _CBR = 4, 1
_STEREO_MODES: Final = {1: 0, 2: 3}
_LARGEST_BYTE: Final = 255
_LEVEL_AT, _LEVEL_BYTES = 11, 8
_FULL_SCALE: Final = 1 << 23
"""Of the peak: nine bits before the point, 23 behind it."""

_TRACK_GAIN: Final = 0b001_011 << 10
"""The gain of a track (LAME: "radio"), reckoned by a program."""

_NEGATIVE, _LARGEST_GAIN = 1 << 9, 511
"""Tenths of a dB."""

_POLYNOMIAL: Final = 0xA001
_PERIOD_BYTES: Final = 32_767


@dataclass(frozen=True)
class Stream:
    """What there is to say of the frames behind the Info frame."""

    layout: Layout
    first_header: bytes
    sizes: "array[int]"
    """Of the frames, in bytes."""

    samples: int
    """That were encoded, of each channel."""

    delay: int
    """Samples that the encoder put before them."""

    crc: int
    """Of all the frames' bytes."""

    version: str
    """LAME's."""

    lowpass: int
    """Hz."""

    level: int | None
    bit_rate: int | None


@dataclass(frozen=True)
class About:
    """What the Info frame says of the encoder."""

    is_constant: bool
    """Whether all frames have one bit rate."""

    quality: int
    """0 to 100."""

    lame: bytes
    """LAME's part of the frame, without the three numbers that follow from the frames at its end."""


def info_frame_bytes(layout: Layout, bit_rate: int | None) -> int:
    """The size of the Info frame: as the other frames of a constant bit rate, where that holds it."""
    return layout.frame_bytes(layout.bit_rates[_rate_index(layout, bit_rate)])


def info_frame(stream: Stream) -> bytes:
    """The frame as it stands at the beginning of the file."""
    # As LAME reckons (lame.h, `lame_set_quality`; VbrTag.c).
    quality = 50 if stream.level is None else 100 - 10 * stream.level - DEFAULT_QUALITY
    about = About(stream.bit_rate is not None, quality, _lame(stream))
    return assembled(stream.layout, stream.first_header, stream.bit_rate, stream.sizes, stream.crc, about)


def assembled(
    layout: Layout, first_header: bytes, bit_rate: int | None, sizes: "array[int]", crc: int, about: About
) -> bytes:
    """The frame of at least a bit rate, before frames of these sizes. `first_header`: any of theirs, but protected."""
    index = _rate_index(layout, bit_rate)
    size = layout.frame_bytes(layout.bit_rates[index])
    total = size + sum(sizes)
    third = index << 4 | first_header[2] & 0b1100
    header = b"%b%c%c" % (first_header[:2], third, first_header[3] & 0b11001111)
    length = min(total, 2**32 - 1).to_bytes(4, "big")
    parts = [header, bytes(layout.head_bytes - HEADER_BYTES), _xing(about, sizes, size, total)]
    frame = b"".join((*parts, about.lame, length, crc.to_bytes(2, "big")))
    return (frame + crc16(frame).to_bytes(2, "big")).ljust(size, b"\0")


def _rate_index(layout: Layout, bit_rate: int | None) -> int:
    needed = layout.head_bytes + _XING_BYTES + _LAME_BYTES
    return next(
        index
        for index, rate in enumerate(layout.bit_rates)
        if rate >= (bit_rate or 0) and layout.frame_bytes(rate) >= needed
    )


def _xing(about: About, sizes: "array[int]", size: int, total: int) -> bytes:
    mark = b"Info" if about.is_constant else b"Xing"
    numbers = (_ALL_FIELDS, len(sizes), total)
    table = _seek_table(sizes, size, total)
    return b"".join((mark, *(number.to_bytes(4, "big") for number in numbers), table, about.quality.to_bytes(4, "big")))


def _seek_table(sizes: "array[int]", size: int, total: int) -> bytes:
    """For each percent of the time, where in the file it is, in 256ths."""
    table, position, done = bytearray(), size, 0
    for percent in range(100):
        frame = percent * len(sizes) // 100
        position += sum(sizes[done:frame])
        done = frame
        table.append(min(position * 256 // total, _LARGEST_BYTE))
    return bytes(table)


def _lame(stream: Stream) -> bytes:
    layout = stream.layout
    method, preset = (_VBR_MTRH, 500 - 10 * (stream.level or 0)) if stream.bit_rate is None else (_CBR, stream.bit_rate)
    padding = max(len(stream.sizes) * layout.samples - stream.delay - stream.samples, 0)
    rate_class = sum(layout.sample_rate >= least for least in (44_100, 48_000))
    return b"".join(
        (
            f"LAME{stream.version}".encode()[:9].ljust(9, b" "),
            bytes((method, min(stream.lowpass // 100, _LARGEST_BYTE))),
            bytes(_LEVEL_BYTES),  # peak and gain: see with_level
            bytes((0, min(stream.bit_rate or layout.bit_rates[1], _LARGEST_BYTE))),
            (stream.delay << 12 | padding).to_bytes(3, "big"),
            bytes((_STEREO_MODES[layout.channels] << 2 | rate_class << 6, 0)),
            preset.to_bytes(2, "big"),
        )
    )


def with_level(frame: bytes, layout: Layout, peak: float, gain: float) -> bytes:
    """An Info frame that also tells the audio's peak, where 1 is full scale, and its ReplayGain in dB."""
    tenths = min(round(abs(gain) * 10), _LARGEST_GAIN)
    field = _TRACK_GAIN | tenths | (_NEGATIVE if gain < 0 else 0)
    fields = min(round(peak * _FULL_SCALE), 2**32 - 1).to_bytes(4, "big") + field.to_bytes(2, "big") + bytes(2)
    lame = layout.head_bytes + _XING_BYTES
    end = lame + _LAME_BYTES - _CRC_BYTES
    protected = frame[: lame + _LEVEL_AT] + fields + frame[lame + _LEVEL_AT + _LEVEL_BYTES : end]
    return protected + crc16(protected).to_bytes(_CRC_BYTES, "big") + frame[end + _CRC_BYTES :]


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC_TABLE: Final = _crc_table()


def crc16(data: bytes, crc: int = 0) -> int:
    """CRC-16/ARC, which the Info frame uses."""
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


class RunningCRC:
    """CRC-16/ARC of a long stream, at the speed of XOR.

    x to the power of 32767 is 1 modulo the CRC's polynomial x^16 + x^15 + x^2 + 1. So blocks of 32767 bytes may be laid
    over each other: their sum has the remainder of the whole.
    """

    def __init__(self) -> None:
        self._folded = 0
        self._rest = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._rest += data
        whole = len(self._rest) - len(self._rest) % _PERIOD_BYTES
        for start in range(0, whole, _PERIOD_BYTES):
            self._folded ^= int.from_bytes(self._rest[start : start + _PERIOD_BYTES], "big")
        del self._rest[:whole]

    def value(self) -> int:
        """The CRC of all bytes so far."""
        return crc16(self._folded.to_bytes(_PERIOD_BYTES, "big") + self._rest)
