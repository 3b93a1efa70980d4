"""④ From the stored status to the one that is wanted, and which changes may wait. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from video2mp3_contracts.api.status import ConversionStatus, Progress
from video2mp3_operator.objects.merge_patch import merge_patch


def status_patch(stored: Mapping[str, Any], wanted: ConversionStatus) -> dict[str, Any]:
    """The merge patch (RFC 7386) from the stored status document to the wanted one; empty when they say the same."""
    return merge_patch(stored, _document(wanted), ConversionStatus)


def _document(status: ConversionStatus) -> dict[str, Any]:
    document = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    # What an attempt has nothing to say of would stand there as an empty line.
    attempts = [{key: value for key, value in each.items() if value != ""} for each in document["attempts"]]
    if status.output is not None and not status.output.notes:
        # An empty list would be one more write to each Conversion that was made before there were notes.
        del document["output"]["notes"]
    return document | {"attempts": attempts}


def only_progress(patch: Mapping[str, Any]) -> bool:
    """Whether a patch says nothing but how far it is or how many wait before it, which may wait a little."""
    return bool(patch) and patch.keys() <= {"progress", "queue"}


def progress_due(stored: Progress | None, fresh: Progress | None, every_seconds: float) -> bool:
    """Whether progress has gone on for long enough since it was written, by the worker's clock, which dates both."""
    if stored is None or stored.updated_at is None or fresh is None or fresh.updated_at is None:
        return True
    passed = fresh.updated_at - stored.updated_at
    # A clock that was set back, or that of another node.
    return passed < timedelta(0) or passed >= timedelta(seconds=every_seconds)
