"""④ Who may delete what nobody asked to be deleted: decided here, and nowhere else. Pure.

Only what belongs to one's own installation is ever touched. What nothing wants is marked first, and removed days
later; the mark goes when something wants it again. A finished mp3 is not removed at all: that its Conversion is not
there shows a lost Conversion, not a wish to delete, which goes through our finalizer. It is kept for its owner. Where
more is unwanted than could be by accident, or another cluster works under the same name, nothing is removed until
somebody has looked.

Everything here was stored long ago (longer than any upload or attempt takes), so whoever it belongs to has been seen.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.objects.stored import Census, Presence, StoredFile
from video2mp3_operator.reconciler.outbox import message_from

FEW: Final = 20
"""So many unwanted things are never taken for a mistake: an upload that broke off, a worker that was killed."""

ABNORMAL_SHARE: Final = 0.2
"""A larger share of all that was looked at is taken for one: a restore, a lost watch, a database of somebody else's."""


class Verdict(StrEnum):
    """What is to be done about one thing."""

    LEAVE = "leave"
    MARK = "mark"
    UNMARK = "unmark"
    REMOVE = "remove"
    KEEP = "keep"
    """A finished mp3 without its Conversion: it stays for its owner, as with `deletionPolicy: Retain`."""

    HAND_OVER = "hand over"
    """A Conversion that was made again shows it as its own: the entry becomes that one's."""


class Halt(StrEnum):
    """Why nothing is removed."""

    ABNORMAL = "abnormal"
    SHARED = "shared"


@dataclass(frozen=True)
class Rules:
    """Who sweeps, when, and how patiently."""

    installation: str
    now: datetime
    patience: timedelta
    """From the mark to the removal."""

    retention: timedelta | None = None
    """For how long an mp3 stays that outlived its Conversion; None: for ever."""


class Owned(Protocol):
    """What files and ledger entries have in common."""

    @property
    def installation(self) -> str:
        """Whose it is; "" where that is not known."""
        ...

    @property
    def unwanted_since(self) -> datetime | None:
        """The mark."""
        ...


def judge(thing: Owned, wanted: bool, rules: Rules) -> Verdict:
    """What is to be done about something that is wanted, or is not."""
    if not rules.installation or thing.installation != rules.installation:
        return Verdict.LEAVE
    if wanted:
        return Verdict.UNMARK if thing.unwanted_since else Verdict.LEAVE
    if thing.unwanted_since is None:
        return Verdict.MARK
    return Verdict.REMOVE if thing.unwanted_since + rules.patience <= rules.now else Verdict.LEAVE


def judge_entry(
    entry: LedgerEntry,
    present: Collection[str],
    namespaces: Collection[str],
    namesake: Mapping[str, Any] | None,
    rules: Rules,
) -> Verdict:
    """What is to be done about a ledger entry, and the files that it names.

    `present` are the uids of all Conversions in the watched `namespaces` (none: all), `namesake` is the Conversion that
    has the name of the entry's.
    """
    gone = entry.uid not in present and (not namespaces or entry.namespace in namespaces)
    if entry.retained_at is not None:
        over = rules.retention is not None and entry.retained_at + rules.retention <= rules.now
        ours = bool(rules.installation) and entry.installation == rules.installation
        return Verdict.REMOVE if ours and gone and over else Verdict.LEAVE
    if gone and entry.installation == rules.installation and shows(namesake, entry):
        return Verdict.HAND_OVER
    # A failure that is still to be told waits for that; a result nobody can be told of any more.
    owes = entry.result is None and message_from(entry) is not None
    verdict = judge(entry, not gone or owes, rules)
    return Verdict.KEEP if verdict is Verdict.REMOVE and entry.result is not None else verdict


def shows(conversion: Mapping[str, Any] | None, entry: LedgerEntry) -> bool:
    """Whether a Conversion was made again together with its status, which a restore may do, and shows this result."""
    if conversion is None or entry.result is None or conversion["metadata"]["uid"] == entry.uid:
        return False
    output = conversion["status"].get("output") or {}
    return bool(output.get("fileId") == entry.result.file_id and conversion["spec"].get("owner", "") == entry.owner)


def mp3_wanted(file: StoredFile, entries: Collection[str], present: Collection[str]) -> bool:
    """Whether an mp3 is in somebody's ledger entry: a worker notes it there before it writes it."""
    return not file.conversion_uid or file.conversion_uid in entries or file.conversion_uid in present


def halt(census: Census, presence: Presence, rules: Rules) -> Halt | None:
    """Why nothing of this kind may be removed now, whatever was judged."""
    rival = presence.rival_seen_at
    if rival is not None and rival + rules.patience > rules.now:
        return Halt.SHARED
    abnormal = census.unwanted > FEW and census.unwanted > ABNORMAL_SHARE * census.total
    return Halt.ABNORMAL if abnormal else None


def held(thing: Owned, reason: Halt | None, presence: Presence) -> bool:
    """Whether something that was judged must stay all the same: what an administrator has seen marked may go."""
    if reason is not Halt.ABNORMAL:
        return reason is not None
    confirmed, marked = presence.confirmed_at, thing.unwanted_since
    return confirmed is None or marked is None or marked > confirmed
