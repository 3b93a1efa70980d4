"""From samples to an mp3 file."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import BinaryIO, Final

from video2mp3_worker.encoder import ordered_pool
from video2mp3_worker.encoder.frames import HEADER_BYTES, Frame, Layout
from video2mp3_worker.encoder.infoframe import RunningCRC, Stream, info_frame, info_frame_bytes
from video2mp3_worker.encoder.lame import DELAY_SAMPLES, Lame, Quality
from video2mp3_worker.encoder.packing import DoesNotFitError, Packer
from video2mp3_worker.encoder.parts import EncodedPiece
from video2mp3_worker.encoder.pieces import BRIEF_SAMPLES, Piece, Read, encoded, encoded_to_fit, pieces

_KNOWN_BY: Final = 7
"""Programs know an mp3 by so many frames in a row. By fewer, they are no surer of it than that its bytes are a video
(ffmpeg's `mp3_read_probe` and `h263_probe`)."""

_LARGEST_CUT: Final = 4095
"""Samples: what the Info frame can say of the beginning, and of the end."""


class Mp3Writer:
    """Writes one mp3: the Info frame, then the audio's. `file` must be empty, and allow seeking."""

    def __init__(self, file: BinaryIO, lame: Lame, layout: Layout, quality: Quality) -> None:
        self._file = file
        self._lame = lame
        self._layout = layout
        self._quality = quality
        self._packer = Packer(layout, quality.bit_rate)
        self._crc = RunningCRC()
        self._header = b""
        self._delay = DELAY_SAMPLES

    def write(self, read: Read, threads: int, report: Callable[[int], None]) -> int:
        """Encode all that `read` gives in so many threads; answer how many samples. `report` is told on the way."""
        return self.join(self._encoded(read, threads), report)

    def join(self, encoded_pieces: Iterable[EncodedPiece], report: Callable[[int], None]) -> int:
        """Make one stream of the audio's pieces; answer how many samples. `report` is told on the way."""
        samples = 0
        self._file.write(bytes(info_frame_bytes(self._layout, self._quality.bit_rate)))
        for piece in encoded_pieces:
            self._append(self._packed(piece))
            samples += piece.count
            report(samples)
        self._append(self._packer.finish())
        if samples:
            self._file.seek(0)
            self._file.write(info_frame(self._stream(samples)))
        return samples

    def _known(self, piece: EncodedPiece) -> EncodedPiece:
        """Audio of a few frames between silent ones, which the Info frame cuts again; as many behind it as it can."""
        if piece.count <= BRIEF_SAMPLES:
            self._delay += BRIEF_SAMPLES
        missing = _KNOWN_BY - len(piece.frames)
        if missing <= 0:
            return piece
        end = (self._delay + piece.count + _LARGEST_CUT) // self._layout.samples
        behind = min(missing, end - len(piece.frames))
        ahead = missing - behind
        self._delay += ahead * self._layout.samples
        silent = [Frame(self._header.ljust(self._layout.head_bytes, b"\0"), b"")]
        return EncodedPiece(
            piece.count,
            silent * ahead + piece.frames + silent * behind,
            lambda: silent * ahead + piece.to_fit() + silent * behind,
        )

    def _encoded(self, read: Read, threads: int) -> Iterator[EncodedPiece]:
        for piece, frames in ordered_pool.in_order(self._encode, pieces(read, self._layout, self._quality), threads):
            yield EncodedPiece(piece.count, frames, partial(encoded_to_fit, piece, self._lame, self._layout))

    def _encode(self, piece: Piece) -> list[Frame]:
        return encoded(piece, self._lame, self._layout, self._quality)

    def _packed(self, piece: EncodedPiece) -> bytes:
        if not self._header:
            self._header = piece.frames[0].head[:HEADER_BYTES]
            piece = self._known(piece)
        try:
            return self._packer.add(piece.frames)
        except DoesNotFitError:
            return self._packer.add(piece.to_fit())

    def _append(self, packed: bytes) -> None:
        self._file.write(packed)
        self._crc.feed(packed)

    def _stream(self, samples: int) -> Stream:
        return Stream(
            layout=self._layout,
            first_header=self._header,
            sizes=self._packer.sizes,
            samples=samples,
            delay=self._delay,
            crc=self._crc.value(),
            version=self._lame.version,
            lowpass=self._lame.lowpass(),
            level=self._quality.level,
            bit_rate=self._quality.bit_rate,
        )
