"""④ What is to be done about one Conversion, from what is seen of it. Pure: no clock, no network, no log.

The steps of `decide` are asked in order and the first that has an answer gives it; where none has, it wants to start.
Nothing is decided from the stored phase; that a Conversion is finished is the one thing its status is believed in,
since it never runs again, unless it failed and somebody asks for it.
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
    Record,
    Release,
    Replace,
    Rest,
    Retry,
    Start,
    Succeed,
    Suspend,
    on_its_way,
)
from video2mp3_operator.reconciler.progress import overall
from video2mp3_operator.reconciler.snapshot import Snapshot


def decide(snapshot: Snapshot) -> Decision:
    """The one thing to do now. Asked again after every change, so it never looks ahead."""
    for step in _STEPS:
        decision = step(snapshot)
        if decision is not None:
            return decision
    return admit(snapshot)


def needs_ledger(meta: ObjectMeta, job: Job | None, pods: Iterable[Pod], finished: bool) -> bool:
    """Whether the decision turns on the ledger.

    A running Job is followed by the sweep, which reads all at once, until a worker says how it ended for good.
    """
    if meta.deletion_timestamp is not None:
        return names.FINALIZER in meta.finalizers
    return not finished and (job is None or job.finished or any(_may_be_the_last(pod) for pod in pods))


def _may_be_the_last(pod: Pod) -> bool:
    return pod.exit_code == ExitCode.DONE or pod.exit_code in PERMANENT or pod.lingers


def needs_source(snapshot: Snapshot) -> bool:
    """Whether the decision turns on the source file: only before there is a Job."""
    understood = snapshot.spec is not None and not snapshot.invalid
    asked = understood and snapshot.job is None and not snapshot.finished and snapshot.meta.deletion_timestamp is None
    judged = snapshot.entry is not None and (snapshot.entry.result is not None or snapshot.entry.failure is not None)
    return asked and not judged and snapshot.ledger_known


def _deletion(snapshot: Snapshot) -> Decision | None:
    if snapshot.meta.deletion_timestamp is None:
        return None
    return Release() if names.FINALIZER in snapshot.meta.finalizers else Ignore()


def _retry(snapshot: Snapshot) -> Decision | None:
    return Retry() if snapshot.retry_requested else None


def _finished(snapshot: Snapshot) -> Decision | None:
    if not snapshot.finished:
        return None
    left = lifetime(snapshot.meta, snapshot.spec, snapshot.status, snapshot.now)
    if left and left.over and not left.managed_by:
        return Expire()
    ending = snapshot.wait is not None and snapshot.wait.awaited == Awaited.END
    return Rest(left, snapshot.left if ending else None)


def _ledger_away(snapshot: Snapshot) -> Decision | None:
    if snapshot.ledger_known or not needs_ledger(snapshot.meta, snapshot.job, snapshot.pods, finished=False):
        return None
    return Await(f"{snapshot.ledger_trouble[0].upper()}{snapshot.ledger_trouble[1:]}; this goes on as soon as it does.")


def _recorded(snapshot: Snapshot) -> Decision | None:
    """The ledger's verdict stands, whatever became of the Job."""
    entry = snapshot.entry
    if entry is None:
        return None
    if entry.result is not None:
        return Succeed(entry.result, published=entry.published("succeeded"))
    if entry.failure is not None:
        reason = outcome.reason_of(entry.failure.reason, None)
        return Fail(reason, entry.failure.message, recorded=True, published=entry.published("failed"))
    return None


def _not_understood(snapshot: Snapshot) -> Decision | None:
    """What runs goes on: whoever made its Job has understood it."""
    if snapshot.job is not None or not snapshot.invalid:
        return None
    return Hold(Reason.INVALID_SPEC, f"It waits for an operator that understands its spec: {snapshot.invalid}")


def _class(snapshot: Snapshot) -> Decision | None:
    choice = snapshot.class_choice
    if snapshot.job is not None:
        return None
    if choice.refused:
        return Fail(Reason.NOT_ALLOWED_BY_CLASS, choice.refused)
    return Hold(Reason.CLASS_NOT_FOUND, choice.waits) if choice.waits else None


def _trim(snapshot: Snapshot) -> Decision | None:
    """The API server refuses it now; it may have been let in before there was a rule."""
    trim = snapshot.spec and snapshot.spec.output.trim
    return Fail(Reason.BAD_REQUEST, f"{ORDER_COMPLAINT}.") if trim and not trim.is_in_order else None


def _division(snapshot: Snapshot) -> Decision | None:
    """The worker of whole audio has found that several should share it."""
    job = snapshot.job
    if job is None or job.deleting or not snapshot.is_split or job.parts >= snapshot.parts:
        return None
    return Replace(Reason.DIVIDED, f"The sound is long: {snapshot.parts} workers share it.")


def _suspension(snapshot: Snapshot) -> Decision | None:
    return Suspend() if snapshot.spec is not None and snapshot.spec.suspend else None


def _running_job(snapshot: Snapshot) -> Decision | None:
    job = snapshot.job
    if job is None:
        return None
    if job.deleting:
        return Follow(Reason.RETRYING, "Its Job was deleted; a new one follows when that is gone.")
    if job.suspended:
        return _overdue(snapshot) or SUSPENDED_JOB
    if snapshot.wait and snapshot.wait.awaited == Awaited.GONE:
        return Follow(Reason.RUNNING, "The worker's pod was deleted; its node has not said yet that it is gone.")
    if job.ready or any(pod.works for pod in snapshot.own_pods):  # the Job says it a moment after its pod
        return Follow(Reason.RUNNING, Reason.RUNNING.meaning, overall(snapshot.entry))
    if _no_quota(snapshot):
        return _overdue(snapshot) or Queue(None, f"Its pod finds no room in the namespace: {snapshot.job_trouble}")
    waiting = endings.waits_for(snapshot) or _last_refusal(snapshot) or on_its_way(job.name)
    return (
        endings.not_started(snapshot)
        or endings.not_followed(snapshot)
        or endings.last_attempt(snapshot, job)
        or endings.between_attempts(snapshot, job)
        or endings.about_to_end(snapshot)
        or Follow(Reason.STARTING, waiting)
    )


def _no_quota(snapshot: Snapshot) -> bool:
    """Whether its Job gets no pod since a ResourceQuota is used up: that is a queue like any other."""
    return bool(snapshot.job_trouble) and not snapshot.own_pods and "exceeded quota" in snapshot.job_trouble


def _last_refusal(snapshot: Snapshot) -> str:
    """Why the pod before was not started, while the next one is on its way."""
    last = snapshot.attempts[-1] if snapshot.attempts else None
    return last.message if last and last.reason == Reason.NOT_STARTED else ""


def _adoption(snapshot: Snapshot) -> Decision | None:
    if (
        snapshot.job is not None
        or snapshot.retained is None
        or not adoptable(snapshot.spec, snapshot.entry, snapshot.retained)
    ):
        return None
    return Adopt(snapshot.retained)


def _address(snapshot: Snapshot) -> Decision | None:
    """The worker asks again, for each address that it is redirected to."""
    if snapshot.spec is None or snapshot.spec.source.url is None:
        return None
    refusal = source_urls.refusal(source_urls.host_of(snapshot.spec.source.url), snapshot.allowed_hosts)
    return Fail(Reason.SOURCE_NOT_ALLOWED, refusal) if refusal else None


def _source(snapshot: Snapshot) -> Decision | None:
    if snapshot.spec is None or snapshot.spec.source.gridfs is None:
        return None
    if not snapshot.source_known:
        return Await("MongoDB does not answer, so the source cannot be checked; this goes on as soon as it does.")
    file_id, source = snapshot.spec.source.gridfs.file_id, snapshot.source
    if source is None:
        return Fail(Reason.SOURCE_NOT_FOUND, f"There is no uploaded file {file_id}.")
    if source.owner != snapshot.spec.owner:
        return Fail(Reason.OWNER_MISMATCH, _mismatch(file_id, source.owner, snapshot.spec.owner))
    if source.size > snapshot.source_limit:
        return Fail(
            Reason.TOO_LARGE,
            f"The source has {source.size} bytes; worker.maxSourceBytes allows {snapshot.source_limit}.",
        )
    return None


def _mismatch(file_id: str, belongs_to: str, owner: str) -> str:
    """Whose the file is, is not said: who asks may be nobody who is to know."""
    if not belongs_to:
        return f"The uploaded file {file_id} belongs to nobody, and spec.owner is {owner}: it must not be set."
    if owner:
        return f"The uploaded file {file_id} does not belong to spec.owner, {owner}, but to somebody else."
    return f"The uploaded file {file_id} belongs to an account, and spec.owner is not set: it must name that account."


def admit(snapshot: Snapshot) -> Decision:
    """What nothing keeps from starting: starts, or waits for its turn. Who has not asked for one wants to start."""
    admitted = snapshot.handed_over or (snapshot.turn is not None and snapshot.turn.admitted)
    if admitted and not snapshot.class_choice.recorded:
        return Record()
    if admitted or snapshot.turn is None:
        return Start(snapshot.source.size if snapshot.source else None, snapshot.retry_state, snapshot.parts)
    return _overdue(snapshot) or Queue(snapshot.turn.position, _last_refusal(snapshot) or Reason.QUEUED.meaning)


def _overdue(snapshot: Snapshot) -> Fail | None:
    """Whether it has waited for its turn for too long."""
    limit = snapshot.limits.queue_seconds
    left = timeouts.left(timeouts.queued_since(snapshot.status), limit, snapshot.now)
    if left is None or left > 0:
        return None
    return Fail(Reason.QUEUE_TIMEOUT, f"Its turn did not come within timeouts.queueSeconds, {limit} s.")


_STEPS: Final[tuple[Callable[[Snapshot], Decision | None], ...]] = (
    _deletion,
    _retry,
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
    _class,
    _trim,
    _adoption,
    _address,
    _source,
)
