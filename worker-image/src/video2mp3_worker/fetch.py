"""⑥ Bring the source to the disk, in constant memory, and make sure that it is what was stored.

Of a large mp4 only those chunks are fetched in which its index and its sound lie, where the index says that this is
worth it; the rest of the file on the disk is a hole that nothing reads.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from video2mp3_contracts.conversion import Source
from video2mp3_contracts.reasons import Reason
from video2mp3_contracts.worker import WorkerRequest
from video2mp3_worker import audio_map, isobmff
from video2mp3_worker.content import refuse_other_content, refuse_size
from video2mp3_worker.disk import enough_space, refuse_full_disk
from video2mp3_worker.errors import Refused
from video2mp3_worker.ports import SourceFile, Sources, Web
from video2mp3_worker.sparse import SparseFile

_WORTH_IT_BYTES: Final = 8 * 1024**2
"""Smaller sources are fetched whole: that takes no longer than thinking about it."""

_MOST_SHARE: Final = 0.7
"""Of a source's chunks; from there on, one pass over all of them is as quick, and can be checked."""


def fetch(
    request: WorkerRequest, sources: Sources, web: Web | None, destination: Path, watch: Callable[[], None]
) -> int:
    """Write the source to `destination`; answer how many bytes were fetched. `watch` is called a few times a second.

    `web` is needed only where the source is an address. Raises Refused or TryAgain.
    """
    with enough_space():
        if request.source.gridfs is not None:
            return _fetch_file(request, request.source.gridfs.file_id, sources, destination, watch)
        from video2mp3_worker.download import Download  # noqa: PLC0415 - most attempts do without

        assert web is not None  # noqa: S101 - whoever asks for an address has it
        return Download(request, web, destination, watch).run()


def _fetch_file(
    request: WorkerRequest, file_id: str, sources: Sources, destination: Path, watch: Callable[[], None]
) -> int:
    found = sources.find(file_id)
    if found is None:
        raise Refused(Reason.SOURCE_NOT_FOUND, f"There is no source file {file_id}.")
    _refuse(found, request)
    # A checksum that was asked for needs every byte.
    if request.source.sha256 is None and found.length >= _WORTH_IT_BYTES:
        fetched = _fetch_sound(found, sources, destination, watch)
        if fetched is not None:
            return fetched
    digest = _copy(found, sources, destination, watch)
    _verify(found, request.source, digest)
    return found.length


def _fetch_sound(found: SourceFile, sources: Sources, destination: Path, watch: Callable[[], None]) -> int | None:
    """Fetch no more than index and sound; None where that is not possible or not worth it."""
    with SparseFile(found, sources, destination, watch) as file:
        if not isobmff.is_isobmff(file.read(isobmff.HEAD_BYTES)):
            return None
        ranges = audio_map.audio_ranges(file, found.length)
        if ranges is None:
            return None
        numbers = file.missing(ranges)
        chunks = -(-found.length // found.chunk_bytes)
        if len(numbers) > _MOST_SHARE * chunks:
            return None
        refuse_full_disk(destination, len(numbers) * found.chunk_bytes)
        file.fetch(numbers)
        return min(file.fetched_bytes, found.length)


def _refuse(found: SourceFile, request: WorkerRequest) -> None:
    if found.metadata is None or found.metadata.owner != request.owner:
        raise Refused(Reason.OWNER_MISMATCH, "The source file belongs to somebody else.")
    refuse_size(found.length, request.limits)


def _copy(found: SourceFile, sources: Sources, destination: Path, watch: Callable[[], None]) -> str:
    refuse_full_disk(destination, found.length)
    digest = hashlib.sha256()
    with destination.open("wb") as file:
        for chunk in sources.chunks(found, range(-(-found.length // found.chunk_bytes))):
            file.write(chunk)
            digest.update(chunk)
            watch()
    return digest.hexdigest()


def _verify(found: SourceFile, source: Source, digest: str) -> None:
    refuse_other_content(source, digest)
    if found.metadata is not None and found.metadata.sha256 not in (None, digest):
        raise Refused(Reason.TRUNCATED, "The stored source is not what was uploaded: its SHA-256 differs.")
