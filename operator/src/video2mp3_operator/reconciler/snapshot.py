"""④ What is known about one Conversion at one moment: all that `decide` looks at."""

from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Final

from video2mp3_contracts.api.conversion import ConversionSpec, ObjectMeta
from video2mp3_contracts.api.reasons import ConditionType
from video2mp3_contracts.api.status import Attempt, ConversionStatus
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_operator.objects import conditions
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.pods import Pod
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.policy.attempts import since_retry
from video2mp3_operator.policy.class_choice import NO_CLASS, ClassChoice
from video2mp3_operator.policy.memory import Memory
from video2mp3_operator.policy.parallelism import parts_of
from video2mp3_operator.policy.retry import RetryState, retry_state
from video2mp3_operator.policy.timeouts import NO_SAY, Limits, Wait, left, wait_of
from video2mp3_operator.scheduling.ordering import Turn

_NO_TURN: Final = Turn(admitted=False)
_SMALL: Final = Memory("128Mi", "512Mi", "2Gi")


@dataclass(frozen=True)
class Snapshot:
    """Everything that is known about one Conversion at one moment."""

    meta: ObjectMeta
    spec: ConversionSpec | None
    """As far as it is understood, see `spec_reading`; None where that is not even the source."""

    status: ConversionStatus
    now: datetime
    invalid: str = ""
    """What of the spec is not understood; "" where all is."""

    class_choice: ClassChoice = NO_CLASS
    """Its ConversionClass; `spec` is with what that says."""

    keeps_mp3: bool = False
    """Whether the mp3 is to stay when the Conversion goes."""

    keeps_source: bool = False
    """Whether the source is to stay once it is converted."""

    job: Job | None = None
    pods: tuple[Pod, ...] = ()
    history: tuple[Attempt, ...] = ()
    """All attempts, as the status is to tell them."""

    ledger_known: bool = True
    """False while MongoDB is away, or the entry cannot be read: then `entry` says nothing."""

    ledger_trouble: str = "MongoDB does not answer"
    """Why the ledger is not known, where it is not."""

    entry: LedgerEntry | None = None
    source_known: bool = True
    """False where the source was not looked at, or could not be."""

    source: SourceFile | None = None
    retained: LedgerEntry | None = None
    """A result that outlived its Conversion and was made of the same; or the verdict about the lost one it replaces."""

    source_limit: int = 0
    """The most bytes that a source may have."""

    allowed_hosts: tuple[str, ...] = ()
    """Hosts that sources are fetched from by URL."""

    limits: Limits = NO_SAY
    """How long it may wait."""

    watched_seconds: float = inf
    """For how long we have seen it wait for its pod's start, or for its deletion: see `stopwatches`."""

    job_trouble: str = ""
    """Why its Job gets no pod, in the Job controller's words."""

    quiet_seconds: float = 0
    """For how long its worker has shown no sign of life."""

    memory: Memory = _SMALL
    """What its worker gets."""

    handed_over: bool = False
    """Whether Kueue decides when its Job starts."""

    turn: Turn | None = _NO_TURN
    """What admission says of it; None before it has asked."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Those that decisions turn on, see `since_retry`."""
        return since_retry(self.history, self.status)

    @property
    def retry_requested(self) -> bool:
        """Whether it has failed, and a retry is asked for that was not dealt with."""
        failed = conditions.is_true(self.status.conditions, ConditionType.FAILED)
        return failed and self.meta.asks_retry(self.status.last_handled_retry_at)

    @property
    def retry_state(self) -> RetryState:
        """What its attempts so far mean for its next Job."""
        return retry_state(self.attempts, is_split=self.is_split)

    @property
    def key(self) -> Key:
        """Where it is found."""
        return Key(self.meta.namespace, self.meta.name)

    @property
    def ref(self) -> ConversionRef:
        """What the ledger and messages call it."""
        return self.meta.ref

    @property
    def own_pods(self) -> tuple[Pod, ...]:
        """The pods of its Job; those of one before that may still be there."""
        return tuple(pod for pod in self.pods if self.job and pod.job_uid == self.job.uid)

    @property
    def wait(self) -> Wait | None:
        """What its Job waits for."""
        return wait_of(self.job, self.own_pods, self.limits) if self.job else None

    @property
    def left(self) -> float | None:
        """Seconds that are left of that wait."""
        wait = self.wait
        return left(wait.since, wait.seconds, self.now, self.watched_seconds) if wait else None

    @property
    def is_split(self) -> bool:
        """Whether a worker has found that several should share the audio."""
        return self.entry is not None and self.entry.parallelism is not None

    @property
    def parts(self) -> int:
        """Into how many parts the audio is split, as far as it is known."""
        return parts_of(self.spec, self.entry)

    @property
    def finished(self) -> bool:
        """Whether its verdict was given; it is final."""
        return conditions.has_verdict(self.status.conditions)
