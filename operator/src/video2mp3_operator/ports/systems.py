"""④⑤ The systems outside, as the operator needs them. Each has an adapter for the real thing and a fake for the tests.

Every method may raise `errors.UnavailableError`; what else it raises, its docstring says.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from video2mp3_contracts.ledger.documents import LedgerEntry, LedgerFailure
from video2mp3_contracts.messaging.message import ConversionFinished, ConversionRef, MessageKind
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.stored import Census, Presence, SourceFile, StoredFile

Document = dict[str, Any]

Clock = Callable[[], datetime]
"""The time now, in UTC. People and time servers set it."""

Stopwatch = Callable[[], float]
"""Seconds since some moment, which grow evenly whatever is done to the clock."""


class ConversionsApi(Protocol):
    """Conversions on the API server."""

    async def get(self, key: Key) -> Document:
        """The Conversion as it is. Raises GoneError."""

    async def patch_status(self, key: Key, patch: Mapping[str, Any], version: int) -> Document:
        """Merge a patch into the status, if the Conversion still has that resourceVersion; answers it as it is then.

        Raises ConflictError, GoneError, RefusedError.
        """

    async def set_finalizers(self, key: Key, finalizers: Sequence[str], version: int) -> Document:
        """Replace the finalizers, if the Conversion still has that resourceVersion; answers it as it is then.

        Raises ConflictError, GoneError, RefusedError.
        """

    async def expire(self, key: Key, uid: str, version: int) -> None:
        """Delete this very Conversion, if it still has that resourceVersion. Gone is done.

        Raises ConflictError, RefusedError.
        """


class JobsApi(Protocol):
    """Jobs and their pods on the API server."""

    async def create(self, manifest: Mapping[str, Any]) -> Document:
        """Create a Job; answers it. One of that name that works for the same Conversion is as good, and is answered.

        Raises AlreadyExistsError (somebody else's), InvalidError, RefusedError.
        """

    async def delete(self, namespace: str, name: str, uid: str) -> bool:
        """Delete this very Job, and in the background its pods; answers whether it was there. Raises RefusedError."""

    async def pods_of(self, namespace: str, conversion_uid: str) -> Sequence[Document]:
        """The pods of a Conversion's Jobs, as they are now."""

    async def trouble_of(self, namespace: str, job_uid: str) -> str:
        """Why the Job controller could not create a Job's pods, by its last Event; "" for none. Raises RefusedError."""


class Lister(Protocol):
    """Lists of what is watched."""

    def conversions(self, namespace: str | None) -> AsyncIterator[Document]:
        """All Conversions of a namespace, or of all (None)."""

    def classes(self) -> AsyncIterator[Document]:
        """All ConversionClasses. Raises GoneError where the cluster does not know the kind."""

    def jobs(self, namespace: str | None) -> AsyncIterator[Document]:
        """All worker Jobs."""

    def pods(self, namespace: str | None) -> AsyncIterator[Document]:
        """All worker pods."""


class ClassesApi(Protocol):
    """ConversionClasses."""

    async def apply_class(self, manifest: Mapping[str, Any]) -> None:
        """Make a class what the manifest says. Raises GoneError (no such kind), InvalidError, RefusedError."""


class SetsApi(Protocol):
    """ConversionSets, and the Conversions that they make."""

    def sets(self, namespace: str | None) -> AsyncIterator[Document]:
        """All of a namespace, or of all (None). Raises GoneError where there is no such kind."""

    async def patch_status(self, key: Key, patch: Mapping[str, Any], version: int) -> Document:
        """Change a set's status. Raises ConflictError where the set is another version by now, GoneError."""

    async def expire(self, key: Key, uid: str, version: int) -> None:
        """Delete a set, if it is still this version. Raises ConflictError."""

    async def config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """What a ConfigMap holds; None where there is none. Raises RefusedError."""

    async def create(self, manifest: Mapping[str, Any]) -> Document | None:
        """Create a Conversion; None where one of its name is there. Raises InvalidError, RefusedError."""

    async def change(self, key: Key, uid: str, patch: Mapping[str, Any]) -> Document | None:
        """Change a Conversion, if it is still this one; answers it, or None."""

    async def delete(self, key: Key, uid: str) -> None:
        """Delete a Conversion, if it is still this one."""


class EventsApi(Protocol):
    """Kubernetes Events."""

    async def post(self, manifest: Mapping[str, Any]) -> None:
        """Create an Event; one of that name is as good. Raises RefusedError."""


class HeartbeatApi(Protocol):
    """The object that is patched and comes back through a watch."""

    async def beat(self, namespace: str, name: str, now: datetime) -> str:
        """Write `now` into the heartbeat object, which is created if need be; answers its uid. Raises RefusedError."""


class LeasesApi(Protocol):
    """Leases on the API server, by which a leader is elected."""

    async def find(self, namespace: str, name: str) -> Document | None:
        """A Lease as it is; None where there is none. Raises RefusedError."""

    async def create(self, namespace: str, name: str, spec: Mapping[str, Any]) -> Document:
        """Create a Lease; answers it. Raises AlreadyExistsError, RefusedError."""

    async def replace(self, lease: Mapping[str, Any], spec: Mapping[str, Any]) -> Document:
        """Give a Lease another spec, if it still has the resourceVersion it was seen with; answers it as it is then.

        Raises ConflictError, GoneError, RefusedError.
        """


class Ledger(Protocol):
    """The ledger in MongoDB."""

    async def entries(self, uids: Collection[str]) -> Mapping[str, LedgerEntry]:
        """The entries of these Conversions, in one query; those without one are left out."""

    async def store_failure(self, conversion: ConversionRef, owner: str, failure: LedgerFailure) -> bool:
        """Give a Conversion up; False when it has a result after all."""

    async def reopen(self, uid: str) -> None:
        """Take a failure back that was told, if there is one: a Conversion is tried anew."""

    async def mark_published(self, uid: str, kind: MessageKind, at: datetime) -> None:
        """Note that the broker has the message."""

    def unpublished(self) -> AsyncIterator[LedgerEntry]:
        """Every entry with a result or a failure whose message is not known to be published."""

    async def note_fingerprints(self, uid: str, fingerprints: Sequence[str]) -> None:
        """Note what a result was made of."""

    async def retain(self, uid: str, at: datetime) -> None:
        """Note that a Conversion goes and its mp3 stays."""

    async def retained(self, fingerprints: Collection[str]) -> Mapping[str, LedgerEntry]:
        """By fingerprint, retained entries whose mp3 is there and belongs to the entry's owner, in a few queries."""

    async def adopt(self, conversion: ConversionRef, owner: str, source: LedgerEntry) -> bool:
        """Take a retained result over; False when a worker or a verdict was there first."""

    async def lost(self, names: Collection[str]) -> Mapping[str, Sequence[LedgerEntry]]:
        """By NAMESPACE/NAME, this installation's entries with a verdict, of Conversions that were not deleted."""

    async def inherit(self, conversion: ConversionRef, owner: str, source: LedgerEntry) -> bool:
        """Take the place of a lost Conversion, and its files; False when a worker or a verdict was there first."""

    async def bequeath(self, uid: str, heir: str) -> None:
        """End an inheritance: the files become those of the heir, whose entry is written, and the old entry goes."""

    async def expire(self, uid: str, retained_at: datetime) -> bool:
        """Let a retained entry go, and so its mp3; False where another Conversion has adopted it."""

    async def shut(self, uid: str) -> None:
        """Shut out every worker of a Conversion that goes."""

    async def remove(self, uid: str) -> None:
        """Remove a Conversion's entry, all but what says which emails were sent."""


class Files(Protocol):
    """The files in GridFS."""

    async def sources(self, file_ids: Collection[str]) -> Mapping[str, SourceFile]:
        """Uploaded files, in one query; those that do not exist are left out."""

    async def remove_source(self, file_id: str, owner: str) -> None:
        """Remove an uploaded file, if it is this owner's."""

    async def keep_source(self, file_id: str, owner: str, at: datetime) -> None:
        """Note on an uploaded file, if it is this owner's, that it is to stay without a Conversion."""

    async def remove_mp3s(self, uid: str, uploads: Collection[str], keep: str | None) -> None:
        """Remove every mp3 that was made or begun for a Conversion, but the one to keep."""


class Store(Protocol):
    """What lies in MongoDB and is the installation's.

    Pages are in the order of ids, from after `place` ("" is the beginning).
    """

    async def appear(self, cluster: str, now: datetime) -> Presence:
        """Note that this cluster sweeps now, and answer what is known of others."""

    async def presence(self, cluster: str) -> Presence:
        """What is known of others than this cluster, and of an administrator's word."""

    async def confirm(self, now: datetime) -> None:
        """Note that an administrator has looked: what is marked may go, and no other cluster works here any more."""

    async def claim(self, before: str) -> int:
        """Make what belongs to another installation ("": to none) this one's; answers how many files and entries."""

    async def census(self, kind: str, confirmed_at: datetime | None) -> Census:
        """Count all of a kind (upload, mp3 or entry), and what of it was marked since that moment."""

    async def mark(self, kind: str, name: str, at: datetime) -> None:
        """Mark something as wanted by nothing, unless it is already."""

    async def unmark(self, kind: str, name: str) -> None:
        """Take a mark off."""

    async def doom(self, kind: str, name: str, unwanted_since: datetime) -> bool:
        """Let a file go, or an entry and so its files: False if its mark is another by now. Nobody takes it up then."""

    async def uploads(self, before: datetime, place: str, limit: int) -> Sequence[StoredFile]:
        """Sources that the gateway stored before that moment, but for those that are to stay."""

    async def mp3s(self, before: datetime, place: str, limit: int) -> Sequence[StoredFile]:
        """Mp3s and parts of them that a worker stored before that moment."""

    async def entries_since(self, before: datetime, place: str, limit: int) -> Sequence[LedgerEntry]:
        """Ledger entries that nothing was written to since that moment, as far as they tell."""

    async def retained_entries(self, place: str, limit: int) -> Sequence[LedgerEntry]:
        """Ledger entries whose mp3 outlived its Conversion."""

    async def torn(self, database: str, before: datetime, place: str, limit: int) -> tuple[Sequence[str], str]:
        """Ids of files that were begun before that moment, and have chunks but no file; and where to go on.

        Looks at `limit` files at the most. Whose they are nobody can tell.
        """

    async def note_torn(self, database: str, file_ids: Collection[str], now: datetime) -> None:
        """Note that these have no file, since `now` where that was not known."""

    async def torn_since(self, database: str, file_ids: Collection[str]) -> Mapping[str, datetime]:
        """Since when those of them that were noted are known to have no file."""

    async def remove_torn(self, database: str, file_id: str) -> None:
        """Remove the chunks of a file that does not exist."""


class Publisher(Protocol):
    """⑦ The `mp3` queue."""

    async def publish(self, messages: Sequence[ConversionFinished]) -> Sequence[ConversionFinished]:
        """Publish messages; answers those that the broker has confirmed, which may be fewer."""
