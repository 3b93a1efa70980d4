"""④ What is to be done about one Conversion, from what is seen of it. Pure: no clock, no network, no log.

The steps of `decide` are asked in order and the first that has an answer gives it. Nothing is decided from the stored
phase; that a Conversion is finished is the one thing its status is believed in, since it never runs again.
"""

from collections.abc import Callable, Iterable
from typing import Final

from video2mp3_contracts.api import names, source_urls
from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.output import ORDER_COMPLAINT
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import PERMANENT, ExitCode
from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.pods import Pod
from video2mp3_operator.policy import outcome, timeouts
from video2mp3_operator.policy.result_reuse import adoptable
from video2mp3_operator.policy.timeouts import Awaited
from video2mp3_operator.policy.ttl import lifetime
from video2mp3_operator.reconciler import endings
from video2mp3_operator.reconciler.decisions import (
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
from video2mp3_operator.reconciler.progress import overall
from video2mp3_operator.reconciler.snapshot import Observation


def decide(seen: Observation) -> Decision:
    """The one thing to do now. Asked again after every change, so it never looks ahead."""
    for step in _STEPS:
        decision = step(seen)
        if decision is not None:
            return decision
    return _admit(seen)


def needs_ledger(meta: ObjectMeta, job: Job | None, pods: Iterable[Pod], finished: bool) -> bool:
    """Whether the decision turns on the ledger.

    A running Job is followed by the sweep, which reads all at once, until a worker says how it ended for good.
    """
    if meta.deletion_timestamp is not None:
        return names.FINALIZER in meta.finalizers
    return not finished and (job is None or job.finished or any(_may_be_the_last(pod) for pod in pods))


def _may_be_the_last(pod: Pod) -> bool:
    return pod.exit_code == ExitCode.DONE or pod.exit_code in PERMANENT or pod.lingers


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
    if left and left.over and not left.managed_by:
        return Expire()
    ending = seen.wait is not None and seen.wait.awaited == Awaited.END
    return Rest(left, seen.left if ending else None)


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
        reason = outcome.reason_of(entry.failure.reason, None)
        return Fail(reason, entry.failure.message, recorded=True, published=entry.published("failed"))
    return None


def _not_understood(seen: Observation) -> Decision | None:
    """What runs goes on: whoever made its Job has understood it."""
    if seen.job is not None or not seen.invalid:
        return None
    return Hold(Reason.INVALID_SPEC, f"It waits for an operator that understands its spec: {seen.invalid}")


def _trim(seen: Observation) -> Decision | None:
    """The API server refuses it now; it may have been let in before there was a rule."""
    trim = seen.spec and seen.spec.output.trim
    return Fail(Reason.BAD_REQUEST, f"{ORDER_COMPLAINT}.") if trim and not trim.is_in_order else None


def _division(seen: Observation) -> Decision | None:
    """The worker of a whole sound has found that several should share it."""
    job = seen.job
    if job is None or job.deleting or not seen.divided or job.parts >= seen.parts:
        return None
    return Replace(Reason.DIVIDED, f"The sound is long: {seen.parts} workers share it.")


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
    if seen.wait and seen.wait.awaited == Awaited.GONE:
        return Follow(Reason.RUNNING, "The worker's pod was deleted; its node has not said yet that it is gone.")
    if job.ready or any(pod.works for pod in seen.own_pods):  # the Job says it a moment after its pod
        return Follow(Reason.RUNNING, Reason.RUNNING.meaning, overall(seen.entry))
    if _no_quota(seen):
        return _overdue(seen) or Queue(None, f"Its pod finds no room in the namespace: {seen.job_trouble}")
    waiting = endings.waits_for(seen) or _last_refusal(seen) or on_its_way(job.name)
    return (
        endings.not_started(seen)
        or endings.not_followed(seen)
        or endings.last_attempt(seen, job)
        or endings.between_attempts(seen, job)
        or endings.about_to_end(seen)
        or Follow(Reason.STARTING, waiting)
    )


def _no_quota(seen: Observation) -> bool:
    """Whether its Job gets no pod since a ResourceQuota is used up: that is a queue like any other."""
    return bool(seen.job_trouble) and not seen.own_pods and "exceeded quota" in seen.job_trouble


def _last_refusal(seen: Observation) -> str:
    """Why the pod before was not started, while the next one is on its way."""
    last = seen.attempts[-1] if seen.attempts else None
    return last.message if last and last.reason == Reason.NOT_STARTED else ""


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
        return Fail(Reason.OWNER_MISMATCH, _mismatch(file_id, source.owner, seen.spec.owner))
    if source.size > seen.source_limit:
        return Fail(
            Reason.TOO_LARGE, f"The source has {source.size} bytes; worker.maxSourceBytes allows {seen.source_limit}."
        )
    return None


def _mismatch(file_id: str, belongs_to: str, owner: str) -> str:
    """Whose the file is, is not said: who asks may be nobody who is to know."""
    if not belongs_to:
        return f"The uploaded file {file_id} belongs to nobody, and spec.owner is {owner}: it must not be set."
    if owner:
        return f"The uploaded file {file_id} does not belong to spec.owner, {owner}, but to somebody else."
    return f"The uploaded file {file_id} belongs to an account, and spec.owner is not set: it must name that account."


def _admit(seen: Observation) -> Decision:
    if seen.handed_over or seen.turn.admitted:
        return Start(seen.source.size if seen.source else None, seen.tries, seen.parts)
    return _overdue(seen) or Queue(seen.turn.position, _last_refusal(seen) or Reason.QUEUED.meaning)


def _overdue(seen: Observation) -> Fail | None:
    """Whether it has waited for its turn for too long."""
    limit = seen.limits.queue_seconds
    left = timeouts.left(timeouts.queued_since(seen.status), limit, seen.now)
    if left is None or left > 0:
        return None
    return Fail(Reason.QUEUE_TIMEOUT, f"Its turn did not come within timeouts.queueSeconds, {limit} s.")


_STEPS: Final[tuple[Callable[[Observation], Decision | None], ...]] = (
    _deletion,
    _finished,
    _ledger_away,
    _recorded,
    _division,
    endings.outdated_job,
    endings.ended_job,
    _suspension,
    endings.standstill,
    endings.too_often_disrupted,
    endings.lost,
    endings.lingering,
    _running_job,
    endings.enough,
    _not_understood,
    _trim,
    _adoption,
    _address,
    _source,
)
