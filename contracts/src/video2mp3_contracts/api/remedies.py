"""What each reason is about, and what to do where one has it: for the tables of words in docs/conversion.md.

In Markdown. Names with a dot are fields of the spec (`spec.…`) or values of the chart (`worker.…`, `operator.…`).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from video2mp3_contracts.api.reasons import Reason


class Remedy(NamedTuple):
    """What is looked at, and what is done."""

    about: str
    """The field, the value or the part of the installation that it turns on."""

    to_do: str


_INSTALLATION: Final = "[the installation](operations.md#when-something-is-wrong)"
_NOTHING: Final = "nothing: it goes on by itself"
_MEDIA: Final = "another copy of the video, or another video"

REMEDIES: Final[Mapping[Reason, Remedy]] = {
    Reason.PENDING: Remedy(
        "`operator.watchNamespaces`", f"where it stays so: the namespace into that list, or {_INSTALLATION}"
    ),
    Reason.QUEUED: Remedy(
        "`spec.priority`, `operator.maxRunning` and its kin, quotas, Kueue",
        "nothing, or a higher priority, or larger caps",
    ),
    Reason.STARTING: Remedy(
        "the pod", "nothing; where it lasts, `kubectl describe pod`: a quota, the node's room, the image"
    ),
    Reason.RUNNING: Remedy("`status.progress`", "nothing; `spec.suspend: true` stops it"),
    Reason.CLASS_NOT_FOUND: Remedy(
        "`spec.className`", "`kubectl get conversionclasses`; an administrator makes or mends it"
    ),
    Reason.NOT_ALLOWED_BY_CLASS: Remedy(
        "`spec.className`, `spec.output`", "another class, or without what it does not allow"
    ),
    Reason.RETRY_REQUESTED: Remedy("the annotation `video2mp3.dev/retryRequestedAt`", _NOTHING),
    Reason.RETRYING: Remedy("`status.attempts`", _NOTHING),
    Reason.DIVIDED: Remedy("`spec.parallelism`", _NOTHING),
    Reason.SUCCEEDED: Remedy("`status.output`", "`GET /download?fid=` with `status.output.fileId`"),
    Reason.SUSPENDED: Remedy("`spec.suspend`", "`spec.suspend: false`"),
    Reason.MANAGED_BY_GIT: Remedy("`spec.ttlSecondsAfterFinished`", "remove it in Git"),
    Reason.DELETING: Remedy("`spec.deletionPolicy`, `spec.sourcePolicy`", f"nothing; where it lasts, {_INSTALLATION}"),
    Reason.INVALID_SPEC: Remedy(
        "the field that the message names", "the operator of that version, or remove the field"
    ),
    Reason.SOURCE_NOT_FOUND: Remedy(
        "`spec.source.gridfs.fileId`, `spec.source.url`", "upload it again and name its new id, or mend the address"
    ),
    Reason.SOURCE_NOT_ALLOWED: Remedy(
        "`spec.source.url`",
        "the host in `worker.urlSources.allowedHosts`, if it is to be fetched from; only public addresses",
    ),
    Reason.SOURCE_REFUSED: Remedy(
        "`spec.source.url`", "an address that opens the file by itself, on a server that shows who it is"
    ),
    Reason.CHECKSUM_MISMATCH: Remedy(
        "`spec.source.sha256`", "the content that `sha256` names, or the `sha256` of the content"
    ),
    Reason.OWNER_MISMATCH: Remedy("`spec.owner`", "the account that uploaded the file, or none for a file of nobody's"),
    Reason.EMPTY_SOURCE: Remedy("the source", "upload it again, to its end"),
    Reason.NOT_MEDIA: Remedy("the source", f"{_MEDIA}: [what can be read](formats.md)"),
    Reason.NO_AUDIO: Remedy("the source, `spec.output.audioTrack`", _MEDIA),
    Reason.TRUNCATED: Remedy(
        "the source, `spec.source.allowTruncated`",
        "upload it again, to its end, or set `allowTruncated` to convert what is there",
    ),
    Reason.ENCRYPTED: Remedy("the source", "a copy that is not protected"),
    Reason.TOO_LARGE: Remedy("`worker.maxSourceBytes`", "a smaller file, or a larger limit"),
    Reason.TOO_LONG: Remedy("`worker.maxDurationSeconds`", "a shorter sound, or a larger limit"),
    Reason.LIMIT_EXCEEDED: Remedy(
        "the source, `worker.maxOutputBytes`", "a shorter or simpler file, or encoded anew by its maker; a larger limit"
    ),
    Reason.BAD_REQUEST: Remedy(
        "the field of `spec.output` that the message names", "a new Conversion with what the source has"
    ),
    Reason.SOURCE_UNAVAILABLE: Remedy("`spec.source.url`", "the source's server: whether it is well, and fast enough"),
    Reason.SERVICE_UNAVAILABLE: Remedy(
        "MongoDB, RabbitMQ, the worker's disk", "bring it back; nothing fails for it within a day"
    ),
    Reason.OUT_OF_MEMORY: Remedy("`worker.memoryCeiling`", "a larger ceiling"),
    Reason.NODE_UNSUITABLE: Remedy(
        "`worker.requireLandlock`, `worker.nodeSelector`", "nodes whose kernel has Landlock"
    ),
    Reason.STOPPED: Remedy(
        "the node, or who deleted the pod", "nothing; of the last attempt: why its pods are ended so often"
    ),
    Reason.DISRUPTED: Remedy("the node", "nothing; of the last attempt: why its pods are ended so often"),
    Reason.LOST: Remedy("the node", "nothing; of the last attempt: why its nodes are lost so often"),
    Reason.NOT_STARTED: Remedy(
        "the pod", "nothing for a day; what the message says it waits for: room, a quota, the image"
    ),
    Reason.OUT_OF_DISK: Remedy(
        "the pod's disk", "a LimitRange of the namespace, or `worker.maxOutputBytes`, as the message says"
    ),
    Reason.INVALID_JOB: Remedy(
        "the chart's `worker` values",
        "what the message says that Kubernetes does not take, such as something in `worker.resources`",
    ),
    Reason.WORKER_CRASHED: Remedy("the worker", f"its log, {_INSTALLATION}"),
    Reason.RETRIES_EXHAUSTED: Remedy(
        "`spec.retryLimit`", f"what the message says of the last attempt; {_INSTALLATION}"
    ),
    Reason.START_TIMEOUT: Remedy(
        "`spec.timeouts.startSeconds`",
        "what the message says that the pod waited for: room on the nodes, a quota, the image",
    ),
    Reason.RUN_TIMEOUT: Remedy("`spec.timeouts.runSeconds`, `worker.runSeconds`", "a larger limit, or faster nodes"),
    Reason.QUEUE_TIMEOUT: Remedy(
        "`spec.timeouts.queueSeconds`, `operator.maxRunning`", "a larger limit, or larger caps"
    ),
    Reason.STALLED: Remedy("`worker.stallSeconds`", "faster nodes or stores, or a larger limit"),
}
