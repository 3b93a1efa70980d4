"""④ Which files and ledger entries are nobody's any more. Pure.

Everything here was stored long ago (longer than any upload or attempt takes), so whoever it belongs to has been seen.
"""

from collections.abc import Collection

from video2mp3_contracts.ledger import LedgerEntry
from video2mp3_operator.observed import StoredFile
from video2mp3_operator.outbox import message_from


def orphaned_upload(file: StoredFile, wanted: Collection[str]) -> bool:
    """Whether no Conversion names this upload as its source; `wanted` are those that are named.

    Its upload ended without a Conversion, or that was deleted while MongoDB was away.
    """
    return file.file_id not in wanted


def orphaned_mp3(file: StoredFile, entries: Collection[str], present: Collection[str]) -> bool:
    """Whether an mp3 is in nobody's ledger entry: a worker notes it there before it writes it."""
    return bool(file.conversion_uid) and file.conversion_uid not in entries and file.conversion_uid not in present


def orphaned_entry(entry: LedgerEntry, present: Collection[str], namespaces: Collection[str]) -> bool:
    """Whether an entry's Conversion is gone and meant it to go too.

    `present` are the uids of all Conversions in the watched `namespaces` (none: all). An entry whose message is owed
    waits for that. One that noted its fingerprints belonged to a Conversion with deletionPolicy Retain.
    """
    watched = not namespaces or entry.namespace in namespaces
    kept = entry.retained_at is not None or bool(entry.fingerprints)
    return watched and entry.uid not in present and not kept and message_from(entry, "") is None
