"""Where the sound lies, from indexes that are right, wrong, and made to do harm."""

import io
import struct
import tracemalloc

import pytest

from video2mp3_worker.containers.audio_map import audio_ranges

CHUNK_OFFSETS, SIZES, RUNS = [5_000_000, 7_000_000, 9_000_000], [100, 200, 300, 400, 500], [(1, 2), (3, 1)]
SIZE = 10_000_000


def box(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def a_track(
    handler: bytes = b"soun",
    offsets: list[int] = CHUNK_OFFSETS,
    sizes: list[int] = SIZES,
    runs: list[tuple[int, int]] = RUNS,
    count: int | None = None,
    fixed: int = 0,
    *,
    large: bool = False,
) -> bytes:
    where = (
        box(b"co64", numbers(0, len(offsets)), struct.pack(f">{len(offsets)}Q", *offsets))
        if large
        else box(b"stco", numbers(0, len(offsets), *offsets))
    )
    table = box(
        b"stbl",
        box(b"stsz", numbers(0, fixed, len(sizes) if count is None else count, *sizes)),
        box(b"stsc", numbers(0, len(runs), *(value for first, each in runs for value in (first, each, 1)))),
        where,
    )
    return box(b"trak", box(b"mdia", box(b"hdlr", numbers(0, 0), handler, bytes(13)), box(b"minf", table)))


def a_file(*tracks: bytes, index_first: bool = True, more: bytes = b"", size: int = SIZE) -> io.BytesIO:
    moov = box(b"moov", *tracks)
    head = box(b"ftyp", b"isom") + more
    media = struct.pack(">I4s", size - len(head) - len(moov), b"mdat")
    parts = [head, moov, media] if index_first else [head, media]
    content = b"".join(parts)
    content = content.ljust(size if index_first else size - len(moov), b"\0")
    return io.BytesIO(content + (b"" if index_first else moov))


def chunks_of(file: io.BytesIO) -> list[tuple[int, int]]:
    found = audio_ranges(file, SIZE)
    assert found is not None
    return [(start, end) for start, end in found if start in CHUNK_OFFSETS]


@pytest.mark.parametrize("index_first", [True, False])
@pytest.mark.parametrize("large", [True, False])
def test_the_sound_lies_where_the_index_says(index_first: bool, large: bool) -> None:
    file = a_file(a_track(b"vide", [1_000_000]), a_track(large=large), index_first=index_first)

    assert chunks_of(file) == [(5_000_000, 5_000_300), (7_000_000, 7_000_700), (9_000_000, 9_000_500)]


def test_the_whole_index_is_there_as_well() -> None:
    file = a_file(a_track(), index_first=False)
    length = len(box(b"moov", a_track()))

    found = audio_ranges(file, SIZE)

    assert found is not None
    assert (SIZE - length, SIZE) in found
    assert (0, 12) in found


def test_the_titles_of_chapters_are_wanted_but_are_no_sound() -> None:
    sound, titles = a_track(b"soun", [5_000_000], runs=[(1, 2)]), a_track(b"text", [7_000_000], runs=[(1, 2)])

    assert len(chunks_of(a_file(sound, titles))) == 2
    assert audio_ranges(a_file(a_track(b"text")), SIZE) is None


def test_titles_of_one_length_are_found_as_well() -> None:
    titles = a_track(b"sbtl", [7_000_000], fixed=5, sizes=[], count=2, runs=[(1, 2)])

    assert chunks_of(a_file(a_track(offsets=[5_000_000], runs=[(1, 2)]), titles)) == [
        (5_000_000, 5_000_300),
        (7_000_000, 7_000_010),
    ]


def test_what_lies_behind_the_end_is_left_out() -> None:
    assert chunks_of(a_file(a_track(offsets=[5_000_000, 9_999_999, 2**32 - 1])))[-1] == (5_000_000, 5_000_300)


@pytest.mark.parametrize(
    "track",
    [
        a_track(fixed=4),
        a_track(count=2**32 - 1),
        a_track(runs=[(1, 2), (2**32 - 1, 1)]),
        a_track(runs=[(3, 2), (1, 1)]),
        box(b"trak", box(b"mdia", box(b"hdlr", numbers(0, 0), b"soun", bytes(13)))),
        box(b"trak", box(b"mdia", box(b"hdlr", b"\0"))),
        a_track(b"vide"),
    ],
    ids=[
        "fixed size",
        "too many",
        "chunks behind the last",
        "chunks in disorder",
        "no tables",
        "no handler",
        "picture",
    ],
)
def test_an_index_that_cannot_be_used_says_nothing(track: bytes) -> None:
    assert audio_ranges(a_file(track), SIZE) is None


def test_media_in_fragments_says_nothing() -> None:
    assert audio_ranges(a_file(a_track(), more=box(b"moof", b"")), SIZE) is None
    assert audio_ranges(io.BytesIO(box(b"ftyp", b"isom")), 12) is None


def test_tracks_that_all_claim_the_whole_index_are_read_once() -> None:
    """Each claims to reach far behind its own end; ten thousand of them would be read for hours."""
    claims = struct.pack(">I4s", 2**31, b"stsz") + numbers(0, 0, 2**30)
    track = box(
        b"trak", box(b"mdia", box(b"hdlr", numbers(0, 0), b"soun", bytes(13)), box(b"minf", box(b"stbl", claims)))
    )

    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1) -> bytes:
            content = super().read(size)
            self.count += len(content)
            return content

    content = a_file(*[track] * 10_000).getvalue()
    file = Counting(content)

    assert audio_ranges(file, len(content)) is None
    assert file.count < 5 * len(content)


def test_an_index_of_nothing_but_chunks_is_not_kept_in_memory() -> None:
    """Two places in turns, millions of times: half a gigabyte as ranges."""
    offsets = [5_000_000, 9_000_000] * 700_000
    file = a_file(a_track(offsets=offsets, sizes=[1] * len(offsets), runs=[(1, 1)]), size=40_000_000)
    tracemalloc.start()
    try:
        assert audio_ranges(file, 40_000_000) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 150_000_000


def test_chunks_close_to_each_other_are_one_range() -> None:
    offsets = [5_000_000, 5_010_000, 5_200_000]

    assert chunks_of(a_file(a_track(offsets=offsets, sizes=[100] * 3, runs=[(1, 1)]))) == [(5_000_000, 5_010_100)]
