"""Frames that are passed on: whole, between tags, damaged, and what the Info frame says of them."""

import io

import pytest

from video2mp3_worker.encoder.frame_copy import Copied, FrameCopy, NotCopyableError
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.infoframe import About, assembled

LAYOUT = Layout(44_100, 2)
RATES = (32_000, 44_100, 48_000, 16_000, 22_050, 24_000, 8_000, 11_025, 12_000)


def a_frame(layout: Layout = LAYOUT, kbit: int = 64, *, bits: int = 0, back: int = 0, checksum: bool = False) -> bytes:
    """With so many bits of main data in its first granule, so many bytes before its own room."""
    header = layout.fixed_header | (0 if checksum else 1 << 16) | layout.bit_rates.index(kbit) << 12
    header |= 0xC0 if layout.channels == 1 else 0x40
    side_bytes = layout.head_bytes - 4
    pointer_bits = 9 if layout.is_mpeg1 else 8
    side = back << side_bytes * 8 - pointer_bits | bits << layout.length_shifts[0]
    head = header.to_bytes(4, "big") + (b"\0\0" if checksum else b"") + side.to_bytes(side_bytes, "big")
    return head.ljust(layout.frame_bytes(kbit), b"\x55")


def an_info(frames: int, delay: int, padding: int, *, encoder: bytes = b"LAME3.100", preset: int = 0) -> bytes:
    """The Info frame of an encoder; VBR where there is a preset."""
    lame = b"".join(
        (encoder, bytes((4 if preset else 1, 190)), bytes(10), (delay << 12 | padding).to_bytes(3, "big"), bytes(2),
         preset.to_bytes(2, "big"))
    )  # fmt: skip
    sizes = memoryview(b"\xd0\0" * frames).cast("H")
    return assembled(LAYOUT, a_frame()[:4], 64, sizes, 0, About(not preset, 57, lame))  # type: ignore[arg-type]


def copied(*pieces: bytes, layout: Layout = LAYOUT, bit_rate: int | None = None, skipped: int = 0, discarded: int = 0):  # type: ignore[no-untyped-def]
    file = io.BytesIO()
    copy = FrameCopy(file, layout, bit_rate, skipped, discarded)
    for piece in pieces:
        copy.feed(piece)
    return copy.finish(), file.getvalue()


SOUND = a_frame() * 20
INFO_BYTES = len(a_frame())


def told(mp3: bytes) -> tuple[bytes, int, int]:
    """The encoder's name, delay and padding, as the Info frame has them."""
    lame = mp3[36 + 120 : INFO_BYTES]
    return (lame[:4], *divmod(int.from_bytes(lame[21:24], "big"), 4096))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("checksum", [True, False])
def test_frames_of_every_kind_are_passed_on_as_they_are(rate: int, channels: int, checksum: bool) -> None:
    layout = Layout(rate, channels)
    sound = b"".join(a_frame(layout, kbit, checksum=checksum) for kbit in (32, 64, 56) for _ in range(3))

    found, mp3 = copied(sound, layout=layout)

    assert mp3.endswith(sound)
    assert found.seconds == 9 * layout.samples / rate
    assert (found.bit_rate, found.level) == (None, None)
    assert found.average == pytest.approx(len(sound) * 8 / found.seconds / 1000)


@pytest.mark.parametrize("step", [1, 7, 208, 5000])
def test_how_the_bytes_come_does_not_matter(step: int) -> None:
    stream = an_info(20, 576, 100) + SOUND

    assert copied(*(stream[at : at + step] for at in range(0, len(stream), step))) == copied(stream)


ID3 = b"ID3\x04\0\0\0\0\x20\0" + bytes(range(256)) * 16
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(4) + b"\0\0\0\xa0" + bytes(72)


@pytest.mark.parametrize(
    "stream",
    [
        ID3 + SOUND,
        ID3 + ID3 + SOUND + ID3,
        SOUND + b"TAG" + b"t" * 125,
        ID3 + SOUND + APE + b"TAG" + b"t" * 125,
        SOUND[: len(SOUND) // 2] + ID3 + SOUND[len(SOUND) // 2 :],
        bytes(3000) + SOUND + bytes(77),
        SOUND + a_frame()[:-1],
    ],
    ids=["tag in front", "several tags", "old tag", "three tags at the end", "joined files", "noughts", "half a frame"],
)
def test_what_is_no_sound_is_left_out(stream: bytes) -> None:
    assert copied(stream)[1][INFO_BYTES:] == SOUND


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        ID3,
        b"garbage " * 100,
        SOUND + b"garbage " * 100,
        SOUND + b"garbage",
        SOUND + b"garbage " * 1000 + SOUND,
        b"x" + SOUND,
        SOUND + a_frame()[:-1] + SOUND,
        SOUND + ID3[:-5],
        SOUND + a_frame(Layout(48_000, 2)),
        SOUND + a_frame(Layout(44_100, 1)),
        SOUND + a_frame()[:2] + b"\x04" + a_frame()[3:],
        SOUND + a_frame()[:1] + b"\xfd" + a_frame()[2:],
        SOUND + a_frame(bits=4000, back=0) + SOUND,
        SOUND + a_frame(bits=4000, back=200) + SOUND,
    ],
    ids=[
        "empty", "only a tag", "garbage", "much at the end", "little at the end", "between", "in front",
        "a frame too short", "a tag too short", "another rate", "mono", "free format", "layer II", "too much data",
        "too much data in spite of the reservoir",
    ],
)  # fmt: skip
def test_what_is_not_whole_is_not_passed_on(stream: bytes) -> None:
    with pytest.raises(NotCopyableError):
        copied(stream)


@pytest.mark.parametrize("frames", [1, 5])
def test_so_few_frames_that_nobody_knows_them_are_not_passed_on(frames: int) -> None:
    with pytest.raises(NotCopyableError, match="so few that programs do not know it"):
        copied(a_frame() * frames)

    assert copied(a_frame() * 6)[0].seconds == 6 * 1152 / 44_100


def test_main_data_may_lie_in_the_frames_before() -> None:
    sound = SOUND + a_frame(bits=4000, back=400)

    assert copied(sound)[1][INFO_BYTES:] == sound


def test_a_bit_rate_that_was_asked_for_is_that_of_all_frames() -> None:
    assert copied(SOUND, bit_rate=64)[0].bit_rate == 64
    for stream in (a_frame(kbit=96) + SOUND, SOUND + a_frame(kbit=96)):
        with pytest.raises(NotCopyableError, match="64 kbit/s"):
            copied(stream, bit_rate=64)


@pytest.mark.parametrize(
    ("info", "skipped", "expected"),
    [
        (b"", 0, (b"\0\0\0\0", 0, 0)),
        (b"", 1105, (b"Lavf", 576, 529)),
        (b"", 100, (b"\0\0\0\0", 0, 0)),
        (b"", 100_000, (b"\0\0\0\0", 0, 0)),
        (an_info(20, 576, 1000), 0, (b"LAME", 576, 1000)),
        (an_info(20, 576, 1000), 1105, (b"LAME", 576, 1000)),
        (an_info(20, 1105, 7, encoder=b"Lavc59.37"), 0, (b"Lavc", 1105, 7)),
        (an_info(20, 576, 1000, encoder=b"?????????"), 0, (b"\0\0\0\0", 0, 0)),
        (an_info(99, 576, 1000), 0, (b"LAME", 576, 529)),
    ],
    ids=[
        "none", "of the container", "too few", "too many", "of the encoder", "both", "of ffmpeg", "of nobody",
        "of another length",
    ],
)  # fmt: skip
def test_delay_and_padding_stay(info: bytes, skipped: int, expected: tuple[bytes, int, int]) -> None:
    found, mp3 = copied(info + SOUND, skipped=skipped)

    assert told(mp3) == expected
    assert found.seconds == (20 * 1152 - expected[1] - expected[2]) / 44_100


@pytest.mark.parametrize(
    ("info", "skipped", "discarded", "expected"),
    [
        (b"", 1105, 527, (b"Lavf", 576, 1056)),
        (b"", 529, 1, (b"Lavf", 0, 530)),
        (b"", 1105, 3567, (b"\0\0\0\0", 0, 0)),
        (an_info(20, 576, 1000), 0, 527, (b"LAME", 576, 1000)),
    ],
    ids=["both ends", "no room needed", "too many", "of the encoder"],
)
def test_the_end_is_cut_where_the_container_says(
    info: bytes, skipped: int, discarded: int, expected: tuple[bytes, int, int]
) -> None:
    found, mp3 = copied(info + SOUND, skipped=skipped, discarded=discarded)

    assert (told(mp3), mp3[INFO_BYTES:]) == (expected, SOUND)
    assert found.seconds == (20 * 1152 - expected[1] - expected[2]) / 44_100


@pytest.mark.parametrize("skipped", [0, 528])
def test_where_the_beginning_stays_the_end_is_cut_behind_a_silent_frame(skipped: int) -> None:
    """Players cut a decoder's delay in front, at the least, and all of the silent frame with it."""
    found, mp3 = copied(SOUND, skipped=skipped, discarded=527)

    silent, sound = mp3[INFO_BYTES : 2 * INFO_BYTES], mp3[2 * INFO_BYTES :]
    assert (silent[:4], silent[4:].strip(b"\0"), sound) == (a_frame()[:4], b"", SOUND)
    assert told(mp3) == (b"Lavf", 1152 + skipped - 529, 529 + 527)
    assert found.seconds == (20 * 1152 - skipped - 527) / 44_100


def test_no_frame_is_put_before_one_whose_data_would_lie_in_it() -> None:
    begun = a_frame(back=10) * 20

    assert copied(begun, discarded=527)[1][INFO_BYTES:] == begun


@pytest.mark.parametrize(("preset", "level"), [(480, 2), (500, 0), (410, 9), (320, None), (0, None)])
def test_the_level_is_what_lame_says(preset: int, level: int | None) -> None:
    found, _ = copied(an_info(20, 576, 0, preset=preset) + SOUND)

    assert found.level == level


@pytest.mark.parametrize(("told", "is_cut_short"), [(20, False), (21, True)])
def test_fewer_frames_than_the_first_one_says_are_told(told: int, is_cut_short: bool) -> None:
    found, _ = copied(an_info(told, 576, 0) + a_frame() * 20)

    assert found.is_cut_short is is_cut_short


def test_the_info_frame_is_right() -> None:
    sound = a_frame(kbit=128) * 10 + a_frame(kbit=64) * 30

    found, mp3 = copied(sound)

    size = LAYOUT.frame_bytes(128)
    assert mp3[36:40] == b"Xing"
    assert (int.from_bytes(mp3[44:48], "big"), int.from_bytes(mp3[48:52], "big")) == (40, len(mp3))
    # A quarter of the time takes 10 of 25 parts of the bytes.
    assert mp3[52 + 25] == (size + 10 * size) * 256 // len(mp3)
    assert found == Copied(40 * 1152 / 44_100, pytest.approx(80, abs=0.5), None, None)
    assert copied(SOUND)[1][36:40] == b"Info"
