"""⑥ Audio encoded in parts and joined: the same bytes as in one go, wherever it was split."""

import io
from collections.abc import Sequence

import pytest

from tests.unit.worker.encoder.audio import SOUNDS, samples
from video2mp3_worker.encoder import lame, parts, pieces, writer
from video2mp3_worker.encoder.frames import Frame, Layout
from video2mp3_worker.encoder.lame import Lame, Quality
from video2mp3_worker.encoder.parts import BrokenPartsError, PartsReader, PartWriter
from video2mp3_worker.encoder.pieces import Piece, Span
from video2mp3_worker.encoder.writer import Mp3Writer

V2, CBR = Quality(level=2), Quality(bit_rate=64)
PIECE = 49


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pieces in a few seconds of sound."""
    monkeypatch.setattr(pieces, "PIECE_FRAMES", PIECE)


def whole(sound: bytes, layout: Layout, quality: Quality) -> bytes:
    file = io.BytesIO()
    encoder = Lame(lame.load(), layout, quality)
    Mp3Writer(file, encoder, layout, quality).write(io.BytesIO(sound).readinto, 2, lambda _done: None)
    return file.getvalue()


def part(sound: bytes, layout: Layout, quality: Quality, span: Span) -> bytes:
    file, given = io.BytesIO(), io.BytesIO(sound)
    PartWriter(file, Lame(lame.load(), layout, quality), layout, quality).write(
        given.readinto, 2, span, lambda _done: None
    )
    assert given.read() == b"", "who writes into the pipe would be cut off"
    return file.getvalue()


def divided(sound: bytes, layout: Layout, quality: Quality, cuts: Sequence[int]) -> list[bytes]:
    """The parts between piece 0, these pieces, and the end."""
    starts, ends = [0, *cuts], [*cuts, None]
    return [part(sound, layout, quality, Span(*ends)) for ends in zip(starts, ends, strict=True)]


def joined(data: bytes, layout: Layout, quality: Quality) -> tuple[bytes, int]:
    file = io.BytesIO()
    reader = PartsReader(io.BytesIO(data), layout, quality)
    encoder = Lame(lame.load(), layout, quality)
    count = Mp3Writer(file, encoder, layout, quality).join(reader.pieces(), lambda _done: None)
    return file.getvalue(), count


@pytest.mark.parametrize("kind", sorted(SOUNDS))
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [32000, 44100, 48000, 22050])
@pytest.mark.parametrize("quality", [V2, CBR], ids=["vbr", "cbr"])
def test_parts_join_to_the_same_bytes(kind: str, channels: int, rate: int, quality: Quality) -> None:
    layout = Layout(rate, channels)
    sound = samples(kind, rate, channels, 3 * PIECE * layout.samples + 1000)

    mp3, count = joined(b"".join(divided(sound, layout, quality, [1, 2])), layout, quality)

    assert mp3 == whole(sound, layout, quality)
    assert count == len(sound) // 4 // channels


@pytest.mark.parametrize("quality", [V2, CBR, Quality(bit_rate=320)], ids=["vbr", "cbr", "cbr320"])
@pytest.mark.parametrize("frames", [0, 1, 48.5, 49, 49.9, 50, 50.1, 98, 99, 99.5, 147])
@pytest.mark.parametrize("cuts", [[1], [1, 2], [2, 2, 3], [0, 1, 5, 9]], ids=str)
def test_the_end_may_lie_anywhere(quality: Quality, frames: float, cuts: list[int]) -> None:
    """Also where a part has nothing to do, or has another end than was thought."""
    layout = Layout(44100, 2)
    sound = samples("music", 44100, 2, 150 * layout.samples)[: int(frames * layout.samples) * 8]

    mp3, _ = joined(b"".join(divided(sound, layout, quality, cuts)), layout, quality)

    assert mp3 == whole(sound, layout, quality)


@pytest.mark.parametrize("cuts", [[1], [2], [3], [4], [1, 2, 3, 4], [2, 4]], ids=str)
def test_a_piece_that_does_not_fit_is_replaced_in_a_part_too(cuts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Which LAME makes so rarely that it is made to happen here: before every third piece no room is left."""
    layout, refused = Layout(44100, 2), []
    honest, packer = pieces.encoded, writer.Packer

    def greedy(piece: Piece, *given: object) -> list[Frame]:
        first, *others = honest(piece, *given)  # type: ignore[arg-type]
        return [Frame(first.head, first.main + bytes(300 * (piece.number % 3 == 2))), *others]

    class Counting(packer):  # type: ignore[misc,valid-type]
        def add(self, frames: Sequence[Frame]) -> bytes:
            try:
                return super().add(frames)  # type: ignore[no-any-return]
            except writer.DoesNotFitError:
                refused.append(len(self.sizes) // PIECE)
                raise

    for module in (parts, writer):
        monkeypatch.setattr(module, "encoded", greedy)
    monkeypatch.setattr(writer, "Packer", Counting)
    sound = samples("noise", 44100, 2, 6 * PIECE * layout.samples)

    mp3, _ = joined(b"".join(divided(sound, layout, CBR, cuts)), layout, CBR)

    assert refused != []
    assert mp3 == whole(sound, layout, CBR)


def is_joined(data: bytes, layout: Layout) -> bool:
    try:
        joined(data, layout, V2)
    except BrokenPartsError:
        return False
    return True


def test_parts_that_are_no_whole_sound_are_refused() -> None:
    layout = Layout(44100, 2)
    sound = samples("music", 44100, 2, 120 * layout.samples)
    first, second, third = divided(sound, layout, V2, [1, 2])
    broken = {
        "missing in the middle": first + third,
        "missing at the end": first + second,
        "in another order": second + first + third,
        "twice": first + second + second + third,
        "cut off": (first + second + third)[:-1],
        "nothing": b"",
        "something else": b"ID3" + first,
        "another rate": b"".join(divided(sound, Layout(48000, 2), V2, [1, 2])),
        "another quality": b"".join(divided(sound, layout, CBR, [1, 2])),
        "another version": first[:1] + bytes((parts.VERSION + 1,)) + first[2:] + second + third,
    }
    assert [how for how, data in broken.items() if is_joined(data, layout)] == []
