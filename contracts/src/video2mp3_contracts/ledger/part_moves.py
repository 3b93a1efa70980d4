"""The moves of audio that is split, one worker for each part: see `moves`."""

from video2mp3_contracts.api.status import Progress
from video2mp3_contracts.jobs.exit_codes import PERMANENT
from video2mp3_contracts.ledger.documents import (
    ORPHANED_AT,
    PARTS_OPENED_AT,
    LedgerAttempt,
    LedgerError,
    LedgerPart,
    MadePart,
)
from video2mp3_contracts.ledger.moves import Move, identity
from video2mp3_contracts.messaging.message import ConversionRef


def note_parallelism(uid: str, token: str, parts: int) -> Move:
    """Note into how many parts the audio is worth splitting, once. No match: another worker took over, or noted it."""
    return Move(
        {"_id": uid, "attempt.token": token, "parallelism": {"$exists": False}}, {"$set": {"parallelism": parts}}
    )


def open_part(conversion: ConversionRef, owner: str, number: int, part: LedgerPart, installation: str = "") -> Move:
    """Make this worker the one that may write part `number`. What the part has achieved before stays.

    No match shows as a duplicate key of the upsert: the Conversion was deleted, and nothing is wanted any more.
    """
    opened = {f"parts.{number}.token": part.token, f"parts.{number}.pod": part.pod}
    return Move(
        filter={"_id": conversion.uid, ORPHANED_AT: {"$exists": False}},
        update={
            "$set": opened | {f"parts.{number}.startedAt": part.started_at, PARTS_OPENED_AT: part.started_at},
            "$setOnInsert": identity(conversion, owner, installation),
            "$inc": {"attemptsOpened": 1},
        },
        upsert=True,
    )


def name_part_file(uid: str, number: int, token: str, file_id: str) -> Move:
    """Note the file that is about to be written for a part; what it had before is none any more, and nobody joins it.

    No match: another worker took the part over.
    """
    return Move(
        {"_id": uid, f"parts.{number}.token": token},
        {
            "$addToSet": {f"parts.{number}.files": file_id, "uploads": file_id},
            "$unset": {f"parts.{number}.fileId": "", f"parts.{number}.madeOf": "", "attempt": ""},
        },
    )


def finish_part(uid: str, number: int, token: str, made: MadePart) -> Move:
    """Note that a part's file is complete. No match: another worker took over, and the file is to be removed."""
    finished = made.model_dump(by_alias=True, exclude_none=True)
    return Move(
        {"_id": uid, f"parts.{number}.token": token},
        {"$set": {f"parts.{number}.{name}": value for name, value in finished.items()}},
    )


def report_part_progress(uid: str, number: int, token: str, progress: Progress) -> Move:
    """Say how far a part is."""
    return Move(
        {"_id": uid, f"parts.{number}.token": token},
        {"$set": {f"parts.{number}.progress": progress.model_dump(by_alias=True, exclude_none=True)}},
    )


def store_part_error(uid: str, number: int, token: str, error: LedgerError) -> Move:
    """Leave the last words of a part's worker, unless there are some that no other attempt could better."""
    return Move(
        {
            "_id": uid,
            f"parts.{number}.token": token,
            "result": {"$exists": False},
            "error.exitCode": {"$nin": sorted(int(code) for code in PERMANENT)},
        },
        {"$set": {"error": error.model_dump(by_alias=True)}},
    )


def claim_join(uid: str, parts: int, attempt: LedgerAttempt) -> Move:
    """Let the worker of `attempt.part`, which opened that with the attempt's token, join all `parts`.

    No match: a part is missing, the worker of another part joins, or another worker took this part over. Once a part
    has the claim it keeps it, so that a worker that died while it joined is followed by that part's next one.
    """
    complete = {f"parts.{each}.fileId": {"$exists": True} for each in range(parts)}
    return Move(
        {
            "_id": uid,
            f"parts.{attempt.part}.token": attempt.token,
            "result": {"$exists": False},
            "attempt.part": {"$in": [None, attempt.part]},
            **complete,
        },
        {"$set": {"attempt": attempt.model_dump(by_alias=True)}},
    )
