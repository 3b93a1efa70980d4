"""④ What becomes of a Conversion's files, and of what the ledger says of them. Every effect can be repeated."""

from dataclasses import dataclass

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.policy.result_reuse import description, fingerprints
from video2mp3_operator.ports.systems import Files, Ledger
from video2mp3_operator.reconciler.snapshot import Snapshot


@dataclass(frozen=True)
class FileEffects:
    """The part of the effects that touches GridFS."""

    cache: Cache
    ledger: Ledger
    files: Files

    async def note_fingerprints(self, snapshot: Snapshot) -> None:
        """What the verdict is about, while the source is still there to be asked: it may outlive its Conversion."""
        spec = snapshot.spec
        # What is not understood would be missing in what it was made of.
        if spec is None or snapshot.invalid:
            return
        gridfs = spec.source.gridfs
        source = (await self.files.sources([gridfs.file_id])).get(gridfs.file_id) if gridfs else None
        filename = Conversion(metadata=snapshot.meta, spec=spec).filename
        made_of = fingerprints(spec, filename, source.sha256 if source else None)
        await self.ledger.note_fingerprints(snapshot.meta.uid, (description(spec, filename), *made_of))

    async def release_source(self, snapshot: Snapshot, file_id: str, stays: bool) -> None:
        """Another Conversion that still has to read it removes it when it is done."""
        owner = snapshot.spec.owner if snapshot.spec else ""
        self.cache.give_up_source(snapshot.key, snapshot.meta.uid)
        if stays:
            await self.files.keep_source(file_id, owner, snapshot.now)
        elif not self.cache.wants_source(file_id):
            await self.files.remove_source(file_id, owner)

    async def remove_leftovers(self, entry: LedgerEntry, keep: str | None) -> None:
        """Remove the mp3s that attempts left behind, but for the one that is its result."""
        if any(upload != keep for upload in entry.uploads):
            await self.files.remove_mp3s(entry.uid, entry.uploads, keep)

    async def remove_all(self, snapshot: Snapshot) -> None:
        """Workers are shut out first, one that starts late too. The entry goes last: it names what is to be removed."""
        spec, entry = snapshot.spec, snapshot.entry
        result = entry.result if entry else None
        keep = result.file_id if result and snapshot.keeps_mp3 else None
        if keep is None:
            await self.ledger.shut(snapshot.meta.uid)
        await self.files.remove_mp3s(snapshot.meta.uid, entry.uploads if entry else (), keep)
        if keep is not None:
            await self.note_fingerprints(snapshot)
            await self.ledger.retain(snapshot.meta.uid, snapshot.now)
        if spec and spec.source.gridfs:
            stays = snapshot.keeps_mp3 or snapshot.keeps_source
            await self.release_source(snapshot, spec.source.gridfs.file_id, stays)
        if keep is None:
            await self.ledger.remove(snapshot.meta.uid)
