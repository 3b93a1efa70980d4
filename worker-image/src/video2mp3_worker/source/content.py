"""⑥ Whether what was fetched is what was asked for, wherever it came from. Pure."""

from video2mp3_contracts.api.conversion import Source
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.ports.errors import Refused


def refuse_size(size: int, limits: WorkerLimits) -> None:
    """Raise Refused for a source of so many bytes."""
    if size == 0:
        raise Refused(Reason.EMPTY_SOURCE, "The file is empty.")
    if size > limits.max_source_bytes:
        sentence = f"The file has {size} bytes; worker.maxSourceBytes allows {limits.max_source_bytes}."
        raise Refused(Reason.TOO_LARGE, sentence)


def refuse_other_content(source: Source, digest: str) -> None:
    """Raise Refused where `source.sha256` names another content. `digest` is in hex."""
    if source.sha256 is not None and source.sha256 != digest:
        sentence = f"The source's SHA-256 is {digest}, not the one that source.sha256 names."
        raise Refused(Reason.CHECKSUM_MISMATCH, sentence)
