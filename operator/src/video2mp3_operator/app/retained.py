"""④ The command `retained`: mp3s that outlived their Conversion (`deletionPolicy: Retain`), listed or purged."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.ports.systems import Store

_PAGE: Final = 200


@dataclass(frozen=True)
class Wanted:
    """Which of them."""

    owner: str | None = None
    """Of one account; of all without it."""

    older_than: timedelta = timedelta(0)

    def has(self, entry: LedgerEntry, now: datetime) -> bool:
        """Whether an entry is among them."""
        aged = entry.retained_at is not None and now - entry.retained_at >= self.older_than
        return aged and self.owner in (None, entry.owner)


async def retained(store: Store, wanted: Wanted, now: datetime) -> AsyncIterator[LedgerEntry]:
    """The entries of what was kept, page by page."""
    place = ""
    while page := await store.retained_entries(place, _PAGE):
        for entry in page:
            if wanted.has(entry, now):
                yield entry
        place = page[-1].uid


def retained_line(entry: LedgerEntry, now: datetime) -> str:
    """An entry for people: the mp3's id, its days, its bytes, whose it is, what it was, and its first fingerprint."""
    days = (now - entry.retained_at).days if entry.retained_at else 0
    size = entry.result.size if entry.result else 0
    file_id = entry.result.file_id if entry.result else "-"
    made_of = entry.fingerprints[0][:12] if entry.fingerprints else "-"
    return f"{file_id} {days}d {size} {entry.owner or '-'} {entry.namespace}/{entry.name} {made_of}"
