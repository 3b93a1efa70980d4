"""⑥ The encoder on whole sounds: the same bytes on any number of threads, exact lengths, and no worse than ffmpeg."""

import io
import math
import subprocess
import tempfile
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.mp3 import MP3, BitrateMode

from tests.unit.worker.encoder.audio import SOUNDS, samples
from video2mp3_worker.encoder import lame, pieces
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.infoframe import info_frame_bytes
from video2mp3_worker.encoder.lame import HEADROOM, Lame, Quality
from video2mp3_worker.encoder.writer import Mp3Writer

V2, CBR = Quality(level=2), Quality(bit_rate=128)


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many joins in a few seconds of sound: as many as minutes have otherwise."""
    monkeypatch.setattr(pieces, "PIECE_FRAMES", 49)


def encode(sound: bytes, layout: Layout, quality: Quality, threads: int = 2) -> bytes:
    file = io.BytesIO()
    encoder = Lame(lame.load(), layout, quality)
    done: list[int] = []
    count = Mp3Writer(file, encoder, layout, quality).write(io.BytesIO(sound).readinto, threads, done.append)
    assert count == done[-1] == len(sound) // 4 // layout.channels
    assert done == sorted(done)
    return file.getvalue()


def decode(mp3: bytes, layout: Layout) -> "array[float]":
    """The samples as players hear them. From a file: ffmpeg does not cut the end of what it cannot seek in."""
    decoded = array("f")
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(mp3)
        file.flush()
        shape = ("-f", "f32le", "-ac", str(layout.channels))
        command = ["ffmpeg", "-v", "error", "-i", file.name, *shape, "pipe:1"]
        decoded.frombytes(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    return decoded


def by_ffmpeg(sound: bytes, layout: Layout, *options: str) -> bytes:
    """Plain ffmpeg's mp3 of the same sound."""
    shape = ("-f", "s32le", "-ar", str(layout.sample_rate), "-ac", str(layout.channels))
    command = ["ffmpeg", "-v", "error", *shape, "-i", "pipe:0", "-af", f"volume={HEADROOM}:precision=float", *options]
    command += ["-f", "mp3", "-id3v2_version", "0", "-write_xing", "0", "pipe:1"]
    return subprocess.run(command, input=sound, capture_output=True, check=True, timeout=60).stdout


def noise_to_signal(sound: bytes, decoded: "array[float]") -> float:
    """How much differs, in dB under the sound."""
    return 10 * math.log10(power(sound) / noise(sound, decoded))


def power(sound: bytes) -> float:
    """The sum of the squares of its samples."""
    return noise(sound, array("f", bytes(len(sound))))


def noise(sound: bytes, decoded: "array[float]") -> float:
    """The sum of the squares of what differs."""
    wanted = array("i")
    wanted.frombytes(sound)
    scale = HEADROOM / 2**31
    return sum((value * scale - got) ** 2 for value, got in zip(wanted, decoded, strict=False))


@pytest.mark.parametrize("kind", sorted(SOUNDS))
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [32000, 44100, 48000, 22050, 11025])
@pytest.mark.parametrize("quality", [V2, Quality(bit_rate=64)], ids=["vbr", "cbr"])
def test_the_bytes_do_not_depend_on_the_number_of_threads(
    kind: str, channels: int, rate: int, quality: Quality
) -> None:
    layout = Layout(rate, channels)
    sound = samples(kind, rate, channels, 120 * layout.samples + 100)

    one, three = encode(sound, layout, quality, 1), encode(sound, layout, quality, 3)

    assert one == three
    assert len(decode(one, layout)) == len(sound) // 4


@pytest.mark.parametrize("kind", sorted(set(SOUNDS) - {"silence"}))
@pytest.mark.parametrize("rate", [32000, 44100, 48000, 24000])
def test_with_a_variable_bit_rate_the_cuts_are_not_heard(kind: str, rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a whole and around each cut. LAME may share out the bits of some frames otherwise: its reservoir differs."""
    layout = Layout(rate, 2)
    sound = samples(kind, rate, 2, 110 * layout.samples)
    cut = encode(sound, layout, V2)
    monkeypatch.setattr(pieces, "PIECE_FRAMES", 1000)
    whole = encode(sound, layout, V2)

    assert len(cut) == pytest.approx(len(whole), rel=0.01)
    ours, theirs = decode(cut, layout), decode(whole, layout)
    assert noise(sound, ours) == pytest.approx(noise(sound, theirs), rel=0.02)
    for place in (49, 98):
        heard, wanted = (noise(*around(place * layout.samples, sound, decoded)) for decoded in (ours, theirs))
        assert heard == pytest.approx(wanted, rel=0.07, abs=1e-9)


def around(place: int, sound: bytes, decoded: "array[float]") -> tuple[bytes, "array[float]"]:
    """Four frames to each side of a sample, of a sound in stereo."""
    first, end = 2 * (place - 4608), 2 * (place + 4608)
    return sound[first * 4 : end * 4], decoded[first:end]


@pytest.mark.parametrize("rate", [44100, 22050, 8000])
@pytest.mark.parametrize("quality", [V2, Quality(bit_rate=64)], ids=["vbr", "cbr"])
@pytest.mark.parametrize("extra", [-1153, -1, 0, 1, 223, 224, 225, 575, 576, 1151])
def test_every_length_comes_out_exactly(rate: int, quality: Quality, extra: int) -> None:
    """Around the samples at which a piece becomes the last one."""
    layout = Layout(rate, 1)
    count = 50 * layout.samples + extra
    sound = samples("music", rate, 1, count)

    assert len(decode(encode(sound, layout, quality), layout)) == count


@pytest.mark.parametrize("count", [1, 47, 48, 100, 1152, 1153])
def test_even_the_shortest_sounds_become_an_mp3(count: int) -> None:
    layout = Layout(44100, 2)

    assert len(decode(encode(samples("noise", 44100, 2, count), layout, V2), layout)) == 2 * count


def test_nothing_becomes_nothing() -> None:
    layout = Layout(44100, 2)
    file = io.BytesIO()

    assert Mp3Writer(file, Lame(lame.load(), layout, V2), layout, V2).write(lambda _view: 0, 2, lambda _done: None) == 0


@pytest.mark.parametrize(("quality", "mode"), [(V2, BitrateMode.VBR), (CBR, BitrateMode.CBR)])
def test_the_info_frame_tells_players_the_truth(quality: Quality, mode: BitrateMode, tmp_path: Path) -> None:
    layout = Layout(44100, 2)
    sound = samples("speech", 44100, 2, 5 * 44100 + 77)
    path = tmp_path / "sound.mp3"
    path.write_bytes(encode(sound, layout, quality))

    info = MP3(path).info

    assert info.bitrate_mode == mode
    assert info.encoder_info.startswith("LAME 3.100")
    assert info.length == pytest.approx(5 + 77 / 44100, abs=1 / 44100)
    assert info.sketchy is False


def test_the_info_frame_is_the_one_ffmpeg_would_write(tmp_path: Path) -> None:
    """A copy by ffmpeg has the same frames an Info frame of its own: count and checksum have to agree."""
    layout = Layout(44100, 2)
    ours = encode(samples("music", 44100, 2, 4 * 44100), layout, CBR)
    copy = tmp_path / "copy.mp3"
    command = ["ffmpeg", "-v", "error", "-f", "mp3", "-i", "pipe:0", "-c", "copy", "-id3v2_version", "0", str(copy)]
    subprocess.run(command, input=ours, check=True, timeout=60)
    theirs = copy.read_bytes()

    start, length = theirs.index(b"Info"), info_frame_bytes(layout, 128)
    assert theirs[len(theirs) - len(ours) + length :] == ours[length:]
    frames, crc = slice(start + 8, start + 12), slice(start + 152, start + 154)
    offset = 36 - start
    assert ours[frames.start + offset : frames.stop + offset] == theirs[frames]
    assert ours[crc.start + offset : crc.stop + offset] == theirs[crc]


@pytest.mark.parametrize("kind", ["music", "speech", "clicks"])
@pytest.mark.parametrize("level", [0, 2, 5])
def test_at_equal_size_it_is_no_worse_than_plain_ffmpeg(kind: str, level: int) -> None:
    """Plain ffmpeg's noise at exactly our size, between two of its levels."""
    layout = Layout(44100, 2)
    sound = samples(kind, 44100, 2, 10 * 44100)
    ours = encode(sound, layout, Quality(level=level))
    plain = {at: by_ffmpeg(sound, layout, "-q:a", str(at)) for at in (level, level + 0.99)}

    (larger, smaller) = (plain[level], plain[level + 0.99])
    ratios = {
        size: noise_to_signal(sound, skip(decode(mp3, layout))) for size, mp3 in ((len(m), m) for m in plain.values())
    }
    share = (len(ours) - len(smaller)) / max(len(larger) - len(smaller), 1)
    expected = ratios[len(smaller)] + min(share, 1) * (ratios[len(larger)] - ratios[len(smaller)])

    assert len(ours) <= len(larger) + info_frame_bytes(layout, None)
    assert noise_to_signal(sound, decode(ours, layout)) >= expected - 0.1


@pytest.mark.parametrize("kind", ["music", "speech", "clicks"])
@pytest.mark.parametrize("bit_rate", [64, 128, 320])
def test_at_a_constant_bit_rate_it_is_no_worse_than_plain_ffmpeg(kind: str, bit_rate: int) -> None:
    layout = Layout(44100, 2)
    sound = samples(kind, 44100, 2, 10 * 44100)
    plain = by_ffmpeg(sound, layout, "-b:a", f"{bit_rate}k")

    ours = encode(sound, layout, Quality(bit_rate=bit_rate))

    assert abs(len(ours) - len(plain)) <= 2 * layout.frame_bytes(bit_rate, 1)
    assert noise_to_signal(sound, decode(ours, layout)) >= noise_to_signal(sound, skip(decode(plain, layout))) - 0.2


def skip(decoded: "array[float]") -> "array[float]":
    """Without the delay of encoder and decoder, which an mp3 without an Info frame cannot tell."""
    return decoded[2 * (576 + 529) :]


@pytest.mark.parametrize("fitting", [True, False])
def test_pieces_that_do_not_fit_are_encoded_again(fitting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, if need be: a stream of a constant bit rate comes of it in any case."""
    layout = Layout(44100, 2)
    sound = samples("music", 44100, 2, 150 * 1152)
    usable: Callable[[Layout, int], int] = Layout.usable_reservoir
    monkeypatch.setattr(Layout, "usable_reservoir", usable if fitting else lambda _layout, _size: 0)

    mp3 = encode(sound, layout, CBR)

    assert len(mp3) == pytest.approx(152 * 1152 / 44100 * 16000, abs=420)
    assert noise_to_signal(sound, decode(mp3, layout)) > 5


def test_values_far_over_full_scale_are_encoded(tmp_path: Path) -> None:
    """Decoders may give such; the encoder must stand them."""
    layout = Layout(44100, 2)
    values = array("i", [2**31 - 1, -(2**31)] * 44100)

    assert len(decode(encode(values.tobytes(), layout, Quality(level=0)), layout)) == 2 * 44100
