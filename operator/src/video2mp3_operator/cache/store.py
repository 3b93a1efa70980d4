"""④ What was last seen of the cluster, in memory: filled by the watches and by our own writes, read by decisions.

Two things keep it true: an older document never replaces a newer one, and `retain` forgets what a full list lacks.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.cache.documents import Document, is_finished, key_of, source_of, trimmed
from video2mp3_operator.cache.groups import forget, keep_newer
from video2mp3_operator.cache.sets import Owned
from video2mp3_operator.objects.jobs import Job, Slot, parse_job
from video2mp3_operator.objects.metadata import Key, version_of
from video2mp3_operator.objects.pods import Pod, parse_pod
from video2mp3_operator.ports.errors import UnavailableError


class Cache:
    """Conversions by key; their Jobs, pods and ledger entries by uid."""

    def __init__(self, instance: str = "", worker_namespace: str = "") -> None:
        """`instance` is this release: Jobs of others are theirs. In `worker_namespace` only releases make Jobs."""
        self._instance = instance
        self._worker_namespace = worker_namespace
        self._conversions: dict[Key, Document] = {}
        self._jobs: dict[str, dict[str, Job]] = defaultdict(dict)
        self._strange_jobs: dict[str, dict[str, Job]] = defaultdict(dict)
        """Jobs of other releases that watch the same namespace."""

        self._abroad: dict[Key, set[str]] = defaultdict(set)
        """Uids of the Conversions of a name that have Jobs in another namespace."""

        self._pods: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._job_uids: dict[str, set[str]] = defaultdict(set)
        """Every Job that a Conversion was seen to control, those that are gone too: their pods may outlive them."""

        self._live: dict[str, dict[str, Slot]] = defaultdict(dict)
        self._sources: Counter[str] = Counter()
        self._done_with_source: set[str] = set()
        self._barred: set[str] = set()
        self._uids: set[str] = set()
        self.unseen: set[str] = set()
        """Watched namespaces that have not been listed since the start."""

        self.owned = Owned()
        self.newest = 0
        """The highest resourceVersion seen."""

        self.entries: dict[str, LedgerEntry] = {}
        """The ledger as the last sweep saw it, for Conversions that run."""

    # --- Conversions ---

    def conversion(self, key: Key) -> Document | None:
        """A Conversion as it was last seen."""
        return self._conversions.get(key)

    def knows(self, key: Key, uid: str) -> bool:
        """Whether the Conversion of that name is still this very one."""
        document = self._conversions.get(key)
        return document is not None and document["metadata"]["uid"] == uid

    def runs(self, key: Key) -> bool:
        """Whether a Conversion has a Job and no verdict yet."""
        document = self._conversions.get(key)
        return document is not None and document["metadata"]["uid"] in self._jobs and not is_finished(document)

    def documents(self) -> Iterable[Document]:
        """All Conversions' documents."""
        return self._conversions.values()

    def see_conversion(self, document: Mapping[str, Any]) -> bool:
        """Take a Conversion in; answers whether it is news."""
        key = key_of(document)
        before = self._conversions.get(key)
        if before is not None and version_of(before) >= version_of(document):
            return False
        if before is not None:
            self._count_source(before, -1)
            self._uids.discard(before["metadata"]["uid"])
        self._conversions[key] = trimmed(document)
        self._uids.add(document["metadata"]["uid"])
        self.newest = max(self.newest, version_of(document))
        self._count_source(self._conversions[key], +1)
        self.owned.see(key, before, document)
        return True

    def forget_conversion(self, key: Key, uid: str | None = None) -> bool:
        """A Conversion is gone (the one of that uid, where one is named); answers whether it was known."""
        before = self._conversions.get(key)
        if before is None or (uid is not None and before["metadata"]["uid"] != uid):
            return False
        del self._conversions[key]
        self._uids.discard(before["metadata"]["uid"])
        self._count_source(before, -1)
        self.owned.forget(key, before)
        self._done_with_source.discard(before["metadata"]["uid"])
        self.entries.pop(before["metadata"]["uid"], None)
        self._job_uids.pop(before["metadata"]["uid"], None)
        return True

    def sources(self) -> Collection[str]:
        """Ids of the uploads that Conversions name as their source, finished ones too. Raises UnavailableError."""
        self._must_be_complete()
        return {file_id for document in self.documents() if (file_id := source_of(document))}

    def uids(self) -> Collection[str]:
        """Uids of all Conversions. Raises UnavailableError."""
        self._must_be_complete()
        return self._uids

    def _must_be_complete(self) -> None:
        """Who asks what is nobody's must not ask before every namespace has been listed."""
        if self.unseen:
            raise UnavailableError(f"not listed since the start: {', '.join(sorted(self.unseen))}")

    def wants_source(self, file_id: str) -> int:
        """How many Conversions that may still read this file name it as their source."""
        return self._sources[file_id]

    def give_up_source(self, key: Key, uid: str) -> None:
        """A Conversion will not read its source again, though its status does not say so yet.

        Of two that end at the same moment one is the second to say so, and sees that nobody else wants the file.
        """
        document = self._conversions.get(key)
        if document is not None and document["metadata"]["uid"] == uid:
            self._count_source(document, -1)
            self._done_with_source.add(uid)

    def _count_source(self, document: Document, by: int) -> None:
        file_id = source_of(document)
        done = document["metadata"]["uid"] in self._done_with_source or is_finished(document)
        if file_id and not done:
            self._sources[file_id] += by
            if not self._sources[file_id]:
                del self._sources[file_id]

    # --- Jobs and pods ---

    def job(self, uid: str) -> Job | None:
        """The Job of a Conversion; of several the one of the last generation."""
        jobs = self._jobs.get(uid)
        return max(jobs.values(), key=lambda job: (job.generation, job.resource_version)) if jobs else None

    def taken(self, uid: str) -> bool:
        """Whether another release works for a Conversion, which then is left to it."""
        return uid in self._strange_jobs

    def pods(self, uid: str) -> tuple[Pod, ...]:
        """The pods of a Conversion's Jobs; others may carry their labels."""
        jobs = self._job_uids.get(uid, set())
        return tuple(pod for pod in self._pods[uid].values() if pod.job_uid in jobs) if uid in self._pods else ()

    def see_job(self, document: Mapping[str, Any]) -> Job | None:
        """Take a Job in; answers it if it is news."""
        job = parse_job(document, self._worker_namespace)
        if job is None or not keep_newer(self._group_of(job)[job.conversion_uid], job):
            return None
        self.newest = max(self.newest, job.resource_version)
        if self._is_strange(job):
            return job
        self._job_uids[job.conversion_uid].add(job.uid)
        if job.abroad:
            self._abroad[job.key].add(job.conversion_uid)
        if job.live:
            slot = Slot(job.key.namespace, self.owner(job.key, job.conversion_uid), job.pods, job.class_name)
            self._live[job.conversion_uid][job.name] = slot
        else:
            self._end_life(job)
        return job

    def _is_strange(self, job: Job) -> bool:
        return bool(self._instance and job.instance) and job.instance != self._instance

    def _group_of(self, job: Job) -> dict[str, dict[str, Job]]:
        return self._strange_jobs if self._is_strange(job) else self._jobs

    def see_pod(self, document: Mapping[str, Any]) -> Pod | None:
        """Take a pod in; answers it if it is news."""
        pod = parse_pod(document, self._worker_namespace)
        if pod is None or not keep_newer(self._pods[pod.conversion_uid], pod):
            return None
        self.newest = max(self.newest, pod.resource_version)
        if pod.job_uid in self._job_uids.get(pod.conversion_uid, ()):
            self._barred.discard(pod.conversion_uid)
        return pod

    def forget_job(self, document: Mapping[str, Any]) -> Job | None:
        """A Job is gone; answers it if it was known."""
        job = parse_job(document, self._worker_namespace)
        return job if job is not None and self.lose_job(job) else None

    def lose_job(self, job: Job) -> bool:
        """This very Job is gone; answers whether it was known. Another one of its name stays."""
        jobs = self._group_of(job)
        known = jobs.get(job.conversion_uid, {}).get(job.name)
        if known is None or known.uid != job.uid:
            return False
        forget(jobs, job.conversion_uid, job.name)
        if job.abroad and job.conversion_uid not in self._jobs:
            self._abroad[job.key].discard(job.conversion_uid)
            if not self._abroad[job.key]:
                del self._abroad[job.key]
        self._barred.discard(job.conversion_uid)
        self._end_life(job)
        return True

    def forget_pod(self, document: Mapping[str, Any]) -> Pod | None:
        """A pod is gone; answers it if it was known."""
        pod = parse_pod(document, self._worker_namespace)
        return pod if pod is not None and forget(self._pods, pod.conversion_uid, pod.name) else None

    def _end_life(self, job: Job) -> None:
        slots = self._live.get(job.conversion_uid)
        if slots is not None and slots.pop(job.name, None) is not None and not slots:
            del self._live[job.conversion_uid]

    # --- all at once ---

    def live(self) -> Collection[str]:
        """Uids of the Conversions that have a live Job."""
        return self._live.keys()

    def slots(self) -> list[Slot]:
        """The places that live Jobs take up."""
        return [
            slot
            for uid, slots in self._live.items()
            if uid not in self._barred and not self._done(uid)
            for slot in slots.values()
        ]

    def _done(self, uid: str) -> bool:
        """Whether it has its verdict and its workers have ended, though a pod may be kept by another container."""
        job = self.job(uid)
        if job is None or not self.knows(job.key, uid) or not is_finished(self._conversions[job.key]):
            return False
        return all(pod.ended for pod in self.pods(uid))

    def bar(self, uid: str) -> None:
        """Its Job gets no pod, since its namespace's quota is used up."""
        self._barred.add(uid)

    def barred_namespaces(self) -> Collection[str]:
        """Whose Conversions get no pod, since the quota where their workers run is used up, as far as Jobs say."""
        jobs = [job for uid in self._barred if (job := self.job(uid))]
        if any(job.abroad for job in jobs):
            return {key.namespace for key in self._conversions}
        return {job.key.namespace for job in jobs}

    def orphaned(self) -> set[Key]:
        """The names of Conversions that are gone and have left Jobs in another namespace behind."""
        return {key for key in self._abroad if self.strays(key)}

    def strays(self, key: Key) -> list[Job]:
        """Jobs in another namespace of a Conversion of that name that is gone: Kubernetes does not clear them up."""
        gone = [uid for uid in self._abroad.get(key, ()) if not self.knows(key, uid)]
        return [job for uid in gone for job in self._jobs.get(uid, {}).values() if job.abroad]

    def owner(self, key: Key, uid: str) -> str:
        """To whom a Conversion belongs; "" when it is gone."""
        document = self._conversions.get(key)
        if document is None or document["metadata"]["uid"] != uid:
            return ""
        return str(document["spec"].get("owner", ""))

    def retain(
        self,
        conversions: Collection[str],
        jobs: Collection[str],
        pods: Collection[str],
        before: int,
        unlisted: Collection[str] = (),
    ) -> set[Key]:
        """Forget what complete lists of uids lack, though no event said so; answers the Conversions concerned.

        `before` is `newest` as it was when the lists were begun: what is newer was made meanwhile. Of namespaces that
        could not be listed nothing is forgotten.
        """
        touched: set[Key] = set()
        for key, document in list(self._conversions.items()):
            uid = document["metadata"]["uid"]
            if uid not in conversions and version_of(document) <= before and key.namespace not in unlisted:
                self.forget_conversion(key, uid)
                touched.add(key)
        groups = (*self._jobs.values(), *self._strange_jobs.values())
        for job in [job for group in groups for job in group.values()]:
            if job.uid not in jobs and job.resource_version <= before and job.namespace not in unlisted:
                self.lose_job(job)
                touched.add(job.key)
        for pod in [pod for group in self._pods.values() for pod in group.values()]:
            if pod.uid not in pods and pod.resource_version <= before and pod.namespace not in unlisted:
                forget(self._pods, pod.conversion_uid, pod.name)
                touched.add(pod.key)
        return touched
