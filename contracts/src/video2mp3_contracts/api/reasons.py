"""Condition types and reasons of a Conversion: every value that `status` may carry, with its meaning.

Reasons are API: people alert on them and `docs/conversion.md` lists them from here.
"""

from enum import StrEnum
from typing import Self


class ConditionType(StrEnum):
    """The types of condition a Conversion has, as kstatus and `kubectl wait` expect them."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    COMPLETE = "Complete"
    FAILED = "Failed"
    EXPIRED = "Expired"


class Phase(StrEnum):
    """One word for people. Nothing is decided from it."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SUSPENDED = "Suspended"


class Reason(StrEnum):
    """Why a condition is what it is. `meaning` says it in a sentence."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make the member a plain string that carries its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    PENDING = "Pending", "No operator has seen this Conversion yet."
    QUEUED = "Queued", "It waits for its turn: as many conversions run as are allowed."
    STARTING = "Starting", "Its Job exists and its pod is on the way."
    RUNNING = "Running", "A worker converts the source."
    RETRYING = "Retrying", "An attempt failed and the next one follows after a pause."
    RETRY_REQUESTED = (
        "RetryRequested",
        "It had failed and is tried anew, since the annotation video2mp3.dev/retryRequestedAt asks for it.",
    )
    DIVIDED = "Divided", "The sound is long: it is divided, and several workers make a part of it each."
    SUCCEEDED = "Succeeded", "The mp3 is stored; status.output names it."
    SUSPENDED = "Suspended", "spec.suspend is true: nothing runs until it is false again."
    MANAGED_BY_GIT = (
        "ManagedByGit",
        "Its time to live is over, but it is not deleted, since Argo CD, Flux or Helm manages it; remove it there.",
    )
    CLASS_NOT_FOUND = (
        "ClassNotFound",
        "It waits for its ConversionClass, which does not exist, or cannot be used as it is.",
    )
    NOT_ALLOWED_BY_CLASS = "NotAllowedByClass", "Its ConversionClass does not allow what it asks for."
    DELETING = "Deleting", "The Conversion is being deleted; its files go as its policies say."

    INVALID_SPEC = (
        "InvalidSpec",
        "The spec has something that this operator does not understand; it waits for one that does.",
    )
    SOURCE_NOT_FOUND = "SourceNotFound", "There is no such source file, or none at that address any more."
    SOURCE_NOT_ALLOWED = (
        "SourceNotAllowed",
        "This installation does not fetch from the source's host or address, or from one that it redirects to.",
    )
    SOURCE_REFUSED = "SourceRefused", "The source's server does not hand it out, for example without a login."
    CHECKSUM_MISMATCH = "ChecksumMismatch", "The source's content is not the one that source.sha256 names."
    OWNER_MISMATCH = "OwnerMismatch", "The source belongs to somebody else than spec.owner."
    EMPTY_SOURCE = "EmptySource", "The source holds no bytes."
    NOT_MEDIA = "NotMedia", "The source is no audio or video file that can be read."
    NO_AUDIO = "NoAudio", "The source has pictures but no sound."
    TRUNCATED = "Truncated", "The source ends before its media does; the upload was probably cut short."
    ENCRYPTED = "Encrypted", "The source is protected by encryption (DRM) and cannot be read."
    TOO_LARGE = "TooLarge", "The source has more bytes than is allowed."
    TOO_LONG = "TooLong", "The source plays for longer than is allowed."
    LIMIT_EXCEEDED = "LimitExceeded", "Reading the source would take more memory, time or output than is allowed."
    BAD_REQUEST = (
        "BadRequest",
        "What was asked for cannot be done with this source, for example a track it does not have.",
    )

    SOURCE_UNAVAILABLE = "SourceUnavailable", "The source's server was away, too slow, or broke off."
    SERVICE_UNAVAILABLE = "ServiceUnavailable", "A service that the worker needs was away."
    OUT_OF_MEMORY = "OutOfMemory", "The worker was ended because it used more memory than its pod's limit."
    NODE_UNSUITABLE = (
        "NodeUnsuitable",
        "The node's kernel lacks Landlock, without which worker.requireLandlock lets no worker work.",
    )
    STOPPED = "Stopped", "The worker was asked to stop, for example because its node was drained."
    DISRUPTED = "Disrupted", "The worker's pod was evicted or its node went away; this does not count as an attempt."
    LOST = "Lost", "The worker's pod could not be reached and was given up; this does not count as an attempt."
    NOT_STARTED = "NotStarted", "The worker's pod was not started; this does not count as an attempt."
    OUT_OF_DISK = "OutOfDisk", "The worker was ended because it used more of its node's disk than it may."
    INVALID_JOB = "InvalidJob", "Kubernetes does not take the Job that was made of it; the message says why."
    WORKER_CRASHED = "WorkerCrashed", "The worker ended in a way it should not."
    RETRIES_EXHAUSTED = "RetriesExhausted", "Every attempt failed; the message tells of the last one."
    START_TIMEOUT = "StartTimeout", "The Job's pod did not start in time."
    RUN_TIMEOUT = "RunTimeout", "The conversion ran for longer than timeouts.runSeconds or worker.runSeconds allows."
    QUEUE_TIMEOUT = "QueueTimeout", "The Conversion waited in the queue for longer than it may."
    STALLED = "Stalled", "The worker made no progress for longer than it may."
