"""Where a stream of samples is cut, so that its pieces can be encoded side by side and still make one stream.

The cuts depend on nothing but the layout and the kind of bit rate. An encoder starts some frames before its piece, with
the samples that are there, and what it makes of them is thrown away: by then it is in the state it would be in anyway.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from video2mp3_worker.encoder.frames import Frame, Layout, frames_of
from video2mp3_worker.encoder.lame import Lame, Quality
from video2mp3_worker.encoder.packing import needed_before

PIECE_FRAMES: Final = 490
"""About 13 s at 44.1 kHz: 4.5 MB of samples, and 3 to 5 percent of the work done twice."""

_WARM_UP_FRAMES: Final = 12
"""With a variable bit rate; enough for the same audio as without a cut. Its frames' sizes may differ a little."""

_WARM_UP_FRAMES_CBR: Final = 24
"""With a constant one the reservoir has to fill, too."""

_CYCLE_FRAMES: Final = 49
"""The padding of a constant bit rate repeats after so many frames, at every sample rate there is."""

_LOOK_AHEAD_FRAMES: Final = 1
"""Samples after a piece's end that its last frame depends on: 224, and that in whole frames."""

BRIEF_SAMPLES: Final = 47
"""Audio that is no longer begins so many samples later, where a frame does (576 of the encoder, 529 of decoders and
these are 1152), and the Info frame cuts them as well. Else ffmpeg would play what is before it: where it cuts the end
of a frame, it forgets that it had more to cut at the beginning (`discard_samples`)."""

SAMPLE_BYTES: Final = 4
_SKIP_BYTES: Final = 4 * 1024**2
Read = Callable[[memoryview], int]
"""Fills a buffer from its beginning; answers how many bytes, 0 at the end."""


@dataclass(frozen=True)
class Span:
    """Which pieces of a stream: from number `first` up to, but without, `end`; None for all the rest."""

    first: int = 0
    end: int | None = None


WHOLE: Final = Span()


@dataclass
class Piece:
    """Some frames' samples, with what comes before and after as far as encoders need it."""

    number: int
    """Of the piece in its stream, from 0."""

    samples: bytearray
    lead: int
    """Frames before the piece."""

    is_last: bool
    count: int
    """Samples of the piece itself, of each channel."""


def pieces(
    read: Read, layout: Layout, quality: Quality, span: Span = WHOLE, skipped: Callable[[int], None] = lambda _: None
) -> Iterator[Piece]:
    """Cut a stream of interleaved signed 32-bit samples. The last piece may be empty but for its lead.

    Of a span only its own pieces, just as they are in the whole stream; `skipped` is told how many samples of each
    channel were passed over on the way there. What comes after the span is read to its end.
    """
    frame_bytes = layout.samples * layout.channels * SAMPLE_BYTES
    most = _WARM_UP_FRAMES if quality.bit_rate is None else _CYCLE_FRAMES
    samples, lead = bytearray(), most if span.first else 0
    if span.first:
        for passed in _passed_over(read, (span.first * PIECE_FRAMES - lead) * frame_bytes):
            skipped(passed // (layout.channels * SAMPLE_BYTES))
    for number in count(span.first) if span.end is None else range(span.first, span.end):
        wanted = (lead + PIECE_FRAMES + _LOOK_AHEAD_FRAMES) * frame_bytes
        samples = _filled(samples, bytearray(wanted), read)
        if lead and len(samples) < (lead + _LOOK_AHEAD_FRAMES) * frame_bytes:
            return  # the piece before was the last
        piece = _piece(number, samples, lead, len(samples) < wanted, layout)
        if not piece.is_last:
            samples = samples[(lead + PIECE_FRAMES - most) * frame_bytes :]
            lead = most
        yield piece
        if piece.is_last:
            return
        del piece
    for _ in _passed_over(read, None):
        pass


def _piece(number: int, samples: bytearray, lead: int, is_last: bool, layout: Layout) -> Piece:
    length = PIECE_FRAMES * layout.samples
    if is_last:
        sample_bytes = layout.channels * SAMPLE_BYTES
        del samples[len(samples) - len(samples) % sample_bytes :]
        length = len(samples) // sample_bytes - lead * layout.samples
        if not number and length <= BRIEF_SAMPLES:
            samples[:0] = bytes(BRIEF_SAMPLES * sample_bytes)
    return Piece(number, samples, lead, is_last, length)


def _passed_over(read: Read, size: int | None) -> Iterator[int]:
    """Read so many bytes, or all there are, and forget them; yields how many it were so far."""
    passed, room = 0, memoryview(bytearray(_SKIP_BYTES))
    while size is None or passed < size:
        taken = read(room if size is None else room[: size - passed])
        if not taken:
            return
        passed += taken
        yield passed


def _filled(begun: bytearray, samples: bytearray, read: Read) -> bytearray:
    filled = len(begun)
    with memoryview(samples) as view:
        view[:filled] = begun
        while filled < len(samples) and (taken := read(view[filled:])):
            filled += taken
    del samples[filled:]
    return samples


def encoded(piece: Piece, lame: Lame, layout: Layout, quality: Quality) -> list[Frame]:
    """The piece's frames. They may not fit behind those before; `encoded_to_fit` always do."""
    if quality.bit_rate is not None:
        return _encoded(piece, lame, layout, min(_WARM_UP_FRAMES_CBR, piece.lead), reservoir=True)
    # An attack needs more than the largest frame has room for: without a reservoir LAME makes it noisier.
    frames = _encoded(piece, lame, layout, piece.lead, reservoir=True)
    if not needed_before(frames, layout):
        # So nobody will ask again.
        piece.samples = bytearray()
    return frames


def encoded_to_fit(piece: Piece, lame: Lame, layout: Layout) -> list[Frame]:
    """The piece's frames, each no larger than its own room can be; this costs some quality.

    The encoder starts at a multiple of the padding's cycle, so that the rooms are those of the whole stream.
    """
    return _encoded(piece, lame, layout, piece.lead, reservoir=False)


def _encoded(piece: Piece, lame: Lame, layout: Layout, warm_up: int, *, reservoir: bool) -> list[Frame]:
    first = (piece.lead - warm_up) * layout.samples * layout.channels * SAMPLE_BYTES
    frames = frames_of(lame.encode(piece.samples, first, reservoir=reservoir), layout)
    return frames[warm_up:] if piece.is_last else frames[warm_up : warm_up + PIECE_FRAMES]
