"""④ How long a Conversion may wait: for its turn, for its pod to start, and for one to end that should have. Pure.

The third limit, that of an attempt's run, is the worker's own; the kubelet ends the pod where that fails, see `job`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import inf
from typing import Final

from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.status import ConversionStatus
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.pods import Pod

_WEEK_SECONDS: Final = 7 * 24 * 3600


@dataclass(frozen=True)
class Limits:
    """What holds for one Conversion, in seconds."""

    queue_seconds: int = _WEEK_SECONDS
    start_seconds: int = 900
    stall_seconds: int = 900
    """A worker may show no sign of life for so long."""

    outage_seconds: int = 24 * 3600
    """What is nobody's fault, a store or a registry that is away, may keep it from being done for so long."""

    lost_seconds: int = 60
    """A pod that was to be gone so long ago, its grace over, is given up: its node does not answer."""

    asked_start: bool = False
    """Whether the spec says itself how long a pod may take to start: then it fails, and does not wait on."""

    def of(self, spec: ConversionSpec | None) -> "Limits":
        """These, but where the spec says otherwise."""
        if spec is None:
            return self
        own = spec.timeouts
        return replace(
            self,
            queue_seconds=own.queue_seconds or self.queue_seconds,
            start_seconds=own.start_seconds or self.start_seconds,
            asked_start=own.start_seconds is not None,
        )


NO_SAY: Final = Limits()
"""Where neither the spec nor the installation says anything."""


def left(since: datetime | None, limit_seconds: int, now: datetime, watched: float = inf) -> float | None:
    """Seconds that are left of a time limit, none when 0 or less; None where nothing is waited for.

    Where `since` is by another's clock, `watched` is for how long we have seen the wait ourselves: see `stopwatches`.
    """
    if since is None:
        return None
    return max((since + timedelta(seconds=limit_seconds) - now).total_seconds(), limit_seconds - watched)


def queued_since(status: ConversionStatus) -> datetime | None:
    """Since when it is known to wait for its turn. A suspension and an admission begin the time anew."""
    return status.queue.since if status.queue else None


LONGEST_BACKOFF_SECONDS: Final = 600
"""The Job controller waits at most this long between two attempts."""

_LINGER_SECONDS: Final = 20
"""A pod whose worker has ended, and that has not ended itself after so long, is kept by another container in it: where
there is none, kubelet and Job controller take a few seconds."""


class Awaited(StrEnum):
    """What a Conversion's Job waits for."""

    START = "start"
    """A pod that has not started."""

    GONE = "gone"
    """Pods that were deleted and whose workers are not known to have ended."""

    END = "end"
    """Pods whose workers have ended."""

    NEXT = "next"
    """The pod after those that have ended: between two attempts the Job controller waits for a while."""


@dataclass(frozen=True)
class Wait:
    """One wait of a Job."""

    awaited: Awaited
    since: datetime
    seconds: int
    """It is over after so long."""

    pods: tuple[str, ...] = ()


def wait_of(job: Job, pods: tuple[Pod, ...], limits: Limits) -> Wait | None:
    """What a Job, whose own pods these are, waits for; None where its worker works, or it is over itself."""
    if job.finished or job.deleting or job.suspended:
        return None
    if pods and not any(pod.works and pod.deleted_at is None for pod in pods):
        going = [pod for pod in pods if pod.deleted_at and not pod.ended]
        if going:
            since = max(pod.deleted_at for pod in going if pod.deleted_at)
            return Wait(Awaited.GONE, since, limits.lost_seconds, tuple(pod.name for pod in going))
        ended = [pod.ended_at for pod in pods if pod.ended_at]
        if all(pod.ended for pod in pods) and any(pod.lingers for pod in pods) and ended:
            return Wait(Awaited.END, max(ended), _LINGER_SECONDS, tuple(pod.name for pod in pods))
    started = starting_since(job, pods)
    if started is None:
        return _next_of(job, pods, limits)
    coming = tuple(pod.name for pod in pods if not pod.ended)
    return Wait(Awaited.START, started, limits.start_seconds, coming)


def _next_of(job: Job, pods: tuple[Pod, ...], limits: Limits) -> Wait | None:
    """The wait for a pod that the Job controller is to make, and forgets if its cluster is in trouble just then."""
    if job.ready or job.start_time is None or any(not pod.ended for pod in pods):
        return None
    since = max([job.start_time, *(pod.ended_at for pod in pods if pod.ended_at)])
    return Wait(Awaited.NEXT, since, LONGEST_BACKOFF_SECONDS + limits.start_seconds)


def starting_since(job: Job, pods: tuple[Pod, ...]) -> datetime | None:
    """Since when a pod of the Job is waited for; None while one runs, or when the Job waits between two attempts.

    A Job that has no pod at all, since a quota forbids it for example, is waited for from its own start.
    """
    if job.suspended or job.finished or job.deleting or job.ready:
        return None
    coming = [pod for pod in pods if not pod.ended]
    if any(pod.started_at for pod in coming):
        return None
    if coming:
        # Where several pods share audio, one may have waited for a place that another one has just left.
        left_at = [pod.ended_at for pod in pods if pod.ended_at and job.parts > 1]
        return max([*(pod.created_at for pod in coming), *left_at])
    return None if pods or job.failed else job.start_time
