"""Which chunks of a source are fetched."""

import hashlib
from pathlib import Path

import pytest

from tests.unit.worker.builders import SOURCE_ID, a_request
from tests.unit.worker.fakes import FakeFiles, Outside
from tests.unit.worker.test_audio_map import CHUNK_OFFSETS, SIZE, a_file, a_track
from video2mp3_contracts.conversion import Source
from video2mp3_worker.fetch import fetch

CHUNK_BYTES = 100_000


def fetched(tmp_path: Path, content: bytes, **source: str) -> tuple[list[int], Path, int]:
    """The numbers of the chunks that were fetched, the file, and the bytes that `fetch` speaks of."""
    files = FakeFiles(Outside(sources={SOURCE_ID: content}), chunk_bytes=CHUNK_BYTES)
    destination = tmp_path / "source"
    request = a_request(source=Source(gridfs={"fileId": SOURCE_ID}, **source))
    count = fetch(request, files, None, destination, lambda: None)
    return files.taken, destination, count


@pytest.mark.parametrize("index_first", [True, False])
def test_of_a_large_mp4_only_index_and_sound_are_fetched(tmp_path: Path, index_first: bool) -> None:
    content = a_file(a_track(), index_first=index_first).getvalue()

    numbers, file, count = fetched(tmp_path, content)

    assert {offset // CHUNK_BYTES for offset in CHUNK_OFFSETS} < set(numbers)
    assert len(numbers) == len(set(numbers)) < 12
    assert count <= len(numbers) * CHUNK_BYTES
    on_disk = file.read_bytes()
    assert len(on_disk) == SIZE
    for number in range(SIZE // CHUNK_BYTES):
        part = slice(number * CHUNK_BYTES, (number + 1) * CHUNK_BYTES)
        assert on_disk[part] == (content[part] if number in numbers else bytes(CHUNK_BYTES))


@pytest.mark.parametrize(
    "content",
    [
        a_file(a_track(), index_first=False).getvalue()[: SIZE // 2],
        a_file(a_track(offsets=list(range(0, SIZE, 70_000)), sizes=[100] * 400)).getvalue(),
        bytes(SIZE),
        a_file(a_track(), index_first=False).getvalue()[:1000],
    ],
    ids=["no index", "sound everywhere", "no mp4", "small"],
)
def test_everything_else_is_fetched_whole(tmp_path: Path, content: bytes) -> None:
    numbers, file, count = fetched(tmp_path, content)

    assert set(numbers) == set(range(-(-len(content) // CHUNK_BYTES)))
    assert file.read_bytes() == content
    assert count == len(content)


def test_what_has_to_be_compared_with_a_checksum_is_fetched_whole(tmp_path: Path) -> None:
    content = a_file(a_track()).getvalue()
    numbers, _file, _count = fetched(tmp_path, content, sha256=hashlib.sha256(content).hexdigest())

    assert len(numbers) == SIZE // CHUNK_BYTES
