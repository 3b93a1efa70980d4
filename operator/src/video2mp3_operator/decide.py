"""④ What is to be done about one Conversion, from what is seen of it. Pure: no clock, no network, no log.

The steps of `decide` are asked in order and the first that has an answer gives it. Nothing is decided from the stored
phase; that a Conversion is finished is the one thing its status is believed in, since it never runs again.
"""

from collections.abc import Callable, Iterable
from typing import Final

from video2mp3_contracts import names, source_urls
from video2mp3_contracts.conversion import ObjectMeta
from video2mp3_contracts.reasons import Reason
from video2mp3_operator import attempts, timeouts
from video2mp3_operator.adoption import adoptable
from video2mp3_operator.decisions import (
    SUSPENDED_JOB,
    Adopt,
    Await,
    Decision,
    Expire,
    Fail,
    Follow,
    Hold,
    Ignore,
    Queue,
    Release,
    Replace,
    Rest,
    Start,
    Succeed,
    Suspend,
    on_its_way,
)
from video2mp3_operator.observation import Observation
from video2mp3_operator.observed import Job, Pod
from video2mp3_operator.progress import overall
from video2mp3_operator.retention import lifetime


def decide(seen: Observation) -> Decision:
    """The one thing to do now. Asked again after every change, so it never looks ahead."""
    for step in _STEPS:
        decision = step(seen)
        if decision is not None:
            return decision
    return _admit(seen)


def needs_ledger(meta: ObjectMeta, job: Job | None, pods: Iterable[Pod], finished: bool) -> bool:
    """Whether the decision turns on the ledger.

    A running Job is followed by the sweep, which reads all at once, until a worker says that it is done.
    """
    if meta.deletion_timestamp is not None:
        return names.FINALIZER in meta.finalizers
    return not finished and (job is None or job.finished or any(pod.exit_code == 0 for pod in pods))


def needs_source(seen: Observation) -> bool:
    """Whether the decision turns on the source file: only before there is a Job."""
    understood = seen.spec is not None and not seen.invalid
    asked = understood and seen.job is None and not seen.finished and seen.meta.deletion_timestamp is None
    judged = seen.entry is not None and (seen.entry.result is not None or seen.entry.failure is not None)
    return asked and not judged and seen.ledger_known


def _deletion(seen: Observation) -> Decision | None:
    if seen.meta.deletion_timestamp is None:
        return None
    return Release() if names.FINALIZER in seen.meta.finalizers else Ignore()


def _finished(seen: Observation) -> Decision | None:
    if not seen.finished:
        return None
    left = lifetime(seen.meta, seen.spec, seen.status, seen.now)
    return Expire() if left and left.over and not left.managed_by else Rest(left)


def _ledger_away(seen: Observation) -> Decision | None:
    if seen.ledger_known or not needs_ledger(seen.meta, seen.job, seen.pods, finished=False):
        return None
    return Await(f"{seen.ledger_trouble[0].upper()}{seen.ledger_trouble[1:]}; this goes on as soon as it does.")


def _recorded(seen: Observation) -> Decision | None:
    """The ledger's verdict stands, whatever became of the Job."""
    entry = seen.entry
    if entry is None:
        return None
    if entry.result is not None:
        return Succeed(entry.result, published=entry.published("succeeded"))
    if entry.failure is not None:
        reason = attempts.reason_of(entry.failure.reason, None)
        return Fail(reason, entry.failure.message, recorded=True, published=entry.published("failed"))
    return None


def _not_understood(seen: Observation) -> Decision | None:
    """What runs goes on: whoever made its Job has understood it."""
    if seen.job is not None or not seen.invalid:
        return None
    return Hold(Reason.INVALID_SPEC, f"It waits for an operator that understands its spec: {seen.invalid}")


def _division(seen: Observation) -> Decision | None:
    """The worker of a whole sound has found that several should share it."""
    job = seen.job
    if job is None or job.deleting or not seen.divided or job.parts >= seen.parts:
        return None
    return Replace(Reason.DIVIDED, f"The sound is long: {seen.parts} workers share it.")


def _outdated_job(seen: Observation) -> Decision | None:
    """An attempt of this Job failed in a way that no other attempt of the same Job can better."""
    job, done = seen.job, seen.tries
    if job is None or job.deleting or job.generation >= done.generation:
        return None
    last = attempts.last_words(seen.attempts, None)
    reason, message = last or (Reason.WORKER_CRASHED, Reason.WORKER_CRASHED.meaning)
    if reason == Reason.OUT_OF_MEMORY and not seen.memory.grows(done.out_of_memory):
        limit = seen.memory.after(done.out_of_memory).limit
        told = _attempts(done.failed, job.parts)
        return Fail(reason, f"{told} failed. The last one had {limit} of memory, which is the most.")
    return _spent(seen) or Replace(reason, f"Attempt {done.failed} failed: {message} The next one follows.")


def _spent(seen: Observation) -> Fail | None:
    """Whether there were as many attempts as there may be, over all of its Jobs."""
    done = seen.tries
    if seen.spec is None or done.failed <= seen.spec.retry_limit:
        return None
    return _given_up(done.failed, attempts.last_words(seen.attempts, None), seen.parts)


def _given_up(count: int, last: tuple[Reason, str] | None, parts: int) -> Fail:
    reason, told = last or (Reason.RETRIES_EXHAUSTED, "Its worker left no word.")
    telling = reason if reason in _TELLING else Reason.RETRIES_EXHAUSTED
    return Fail(telling, f"{_attempts(count, parts)} failed. The last one: {told}")


_TELLING: Final = frozenset({Reason.RUN_TIMEOUT, Reason.STALLED, Reason.OUT_OF_MEMORY, Reason.SOURCE_UNAVAILABLE})
"""Reasons of a last attempt that say more than that there were enough of them."""


def _ended_job(seen: Observation) -> Decision | None:
    """A Job that ended without a result in the ledger, which was read after the Job's end was seen."""
    if seen.job is None or not seen.job.finished or seen.job.deleting:
        return None
    error = seen.entry.error if seen.entry else None
    if seen.job.complete:
        return Fail(Reason.WORKER_CRASHED, "The worker said it was done, but the ledger has no result.")
    last = attempts.last_words(seen.attempts, error)
    return _failure(seen.job, _failed(seen.job, seen), attempts.permanent(seen.attempts, error), last)


def _failure(job: Job, failed: int, permanent: tuple[Reason, str] | None, last: tuple[Reason, str] | None) -> Fail:
    if permanent:
        return Fail(*permanent)
    if job.failed_reason == "DeadlineExceeded":
        return Fail(Reason.RUN_TIMEOUT, Reason.RUN_TIMEOUT.meaning)
    told = last[1] if last else "Its worker left no word."
    if job.failed_reason == "PodFailurePolicy":
        return Fail(last[0] if last else Reason.WORKER_CRASHED, told)
    return _given_up(failed, last, job.parts)


def _failed(job: Job, seen: Observation) -> int:
    """How many attempts failed: the Job knows it sooner, but not of which part."""
    return max(job.failed if job.parts == 1 else 0, seen.tries.failed)


def _attempts(count: int, parts: int) -> str:
    told = "The only attempt" if count <= 1 else f"All {count} attempts"
    return told if parts == 1 else f"{told} at a part of the sound"


def _standstill(seen: Observation) -> Decision | None:
    """A worker that has shown no sign of life for too long. What it runs is not over, so its attempt is ended first."""
    limit = seen.limits.stall_seconds
    running = any(attempt.end_time is None for attempt in seen.attempts)
    if seen.job is None or not seen.job.ready or not running or seen.quiet_seconds < limit:
        return None
    return Replace(Reason.STALLED, f"The worker showed no sign of life for {limit} s.")


def _suspension(seen: Observation) -> Decision | None:
    return Suspend() if seen.spec is not None and seen.spec.suspend else None


def _running_job(seen: Observation) -> Decision | None:
    job = seen.job
    if job is None:
        return None
    if job.deleting:
        return Follow(Reason.RETRYING, "Its Job was deleted; a new one follows when that is gone.")
    if job.suspended:
        return _overdue(seen) or SUSPENDED_JOB
    if job.ready or any(pod.ready for pod in seen.own_pods):  # the Job says it a moment after its pod
        return Follow(Reason.RUNNING, Reason.RUNNING.meaning, overall(seen.entry))
    waiting = next((pod.waiting for pod in seen.pods if pod.waiting and not pod.ended), "")
    since, limit = timeouts.starting_since(job, seen.pods), seen.limits.start_seconds
    left = timeouts.left(since, limit, seen.now, seen.watched_seconds)
    if left is not None and left <= 0:
        told = f"The worker's pod did not start within {limit} s."
        return Fail(Reason.START_TIMEOUT, f"{told} {waiting}".strip())
    starting = Follow(Reason.STARTING, waiting or on_its_way(job.name))
    return _between_attempts(seen, job) or _about_to_end(seen, waiting) or starting


def _about_to_end(seen: Observation, waiting: str) -> Follow | None:
    """A worker of this Job is done, which the Job says a moment after its pod."""
    if waiting or not any(pod.exit_code == 0 for pod in seen.own_pods):
        return None
    return Follow(Reason.RUNNING, Reason.RUNNING.meaning, overall(seen.entry))


def _between_attempts(seen: Observation, job: Job) -> Follow | None:
    """An attempt has failed, and either another follows or the Job is about to say that none does."""
    last = attempts.last_words(seen.attempts, None)
    ended = {pod.name for pod in seen.own_pods if pod.ended}
    if last is None or not (job.failed or seen.attempts[-1].pod in ended):
        return None
    failed = f"Attempt {max(_failed(job, seen), 1)} failed: {last[1]}"
    if attempts.permanent(seen.attempts, None) or _spent(seen):
        return Follow(Reason.RUNNING, failed)
    return Follow(Reason.RETRYING, f"{failed} The next one follows.")


def _adoption(seen: Observation) -> Decision | None:
    if seen.job is not None or seen.retained is None or not adoptable(seen.spec, seen.entry, seen.retained):
        return None
    return Adopt(seen.retained)


def _address(seen: Observation) -> Decision | None:
    """The worker asks again, for each address that it is redirected to."""
    if seen.spec is None or seen.spec.source.url is None:
        return None
    refusal = source_urls.refusal(source_urls.host_of(seen.spec.source.url), seen.allowed_hosts)
    return Fail(Reason.SOURCE_NOT_ALLOWED, refusal) if refusal else None


def _source(seen: Observation) -> Decision | None:
    if seen.spec is None or seen.spec.source.gridfs is None:
        return None
    if not seen.source_known:
        return Await("MongoDB does not answer, so the source cannot be checked; this goes on as soon as it does.")
    file_id, source = seen.spec.source.gridfs.file_id, seen.source
    if source is None:
        return Fail(Reason.SOURCE_NOT_FOUND, f"There is no uploaded file {file_id}.")
    if source.owner != seen.spec.owner:
        return Fail(Reason.OWNER_MISMATCH, f"The uploaded file {file_id} does not belong to spec.owner.")
    if source.size > seen.source_limit:
        return Fail(
            Reason.TOO_LARGE, f"The source has {source.size} bytes; at most {seen.source_limit} bytes are allowed."
        )
    return None


def _enough(seen: Observation) -> Decision | None:
    """There is no Job (any more), and another one could do no better."""
    if seen.job is not None:
        return None
    permanent = attempts.permanent(seen.attempts, seen.entry.error if seen.entry else None)
    return Fail(*permanent) if permanent else _spent(seen)


def _admit(seen: Observation) -> Decision:
    if seen.handed_over or seen.turn.admitted:
        return Start(seen.source.size if seen.source else None, seen.tries, seen.parts)
    return _overdue(seen) or Queue(seen.turn.position, Reason.QUEUED.meaning)


def _overdue(seen: Observation) -> Fail | None:
    """Whether it has waited for its turn for too long."""
    limit = seen.limits.queue_seconds
    left = timeouts.left(timeouts.queued_since(seen.status), limit, seen.now)
    if left is None or left > 0:
        return None
    return Fail(Reason.QUEUE_TIMEOUT, f"Its turn did not come within {limit} s.")


_STEPS: Final[tuple[Callable[[Observation], Decision | None], ...]] = (
    _deletion,
    _finished,
    _ledger_away,
    _recorded,
    _division,
    _outdated_job,
    _ended_job,
    _suspension,
    _standstill,
    _running_job,
    _enough,
    _not_understood,
    _adoption,
    _address,
    _source,
)
