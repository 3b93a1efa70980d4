"""⑥ Bring the source to the disk, in constant memory, and make sure that it is what was stored.

Of a large mp4 only those chunks are fetched in which its index and its sound lie, where the index says that this is
worth it; the rest of the file on the disk is a hole that nothing reads.
"""

import errno
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from video2mp3_contracts.conversion import Source
from video2mp3_contracts.reasons import Reason
from video2mp3_contracts.worker import WorkerRequest
from video2mp3_worker import audio_map, isobmff
from video2mp3_worker.errors import Refused, TryAgain
from video2mp3_worker.ports import SourceFile, Sources
from video2mp3_worker.sparse import SparseFile

_SPARE_BYTES: Final = 64 * 1024**2
"""That must stay free beside the source, for the beginning of the mp3."""


_WORTH_IT_BYTES: Final = 8 * 1024**2
"""Smaller sources are fetched whole: that takes no longer than thinking about it."""

_MOST_SHARE: Final = 0.7
"""Of a source's chunks; from there on, one pass over all of them is as quick, and can be checked."""


def fetch(request: WorkerRequest, sources: Sources, destination: Path, watch: Callable[[], None]) -> int:
    """Write the source to `destination`; answer how many bytes were fetched. `watch` is called for each chunk.

    Raises Refused or TryAgain.
    """
    if request.source.gridfs is None:
        raise Refused(Reason.NOT_SUPPORTED, "source.url is not supported by this version.")
    found = sources.find(request.source.gridfs.file_id)
    if found is None:
        raise Refused(Reason.SOURCE_NOT_FOUND, f"There is no source file {request.source.gridfs.file_id}.")
    _refuse(found, request)
    try:
        # A checksum that was asked for needs every byte.
        if request.source.sha256 is None and found.length >= _WORTH_IT_BYTES:
            fetched = _fetch_sound(found, sources, destination, watch)
            if fetched is not None:
                return fetched
        digest = _copy(found, sources, destination, watch)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_space() from error
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
        _refuse_full_disk(destination, len(numbers) * found.chunk_bytes)
        file.fetch(numbers)
        return min(file.fetched_bytes, found.length)


def _refuse(found: SourceFile, request: WorkerRequest) -> None:
    if found.metadata is None or found.metadata.owner != request.owner:
        raise Refused(Reason.OWNER_MISMATCH, "The source file belongs to somebody else.")
    if found.length == 0:
        raise Refused(Reason.EMPTY_SOURCE, "The file is empty.")
    if found.length > request.limits.max_source_bytes:
        raise Refused(
            Reason.TOO_LARGE,
            f"The file has {found.length} bytes; at most {request.limits.max_source_bytes} are allowed.",
        )


def _copy(found: SourceFile, sources: Sources, destination: Path, watch: Callable[[], None]) -> str:
    _refuse_full_disk(destination, found.length)
    digest = hashlib.sha256()
    with destination.open("wb") as file:
        for chunk in sources.chunks(found, range(-(-found.length // found.chunk_bytes))):
            file.write(chunk)
            digest.update(chunk)
            watch()
    return digest.hexdigest()


def _verify(found: SourceFile, source: Source, digest: str) -> None:
    if source.sha256 is not None and source.sha256 != digest:
        raise Refused(Reason.BAD_REQUEST, "The source's SHA-256 is not the one in source.sha256.")
    if found.metadata is not None and found.metadata.sha256 not in (None, digest):
        raise Refused(Reason.TRUNCATED, "The stored source is not what was uploaded: its SHA-256 differs.")


def _refuse_full_disk(destination: Path, needed: int) -> None:
    if shutil.disk_usage(destination.parent).free < needed + _SPARE_BYTES:
        raise _no_space()


def _no_space() -> TryAgain:
    return TryAgain(Reason.SERVICE_UNAVAILABLE, "There is no space for the source on the worker's disk.")
