"""④ The things that can be done about a Conversion: `decide` answers one of them, `effects` does it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.policy.retry import NONE, RetryState
from video2mp3_operator.policy.ttl import Lifetime


@dataclass(frozen=True)
class Ignore:
    """Nothing of it is ours."""


@dataclass(frozen=True)
class Release:
    """It is being deleted: end its Job, deal with its files, let it go."""


@dataclass(frozen=True)
class Rest:
    """It is finished; only its status may have to follow a new generation."""

    lifetime: Lifetime | None = None
    """What is left of its time, if that is limited."""

    lingering: float | None = None
    """Seconds until its Job is ended whose worker has ended; None where it ends by itself."""


@dataclass(frozen=True)
class Expire:
    """It is finished and its time is over: it goes."""


@dataclass(frozen=True)
class Retry:
    """It has failed, and somebody asks for it to be tried anew."""


@dataclass(frozen=True)
class Await:
    """It cannot be judged now, since a store is away."""

    message: str


@dataclass(frozen=True)
class Hold:
    """Nothing is done about it until it or this operator is another: what it asks is not understood."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Queue:
    """It waits for its turn."""

    position: int | None
    message: str


SUSPENDED_JOB: Final = Queue(None, "Its Job is suspended; whoever suspended it (Kueue, for example) starts it.")


@dataclass(frozen=True)
class Adopt:
    """The mp3 that it asks for is there."""

    found: LedgerEntry


@dataclass(frozen=True)
class Record:
    """Its turn has come, and what its ConversionClass says is to be on record before its Job is made."""

    message: str = Reason.QUEUED.meaning


@dataclass(frozen=True)
class Start:
    """Its Job is to be created."""

    source_bytes: int | None
    retry_state: RetryState = NONE
    parts: int = 1
    """Of the audio; each gets a pod of its own."""


def on_its_way(job: str) -> str:
    """What is said of a Job between its creation and its pod's start."""
    return f"Its Job {job} exists and its pod is on the way."


@dataclass(frozen=True)
class Replace:
    """Its Job makes way for another one."""

    reason: Reason
    message: str
    pods: tuple[str, ...] = ()
    """Whose attempts are to be on record as ended before. None: the record says itself that the Job is outdated."""

    since: datetime | None = None
    """Of a pod that did not start: since when it was waited for."""


@dataclass(frozen=True)
class Follow:
    """Its Job is on its way."""

    reason: Reason
    message: str
    progress: Progress | None = None


@dataclass(frozen=True)
class Suspend:
    """It must not run."""


@dataclass(frozen=True)
class Succeed:
    """Its result is stored."""

    result: OutputReport
    published: bool


@dataclass(frozen=True)
class Fail:
    """It is given up."""

    reason: Reason
    message: str
    recorded: bool = False
    """Whether the ledger has the failure already."""

    published: bool = False
    job_ends: bool = False
    """Whether its Job is about to end by itself: it stays for a while then, and with it what its pods logged."""


Decision = (
    Ignore
    | Release
    | Rest
    | Expire
    | Retry
    | Await
    | Hold
    | Queue
    | Adopt
    | Record
    | Start
    | Replace
    | Follow
    | Suspend
    | Succeed
    | Fail
)
