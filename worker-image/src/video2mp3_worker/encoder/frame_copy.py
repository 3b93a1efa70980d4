"""An mp3 of frames that are there already, passed on as they are, behind an Info frame that is right. Pure.

Every frame is looked at first: its header must go with the others', and what it says of its main data must have room.
Where anything but frames and whole tags stands between them, nothing is passed on: decoders differ in what they make of
that, and encoding what one of them made settles it.

Sources: as of `frames` and `infoframe`; ID3v2.4 structure, 3.1; APEv2 specification, "APE tags header and footer".
"""

from array import array
from dataclasses import dataclass
from typing import BinaryIO, Final

from video2mp3_worker.encoder.frames import HEADER_BYTES, Layout
from video2mp3_worker.encoder.infoframe import About, RunningCRC, assembled, info_frame_bytes

_LOOK_BYTES: Final = 2048
"""More than any frame has; that many are there before a frame or a tag is sought in them."""

_FIXED: Final = 0xFFFE0C00
"""What of a header is the same in all frames of a stream: version, layer, sample rate. Its 16th bit says whether there
is a checksum, behind the header."""

_MONO, _CHECKSUM_BYTES = 0xC0, 2
_VBRI_AT: Final = 36
_LAME_BYTES: Final = 36
_KEPT_BYTES: Final = 28
_DELAY_AT: Final = 21
_ENCODERS: Final = (b"LAME", b"Lavf", b"Lavc")
"""Whose delay players believe."""

_VBR_METHODS: Final = (3, 4, 5)
_DECODER_DELAY: Final = 529
"""Samples: what decoders give later than it was put in. A padding of so many leaves the end as it is."""

_ID3_HEAD_BYTES, _ID3_HAS_FOOTER = 10, 0x10
_LARGEST_DELAY: Final = 4095
_FEWEST_FRAMES: Final = 6
"""Behind the Info frame. Encoded anew it becomes as many, see `writer`."""


class NotCopyableError(Exception):
    """The frames cannot be passed on. Its text says why, in words that follow "since"."""


@dataclass(frozen=True)
class Copied:
    """What was passed on."""

    seconds: float
    """That are heard: without what the encoder put in front and behind, as far as that is known."""

    average: float
    """kbit/s."""

    bit_rate: int | None
    """kbit/s, where it is constant."""

    level: int | None
    """LAME's V-level, where LAME says it."""

    is_cut_short: bool = False
    """Whether there are fewer frames than the first of them says."""


class FrameCopy:
    """Passes the frames of one piece of audio on into `file`, which must be empty and allow seeking.

    `bit_rate`: what all frames must have, in kbit/s; None where that does not matter. `skipped` and `discarded`:
    samples at the beginning and at the end that the container says are not to be heard; 0 where it says nothing.
    """

    def __init__(
        self, file: BinaryIO, layout: Layout, bit_rate: int | None, skipped: int = 0, discarded: int = 0
    ) -> None:
        self.sizes = array("H")
        """Of the frames so far, in bytes."""

        self.size = 0
        """Of all frames so far, in bytes."""

        self._file = file
        self._layout = layout
        self._bit_rate = bit_rate
        self._skipped = skipped
        self._discarded = discarded
        self._rest = b""
        self._behind = 0
        """Bytes of a tag that are still to come."""

        self._first = b""
        self._info = b""
        self._rates: set[int] = set()
        self._crc = RunningCRC()

    @property
    def seconds(self) -> float:
        """Of all frames so far."""
        return len(self.sizes) * self._layout.samples / self._layout.sample_rate

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises NotCopyableError."""
        self._rest = self._passed_on(self._rest + piece, _LOOK_BYTES)

    def finish(self) -> Copied:
        """Complete the file. Raises NotCopyableError."""
        rest = self._passed_on(self._rest, 1)
        # The last frame may be cut short: players leave it out as well.
        if self._behind or (rest and not self._frame_bytes(rest, 0)):
            raise NotCopyableError("something that is no mp3 stands behind its frames")
        if not self.sizes:
            raise NotCopyableError("there are no frames in it")
        if len(self.sizes) < _FEWEST_FRAMES:
            raise NotCopyableError("its frames are so few that programs do not know it for an mp3")
        lame, delay, padding = self._gapless()
        samples = len(self.sizes) * self._layout.samples
        if delay + padding >= samples:
            raise NotCopyableError("its frames are fewer than it says are not to be heard")
        constant = self._layout.bit_rates[next(iter(self._rates))] if len(self._rates) == 1 else None
        level = _level(lame)
        about = About(constant is not None, 50 if level is None else 100 - 10 * level, lame)
        header = bytes((self._first[0], self._first[1] | 1, *self._first[2:HEADER_BYTES]))
        self._file.seek(0)
        self._file.write(assembled(self._layout, header, self._first_rate(), self.sizes, self._crc.value(), about))
        return Copied(
            seconds=(samples - delay - padding) / self._layout.sample_rate,
            average=self.size * 8 * self._layout.sample_rate / samples / 1000,
            bit_rate=constant,
            level=level,
            is_cut_short=(_info_fields(self._info)[0] or 0) > len(self.sizes),
        )

    def _passed_on(self, data: bytes, least: int) -> bytes:
        """Pass on what is whole, as long as at least so many bytes are left; answer the rest."""
        position, frames = min(self._behind, len(data)), []
        self._behind -= position
        while len(data) - position >= least:
            size = self._frame_bytes(data, position)
            if size:
                if position + size > len(data):
                    break
                frames.append(self._checked(data[position : position + size]))
            else:
                size = _tag_bytes(data, position)
                self._behind = max(position + size - len(data), 0)
            position = min(position + size, len(data))
        self._append(b"".join(frames))
        return data[position:]

    def _frame_bytes(self, data: bytes, position: int) -> int:
        """The size of the frame that begins there; 0 where none of this audio does."""
        header = int.from_bytes(data[position : position + HEADER_BYTES], "big")
        is_mono = header & _MONO == _MONO
        if header & _FIXED != self._layout.fixed_header or is_mono != (self._layout.channels == 1):
            return 0
        return self._layout.sizes[header >> 8 & 0xFF]

    def _checked(self, frame: bytes) -> bytes:
        """The frame, or nothing where it is not one to be heard."""
        layout = self._layout
        checksum = 0 if frame[1] & 1 else _CHECKSUM_BYTES
        if not self._first and not self._info and _is_info(frame, layout.head_bytes + checksum):
            self._info = frame[layout.head_bytes + checksum :]
            return b""
        side = int.from_bytes(frame[HEADER_BYTES + checksum : layout.head_bytes + checksum], "big")
        bits = sum(side >> shift & 0xFFF for shift in layout.length_shifts)
        back = layout.back_pointer(frame[checksum:])
        if bits > 8 * (back + len(frame) - layout.head_bytes - checksum):
            raise NotCopyableError("a frame in it is damaged")
        rate = frame[2] >> 4
        if self._bit_rate is not None and layout.bit_rates[rate] != self._bit_rate:
            raise NotCopyableError(f"not all of its frames have {self._bit_rate} kbit/s")
        self._rates.add(rate)
        self.sizes.append(len(frame))
        if not self._first:
            self._first = frame[:HEADER_BYTES]
            self._file.write(bytes(info_frame_bytes(layout, self._first_rate())))
            if self._needs_room() and back == 0:
                return self._silent_frame(len(frame)) + frame
        return frame

    def _needs_room(self) -> bool:
        """Whether the end can only be cut behind a silent frame: who cuts it cuts a decoder's delay in front, too."""
        return bool(self._discarded) and not self._info and self._skipped < _DECODER_DELAY

    def _silent_frame(self, size: int) -> bytes:
        self.sizes.append(size)
        self._skipped += self._layout.samples
        return bytes((self._first[0], self._first[1] | 1, *self._first[2:])).ljust(size, b"\0")

    def _append(self, frames: bytes) -> None:
        self._file.write(frames)
        self._crc.feed(frames)
        self.size += len(frames)

    def _first_rate(self) -> int:
        return self._layout.bit_rates[self._first[2] >> 4]

    def _gapless(self) -> tuple[bytes, int, int]:
        """What LAME's part of the Info frame says, up to the preset; the samples before and behind the audio."""
        frames, lame = _info_fields(self._info)
        if not lame.startswith(_ENCODERS):
            return self._of_container()
        delay, padding = divmod(int.from_bytes(lame[_DELAY_AT : _DELAY_AT + 3], "big"), 1 << 12)
        if frames != len(self.sizes):
            # It speaks of another end.
            padding = _DECODER_DELAY
        return _with_delay(lame[:_KEPT_BYTES], delay, padding), delay, padding

    def _of_container(self) -> tuple[bytes, int, int]:
        delay, padding = self._skipped - _DECODER_DELAY, _DECODER_DELAY + self._discarded
        if not 0 <= delay <= _LARGEST_DELAY or padding > _LARGEST_DELAY:
            # Without an encoder's name, players cut nothing.
            return bytes(_KEPT_BYTES), 0, 0
        return _with_delay(b"Lavf".ljust(_KEPT_BYTES, b"\0"), delay, padding), delay, padding


def _with_delay(lame: bytes, delay: int, padding: int) -> bytes:
    return lame[:_DELAY_AT] + (delay << 12 | padding).to_bytes(3, "big") + lame[_DELAY_AT + 3 :]


def id3_bytes(head: bytes) -> int:
    """The size of the ID3v2 tag that begins there; 0 where none does. Source: ID3v2.4 structure, 3.1."""
    if not head.startswith(b"ID3") or len(head) < _ID3_HEAD_BYTES or max(head[6:10]) >= 0x80:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    return _ID3_HEAD_BYTES + size + (_ID3_HEAD_BYTES if head[5] & _ID3_HAS_FOOTER else 0)


def _tag_bytes(data: bytes, position: int) -> int:
    """The size of what stands there and is no audio: a tag, or noughts. Raises NotCopyableError for anything else."""
    head = data[position : position + 32]
    if tag := id3_bytes(head):
        return tag
    if head.startswith(b"TAG"):
        return 128
    if head.startswith(b"APETAGEX") and len(head) == 32:
        is_header = head[23] & 0x20
        return 32 + int.from_bytes(head[12:16], "little") if is_header else 32
    noughts = len(head) - len(head.lstrip(b"\0"))
    if not noughts:
        raise NotCopyableError("something that is no mp3 stands between its frames")
    return noughts


def _is_info(frame: bytes, head_bytes: int) -> bool:
    return frame[head_bytes : head_bytes + 4] in (b"Xing", b"Info") or frame[_VBRI_AT : _VBRI_AT + 4] == b"VBRI"


def _info_fields(info: bytes) -> tuple[int | None, bytes]:
    """The number of frames that an Info frame names, and LAME's part of it; nothing where it has none."""
    if info[:4] not in (b"Xing", b"Info"):
        return None, b""
    flags, position = int.from_bytes(info[4:8], "big"), 8
    frames = int.from_bytes(info[8:12], "big") if flags & 1 else None
    position += sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
    lame = info[position : position + _LAME_BYTES]
    return frames, lame if len(lame) == _LAME_BYTES else b""


def _level(lame: bytes) -> int | None:
    preset = int.from_bytes(lame[26:28], "big") & 0x7FF
    is_vbr = lame.startswith(b"LAME") and lame[9] & 0xF in _VBR_METHODS
    return (500 - preset) // 10 if is_vbr and 410 <= preset <= 500 else None
