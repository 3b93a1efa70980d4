"""Which chunks of a source are fetched."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.worker.builders import SOURCE_ID, a_request
from tests.unit.worker.containers.test_audio_map import CHUNK_OFFSETS, SIZE, a_file, a_track
from tests.unit.worker.fakes import FakeFiles, Outside
from video2mp3_contracts.api.conversion import Source
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused, TryAgain
from video2mp3_worker.ports.systems import SourceFile
from video2mp3_worker.source.fetch import Fetched, fetch
from video2mp3_worker.source.partial_download import ClosedError

CHUNK_BYTES = 100_000


def fetched(tmp_path: Path, content: bytes, **source: str) -> tuple[list[int], Path, int]:
    """The numbers of the chunks that were fetched, the file, and the bytes that `fetch` speaks of."""
    files = FakeFiles(Outside(sources={SOURCE_ID: content}), chunk_bytes=CHUNK_BYTES)
    begun = begin(tmp_path, files, **source)
    begun.source.wait(lambda: None)
    return files.taken, begun.source.path, begun.size


def begin(tmp_path: Path, files: FakeFiles, **source: str) -> Fetched:
    """As much of the source as comes before work can begin."""
    request = a_request(source=Source(gridfs={"fileId": SOURCE_ID}, **source))
    return fetch(request, files, None, tmp_path / "source", lambda: None)


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


@dataclass
class Slowly(FakeFiles):
    """Gives chunks one after the other up to number `until`, and the rest when it may."""

    until: int = 45
    may: threading.Event = field(default_factory=threading.Event)

    def chunks(self, source: SourceFile, numbers: Sequence[int]) -> Iterator[bytes]:
        for number, chunk in zip(numbers, super().chunks(source, numbers), strict=True):
            assert number <= self.until or self.may.wait(60)
            yield chunk


@pytest.mark.parametrize("checked", [False, True])
def test_with_the_index_first_work_can_begin_before_all_is_there(tmp_path: Path, checked: bool) -> None:
    content = bytearray(a_file(a_track()).getvalue())
    content[SIZE // 2 :] = b"sound" * (SIZE // 10)
    checksum = {"sha256": hashlib.sha256(content).hexdigest()} if checked else {}
    files = Slowly(Outside(sources={SOURCE_ID: bytes(content)}), chunk_bytes=CHUNK_BYTES)

    source = begin(tmp_path, files, **checksum).source

    assert source.is_partial()
    on_disk = source.path.read_bytes()
    assert len(on_disk) <= (files.until + 1) * CHUNK_BYTES
    assert on_disk == content[: len(on_disk)]
    assert len(on_disk) > 200
    assert source.size == SIZE

    files.may.set()
    source.wait(lambda: None)

    assert not source.is_partial()
    assert source.path.stat().st_size == SIZE
    chunk = slice(CHUNK_OFFSETS[-1], CHUNK_OFFSETS[-1] + CHUNK_BYTES)
    assert source.path.read_bytes()[chunk] == content[chunk]
    assert (source.path.read_bytes() == content) == checked


@pytest.mark.parametrize(
    "content",
    [a_file(a_track(), index_first=False).getvalue(), bytes(SIZE), a_file(a_track()).getvalue()[:100_000]],
    ids=["index last", "no mp4", "small"],
)
def test_otherwise_all_is_there_before_work_begins(tmp_path: Path, content: bytes) -> None:
    files = FakeFiles(Outside(sources={SOURCE_ID: content}), chunk_bytes=CHUNK_BYTES)

    source = begin(tmp_path, files).source

    assert not source.is_partial()
    assert source.partial_download is None
    assert source.path.stat().st_size == len(content)


def test_what_ends_the_rest_is_told_to_whoever_waits(tmp_path: Path) -> None:
    content = a_file(a_track()).getvalue()
    files = Slowly(Outside(sources={SOURCE_ID: content}), chunk_bytes=CHUNK_BYTES)
    files.sha256 = "0" * 64
    source = begin(tmp_path, files, sha256=hashlib.sha256(content).hexdigest()).source
    files.may.set()

    with pytest.raises(Refused) as error:
        source.wait(lambda: None)

    assert error.value.reason == Reason.TRUNCATED
    with pytest.raises(Refused):
        source.is_partial()


def stopped() -> None:
    raise TryAgain(Reason.STOPPED, "Stop.")


def test_whoever_waits_can_turn_away_and_nothing_more_is_fetched(tmp_path: Path) -> None:
    files = Slowly(Outside(sources={SOURCE_ID: a_file(a_track()).getvalue()}), chunk_bytes=CHUNK_BYTES)
    source = begin(tmp_path, files, sha256="0" * 64).source

    with pytest.raises(TryAgain):
        source.wait(stopped)
    source.close()
    files.may.set()

    with pytest.raises(ClosedError):
        source.wait(lambda: None)
    assert max(files.taken) <= files.until + 1


def test_reading_a_long_index_can_be_stopped(tmp_path: Path) -> None:
    content = a_file(a_track(), index_first=False).getvalue()
    files = FakeFiles(Outside(sources={SOURCE_ID: content}), chunk_bytes=CHUNK_BYTES)

    with pytest.raises(TryAgain):
        fetch(a_request(), files, None, tmp_path / "source", stopped)

    assert len(files.taken) == 1
