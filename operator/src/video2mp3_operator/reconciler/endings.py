"""④ How attempts and Jobs end, and what follows: another attempt, another Job, or the end. Pure.

What failed counts against `retryLimit`. What others disrupted does not, but is bounded by its number; what an outage
ended is bounded by time: see `attempts`.
"""

from dataclasses import replace
from typing import Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.policy import attempts
from video2mp3_operator.policy.outcome import reason_of
from video2mp3_operator.policy.timeouts import Awaited
from video2mp3_operator.reconciler.decisions import Decision, Fail, Follow, Replace
from video2mp3_operator.reconciler.progress import overall
from video2mp3_operator.reconciler.snapshot import Snapshot

MOST_DISRUPTIONS: Final = 20
"""Of one Conversion, or of one part of it: whoever is disrupted so often never gets done."""

_TELLING: Final = frozenset(
    {Reason.RUN_TIMEOUT, Reason.STALLED, Reason.OUT_OF_MEMORY, Reason.OUT_OF_DISK, Reason.SOURCE_UNAVAILABLE}
)
"""Reasons of a last attempt that say more than that there were enough of them."""


def outdated_job(snapshot: Snapshot) -> Decision | None:
    """An attempt of this Job failed in a way that no other attempt of the same Job can better."""
    job, done = snapshot.job, snapshot.retry_state
    if job is None or job.deleting or job.generation >= done.generation:
        return None
    last = attempts.last_words(snapshot.attempts, None)
    reason, message = last or (Reason.WORKER_CRASHED, Reason.WORKER_CRASHED.meaning)
    if reason == Reason.OUT_OF_MEMORY and not snapshot.memory.grows(done.out_of_memory):
        limit = snapshot.memory.after(done.out_of_memory).limit
        message = _attempts(done.failed, job.parts)
        return Fail(reason, f"{message} failed. The last one had {limit} of memory, which is the most.")
    return spent(snapshot) or Replace(reason, f"Attempt {done.failed} failed: {message} The next one follows.")


def spent(snapshot: Snapshot, unwitnessed: int = 0) -> Fail | None:
    """Whether there were as many attempts as there may be, over all of its Jobs."""
    failed = snapshot.retry_state.failed + unwitnessed
    if snapshot.spec is None or failed <= snapshot.spec.retry_limit:
        return None
    return _given_up(
        failed, attempts.last_words(snapshot.attempts, snapshot.entry.error if snapshot.entry else None), snapshot.parts
    )


def _given_up(count: int, last: tuple[Reason, str] | None, parts: int) -> Fail:
    reason, message = last or (Reason.RETRIES_EXHAUSTED, "Its worker left no word.")
    telling = reason if reason in _TELLING else Reason.RETRIES_EXHAUSTED
    return Fail(telling, f"{_attempts(count, parts)} failed. The last one: {message}")


def ended_job(snapshot: Snapshot) -> Decision | None:
    """A Job that ended without a result in the ledger, which was read after the Job's end was seen."""
    if snapshot.job is None or not snapshot.job.finished or snapshot.job.deleting:
        return None
    error = snapshot.entry.error if snapshot.entry else None
    if snapshot.job.complete:
        return Fail(Reason.WORKER_CRASHED, "The worker said it was done, but the ledger has no result.")
    last = attempts.last_words(snapshot.attempts, error)
    permanent = attempts.permanent(snapshot.attempts, error)
    return (None if permanent else _others_fault(snapshot, snapshot.job)) or _failure(
        snapshot.job, failed(snapshot.job, snapshot), permanent, last
    )


def _others_fault(snapshot: Snapshot, job: Job) -> Replace | None:
    """The Job controller counts what we do not, and gave the Job up for it: another one follows."""
    if job.failed_reason in ("DeadlineExceeded", "PodFailurePolicy") or snapshot.spec is None:
        return None
    if not _uncounted(snapshot) or failed(job, snapshot) > snapshot.spec.retry_limit:
        return None
    reason, message = _uncounted(snapshot)[-1]
    return Replace(reason, f"{message} It goes back to the queue.", tuple(pod.name for pod in snapshot.own_pods))


def _uncounted(snapshot: Snapshot) -> list[tuple[Reason, str]]:
    """How those attempts of this Job ended that were nobody's fault here."""
    own = {pod.name for pod in snapshot.own_pods}
    return [
        (reason_of(each.reason, None), each.message)
        for each in snapshot.attempts
        if each.pod in own and each.end_time and each.reason in attempts.OUTAGES | attempts.DISRUPTIONS
    ]


def _failure(job: Job, count: int, permanent: tuple[Reason, str] | None, last: tuple[Reason, str] | None) -> Fail:
    if permanent:
        return Fail(*permanent)
    if job.failed_reason == "DeadlineExceeded":
        return Fail(Reason.RUN_TIMEOUT, Reason.RUN_TIMEOUT.meaning)
    message = last[1] if last else "Its worker left no word."
    if job.failed_reason == "PodFailurePolicy":
        return Fail(last[0] if last else Reason.WORKER_CRASHED, message)
    return _given_up(count, last, job.parts)


def failed(job: Job, snapshot: Snapshot) -> int:
    """How many attempts failed and count: the Job knows it sooner, but not of which part, nor whose fault it was."""
    counted = job.failed - len(_uncounted(snapshot)) if job.parts == 1 else 0
    return max(counted, snapshot.retry_state.failed)


def _attempts(count: int, parts: int) -> str:
    subject = "The only attempt" if count <= 1 else f"All {count} attempts"
    return subject if parts == 1 else f"{subject} at a part of the sound"


def standstill(snapshot: Snapshot) -> Decision | None:
    """A worker that has shown no sign of life for too long. What it runs is not over, so its attempt is ended first."""
    limit = snapshot.limits.stall_seconds
    running = any(attempt.end_time is None for attempt in snapshot.attempts)
    if snapshot.job is None or snapshot.job.deleting or not running or snapshot.quiet_seconds < limit:
        return None
    return Replace(Reason.STALLED, f"The worker showed no sign of life for {limit} s.")


def lost(snapshot: Snapshot) -> Decision | None:
    """A pod that was to be gone long ago: its node is lost and says nothing. The ledger fences its worker off."""
    wait = snapshot.wait
    if wait is None or wait.awaited != Awaited.GONE or (snapshot.left or 0) > 0:
        return None
    message = f"The worker's pod was to be gone, and for {wait.seconds} s its node has not said that it is."
    return Replace(Reason.LOST, message, wait.pods)


def lingering(snapshot: Snapshot) -> Decision | None:
    """Its workers have ended and their pods have not, since another container runs on: the Job will never say so."""
    wait = snapshot.wait
    if wait is None or wait.awaited != Awaited.END or (snapshot.left or 0) > 0:
        return None
    permanent = attempts.permanent(snapshot.attempts, snapshot.entry.error if snapshot.entry else None)
    if permanent:
        return Fail(*permanent)
    if all(pod.exit_code == 0 for pod in snapshot.own_pods):
        return Fail(Reason.WORKER_CRASHED, "The worker said it was done, but the ledger has no result.")
    last = attempts.last_words(snapshot.attempts, None)
    reason, message = last or (Reason.WORKER_CRASHED, Reason.WORKER_CRASHED.meaning)
    return spent(snapshot) or Replace(reason, f"An attempt failed: {message} The next one follows.", wait.pods)


def too_often_disrupted(snapshot: Snapshot) -> Decision | None:
    """Others end its pods again and again. A queue that is not ours may do so as often as it likes."""
    count = attempts.disruptions(snapshot.attempts)
    if count < MOST_DISRUPTIONS or snapshot.handed_over or any(pod.works for pod in snapshot.own_pods):
        return None
    last = next(each for each in reversed(snapshot.attempts) if each.reason in attempts.DISRUPTIONS)
    return Fail(
        reason_of(last.reason, None), f"Its pods were ended {count} times by others. The last time: {last.message}"
    )


def not_started(snapshot: Snapshot) -> Decision | None:
    """Its pod did not start in time. Where the spec does not limit that itself, it is an outage, and waits on."""
    wait, limits = snapshot.wait, snapshot.limits
    if wait is None or wait.awaited != Awaited.START or (snapshot.left or 0) > 0:
        return None
    message = f"The worker's pod did not start within {wait.seconds} s. {waits_for(snapshot)}".strip()
    if limits.asked_start:
        return Fail(Reason.START_TIMEOUT, message)
    return Replace(Reason.NOT_STARTED, message, wait.pods, since=wait.since)


def not_followed(snapshot: Snapshot) -> Replace | None:
    """Between two attempts, and the Job controller makes no next pod."""
    wait = snapshot.wait
    if wait is None or wait.awaited != Awaited.NEXT or (snapshot.left or 0) > 0:
        return None
    message = f"No pod followed the last one within {wait.seconds} s; another Job does."
    return Replace(Reason.NOT_STARTED, message, since=wait.since)


def waits_for(snapshot: Snapshot) -> str:
    """Why its pod has not started, in Kubernetes' words."""
    return next((pod.waiting for pod in snapshot.own_pods if pod.waiting and not pod.ended), "") or snapshot.job_trouble


def outage_over(snapshot: Snapshot) -> Fail | None:
    """Whether an outage has kept it from being done for too long."""
    found, limit = attempts.outage(snapshot.attempts), snapshot.limits.outage_seconds
    if found is None or (snapshot.now - found[0]).total_seconds() < limit:
        return None
    reason = Reason.START_TIMEOUT if found[1].reason == Reason.NOT_STARTED else Reason.SERVICE_UNAVAILABLE
    return Fail(reason, f"Nothing came of it for {limit} s. The last time: {found[1].message}")


def enough(snapshot: Snapshot) -> Decision | None:
    """There is no Job (any more), and another one could do no better, or there were as many as may be."""
    if snapshot.job is not None:
        return None
    permanent = attempts.permanent(snapshot.attempts, snapshot.entry.error if snapshot.entry else None)
    if permanent:
        return Fail(*permanent)
    # Attempts that began, and that nobody saw begin or end: their Job was cleaned up, or we were away.
    opened = snapshot.entry.attempts_opened if snapshot.entry else 0
    recorded = max([snapshot.status.attempts_before_retry or 0, *(each.number for each in snapshot.history)])
    return spent(snapshot, max(0, opened - recorded)) or outage_over(snapshot)


def about_to_end(snapshot: Snapshot) -> Follow | None:
    """A worker of this Job is done, which the Job says a moment after its pod."""
    if waits_for(snapshot) or not any(pod.exit_code == 0 for pod in snapshot.own_pods):
        return None
    return Follow(Reason.RUNNING, Reason.RUNNING.meaning, overall(snapshot.entry))


def last_attempt(snapshot: Snapshot, job: Job) -> Fail | None:
    """The attempt after which there is no other has ended, which the Job says a moment after its pod."""
    if job.parts > 1 or not snapshot.own_pods or not all(pod.ended for pod in snapshot.own_pods):
        return None
    failure = attempts.permanent(snapshot.attempts, None)
    if failure:
        return Fail(*failure, job_ends=True)
    # Whose fault its end was, a pod may still say.
    fail = None if any(pod.lingers for pod in snapshot.own_pods) else spent(snapshot)
    return fail and replace(fail, job_ends=True)


def between_attempts(snapshot: Snapshot, job: Job) -> Follow | None:
    """An attempt has failed, and either another follows or the Job is about to say that none does."""
    last = attempts.last_words(snapshot.attempts, None)
    ended = {pod.name for pod in snapshot.own_pods if pod.ended}
    if last is None or not (job.failed or snapshot.attempts[-1].pod in ended):
        return None
    message = f"Attempt {max(failed(job, snapshot), 1)} failed: {last[1]}"
    if attempts.permanent(snapshot.attempts, None) or spent(snapshot):
        return Follow(Reason.RUNNING, message)
    return Follow(Reason.RETRYING, f"{message} The next one follows.")
