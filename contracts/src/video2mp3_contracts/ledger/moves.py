"""The ledger's moves: every change of its document, from one worker to the next, from operator to notifier.

Every change of the document that two services must agree on is a pure function here, which gives the filter and the
update for one atomic `find_one_and_update` or `update_one`. The services' adapters only run them. No filter has an
`$or`: beside one, some engines look through all entries even where `_id` says which.

The moves, in order: a worker `open_attempt`s, which fences off any worker before it; it reports `progress`; it
`store_result`s, which only the worker that holds the attempt can; it publishes and `mark_published`s. A worker that
gives up leaves its last words by `store_error`. The operator `store_failure`s when it gives a Conversion up, then
publishes and `mark_published`s; asked to try it anew, it `reopen`s the entry. The notifier `claim_send`s, sends, and
`mark_sent`s. When the Conversion is deleted, the operator `shut`s the entry, removes the files that it names, and
`forget`s all but what says which emails were sent.

Of audio that is split, the worker of each part `open_part`s, which fences off any worker of that part before it;
it `name_part_file`s, writes, and `finish_part`s. Who finds all parts finished `claim_join`s, which opens the attempt
for one of them, and goes on as above. That it is worth splitting, a worker may find out: then it `note_parallelism`s.

A Conversion that is made again, after a restore for example, has a new uid. Its operator `name_heir`s in the entry of
the one before, lets the new entry `inherit` the verdict and what was told of it, and `forget`s the old one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel

from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.ledger.documents import (
    ORPHANED_AT,
    PARTS_OPENED_AT,
    LedgerAttempt,
    LedgerEntry,
    LedgerError,
    LedgerFailure,
)
from video2mp3_contracts.ledger.storage import INSTALLATION, UNWANTED_SINCE
from video2mp3_contracts.messaging.message import ConversionRef, MessageKind

UPSERT_LOOKS: Final = 2
"""How often an upsert is tried before it counts as refused. Another's first write of the document may come between
MongoDB's look and its own write; MongoDB looks again by itself only for filters of equalities, and ours have more."""


@dataclass(frozen=True)
class Move:
    """One atomic change: run it as `find_one_and_update(filter, update, upsert=upsert)`; see `UPSERT_LOOKS`."""

    filter: dict[str, Any]
    update: dict[str, Any]
    upsert: bool = False


def identity(conversion: ConversionRef, owner: str, installation: str) -> dict[str, Any]:
    """What an entry says of whose it is."""
    known = {"namespace": conversion.namespace, "name": conversion.name, "owner": owner}
    optional = {"requestId": conversion.request_id, INSTALLATION: installation}
    return known | {field: value for field, value in optional.items() if value}


def open_attempt(conversion: ConversionRef, owner: str, attempt: LedgerAttempt, installation: str = "") -> Move:
    """Make this worker the one that may write. Whoever held the attempt before cannot store a result any more.

    No match shows as a duplicate key of the upsert: the Conversion was deleted, and nothing is wanted any more.
    """
    return Move(
        filter={"_id": conversion.uid, ORPHANED_AT: {"$exists": False}},
        update={
            "$set": {"attempt": attempt.model_dump(by_alias=True)},
            "$setOnInsert": identity(conversion, owner, installation),
            "$unset": {"progress": ""},
            "$inc": {"attemptsOpened": 1},
        },
        upsert=True,
    )


def name_upload(uid: str, token: str, file_id: str) -> Move:
    """Note the mp3 that is about to be written, before its first byte is. No match: another worker took over."""
    return Move(
        {"_id": uid, "attempt.token": token},
        {"$set": {"attempt.uploadFileId": file_id}, "$addToSet": {"uploads": file_id}},
    )


def report_progress(uid: str, token: str, progress: Progress) -> Move:
    """Say how far the attempt is."""
    return Move(
        {"_id": uid, "attempt.token": token},
        {"$set": {"progress": progress.model_dump(by_alias=True, exclude_none=True)}},
    )


def store_result(uid: str, token: str, result: OutputReport) -> Move:
    """Store the result, once. No match: another worker took over, and the file that was written is to be removed."""
    return Move(
        {"_id": uid, "attempt.token": token, "result": {"$exists": False}},
        {"$set": {"result": result.model_dump(by_alias=True)}, "$unset": {"error": ""}},
    )


def store_error(uid: str, token: str, error: LedgerError) -> Move:
    """Leave the attempt's last words."""
    return Move(
        {"_id": uid, "attempt.token": token, "result": {"$exists": False}},
        {"$set": {"error": error.model_dump(by_alias=True)}},
    )


def store_failure(conversion: ConversionRef, owner: str, failure: LedgerFailure, installation: str = "") -> Move:
    """Give the Conversion up, unless a result was stored meanwhile.

    No match shows as a duplicate key of the upsert: there is a result, and the Conversion succeeded after all.
    The attempt and all parts are closed with it, so that no worker that still runs can store anything afterwards.
    """
    return Move(
        {"_id": conversion.uid, "result": {"$exists": False}},
        {
            "$set": {"failure": failure.model_dump(by_alias=True)},
            "$setOnInsert": identity(conversion, owner, installation),
            "$unset": {"attempt": "", "parts": ""},
        },
        upsert=True,
    )


def reopen(uid: str) -> Move:
    """Take a failure back that was told, so that workers may try anew. No match: there is none, or it was not told yet.

    How many attempts were opened stays: they are numbered on.
    """
    told = "messages.failed"
    return Move(
        {
            "_id": uid,
            "failure": {"$exists": True},
            "result": {"$exists": False},
            f"{told}.publishedAt": {"$exists": True},
            ORPHANED_AT: {"$exists": False},
        },
        {"$unset": {"failure": "", "error": "", "progress": "", told: ""}},
    )


def note_fingerprints(uid: str, fingerprints: tuple[str, ...]) -> Move:
    """Note what the verdict is about, while that is still known."""
    unjudged = {"result": {"$exists": False}, "failure": {"$exists": False}}
    return Move({"_id": uid, "$nor": [unjudged]}, {"$addToSet": {"fingerprints": {"$each": list(fingerprints)}}})


def retain(uid: str, at: datetime) -> Move:
    """Note that the Conversion goes and its mp3 stays."""
    return Move({"_id": uid, "result": {"$exists": True}}, {"$set": {"retainedAt": at}, "$unset": {UNWANTED_SINCE: ""}})


_UNTOUCHED: Final = {field: {"$exists": False} for field in ("attempt", "result", "failure", "parts")}
"""An entry, if there is one, that no worker and no verdict has written to."""


def adopt(conversion: ConversionRef, owner: str, source: LedgerEntry, installation: str = "") -> Move:
    """Take a retained result over. No match shows as a duplicate key: a worker or a verdict was there first.

    What a Conversion of the same name has told its owner, is not told again.
    """
    taken: dict[str, Any] = {"result": _stored(source.result), "adoptedFrom": source.uid}
    if (conversion.namespace, conversion.name) == (source.namespace, source.name):
        taken["messages"] = _messages(source)
    return Move(
        {"_id": conversion.uid, **_UNTOUCHED},
        {"$set": taken, "$setOnInsert": identity(conversion, owner, installation)},
        upsert=True,
    )


def name_heir(entry: LedgerEntry, uid: str) -> Move:
    """Let one Conversion take the place of `entry`'s, as it was read. No match: another did, or its own was deleted."""
    return Move(
        {"_id": entry.uid, ORPHANED_AT: {"$exists": False}, "heir": entry.heir},
        {"$set": {"heir": uid}, "$unset": {UNWANTED_SINCE: ""}},
    )


def inherit(conversion: ConversionRef, owner: str, source: LedgerEntry, installation: str = "") -> Move:
    """Take the place of a Conversion that is gone: its verdict, its files, and what its owner was told.

    No match shows as a duplicate key: a worker or a verdict was there first.
    """
    verdict = {"result": _stored(source.result), "failure": _stored(source.failure)}
    taken: dict[str, Any] = {name: value for name, value in verdict.items() if value is not None}
    taken |= {"uploads": [*source.uploads], "fingerprints": [*source.fingerprints], "messages": _messages(source)}
    return Move(
        {"_id": conversion.uid, **_UNTOUCHED},
        {"$set": taken | {"predecessor": source.uid}, "$setOnInsert": identity(conversion, owner, installation)},
        upsert=True,
    )


def _stored(part: BaseModel | None) -> dict[str, Any] | None:
    return part.model_dump(by_alias=True) if part else None


def _messages(entry: LedgerEntry) -> dict[str, Any]:
    return {kind: state.model_dump(by_alias=True, exclude_none=True) for kind, state in entry.messages.items()}


def shut(uid: str, at: datetime) -> Move:
    """Shut out every worker of a Conversion that goes: none can open an attempt, name an upload or store a result.

    What is to be removed stays named. It leaves a trace even where no worker had begun: one may still start late.
    """
    return Move({"_id": uid}, {"$set": {ORPHANED_AT: at}, "$unset": {"attempt": "", "parts": ""}}, upsert=True)


def forget(uid: str, at: datetime) -> Move:
    """Drop what is known of a deleted Conversion, except for its emails.

    A message of it may still be on its way, perhaps for the second time; without this trace of the first it would be
    sent again.
    """
    dropped = (
        "attempt",
        "attemptsOpened",
        "parts",
        "parallelism",
        PARTS_OPENED_AT,
        "uploads",
        "progress",
        "result",
        "error",
        "failure",
        "fingerprints",
        "adoptedFrom",
        "retainedAt",
        "heir",
        "predecessor",
        UNWANTED_SINCE,
    )
    return Move({"_id": uid}, {"$set": {ORPHANED_AT: at}, "$unset": dict.fromkeys(dropped, "")})


def mark_published(uid: str, kind: MessageKind, at: datetime) -> Move:
    """Note that the broker has confirmed the message."""
    return Move({"_id": uid}, {"$set": {f"messages.{kind}.publishedAt": at}})


def claim_send(uid: str, kind: MessageKind, token: str, now: datetime, lease: timedelta) -> Move:
    """Claim the one email of this kind until `now + lease`.

    A duplicate key of the upsert means that somebody else holds the claim or has sent the email: read the entry to
    tell which. A claim whose lease ran out belonged to a notifier that died, and may be taken. An entry that the
    claim makes is marked by ORPHANED_AT: nobody else would ever remove it.
    """
    state = f"messages.{kind}"
    return Move(
        {
            "_id": uid,
            f"{state}.sentAt": {"$exists": False},
            # Not there, or before.
            f"{state}.claimedUntil": {"$not": {"$gte": now}},
        },
        {
            "$set": {f"{state}.claimedUntil": now + lease, f"{state}.claimToken": token},
            "$setOnInsert": {ORPHANED_AT: now},
        },
        upsert=True,
    )


def release_send(uid: str, kind: MessageKind, token: str) -> Move:
    """Give a claim back after a send that surely did not happen, so that the next try need not wait for the lease."""
    state = f"messages.{kind}"
    return Move(
        {"_id": uid, f"{state}.claimToken": token, f"{state}.sentAt": {"$exists": False}},
        {"$unset": {f"{state}.claimedUntil": "", f"{state}.claimToken": ""}},
    )


def mark_sent(uid: str, kind: MessageKind, token: str, at: datetime) -> Move:
    """Note that the mail server has accepted the email."""
    state = f"messages.{kind}"
    return Move({"_id": uid, f"{state}.claimToken": token}, {"$set": {f"{state}.sentAt": at}})
