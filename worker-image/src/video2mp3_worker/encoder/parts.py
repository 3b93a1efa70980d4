"""A part of audio, encoded but not packed: what one of several encoders makes, and the joiner packs.

A part is a sequence of blocks, and parts one after another are such a sequence too. All numbers are big-endian.

    "P" VERSION sample_rate:u32 channels:u8 level:i8 bit_rate:u16 first:u32     a part begins, with piece `first`
    "F" samples:u32 is_last:u8 frames:u32 spares:u32                           a piece, followed by its frames
        (main:u16, head, main data) for each frame, then for each spare

Spares take the frames' place where those do not fit behind what comes before, and are there where the encoder of a part
cannot tell, since that depends on the parts before.
"""

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from video2mp3_worker.encoder import ordered_pool, pieces
from video2mp3_worker.encoder.frames import Frame, Layout
from video2mp3_worker.encoder.lame import Lame, Quality
from video2mp3_worker.encoder.packing import needed_before
from video2mp3_worker.encoder.pieces import Piece, Read, Span, encoded, encoded_to_fit
from video2mp3_worker.encoder.reservoir_bounds import ReservoirBounds, passage

VERSION: Final = 5
"""Of this format, and of how pieces are cut and encoded: parts of different versions are never joined."""

_PART: Final = struct.Struct(">BIBbHI")
_PIECE: Final = struct.Struct(">IBII")
_LENGTH: Final = struct.Struct(">H")
_NO_LEVEL: Final = -1


class BrokenPartsError(Exception):
    """These bytes are not the parts of one whole audio."""


@dataclass(frozen=True)
class EncodedPiece:
    """A piece's frames, and those that take their place where they do not fit. `count` in samples of each channel."""

    count: int
    frames: list[Frame]
    to_fit: Callable[[], list[Frame]]


class PartWriter:
    """Writes one part into `file`."""

    def __init__(self, file: BinaryIO, lame: Lame, layout: Layout, quality: Quality) -> None:
        self._file = file
        self._lame = lame
        self._layout = layout
        self._quality = quality

    def write(self, read: Read, threads: int, span: Span, report: Callable[[int], None]) -> None:
        """Encode a span of all that `read` gives. `report` is told how many samples, from the beginning of all."""
        self._file.write(b"P" + _PART.pack(VERSION, *_shape(self._layout, self._quality), span.first))
        bounds = ReservoirBounds(0, math.inf if span.first else 0)
        done = span.first * pieces.PIECE_FRAMES * self._layout.samples
        cut = pieces.pieces(read, self._layout, self._quality, span, report)
        for piece, frames in ordered_pool.in_order(self._encode, cut, threads):
            self._write(piece, frames, self._spares(piece, frames, bounds))
            done += piece.count
            report(done)

    def _encode(self, piece: Piece) -> list[Frame]:
        return encoded(piece, self._lame, self._layout, self._quality)

    def _spares(self, piece: Piece, frames: list[Frame], bounds: ReservoirBounds) -> list[Frame]:
        """What takes the frames' place, unless they fit in any case."""
        bit_rate = self._quality.bit_rate
        if bit_rate is None:
            return encoded_to_fit(piece, self._lame, self._layout) if needed_before(frames, self._layout) else []
        number = piece.number * pieces.PIECE_FRAMES
        passed = passage(frames, self._layout, bit_rate, number)
        if bounds.surely(passed):
            return []
        spares = encoded_to_fit(piece, self._lame, self._layout)
        bounds.perhaps(passed, passage(spares, self._layout, bit_rate, number))
        return spares

    def _write(self, piece: Piece, frames: list[Frame], spares: list[Frame]) -> None:
        blocks = [b"F", _PIECE.pack(piece.count, piece.is_last, len(frames), len(spares))]
        for frame in (*frames, *spares):
            blocks += (_LENGTH.pack(len(frame.main)), frame.head, frame.main)
        self._file.write(b"".join(blocks))


class PartsReader:
    """Reads the parts of whole audio, one after another."""

    def __init__(self, file: BinaryIO, layout: Layout, quality: Quality) -> None:
        self._file = file
        self._layout = layout
        self._shape = _shape(layout, quality)

    def pieces(self) -> Iterator[EncodedPiece]:
        """All pieces. Raises BrokenPartsError, also at the end where pieces are missing."""
        number, ended = 0, False
        while kind := self._file.read(1):
            if kind == b"P":
                self._enter(number, ended)
            elif kind == b"F" and not ended:
                count, is_last, frames, spares = _PIECE.unpack(self._exactly(_PIECE.size))
                yield self._piece(count, frames, spares)
                number, ended = number + 1, bool(is_last)
            else:
                raise BrokenPartsError(f"no block begins with {kind!r} after piece {number}")
        if not ended:
            raise BrokenPartsError(f"the parts end after piece {number}, which is not the last")

    def _enter(self, number: int, ended: bool) -> None:
        version, *shape, first = _PART.unpack(self._exactly(_PART.size))
        if (version, tuple(shape)) != (VERSION, self._shape):
            raise BrokenPartsError(f"a part of version {version} holds {shape}")
        # Behind the end of the audio there may be parts without pieces.
        if first != number and not ended:
            raise BrokenPartsError(f"a part begins with piece {first} where {number} is missing")

    def _piece(self, count: int, frames: int, spares: int) -> EncodedPiece:
        own = [self._frame() for _ in range(frames)]
        in_place = [self._frame() for _ in range(spares)]

        def to_fit() -> list[Frame]:
            if not in_place:
                raise BrokenPartsError("a piece does not fit, and there is none in its place")
            return in_place

        return EncodedPiece(count, own, to_fit)

    def _frame(self) -> Frame:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return Frame(self._exactly(self._layout.head_bytes), self._exactly(length))

    def _exactly(self, size: int) -> bytes:
        found = self._file.read(size)
        if len(found) != size:
            raise BrokenPartsError("a part is cut off")
        return found


def _shape(layout: Layout, quality: Quality) -> tuple[int, int, int, int]:
    level = _NO_LEVEL if quality.level is None else quality.level
    return layout.sample_rate, layout.channels, level, quality.bit_rate or 0
