"""What an mp3's frames are made of. Pure.

Source: ISO/IEC 11172-3, 2.4.1 and 2.4.2 (MPEG-1), ISO/IEC 13818-3, 2.4.1 (the lower sample rates); MPEG-2.5 is built as
MPEG-2. A frame is a header of 4 bytes, side information, and room for main data. A frame's main data may begin up to
`Layout.reservoir_bytes` before its own room, in what earlier frames left free: the bit reservoir.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

HEADER_BYTES: Final = 4
MPEG1_BIT_RATES: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG2_BIT_RATES: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""kbit/s by the header's `bitrate_index`."""

_RATES_OF_MPEG1: Final = (44_100, 48_000, 32_000)
"""Hz by the header's index; MPEG-2 has half of them, MPEG-2.5 a quarter."""

_LENGTH_BITS: Final = 12
_GRANULE_BUFFER_BYTES: Final = 960
"""For each of a frame's granules: a frame and the reservoir it uses together are no larger (LAME's `MDB_MAXIMUM`)."""


class Frame(NamedTuple):
    """A frame without its place in a stream."""

    head: bytes
    """Header and side information."""

    main: bytes
    """Scale factors and Huffman code, in whole bytes."""


@dataclass(frozen=True)
class Layout:
    """What all frames of one stream have in common. `sample_rate` in Hz, `channels` 1 or 2."""

    sample_rate: int
    channels: int

    @cached_property
    def is_mpeg1(self) -> bool:
        """Whether frames have two granules; the lower sample rates have one."""
        return self.sample_rate >= 32_000

    @cached_property
    def is_mpeg25(self) -> bool:
        """Whether it is one of the lowest sample rates, which no standard has."""
        return self.sample_rate <= 12_000

    @cached_property
    def samples(self) -> int:
        """In one frame, of each channel."""
        return 1152 if self.is_mpeg1 else 576

    @cached_property
    def head_bytes(self) -> int:
        """Of header and side information together."""
        mono, stereo = (17, 32) if self.is_mpeg1 else (9, 17)
        return HEADER_BYTES + (mono if self.channels == 1 else stereo)

    @cached_property
    def bit_rates(self) -> tuple[int, ...]:
        """kbit/s by the header's `bitrate_index`; index 0 is none."""
        return MPEG1_BIT_RATES if self.is_mpeg1 else MPEG2_BIT_RATES

    @cached_property
    def variable_bit_rates(self) -> tuple[int, ...]:
        """Those of frames of a variable bit rate, in the same way: LAME uses no more at the lowest sample rates."""
        return self.bit_rates[: self.bit_rates.index(64) + 1] if self.is_mpeg25 else self.bit_rates

    @cached_property
    def reservoir_bytes(self) -> int:
        """How far back `main_data_begin` can point."""
        return 511 if self.is_mpeg1 else 255

    def frame_bytes(self, bit_rate: int, padding: int = 0) -> int:
        """The size of a frame of a bit rate in kbit/s."""
        return self.samples // 8 * bit_rate * 1000 // self.sample_rate + padding

    def usable_reservoir(self, frame_bytes: int) -> int:
        """How much of the reservoir a frame of a size may use."""
        buffer = _GRANULE_BUFFER_BYTES * self.samples // 576
        return max(min(self.reservoir_bytes, buffer - frame_bytes), 0)

    def padding(self, bit_rate: int, number: int) -> int:
        """0 or 1: the byte that frame `number` of a constant bit rate has more, so that the rate is kept on average."""
        fraction = self.samples // 8 * 1000 * bit_rate % self.sample_rate
        return int((1 - number) * fraction % self.sample_rate < fraction)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """A frame's size by its header's third byte; 0 for what is no frame."""
        return tuple(
            self.frame_bytes(self.bit_rates[byte >> 4], byte >> 1 & 1) if 0 < byte >> 4 < 15 else 0
            for byte in range(256)
        )

    @cached_property
    def fixed_header(self) -> int:
        """What is the same in the headers of all frames, as a number: all but checksum, bit rate, padding and mode."""
        base = self.sample_rate if self.is_mpeg1 else self.sample_rate * 2
        version = 3 if self.is_mpeg1 else 0 if self.is_mpeg25 else 2
        index = _RATES_OF_MPEG1.index(base * 2 if self.is_mpeg25 else base)
        return 0xFFE00000 | version << 19 | 1 << 17 | index << 10

    @cached_property
    def length_shifts(self) -> tuple[int, ...]:
        """Where each `part2_3_length` is in the side information, counted in bits from its end."""
        if self.is_mpeg1:
            first, step, count = (18 if self.channels == 1 else 20), 59, 2 * self.channels
        else:
            first, step, count = (9 if self.channels == 1 else 10), 63, self.channels
        bits = (self.head_bytes - HEADER_BYTES) * 8
        return tuple(bits - first - step * number - _LENGTH_BITS for number in range(count))

    def back_pointer(self, head: bytes) -> int:
        """`main_data_begin`: how many bytes of main data lie before the frame's own room."""
        return head[4] << 1 | head[5] >> 7 if self.is_mpeg1 else head[4]

    def head_with(self, head: bytes, rate_index: int, padding: int, back_pointer: int) -> bytearray:
        """The same frame at another bit rate, with its main data in another place."""
        changed = bytearray(head)
        changed[2] = rate_index << 4 | head[2] & 0b1101 | padding << 1
        if self.is_mpeg1:
            changed[4] = back_pointer >> 1
            changed[5] = (back_pointer & 1) << 7 | head[5] & 0x7F
        else:
            changed[4] = back_pointer
        return changed


def frames_of(stream: bytes, layout: Layout) -> list[Frame]:
    """Take a stream of whole frames apart. Raises ValueError for what is none."""
    main, heads, position = bytearray(), [], 0
    head_bytes, shifts = layout.head_bytes, layout.length_shifts
    while position + HEADER_BYTES <= len(stream):
        size = layout.sizes[stream[position + 2]]
        if stream[position] != 0xFF or not size:
            raise ValueError(f"no frame at byte {position}")
        head = stream[position : position + head_bytes]
        heads.append((head, len(main) - layout.back_pointer(head)))
        main += stream[position + head_bytes : position + size]
        position += size
    frames = []
    for head, begin in heads:
        side = int.from_bytes(head, "big")
        bits = 0
        for shift in shifts:
            bits += side >> shift & 0xFFF
        frames.append(Frame(head, bytes(main[begin : begin + (bits + 7 >> 3)])))
    return frames
