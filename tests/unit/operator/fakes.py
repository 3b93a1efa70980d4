"""Working stand-ins for the operator's ports: an API server, MongoDB and a broker, in memory.

`World` is the outside as a whole. It can be told to die at the n-th call, before or after the call has its effect,
which is how a killed operator looks from outside; and to be away.
"""

import copy
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from tests.builders import MP3_ID, NOW, OWNER, ConversionBuilder, a_conversion
from video2mp3_contracts.api import names
from video2mp3_contracts.api.status import OutputReport
from video2mp3_contracts.ledger.documents import LedgerEntry, LedgerFailure, LedgerMessage
from video2mp3_contracts.messaging.message import ConversionFinished, ConversionRef, MessageKind
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.stored import Census, Presence, SourceFile, StoredFile
from video2mp3_operator.ports.errors import AlreadyExistsError, ConflictError, GoneError, RefusedError, UnavailableError

Document = dict[str, Any]


INSTALLATION = "media/video2mp3"


class DiedError(BaseException):
    """The operator was killed here."""


def merged(document: Document, patch: Mapping[str, Any]) -> Document:
    """RFC 7386."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(result.get(key) or {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


@dataclass
class World:
    """Everything outside of the operator."""

    now: datetime = NOW
    stepped: timedelta = timedelta(0)
    """By how much the clock was set."""

    conversions: dict[Key, Document] = field(default_factory=dict)
    classes: list[Document] = field(default_factory=list)
    sets: dict[Key, Document] = field(default_factory=dict)
    config_maps: dict[Key, dict[str, str]] = field(default_factory=dict)
    refuse_conversions: str = ""
    jobs: dict[Key, Document] = field(default_factory=dict)
    pods: dict[Key, Document] = field(default_factory=dict)
    events: dict[str, Document] = field(default_factory=dict)
    leases: dict[Key, Document] = field(default_factory=dict)
    entries: dict[str, LedgerEntry] = field(default_factory=dict)
    sources: dict[str, SourceFile] = field(default_factory=dict)
    mp3s: dict[str, str] = field(default_factory=dict)
    """Ids of mp3s, whole or in part, with the uid of their Conversion."""

    kept: set[str] = field(default_factory=set)
    """Ids of sources that are to stay without a Conversion."""

    torn: list[str] = field(default_factory=list)
    """Ids of sources of which there are chunks and no file."""

    others: set[str] = field(default_factory=set)
    """Ids of files, and uids of entries, that are another installation's."""

    marks: dict[str, datetime] = field(default_factory=dict)
    """Since when nothing wants a file or an entry."""

    clusters: dict[str, datetime] = field(default_factory=dict)
    """When each cluster last swept."""

    confirmed_at: datetime | None = None

    shut: set[str] = field(default_factory=set)
    """Uids of Conversions whose workers are shut out."""

    queue: list[ConversionFinished] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    beats: list[datetime] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    """Of "kubernetes", "mongodb", "rabbitmq"."""

    refuse_jobs: str = ""
    refusal: type[RefusedError] = RefusedError
    job_troubles: dict[str, str] = field(default_factory=dict)
    """By a Job's uid, why the Job controller cannot create its pods."""

    conflicts: int = 0
    """So many writes of Conversions that will meet a conflict."""

    version: int = 100
    die_at: int = 0
    """The call at which the operator dies; 0 for never."""

    die_after_effect: bool = False
    calls: int = 0
    jobs_ever_created: int = 0
    conversions_ever_created: int = 0
    """By sets."""

    def clock(self) -> datetime:
        """The time in this world."""
        return self.now

    def elapsed(self) -> float:
        """Seconds that have truly passed."""
        return (self.now - NOW - self.stepped).total_seconds()

    def pass_time(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)

    def step_clock(self, **by: float) -> None:
        """Somebody sets the clock; no time passes."""
        self.now += timedelta(**by)
        self.stepped += timedelta(**by)

    def is_old(self, file_id: str, before: datetime) -> bool:
        """Whether a file was begun before that moment: its id says when."""
        return ObjectId(file_id).generation_time < before

    def reach(self, system: str, what: str, *, write: bool = True) -> None:
        """A call begins."""
        self.calls += 1
        if self.calls == self.die_at and not self.die_after_effect:
            raise DiedError(what)
        if system in self.away:
            raise UnavailableError(f"{system} is away")
        if write:
            self.writes.append(what)

    def effect(self, what: str) -> None:
        """A call has had its effect, and its answer is on the way."""
        if self.calls == self.die_at and self.die_after_effect:
            raise DiedError(what)

    def stamp(self, document: Document) -> Document:
        """Give a changed document the next version."""
        self.version += 1
        document["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(document)

    # --- what people and other controllers do ---

    def apply(self, conversion: ConversionBuilder) -> Key:
        """Somebody applies a Conversion, and its source is there."""
        document = copy.deepcopy(conversion.document)
        key = Key(document["metadata"]["namespace"], document["metadata"]["name"])
        self.conversions[key] = self.stamp(document)
        gridfs = document["spec"]["source"].get("gridfs")
        if gridfs:
            self.sources.setdefault(gridfs["fileId"], SourceFile(OWNER, 1000))
        return key

    def change(self, key: Key, patch: Mapping[str, Any]) -> None:
        """Somebody changes a Conversion's spec."""
        document = merged(self.conversions[key], patch)
        document["metadata"]["generation"] += 1
        self.conversions[key] = self.stamp(document)

    def delete(self, key: Key) -> None:
        """Somebody deletes a Conversion."""
        document = self.conversions[key]
        document["metadata"]["deletionTimestamp"] = self.now.isoformat()
        self.stamp(document)
        self.finish_deletion(key)

    def finish_deletion(self, key: Key) -> None:
        """What the API server does once no finalizer is left."""
        metadata = self.conversions[key]["metadata"]
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            del self.conversions[key]

    def job_of(self, key: Key) -> Document:
        """The one Job of a Conversion."""
        [job] = [job for job in self.jobs.values() if job["metadata"]["labels"][names.LABEL_CONVERSION] == key.name]
        return job

    def claim_pods(self) -> None:
        """The Job controller makes pods for the Job there is: those that tests put there belong to that one."""
        for pod in self.pods.values():
            metadata = pod["metadata"]
            uid, [owner] = metadata["labels"][names.LABEL_CONVERSION_UID], metadata["ownerReferences"]
            jobs = [job for job in self.jobs.values() if job["metadata"]["labels"][names.LABEL_CONVERSION_UID] == uid]
            if jobs and owner["uid"] == f"job-{uid}":
                owner["uid"] = max(jobs, key=lambda job: int(job["metadata"]["resourceVersion"]))["metadata"]["uid"]

    def set_job_status(self, key: Key, **status: Any) -> None:
        """The Job controller writes."""
        job = self.job_of(key)
        job["status"] = merged(job.get("status") or {}, status)
        self.stamp(job)

    def work(self, key: Key, *, publish: bool = True) -> None:
        """A worker does its work: the result is in the ledger."""
        uid = self.conversions[key]["metadata"]["uid"]
        self.mp3s[MP3_ID] = uid
        published = {"succeeded": LedgerMessage(published_at=self.now)} if publish else {}
        self.entries[uid] = LedgerEntry(
            uid=uid,
            namespace=key.namespace,
            name=key.name,
            owner=OWNER,
            result=OutputReport(
                file_id=MP3_ID, filename="talk.mp3", size=1, duration_seconds=1, sha256="0" * 64, encoding="vbr 2"
            ),
            uploads=(MP3_ID,),
            messages=published,
        )


class FakeKubernetes:
    """Implements ConversionsApi, JobsApi, Lister, EventsApi and HeartbeatApi."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def get(self, key: Key) -> Document:
        self.world.reach("kubernetes", "get conversion", write=False)
        if key not in self.world.conversions:
            raise GoneError(key.name)
        return copy.deepcopy(self.world.conversions[key])

    async def patch_status(self, key: Key, patch: Mapping[str, Any], version: int) -> Document:
        return self._write(key, {"status": patch}, version, "patch status")

    async def set_finalizers(self, key: Key, finalizers: Sequence[str], version: int) -> Document:
        return self._write(key, {"metadata": {"finalizers": list(finalizers)}}, version, "set finalizers")

    def _write(self, key: Key, patch: Mapping[str, Any], version: int, what: str) -> Document:
        world = self.world
        world.reach("kubernetes", what)
        if key not in world.conversions:
            raise GoneError(key.name)
        if world.conflicts or int(world.conversions[key]["metadata"]["resourceVersion"]) != version:
            world.conflicts = max(0, world.conflicts - 1)
            raise ConflictError(what)
        world.conversions[key] = merged(world.conversions[key], patch)
        answer = world.stamp(world.conversions[key])
        world.finish_deletion(key)
        world.effect(what)
        return answer

    async def expire(self, key: Key, uid: str, version: int) -> None:
        world = self.world
        world.reach("kubernetes", "expire conversion")
        document = world.conversions.get(key)
        if document is None:
            return
        if (document["metadata"]["uid"], document["metadata"]["resourceVersion"]) != (uid, str(version)):
            raise ConflictError("expire conversion")
        world.delete(key)
        world.effect("expire conversion")

    async def create(self, manifest: Mapping[str, Any]) -> Document:
        world = self.world
        world.reach("kubernetes", "create job")
        if world.refuse_jobs:
            raise world.refusal(world.refuse_jobs)
        metadata = manifest["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        if key in world.jobs:
            label = names.LABEL_CONVERSION_UID
            if world.jobs[key]["metadata"]["labels"][label] != metadata["labels"][label]:
                raise AlreadyExistsError(key.name)
            return copy.deepcopy(world.jobs[key])
        job = copy.deepcopy(dict(manifest)) | {"status": {}}
        job["metadata"] |= {"uid": f"job-{world.jobs_ever_created}"}
        world.jobs[key] = job
        world.jobs_ever_created += 1
        answer = world.stamp(job)
        world.effect("create job")
        return answer

    async def delete(self, namespace: str, name: str, uid: str) -> bool:
        self.world.reach("kubernetes", "delete job")
        job = self.world.jobs.get(Key(namespace, name))
        was_there = job is not None and job["metadata"]["uid"] == uid
        if was_there:
            del self.world.jobs[Key(namespace, name)]
        self.world.effect("delete job")
        return was_there

    async def pods_of(self, namespace: str, conversion_uid: str) -> Sequence[Document]:
        self.world.reach("kubernetes", "list pods", write=False)
        label = names.LABEL_CONVERSION_UID
        self.world.claim_pods()
        return [pod for pod in self.world.pods.values() if pod["metadata"]["labels"][label] == conversion_uid]

    async def trouble_of(self, namespace: str, job_uid: str) -> str:
        self.world.reach("kubernetes", "list job events", write=False)
        return self.world.job_troubles.get(job_uid, "")

    async def _all(self, documents: Mapping[Key, Document], namespace: str | None) -> AsyncIterator[Document]:
        if "kubernetes" in self.world.away:
            raise UnavailableError("kubernetes is away")
        for key, document in list(documents.items()):
            if namespace in (None, key.namespace):
                yield copy.deepcopy(document)

    def conversions(self, namespace: str | None) -> AsyncIterator[Document]:
        return self._all(self.world.conversions, namespace)

    async def classes(self) -> AsyncIterator[Document]:
        if "kubernetes" in self.world.away:
            raise UnavailableError("kubernetes is away")
        for document in self.world.classes:
            yield copy.deepcopy(document)

    def jobs(self, namespace: str | None) -> AsyncIterator[Document]:
        return self._all(self.world.jobs, namespace)

    def pods(self, namespace: str | None) -> AsyncIterator[Document]:
        self.world.claim_pods()
        return self._all(self.world.pods, namespace)

    async def apply_class(self, manifest: Mapping[str, Any]) -> None:
        self.world.reach("kubernetes", "apply class")
        others = [each for each in self.world.classes if each["metadata"]["name"] != manifest["metadata"]["name"]]
        self.world.classes[:] = [*others, copy.deepcopy(dict(manifest))]
        self.world.effect("apply class")

    async def post(self, manifest: Mapping[str, Any]) -> None:
        self.world.events.setdefault(manifest["metadata"]["name"], dict(manifest))

    async def beat(self, namespace: str, name: str, now: datetime) -> str:
        self.world.reach("kubernetes", "beat")
        self.world.beats.append(now)
        return f"lease-of-{namespace}"


class FakeSets:
    """Implements SetsApi."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def sets(self, namespace: str | None) -> AsyncIterator[Document]:
        if "kubernetes" in self.world.away:
            raise UnavailableError("kubernetes is away")
        for document in [*self.world.sets.values()]:
            yield copy.deepcopy(document)

    async def patch_status(self, key: Key, patch: Mapping[str, Any], version: int) -> Document:
        world = self.world
        world.reach("kubernetes", "patch set status")
        if key not in world.sets:
            raise GoneError(key.name)
        if int(world.sets[key]["metadata"]["resourceVersion"]) != version:
            raise ConflictError("patch set status")
        world.sets[key] = merged(world.sets[key], {"status": patch})
        answer = world.stamp(world.sets[key])
        world.effect("patch set status")
        return answer

    async def expire(self, key: Key, uid: str, version: int) -> None:
        self.world.reach("kubernetes", "expire set")
        self.world.sets.pop(key, None)
        self.world.effect("expire set")

    async def config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        self.world.reach("kubernetes", "get config map", write=False)
        return self.world.config_maps.get(Key(namespace, name))

    async def create(self, manifest: Mapping[str, Any]) -> Document | None:
        world = self.world
        world.reach("kubernetes", "create conversion")
        if world.refuse_conversions:
            raise RefusedError(world.refuse_conversions)
        key = Key(manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        if key in world.conversions:
            return None
        document = merged(
            copy.deepcopy(a_conversion(key.name, key.namespace).document), {"metadata": manifest["metadata"]}
        )
        world.conversions[key] = document | {"spec": copy.deepcopy(dict(manifest["spec"]))}
        world.conversions_ever_created += 1
        answer = world.stamp(world.conversions[key])
        world.effect("create conversion")
        return answer

    async def change(self, key: Key, uid: str, patch: Mapping[str, Any]) -> Document | None:
        self.world.reach("kubernetes", "change conversion")
        answer = None
        if key in self.world.conversions:
            self.world.change(key, patch)
            answer = copy.deepcopy(self.world.conversions[key])
        self.world.effect("change conversion")
        return answer

    async def delete(self, key: Key, uid: str) -> None:
        self.world.reach("kubernetes", "delete conversion")
        if key in self.world.conversions:
            self.world.delete(key)
        self.world.effect("delete conversion")


class FakeLeases:
    """Implements LeasesApi."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def find(self, namespace: str, name: str) -> Document | None:
        self.world.reach("kubernetes", "get lease", write=False)
        return copy.deepcopy(self.world.leases.get(Key(namespace, name)))

    async def create(self, namespace: str, name: str, spec: Mapping[str, Any]) -> Document:
        self.world.reach("kubernetes", "create lease")
        key = Key(namespace, name)
        if key in self.world.leases:
            raise AlreadyExistsError(name)
        self.world.leases[key] = {"metadata": {"namespace": namespace, "name": name, "uid": f"lease-{name}"}}
        return self._change(key, spec)

    async def replace(self, lease: Mapping[str, Any], spec: Mapping[str, Any]) -> Document:
        self.world.reach("kubernetes", "replace lease")
        key = Key(lease["metadata"]["namespace"], lease["metadata"]["name"])
        if key not in self.world.leases:
            raise GoneError(key.name)
        if self.world.leases[key]["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"]:
            raise ConflictError(key.name)
        return self._change(key, spec)

    def _change(self, key: Key, spec: Mapping[str, Any]) -> Document:
        self.world.leases[key]["spec"] = dict(spec)
        return self.world.stamp(self.world.leases[key])


class FakeStore:
    """Implements Ledger, Files and Store."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def entries(self, uids: Collection[str]) -> Mapping[str, LedgerEntry]:
        self.world.reach("mongodb", "read ledger", write=False)
        return {uid: self.world.entries[uid] for uid in uids if uid in self.world.entries}

    async def store_failure(self, conversion: ConversionRef, owner: str, failure: LedgerFailure) -> bool:
        self.world.reach("mongodb", "store failure")
        known = self.world.entries.get(conversion.uid)
        if known is not None and known.result is not None:
            return False
        entry = known or LedgerEntry(
            uid=conversion.uid, namespace=conversion.namespace, name=conversion.name, owner=owner
        )
        self.world.entries[conversion.uid] = entry.model_copy(update={"failure": failure, "attempt": None})
        self.world.effect("store failure")
        return True

    async def reopen(self, uid: str) -> None:
        self.world.reach("mongodb", "reopen")
        entry = self.world.entries.get(uid)
        if entry is not None and entry.failure and entry.result is None and entry.published("failed"):
            told = {kind: state for kind, state in entry.messages.items() if kind != "failed"}
            changes = {"failure": None, "error": None, "progress": None, "messages": told}
            self.world.entries[uid] = entry.model_copy(update=changes)
        self.world.effect("reopen")

    async def mark_published(self, uid: str, kind: MessageKind, at: datetime) -> None:
        self.world.reach("mongodb", "mark published")
        entry = self.world.entries.get(uid)
        if entry is not None:
            messages = entry.messages | {kind: LedgerMessage(published_at=at)}
            self.world.entries[uid] = entry.model_copy(update={"messages": messages})
        self.world.effect("mark published")

    async def unpublished(self) -> AsyncIterator[LedgerEntry]:
        self.world.reach("mongodb", "scan ledger", write=False)
        for entry in list(self.world.entries.values()):
            kind: MessageKind = "succeeded" if entry.result else "failed"
            if (entry.result or entry.failure) and not entry.published(kind):
                yield entry

    async def note_fingerprints(self, uid: str, fingerprints: Sequence[str]) -> None:
        self.world.reach("mongodb", "note fingerprints")
        known = self.world.entries.get(uid)
        if known is not None and (known.result or known.failure):
            noted = tuple(dict.fromkeys((*known.fingerprints, *fingerprints)))
            self.world.entries[uid] = known.model_copy(update={"fingerprints": noted})
        self.world.effect("note fingerprints")

    async def retain(self, uid: str, at: datetime) -> None:
        self.world.reach("mongodb", "retain")
        known = self.world.entries.get(uid)
        if known is not None and known.result is not None:
            self.world.entries[uid] = known.model_copy(update={"retained_at": at})
        self.world.effect("retain")

    async def retained(self, fingerprints: Collection[str]) -> Mapping[str, LedgerEntry]:
        self.world.reach("mongodb", "read retained", write=False)
        return {
            each: entry
            for entry in self.world.entries.values()
            for each in entry.fingerprints
            if each in fingerprints and entry.retained_at and entry.result and entry.result.file_id in self.world.mp3s
        }

    async def adopt(self, conversion: ConversionRef, owner: str, source: LedgerEntry) -> bool:
        self.world.reach("mongodb", "adopt")
        known = self.world.entries.get(conversion.uid)
        if known is not None and (known.attempt or known.result or known.failure):
            return False
        entry = known or LedgerEntry(
            uid=conversion.uid, namespace=conversion.namespace, name=conversion.name, owner=owner
        )
        taken: dict[str, Any] = {"result": source.result, "adopted_from": source.uid}
        if (source.namespace, source.name) == (conversion.namespace, conversion.name):
            taken["messages"] = source.messages
        self.world.entries[conversion.uid] = entry.model_copy(update=taken)
        self.world.effect("adopt")
        return True

    async def lost(self, names: Collection[str]) -> Mapping[str, Sequence[LedgerEntry]]:
        self.world.reach("mongodb", "read lost", write=False)
        found: dict[str, list[LedgerEntry]] = {}
        for entry in self.world.entries.values():
            name = f"{entry.namespace}/{entry.name}"
            there = entry.failure if entry.result is None else entry.result.file_id in self.world.mp3s
            if name in names and there and not entry.retained_at and entry.uid not in self.world.shut:
                found.setdefault(name, []).append(entry)
        return found

    async def inherit(self, conversion: ConversionRef, owner: str, source: LedgerEntry) -> bool:
        self.world.reach("mongodb", "name heir")
        known, before = self.world.entries.get(conversion.uid), self.world.entries.get(source.uid)
        if before is None or before.heir != source.heir:
            return False
        self.world.entries[source.uid] = before.model_copy(update={"heir": conversion.uid})
        self.world.effect("name heir")
        self.world.reach("mongodb", "inherit")
        if known is not None and (known.attempt or known.result or known.failure):
            return False
        taken = {"uid": conversion.uid, "predecessor": source.uid, "heir": None, "unwanted_since": None}
        self.world.entries[conversion.uid] = source.model_copy(update=taken)
        self.world.effect("inherit")
        await self.bequeath(source.uid, conversion.uid)
        return True

    async def bequeath(self, uid: str, heir: str) -> None:
        self.world.reach("mongodb", "bequeath")
        for file_id, maker in self.world.mp3s.items():
            if maker == uid:
                self.world.mp3s[file_id] = heir
        self.world.effect("bequeath")
        await self.remove(uid)

    async def expire(self, uid: str, retained_at: datetime) -> bool:
        self.world.reach("mongodb", "expire entry")
        return all(entry.adopted_from != uid for entry in self.world.entries.values())

    async def shut(self, uid: str) -> None:
        self.world.reach("mongodb", "shut entry")
        self.world.shut.add(uid)
        self.world.effect("shut entry")

    async def remove(self, uid: str) -> None:
        self.world.reach("mongodb", "remove entry")
        self.world.entries.pop(uid, None)
        self.world.effect("remove entry")

    async def sources(self, file_ids: Collection[str]) -> Mapping[str, SourceFile]:
        self.world.reach("mongodb", "read sources", write=False)
        return {file_id: self.world.sources[file_id] for file_id in file_ids if file_id in self.world.sources}

    async def remove_source(self, file_id: str, owner: str) -> None:
        self.world.reach("mongodb", "remove source")
        if file_id in self.world.sources and self.world.sources[file_id].owner == owner:
            del self.world.sources[file_id]
        self.world.effect("remove source")

    async def keep_source(self, file_id: str, owner: str, at: datetime) -> None:
        self.world.reach("mongodb", "keep source")
        if file_id in self.world.sources and self.world.sources[file_id].owner == owner:
            self.world.kept.add(file_id)
        self.world.effect("keep source")

    async def retained_entries(self, place: str, limit: int) -> Sequence[LedgerEntry]:
        self.world.reach("mongodb", "page retained", write=False)
        kept = sorted(uid for uid, each in self.world.entries.items() if each.retained_at and uid > place)
        return [self.world.entries[uid] for uid in kept[:limit]]

    async def uploads(self, before: datetime, place: str, limit: int) -> Sequence[StoredFile]:
        self.world.reach("mongodb", "page uploads", write=False)
        old = sorted(file_id for file_id in self.world.sources if self.world.is_old(file_id, before))
        page = [file_id for file_id in old if file_id > place and file_id not in self.world.kept][:limit]
        return [self._stored(file_id, self.world.sources[file_id].owner) for file_id in page]

    async def mp3s(self, before: datetime, place: str, limit: int) -> Sequence[StoredFile]:
        self.world.reach("mongodb", "page mp3s", write=False)
        old = sorted(file_id for file_id in self.world.mp3s if self.world.is_old(file_id, before))
        page = [file_id for file_id in old if file_id > place][:limit]
        return [self._stored(file_id, OWNER, self.world.mp3s[file_id]) for file_id in page]

    def _stored(self, file_id: str, owner: str, uid: str = "") -> StoredFile:
        return StoredFile(file_id, owner, uid, self._whose(file_id), self.world.marks.get(file_id))

    def _whose(self, name: str) -> str:
        return "elsewhere/video2mp3" if name in self.world.others else INSTALLATION

    async def appear(self, cluster: str, now: datetime) -> Presence:
        self.world.reach("mongodb", "appear")
        self.world.clusters[cluster] = now
        return await self.presence(cluster)

    async def presence(self, cluster: str) -> Presence:
        others = [seen for name, seen in self.world.clusters.items() if name != cluster]
        return Presence(max(others, default=None), self.world.confirmed_at)

    async def confirm(self, now: datetime) -> None:
        self.world.confirmed_at = now
        self.world.clusters.clear()

    async def claim(self, before: str) -> int:
        claimed, self.world.others = len(self.world.others), set()
        return claimed

    async def census(self, kind: str, confirmed_at: datetime | None) -> Census:
        self.world.reach("mongodb", "count", write=False)
        kinds: dict[str, Collection[str]] = {
            "upload": self.world.sources,
            "mp3": self.world.mp3s,
            "entry": self.world.entries,
        }
        ours = [each for each in kinds[kind] if each not in self.world.others]
        marked = [self.world.marks[each] for each in ours if each in self.world.marks]
        return Census(len(ours), len([each for each in marked if confirmed_at is None or each > confirmed_at]))

    async def mark(self, kind: str, name: str, at: datetime) -> None:
        self.world.reach("mongodb", f"mark {kind}")
        self.world.marks.setdefault(name, at)

    async def unmark(self, kind: str, name: str) -> None:
        self.world.reach("mongodb", f"unmark {kind}")
        self.world.marks.pop(name, None)

    async def doom(self, kind: str, name: str, unwanted_since: datetime) -> bool:
        self.world.reach("mongodb", f"doom {kind}")
        if self.world.marks.get(name) != unwanted_since:
            return False
        if kind == "upload":
            del self.world.sources[name]
        elif kind == "mp3":
            del self.world.mp3s[name]
        else:
            self.world.shut.add(name)
        self.world.effect(f"doom {kind}")
        return True

    async def note_torn(self, database: str, file_ids: Collection[str], now: datetime) -> None:
        for each in file_ids:
            self.world.marks.setdefault(each, now)

    async def torn_since(self, database: str, file_ids: Collection[str]) -> Mapping[str, datetime]:
        return {each: self.world.marks[each] for each in file_ids if each in self.world.marks}

    async def entries_since(self, before: datetime, place: str, limit: int) -> Sequence[LedgerEntry]:
        self.world.reach("mongodb", "page ledger", write=False)
        entries = [self.world.entries[uid] for uid in sorted(self.world.entries) if uid > place]
        old = [each for each in entries if each.failure is None or each.failure.failed_at < before]
        page = [each for each in old if each.attempt is None or each.attempt.started_at < before][:limit]
        return [
            each.model_copy(
                update={"installation": self._whose(each.uid), "unwanted_since": self.world.marks.get(each.uid)}
            )
            for each in page
        ]

    async def torn(self, database: str, before: datetime, place: str, limit: int) -> tuple[Sequence[str], str]:
        self.world.reach("mongodb", "look for torn files", write=False)
        old = sorted(each for each in self.world.torn if self.world.is_old(each, before) and each > place)
        return (old[:limit] if database == "videos" else []), ""

    async def remove_torn(self, database: str, file_id: str) -> None:
        self.world.reach("mongodb", "remove torn file")
        if file_id in self.world.torn:
            self.world.torn.remove(file_id)
        self.world.effect("remove torn file")

    async def remove_mp3s(self, uid: str, uploads: Collection[str], keep: str | None) -> None:
        self.world.reach("mongodb", "remove mp3s")
        for file_id, maker in list(self.world.mp3s.items()):
            if (maker == uid or file_id in uploads) and file_id != keep:
                del self.world.mp3s[file_id]
        self.world.effect("remove mp3s")


class FakePublisher:
    """Implements Publisher."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def publish(self, messages: Sequence[ConversionFinished]) -> Sequence[ConversionFinished]:
        self.world.reach("rabbitmq", "publish")
        self.world.queue.extend(messages)
        self.world.effect("publish")
        return messages
