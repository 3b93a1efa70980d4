"""Where files claim to end, and whether they are encrypted: from headers that are right, cut, and absurd."""

import contextlib
import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video2mp3_worker.containers import audio_map, isobmff
from video2mp3_worker.containers.declared_size import claimed_end, is_endless
from video2mp3_worker.containers.encryption import is_protected
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.probe.sniff import HEAD_BYTES, look

ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
MATROSKA = bytes.fromhex("1a45dfa380") + bytes.fromhex("18538067")
MP4 = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
CLUSTER = bytes.fromhex("1f43b675") + b"\x85media"
W64_FORM = b"wave" + bytes(12) + b"fmt " + bytes(12) + struct.pack("<Q", 24)
W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
MADE_UP = (0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFDB)
"""By SoX, MPlayer and eSpeak; opus-tools; arecord; ffmpeg and GStreamer; LAME, which takes its header off."""

DRM = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")


def a_wav(size: int, *, whole: int = 100_000, kind: bytes = b"RIFF", real: int | None = None) -> bytes:
    """The beginning of a wav that claims some sizes; `real` is that of the chunk `ds64`."""
    long = b"" if real is None else b"ds64" + struct.pack("<IQQQI", 28, 0, real, 0, 0)
    head = kind + struct.pack("<I", whole % 2**32) + b"WAVE" + long
    return head + b"fmt " + struct.pack("<I", 16) + bytes(16) + b"data" + struct.pack("<I", size)


def an_avi(size: int) -> bytes:
    """An AVI with four bytes of media, which claims more."""
    return b"RIFF" + struct.pack("<I", 20) + b"AVI " + b"LIST" + struct.pack("<I", size) + b"movi" + b"data"[:4]


def an_asf_header(*, broadcast: bool) -> bytes:
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365") + bytes(72) + struct.pack("<I", broadcast)
    return ASF + struct.pack("<Q", 130) + bytes(6) + properties + bytes(8)


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (b"RIFF" + struct.pack("<I", 100) + b"WAVE", 108),
        (b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE", 0),
        (b"FORM" + struct.pack(">I", 100) + b"AIFF", 108),
        (b"FORM" + struct.pack(">I", 0) + b"AIFF", 0),
        (b".snd" + struct.pack(">II", 24, 1000), 1024),
        (b".snd" + struct.pack(">II", 24, 0xFFFFFFFF), 0),
        (W64 + struct.pack("<Q", 5000), 5000),
        (b"caff\0\1\0\0" + b"desc" + struct.pack(">q", 4) + bytes(4) + b"data" + struct.pack(">q", 100), 136),
        (b"caff\0\1\0\0" + b"desc" + struct.pack(">q", 4) + bytes(4) + b"data" + struct.pack(">q", -1), 24),
        (b"caff\0\1\0\0" + b"desc" + struct.pack(">q", 4) + bytes(4) + b"data" + struct.pack(">q", 2**63 - 1), 24),
        (b"caff\0\1\0\0" + b"data" + struct.pack(">q", 4) + bytes(4) + b"pakt" + struct.pack(">q", 99), 135),
        (b"caff\0\1\0\0" + b"data" + struct.pack(">q", 4) + bytes(4) + b"free" + struct.pack(">q", 99), 24),
        (b"caff\0\1\0\0" + b"desc" + struct.pack(">q", 4) + bytes(4), 25),
        (ASF + struct.pack("<Q", 40) + bytes(16) + b"D" * 16 + struct.pack("<Q", 500), 540),
        (ASF + struct.pack("<Q", 40), 64),
        (ASF + struct.pack("<Q", 2**64 - 1), 0),
        (MATROSKA + b"\x85media", 15),
        (MATROSKA + b"\x01" + b"\xff" * 7, 0),
        (MATROSKA + b"\xa0" + CLUSTER + b"\x1c\x53\xbb\x6b\x90index", 30),
        (MATROSKA + b"\xa0" + CLUSTER, 42),
        (MATROSKA + b"\xa0" + CLUSTER + CLUSTER[:-2], 42),
        (MATROSKA + b"\xa0" + b"\x1c\x53\xbb\x6b\x90index", 42),
        (a_wav(1000), 1044),
        (a_wav(1000, whole=0), 1044),
        (a_wav(1000) + bytes(1000) + b"LIST\x99\0\0\0tags", 1044),
        *((a_wav(size, whole=size + 36), 0) for size in MADE_UP),
        (a_wav(2**32 - 1, kind=b"RF64", real=2**33), 80 + 2**33),
        (a_wav(2**32 - 1, kind=b"RF64", real=0), 0),
        (a_wav(2**32 - 1, kind=b"BW64", real=2**64 - 1), 0),
        (b"FORM" + struct.pack(">I", 0x7F000050) + b"AIFFSSND" + struct.pack(">I", 0x7F000008), 0),
        (b"FORM" + struct.pack(">I", 99) + b"AIFFSSND" + struct.pack(">I", 70), 90),
        (b".snd" + struct.pack(">II", 24, 0x7FFFF000), 0),
        (an_avi(50), 70),
        (an_avi(8) + an_avi(50), 98),
        (an_avi(8) + b"idx1\xff\0\0\0cut", 28),
        (an_avi(0), 0),
        (an_avi(0x7FFFFF00), 0x7FFFFF00 + 20),
        (W64 + struct.pack("<Q", 5000) + W64_FORM + W64_DATA + struct.pack("<Q", 124), 188),
        (W64 + struct.pack("<Q", 5000) + W64_FORM + W64_DATA + struct.pack("<Q", 2**63 - 1), 0),
        (W64 + struct.pack("<Q", 2**64 - 1), 0),
        (an_asf_header(broadcast=False) + b"D" * 16 + struct.pack("<Q", 500), 630),
        (an_asf_header(broadcast=True) + b"D" * 16 + struct.pack("<Q", 500), 0),
        (b"ID3\4 and so on", 0),
        (b"", 0),
    ],
)
def test_where_a_file_claims_to_end(content: bytes, end: int) -> None:
    assert claimed_end(BytesIO(content), content[:HEAD_BYTES], len(content)) == end


@pytest.mark.parametrize(
    ("content", "endless"),
    [
        *((a_wav(size), True) for size in MADE_UP),
        (a_wav(2**32 - 1, kind=b"RF64", real=0), True),
        (a_wav(2**32 - 1, kind=b"RF64", real=2**33), False),
        (a_wav(1000), False),
        (an_avi(0), False),
    ],
)
def test_which_sound_goes_on_to_the_end_of_its_file(content: bytes, endless: bool) -> None:
    assert is_endless(BytesIO(content), content[:HEAD_BYTES], len(content)) is endless


def test_protection_is_where_the_container_says_it() -> None:
    def protected(content: bytes) -> bool:
        return is_protected(BytesIO(content), content[:HEAD_BYTES], len(content))

    packet, scrambled = b"G\1\0\x10" + bytes(184), b"G\1\0\x90" + bytes(184)
    assert protected(ASF + bytes(30) + DRM)
    assert not protected(ASF + bytes(60))
    assert protected(scrambled * 9 + packet)
    assert not protected(packet * 9 + scrambled)
    assert not protected(b"G is also the first letter of a text" * 20)


_HEADS = st.sampled_from(
    [b"", ASF, W64, MATROSKA, MP4, b"RIFF", b"FORM", b".snd", b"caff\0\1\0\0", b"G\1\0\x90", b"\0\0\0\x08moov"]
)
_NUMBERS = st.sampled_from([0, 1, 7, 8, 16, 255, 2**31, 2**32 - 1]).map(lambda number: struct.pack(">I", number))
_KINDS = st.sampled_from([*sorted(isobmff.TOP_LEVEL), b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hdlr", b"soun"])
_TABLES = st.sampled_from(
    [b"stsz", b"stsc", b"stco", b"co64", b"\x16\x54\xae\x6b", b"\xae", b"\x83\x81\2", b"\x6d\x80"]
)


@st.composite
def nested_boxes(draw: st.DrawFn) -> bytes:
    """Boxes whose sizes are mostly right, in each other, with numbers in them."""
    content = b"".join(draw(st.lists(st.one_of(_NUMBERS, _KINDS, _TABLES, st.binary(max_size=12)), max_size=12)))
    for kind in draw(st.sampled_from([(), (b"stbl", b"minf", b"mdia", b"trak", b"moov"), (b"stsd", b"stbl")])):
        wrong = draw(st.sampled_from([0, 0, 0, 0, 1, -1, 1000]))
        content = struct.pack(">I4s", max(len(content) + 8 + wrong, 0), kind) + content
    return draw(_HEADS) + content


@given(st.one_of(nested_boxes(), st.builds(bytes.__add__, _HEADS, st.binary(max_size=200))))
def test_no_bytes_break_the_look_or_the_map(content: bytes) -> None:
    """Whatever is in a file, it passes or is refused; ranges lie within it."""
    with contextlib.suppress(Refused):
        look(BytesIO(content), len(content))
    for start, end in audio_map.audio_ranges(BytesIO(content), len(content)) or []:
        assert 0 <= start < end <= len(content)
