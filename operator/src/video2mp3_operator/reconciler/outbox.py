"""⑦ The outbox: messages that the ledger owes the `mp3` queue.

The ledger's failure or result is stored first; the message follows as soon as the broker is there, and is marked in the
ledger when the broker has confirmed it. A crash in between publishes it twice under one `message_id`: harmless.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

import structlog

from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.messaging.message import ConversionFinished, ConversionRef, MessageKind
from video2mp3_operator.ports.errors import UnavailableError
from video2mp3_operator.ports.systems import Clock, Ledger, Publisher
from video2mp3_operator.reconciler.recipient import Recipient

_log = structlog.get_logger(__name__)
_LARGEST_BATCH: Final = 200


def message_from(entry: LedgerEntry, recipient: Recipient | None = None) -> ConversionFinished | None:
    """The message that an entry owes, from the ledger alone but for a result's recipient; None when it owes none."""
    recipient = recipient or Recipient()
    conversion = ConversionRef(uid=entry.uid, namespace=entry.namespace, name=entry.name, request_id=entry.request_id)
    if entry.result is not None and not entry.published("succeeded"):
        return ConversionFinished(
            kind="succeeded",
            conversion=conversion,
            owner=entry.owner,
            email=recipient.email,
            file_id=entry.result.file_id,
            filename=entry.result.filename,
            size=entry.result.size,
            duration_seconds=entry.result.duration_seconds,
            notes=entry.result.notes,
            # What was taken over belongs to another entry, and does not go with this one.
            expires_at=recipient.expires_at if entry.adopted_from is None else None,
        )
    if entry.result is None and entry.failure is not None and not entry.published("failed"):
        return ConversionFinished(
            kind="failed",
            conversion=conversion,
            owner=entry.owner,
            email=entry.failure.email,
            filename=entry.failure.filename,
            reason=entry.failure.reason,
            message=entry.failure.message,
        )
    return None


class Outbox:
    """Publishes behind the back of the reconcile loop: a broker that is away delays no status."""

    def __init__(self, publisher: Publisher, ledger: Ledger, clock: Clock, retry_seconds: float) -> None:
        self._publisher = publisher
        self._ledger = ledger
        self._clock = clock
        self._retry_seconds = retry_seconds
        self._owed: dict[str, ConversionFinished] = {}
        self._unmarked: dict[str, ConversionFinished] = {}
        self._watched: set[str] = set()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._owed) + len(self._unmarked)

    def put(self, message: ConversionFinished) -> None:
        """Publish this as soon as possible."""
        if message.message_id not in self._unmarked:
            self._owed[message.message_id] = message
            self._wake.set()

    def watch(self, uid: str) -> None:
        """A result whose worker is about to publish: see later whether it did."""
        self._watched.add(uid)

    @property
    def watched(self) -> frozenset[str]:
        """Uids of results that are not known to be published."""
        return frozenset(self._watched)

    def settle(
        self,
        asked: Collection[str],
        entries: Mapping[str, LedgerEntry],
        live: Collection[str],
        recipients: Mapping[str, Recipient],
    ) -> None:
        """See after the watched ones: what no live Job will publish any more, is published here.

        Only those that the ledger was `asked` about: others may be watched since.
        """
        for uid in self.watched & set(asked):
            if uid in live:
                continue
            self._watched.discard(uid)
            message = message_from(entries[uid], recipients.get(uid)) if uid in entries else None
            if message is not None:
                self.put(message)

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
            except UnavailableError as error:
                _log.warning("outbox_waits", owed=len(self._owed), unmarked=len(self._unmarked), error=str(error))
            if len(self):
                await asyncio.sleep(self._retry_seconds)
                self._wake.set()

    async def flush(self) -> None:
        """Publish what is owed and mark what is published, as far as broker and ledger let us."""
        await self._mark()
        while self._owed:
            batch = list(self._owed.values())[:_LARGEST_BATCH]
            confirmed = await self._publisher.publish(batch)
            for message in confirmed:
                self._owed.pop(message.message_id, None)
                self._unmarked[message.message_id] = message
                _log.info("message_published", message_id=message.message_id, conversion_uid=message.conversion.uid)
            await self._mark()
            if len(confirmed) < len(batch):
                raise UnavailableError(f"the broker confirmed {len(confirmed)} of {len(batch)} messages")

    async def _mark(self) -> None:
        for message_id, message in list(self._unmarked.items()):
            kind: MessageKind = message.kind
            await self._ledger.mark_published(message.conversion.uid, kind, self._clock())
            del self._unmarked[message_id]
