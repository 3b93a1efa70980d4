"""Documents for tests, as the API server would give them: `a_conversion().owned_by("a@example.com").document`.

Builders are immutable: each step answers a new one.
"""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_class import ANNOTATION_DEFAULT
from video2mp3_contracts.api.crd import UNSEEN_STATUS
from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerEntry, LedgerError, LedgerFailure, LedgerMessage

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""When tests take place."""

FILE_ID = "0123456789abcdef01234567"
MP3_ID = "fedcba9876543210fedcba98"
OWNER = "a@example.com"
Document = dict[str, Any]


def at(moment: datetime) -> str:
    """A moment as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class _Builder:
    document: Document

    def with_metadata(self, **fields: Any) -> Self:
        """With these fields of the metadata, merged into what is there; None removes."""
        return self._merged({"metadata": fields})

    def _merged(self, change: Document) -> Self:
        return type(self)(_merge(copy.deepcopy(self.document), change))

    def versioned(self, version: int) -> Self:
        """With that resourceVersion."""
        return self._merged({"metadata": {"resourceVersion": str(version)}})


def _merge(document: Document, change: Document) -> Document:
    """RFC 7386."""
    for key, value in change.items():
        if value is None:
            document.pop(key, None)
        elif isinstance(value, dict):
            document[key] = _merge(document.get(key, {}) if isinstance(document.get(key), dict) else {}, value)
        else:
            document[key] = value
    return document


class ConversionBuilder(_Builder):
    """A Conversion."""

    def with_spec(self, **fields: Any) -> Self:
        """With these fields of the spec, merged into what is there; None removes."""
        return self._merged({"spec": fields})

    def with_status(self, **fields: Any) -> Self:
        """With these fields of the status."""
        return self._merged({"status": fields})

    def owned_by(self, owner: str) -> Self:
        """With that owner."""
        return self.with_spec(owner=owner)

    def suspended(self) -> Self:
        """With spec.suspend."""
        return self.with_spec(suspend=True)

    def held(self) -> Self:
        """With our finalizer."""
        return self.with_metadata(finalizers=[names.FINALIZER])

    def deleted(self, moment: datetime = NOW) -> Self:
        """Being deleted since that moment, and held by our finalizer."""
        return self.held().with_metadata(deletionTimestamp=at(moment))

    def succeeded(self) -> Self:
        """With the verdict Complete."""
        return self._verdict("Succeeded", "Complete", "Succeeded")

    def failed(self, reason: str = "NotMedia") -> Self:
        """With the verdict Failed."""
        return self._verdict("Failed", "Failed", reason)

    def _verdict(self, phase: str, kind: str, reason: str) -> Self:
        told = {
            "type": kind,
            "status": "True",
            "reason": reason,
            "message": "",
            "lastTransitionTime": at(NOW),
            "observedGeneration": 1,
        }
        return self.with_status(phase=phase, reason=reason, observedGeneration=1, conditions=[told])


def a_conversion(name: str = "talk", namespace: str = "media") -> ConversionBuilder:
    """A new Conversion of an uploaded file, as the API server shows it before an operator has seen it."""
    return ConversionBuilder(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": f"uid-{namespace}-{name}",
                "generation": 1,
                "resourceVersion": "1",
                "creationTimestamp": at(NOW - timedelta(seconds=10)),
            },
            "spec": {
                "source": {"gridfs": {"fileId": FILE_ID}},
                "output": {"tags": {}},
                "owner": OWNER,
                "notify": {"email": OWNER},
                "priority": 0,
                "suspend": False,
                "timeouts": {},
            },
            "status": copy.deepcopy(UNSEEN_STATUS),
        }
    )


def _labels(conversion: ConversionBuilder) -> Document:
    return {
        names.LABEL_COMPONENT: names.COMPONENT_WORKER,
        names.LABEL_CONVERSION: conversion.document["metadata"]["name"],
        names.LABEL_CONVERSION_UID: conversion.document["metadata"]["uid"],
    }


def _controlled_by(api_version: str, kind: str, name: str, uid: str) -> Document:
    return {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": True}


class JobBuilder(_Builder):
    """A worker Job."""

    def active(self, *, ready: int = 0, failed: int = 0) -> Self:
        """With a pod on its way, or ready."""
        return self._merged(
            {"status": {"active": 1, "ready": ready, "failed": failed, "startTime": at(NOW - timedelta(seconds=5))}}
        )

    def complete(self) -> Self:
        """Ended well."""
        return self._ended({"type": "Complete", "status": "True"})._merged({"status": {"completionTime": at(NOW)}})

    def failed(self, reason: str = "BackoffLimitExceeded", *, attempts: int = 4) -> Self:
        """Given up by the Job controller."""
        condition = {"type": "Failed", "status": "True", "reason": reason, "message": "told by the Job controller"}
        return self._ended(condition)._merged({"status": {"failed": attempts}})

    def _ended(self, condition: Document) -> Self:
        return self._merged({"status": {"active": None, "ready": None, "conditions": [condition]}})

    def suspended(self) -> Self:
        """Not started by whoever queues it."""
        return self._merged({"spec": {"suspend": True}})

    def deleted(self) -> Self:
        """Being deleted."""
        return self._merged({"metadata": {"deletionTimestamp": at(NOW)}})


def a_job(conversion: ConversionBuilder | None = None, version: int = 2) -> JobBuilder:
    """The Job of a Conversion, as the API server shows it right after it was created."""
    conversion = conversion or a_conversion()
    metadata = conversion.document["metadata"]
    return JobBuilder(
        {
            "metadata": {
                "name": names.job_name(metadata["name"], metadata["uid"]),
                "namespace": metadata["namespace"],
                "uid": f"job-{metadata['uid']}",
                "resourceVersion": str(version),
                "labels": _labels(conversion),
                "ownerReferences": [
                    _controlled_by(names.API_VERSION, names.KIND, metadata["name"], metadata["uid"]),
                ],
            },
            "spec": {"backoffLimit": 3},
            "status": {},
        }
    )


class PodBuilder(_Builder):
    """A worker's pod."""

    def created(self, moment: datetime) -> Self:
        """Made at that moment."""
        return self._merged({"metadata": {"creationTimestamp": at(moment)}})

    def of_another_job(self) -> Self:
        """Made by a Job that was there before."""
        return self._merged({"metadata": {"ownerReferences": [_controlled_by("batch/v1", "Job", "before", "before")]}})

    def deleted(self, moment: datetime) -> Self:
        """To be gone at that moment."""
        return self._merged({"metadata": {"deletionTimestamp": at(moment)}})

    def kept_by_a_sidecar(self) -> Self:
        """Running on, whatever its worker does."""
        return self._merged({"status": {"phase": "Running"}})

    def refused(self, reason: str, message: str) -> Self:
        """Ended by the kubelet for a reason of its own."""
        return self._merged({"status": {"phase": "Failed", "reason": reason, "message": message}})

    def with_init_failure(self, name: str, exit_code: int) -> Self:
        """Ended since an init container failed."""
        state = {"name": name, "state": {"terminated": {"exitCode": exit_code}}}
        return self._merged({"status": {"phase": "Failed", "initContainerStatuses": [state]}})

    def on(self, node: str) -> Self:
        """Scheduled on that node."""
        return self._merged({"spec": {"nodeName": node}})

    def waiting(self, reason: str, message: str) -> Self:
        """With a container that has not started."""
        return self._state({"waiting": {"reason": reason, "message": message}})

    def running(self, since: datetime = NOW) -> Self:
        """With a running container, and so ready: it has no probe."""
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        return self._merged({"status": ready})._state({"running": {"startedAt": at(since)}})

    def ended(self, exit_code: int, said: TerminationMessage | str = "", reason: str = "Error") -> Self:
        """With a container that has ended, and what it left as its termination message."""
        message = said if isinstance(said, str) else said.model_dump_json(by_alias=True)
        state = {
            "exitCode": exit_code,
            "reason": reason,
            "message": message,
            "startedAt": at(NOW - timedelta(seconds=5)),
            "finishedAt": at(NOW),
        }
        phase = "Succeeded" if exit_code == 0 else "Failed"
        return self._merged({"status": {"phase": phase, "conditions": []}})._state({"terminated": state})

    def out_of_time(self) -> Self:
        """Ended by the kubelet at its deadline."""
        return self._merged({"status": {"phase": "Failed", "reason": "DeadlineExceeded"}})

    def disrupted(self) -> Self:
        """Evicted, or on a node that is drained or gone."""
        return self._merged(
            {"status": {"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True"}]}}
        )

    def _state(self, state: Document) -> Self:
        return self._merged({"status": {"containerStatuses": [{"name": names.WORKER_CONTAINER, "state": state}]}})


def a_pod(conversion: ConversionBuilder | None = None, number: int = 1, version: int = 3) -> PodBuilder:
    """The n-th pod of a Conversion's Job."""
    conversion = conversion or a_conversion()
    metadata = conversion.document["metadata"]
    return PodBuilder(
        {
            "metadata": {
                "name": f"{metadata['name']}-pod-{number}",
                "namespace": metadata["namespace"],
                "uid": f"pod-{number}-{metadata['uid']}",
                "resourceVersion": str(version),
                "creationTimestamp": at(NOW - timedelta(minutes=1) + timedelta(seconds=number)),
                "labels": _labels(conversion),
                "ownerReferences": [
                    _controlled_by(
                        "batch/v1", "Job", names.job_name(metadata["name"], metadata["uid"]), f"job-{metadata['uid']}"
                    ),
                ],
            },
            "spec": {},
            "status": {"phase": "Pending"},
        }
    )


@dataclass(frozen=True)
class EntryBuilder:
    """A ledger entry."""

    fields: Document = field(default_factory=dict)

    def _with(self, **fields: Any) -> Self:
        return type(self)(self.fields | fields)

    def attempted(self, pod: str = "talk-pod-1") -> Self:
        """With a worker that may write."""
        return self._with(attempt=LedgerAttempt(token="t", pod=pod, started_at=NOW))

    def at_percent(self, percent: int) -> Self:
        """With progress."""
        return self._with(progress=Progress(percent=percent, updated_at=NOW))

    def with_result(self, *, published: bool = False) -> Self:
        """With the result stored."""
        made = self._with(result=a_result(), uploads=(MP3_ID,))
        return made._published("succeeded") if published else made

    def with_error(self, exit_code: int, reason: str, message: str, pod: str = "talk-pod-1") -> Self:
        """With a worker's last words."""
        return self._with(error=LedgerError(exit_code=exit_code, reason=reason, message=message, pod=pod, at=NOW))

    def with_failure(self, reason: str = "NotMedia", *, published: bool = False) -> Self:
        """Given up."""
        failure = LedgerFailure(reason=reason, message="No media.", failed_at=NOW, email=OWNER, filename="talk.mp3")
        made = self._with(failure=failure)
        return made._published("failed") if published else made

    def uploading(self, *file_ids: str) -> Self:
        """With uploads that were begun."""
        return self._with(uploads=file_ids)

    def _published(self, kind: str) -> Self:
        return self._with(messages={kind: LedgerMessage(published_at=NOW)})

    @property
    def entry(self) -> LedgerEntry:
        """The entry."""
        return LedgerEntry(**self.fields)


def an_entry(conversion: ConversionBuilder | None = None) -> EntryBuilder:
    """The ledger entry of a Conversion whose worker has begun."""
    metadata = (conversion or a_conversion()).document["metadata"]
    return EntryBuilder(
        {"uid": metadata["uid"], "namespace": metadata["namespace"], "name": metadata["name"], "owner": OWNER}
    )


def a_result() -> OutputReport:
    """An mp3 that was made."""
    return OutputReport(
        file_id=MP3_ID, filename="talk.mp3", size=1000, duration_seconds=12.5, sha256="0" * 64, encoding="vbr 2"
    )


def a_class(name: str = "speech", *, default: bool = False, **spec: Any) -> Document:
    """A ConversionClass, as the API server shows it."""
    marks = {"annotations": {ANNOTATION_DEFAULT: "true"}} if default else {}
    metadata = {"name": name, "generation": 1, "creationTimestamp": at(NOW)} | marks
    return {"apiVersion": names.API_VERSION, "kind": names.CLASS_KIND, "metadata": metadata, "spec": spec}


def a_set(name: str = "talks", namespace: str = "media", **spec: Any) -> Document:
    """A ConversionSet, as the API server shows it before an operator has seen it."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{namespace}-{name}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": at(NOW),
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.SET_KIND,
        "metadata": metadata,
        "spec": {"template": {}} | spec,
        "status": copy.deepcopy(UNSEEN_STATUS),
    }
