"""④ How far a conversion is: as its worker says, or as the workers of its parts say together. Pure."""

from video2mp3_contracts.api.status import Progress
from video2mp3_contracts.ledger.documents import LedgerEntry

_MOST: int = 99
"""Percent; 100 is only reached by storing the result."""


def overall(entry: LedgerEntry | None) -> Progress | None:
    """The progress of the whole audio; None where nothing is known."""
    if entry is None or not entry.parts:
        return entry.progress if entry else None
    reports = [part.progress for part in entry.parts.values() if part.progress]
    if not reports:
        return entry.progress
    processed = sum(each.processed_seconds for each in reports)
    duration = max((each.duration_seconds or 0 for each in reports), default=0) or None
    speed = sum(part.progress.speed or 0 for part in entry.parts.values() if part.progress and not part.file_id) or None
    left = max(duration - processed, 0.0) if duration else None
    return Progress(
        percent=int(min(_MOST, 100 * processed / duration)) if duration else 0,
        processed_seconds=round(processed, 3),
        duration_seconds=duration,
        speed=None if speed is None else round(speed, 2),
        eta_seconds=round(left / speed, 1) if left is not None and speed else None,
        updated_at=max(
            (each.updated_at for each in (*reports, entry.progress) if each and each.updated_at), default=None
        ),
    )
