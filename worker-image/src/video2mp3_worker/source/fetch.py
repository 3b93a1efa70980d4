"""⑥ Bring the source to the disk, in constant memory, and make sure that it is what was stored.

Of a large mp4 only those chunks are fetched in which its index and its audio lie, where the index says that this is
worth it; the rest of the file on the disk is a hole that nothing reads. Where the index comes first, work can begin as
soon as that is there: ffmpeg reads on as more comes.
"""

import ctypes
import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from video2mp3_contracts.api.conversion import Source
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.worker import WorkerRequest
from video2mp3_worker.containers import audio_map, isobmff
from video2mp3_worker.limits.disk import enough_space, refuse_full_disk
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.ports.systems import SourceFile, Sources, Web
from video2mp3_worker.source.content import refuse_other_content, refuse_size
from video2mp3_worker.source.partial_download import LocalSource, PartialDownload
from video2mp3_worker.source.sparse_reads import SparseFile

_WORTH_IT_BYTES: Final = 8 * 1024**2
"""Smaller sources are fetched whole: that takes no longer than thinking about it."""

_MOST_SHARE: Final = 0.7
"""Of a source's chunks; from there on, one pass over all of them is as quick, and can be checked."""


@dataclass(frozen=True)
class Fetched:
    """A source, and how many bytes are fetched for it, those included that are still to come."""

    source: LocalSource
    size: int


def fetch(
    request: WorkerRequest, sources: Sources, web: Web | None, destination: Path, watch: Callable[[], None]
) -> Fetched:
    """Write the source to `destination`, or as much of it as is needed to begin.

    `watch` is called a few times a second; `web` is needed only where the source is an address. Raises Refused or
    TryAgain, and so may what is still coming.
    """
    with enough_space():
        if request.source.gridfs is not None:
            return _fetch_file(request, request.source.gridfs.file_id, sources, destination, watch)
        from video2mp3_worker.source.download import Download  # noqa: PLC0415 - most attempts do without

        assert web is not None  # noqa: S101 - whoever asks for an address has it
        size = Download(request, web, destination, watch).run()
        return Fetched(LocalSource(destination, size), size)


def _fetch_file(
    request: WorkerRequest, file_id: str, sources: Sources, destination: Path, watch: Callable[[], None]
) -> Fetched:
    found = sources.find(file_id)
    if found is None:
        raise Refused(Reason.SOURCE_NOT_FOUND, f"There is no source file {file_id}.")
    _refuse(found, request)
    every = range(-(-found.length // found.chunk_bytes))
    with ExitStack() as opened:
        file = opened.enter_context(SparseFile(found, sources, destination, watch))
        audio = _chunks_of_audio(found, file)
        numbers: Sequence[int] = every
        # A checksum that was asked for needs every byte.
        if audio is not None and request.source.sha256 is None and len(audio) <= _MOST_SHARE * len(every):
            numbers = audio
        size = min(len(numbers) * found.chunk_bytes, found.length)
        refuse_full_disk(destination, size)
        can_begin = audio is not None and _fetch_index(file, numbers, watch)
        opened.pop_all()
    if audio is not None:
        _give_back_memory()
    verify = partial(_verify, found, request.source) if numbers is every else None
    partial_download = PartialDownload(partial(_fetch_rest, file, numbers, verify))
    if not can_begin:
        with closing(partial_download):
            partial_download.wait_for_all(watch)
    return Fetched(LocalSource(destination, found.length, partial_download if can_begin else None), size)


def _chunks_of_audio(found: SourceFile, file: SparseFile) -> list[int] | None:
    """The numbers of the chunks in which index and audio lie; None where that cannot be told or is not worth it."""
    if found.length < _WORTH_IT_BYTES or not isobmff.is_isobmff(file.read(isobmff.HEAD_BYTES)):
        return None
    ranges = audio_map.audio_ranges(file, found.length)
    return None if ranges is None else file.touched(ranges)


def _fetch_index(file: SparseFile, numbers: Sequence[int], watch: Callable[[], None]) -> bool:
    """Fetch all that lies before what was last read of the index. False, and nothing, where that is most."""
    front = [number for number in numbers if number <= file.last]
    if 2 * len(front) > len(numbers):
        return False
    for _ in file.chunks(front):
        watch()
    return True


def _give_back_memory() -> None:
    """What reading an index took: 5 MiB for three hours, which glibc would keep. Other libraries have no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _fetch_rest(
    file: SparseFile, numbers: Sequence[int], verify: Callable[[str], None] | None, go_on: Callable[[], None]
) -> None:
    digest = hashlib.sha256()
    with enough_space(), file:
        for chunk in file.chunks(numbers):
            if verify is not None:
                digest.update(chunk)
            go_on()
        file.complete()
    if verify is not None:
        verify(digest.hexdigest())


def _refuse(found: SourceFile, request: WorkerRequest) -> None:
    if found.metadata is None or found.metadata.owner != request.owner:
        raise Refused(Reason.OWNER_MISMATCH, "The source file belongs to somebody else.")
    refuse_size(found.length, request.limits)


def _verify(found: SourceFile, source: Source, digest: str) -> None:
    refuse_other_content(source, digest)
    if found.metadata is not None and found.metadata.sha256 not in (None, digest):
        raise Refused(Reason.TRUNCATED, "The stored source's SHA-256 is not the upload's: upload it again.")
