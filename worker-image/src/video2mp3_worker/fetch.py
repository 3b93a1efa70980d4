"""⑥ Bring the source to the disk, in constant memory, and make sure that it is what was stored."""

import errno
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from video2mp3_contracts.conversion import Source
from video2mp3_contracts.reasons import Reason
from video2mp3_contracts.worker import WorkerRequest
from video2mp3_worker.errors import Refused, TryAgain
from video2mp3_worker.ports import SourceFile, Sources

_SPARE_BYTES: Final = 64 * 1024**2
"""That must stay free beside the source, for the beginning of the mp3."""


def fetch(request: WorkerRequest, sources: Sources, destination: Path, watch: Callable[[], None]) -> None:
    """Write the source to `destination`. Raises Refused or TryAgain; `watch` is called for each chunk."""
    if request.source.gridfs is None:
        raise Refused(Reason.NOT_SUPPORTED, "source.url is not supported by this version.")
    found = sources.find(request.source.gridfs.file_id)
    if found is None:
        raise Refused(Reason.SOURCE_NOT_FOUND, f"There is no source file {request.source.gridfs.file_id}.")
    _refuse(found, request)
    try:
        digest = _copy(found, sources, destination, watch)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_space() from error
    _verify(found, request.source, digest)


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
    if shutil.disk_usage(destination.parent).free < found.length + _SPARE_BYTES:
        raise _no_space()
    digest = hashlib.sha256()
    with destination.open("wb") as file:
        for chunk in sources.chunks(found, 0, -(-found.length // found.chunk_bytes)):
            file.write(chunk)
            digest.update(chunk)
            watch()
    return digest.hexdigest()


def _verify(found: SourceFile, source: Source, digest: str) -> None:
    if source.sha256 is not None and source.sha256 != digest:
        raise Refused(Reason.BAD_REQUEST, "The source's SHA-256 is not the one in source.sha256.")
    if found.metadata is not None and found.metadata.sha256 not in (None, digest):
        raise Refused(Reason.TRUNCATED, "The stored source is not what was uploaded: its SHA-256 differs.")


def _no_space() -> TryAgain:
    return TryAgain(Reason.SERVICE_UNAVAILABLE, "There is no space for the source on the worker's disk.")
