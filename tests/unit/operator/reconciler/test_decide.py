"""What the operator decides, in every case there is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import (
    FILE_ID,
    NOW,
    OWNER,
    ConversionBuilder,
    EntryBuilder,
    JobBuilder,
    PodBuilder,
    a_conversion,
    a_job,
    a_pod,
    a_result,
    an_entry,
)
from video2mp3_contracts.api.conversion import ConversionSpec, ObjectMeta
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import ConversionStatus, Progress
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_operator.objects.jobs import parse_job
from video2mp3_operator.objects.pods import parse_pod
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.policy import attempts
from video2mp3_operator.reconciler.decide import decide, needs_ledger, needs_source
from video2mp3_operator.reconciler.decisions import (
    Await,
    Decision,
    Fail,
    Follow,
    Hold,
    Ignore,
    Queue,
    Release,
    Rest,
    Start,
    Succeed,
    Suspend,
)
from video2mp3_operator.reconciler.snapshot import Snapshot
from video2mp3_operator.scheduling.ordering import Turn

ON_THE_WEB = a_conversion().with_spec(source={"gridfs": None, "url": "https://media.example.com/film.mp4"})
SOURCE = SourceFile(owner=OWNER, size=1000)
ADMITTED = Turn(admitted=True)


def observing(
    conversion: ConversionBuilder | None = None,
    job: JobBuilder | None = None,
    *pods: PodBuilder,
    entry: EntryBuilder | None = None,
    **more: Any,
) -> Snapshot:
    document: Mapping[str, Any] = (conversion or a_conversion()).document
    status = ConversionStatus.model_validate(document["status"])
    parsed = tuple(pod for each in pods if (pod := parse_pod(each.document)))
    return Snapshot(
        meta=ObjectMeta.model_validate(document["metadata"]),
        spec=ConversionSpec.model_validate(document["spec"]),
        status=status,
        now=NOW,
        job=parse_job(job.document) if job else None,
        pods=parsed,
        history=attempts.history(status.attempts, parsed, NOW),
        entry=entry.entry if entry else None,
        **({"source": SOURCE, "source_limit": 10_000} | more),
    )


def said(exit_code: int, reason: str, message: str) -> TerminationMessage:
    return TerminationMessage(exit_code=exit_code, reason=reason, message=message)


NO_AUDIO = said(65, "NoAudio", "It has no sound.")
AWAY = said(75, "ServiceUnavailable", "MongoDB was away.")
SUCCESS = Succeed(a_result(), published=False)

CASES: dict[str, tuple[Snapshot, Decision]] = {
    # --- deletion comes before all else ---
    "deleted and held": (observing(a_conversion().deleted()), Release()),
    "deleted and not held by us": (
        observing(a_conversion().deleted().with_metadata(finalizers=["others.example.com/x"])),
        Ignore(),
    ),
    "deleted after its verdict": (observing(a_conversion().succeeded().deleted()), Release()),
    "deleted while it runs": (observing(a_conversion().deleted(), a_job().active(ready=1)), Release()),
    # --- a verdict is final ---
    "succeeded before": (observing(a_conversion().succeeded()), Rest()),
    "succeeded before, its Job failed since": (observing(a_conversion().succeeded(), a_job().failed()), Rest()),
    "failed before": (observing(a_conversion().failed()), Rest()),
    "failed before, suspended since": (observing(a_conversion().failed().suspended()), Rest()),
    # --- the ledger ---
    "ledger away before there is a Job": (
        observing(ledger_known=False, turn=ADMITTED),
        Await("MongoDB does not answer; this goes on as soon as it does."),
    ),
    "ledger away after the Job's end": (
        observing(None, a_job().complete(), ledger_known=False),
        Await("MongoDB does not answer; this goes on as soon as it does."),
    ),
    "ledger away while the Job runs": (
        observing(None, a_job().active(ready=1), ledger_known=False),
        Follow(Reason.RUNNING, Reason.RUNNING.meaning),
    ),
    "result while the Job still runs": (
        observing(None, a_job().active(ready=1), entry=an_entry().with_result()),
        SUCCESS,
    ),
    "result, Job complete": (observing(None, a_job().complete(), entry=an_entry().with_result()), SUCCESS),
    "result, Job failed": (observing(None, a_job().failed(), entry=an_entry().with_result()), SUCCESS),
    "result, Job gone": (observing(entry=an_entry().with_result()), SUCCESS),
    "result and its message published": (
        observing(entry=an_entry().with_result(published=True)),
        Succeed(a_result(), published=True),
    ),
    "result, suspended meanwhile": (observing(a_conversion().suspended(), entry=an_entry().with_result()), SUCCESS),
    "result wins over a failure": (observing(entry=an_entry().with_failure().with_result()), SUCCESS),
    "failure recorded, status not told yet": (
        observing(entry=an_entry().with_failure("NoAudio")),
        Fail(Reason.NO_AUDIO, "No media.", recorded=True),
    ),
    "failure recorded and published": (
        observing(entry=an_entry().with_failure("NoAudio", published=True)),
        Fail(Reason.NO_AUDIO, "No media.", recorded=True, published=True),
    ),
    # --- what cannot be done ---
    "spec that is not understood": (
        replace(observing(turn=ADMITTED), invalid="spec.colour: unknown field"),
        Hold(Reason.INVALID_SPEC, "It waits for an operator that understands its spec: spec.colour: unknown field"),
    ),
    "spec whose source is not understood": (
        replace(observing(turn=ADMITTED), spec=None, invalid="spec.source: no"),
        Hold(Reason.INVALID_SPEC, "It waits for an operator that understands its spec: spec.source: no"),
    ),
    "spec that is not understood, and runs": (
        replace(observing(None, a_job().active(ready=1)), invalid="spec.colour: unknown field"),
        Follow(Reason.RUNNING, Reason.RUNNING.meaning),
    ),
    "spec that is not understood, suspended": (
        replace(observing(a_conversion().suspended()), invalid="spec.colour: unknown field"),
        Suspend(),
    ),
    "spec that is not understood, and an mp3 of the same otherwise": (
        replace(
            observing(turn=ADMITTED, retained=an_entry().with_result().entry), invalid="spec.colour: unknown field"
        ),
        Hold(Reason.INVALID_SPEC, "It waits for an operator that understands its spec: spec.colour: unknown field"),
    ),
    # --- the Job's end without a result ---
    "complete without a result": (
        observing(None, a_job().complete()),
        Fail(Reason.WORKER_CRASHED, "The worker said it was done, but the ledger has no result."),
    ),
    "permanent failure, the pod's words": (
        observing(None, a_job().failed("PodFailurePolicy", attempts=1), a_pod().ended(65, NO_AUDIO)),
        Fail(Reason.NO_AUDIO, "It has no sound."),
    ),
    "permanent failure, the ledger's words": (
        observing(
            None,
            a_job().failed("PodFailurePolicy", attempts=1),
            entry=an_entry().with_error(65, "Encrypted", "It is encrypted."),
        ),
        Fail(Reason.ENCRYPTED, "It is encrypted."),
    ),
    "permanent failure, no words but the exit code": (
        observing(None, a_job().failed("PodFailurePolicy", attempts=1), a_pod().ended(66)),
        Fail(Reason.SOURCE_NOT_FOUND, "There is no such source file."),
    ),
    "permanent failure, no witness at all": (
        observing(None, a_job().failed("PodFailurePolicy", attempts=1)),
        Fail(Reason.WORKER_CRASHED, "Its worker left no word."),
    ),
    "all attempts failed": (
        observing(None, a_job().failed(attempts=4), a_pod(number=4).ended(1)),
        Fail(Reason.RETRIES_EXHAUSTED, "All 4 attempts failed. The last one: The worker ended with exit code 1."),
    ),
    "the only attempt failed": (
        observing(None, a_job().failed(attempts=1), a_pod().ended(1)),
        Fail(Reason.RETRIES_EXHAUSTED, "The only attempt failed. The last one: The worker ended with exit code 1."),
    ),
    "the Job's deadline": (
        observing(None, a_job().failed("DeadlineExceeded"), a_pod().running()),
        Fail(Reason.RUN_TIMEOUT, Reason.RUN_TIMEOUT.meaning),
    ),
    "every attempt ran for too long": (
        observing(None, a_job().failed(attempts=4), a_pod().out_of_time()),
        Fail(Reason.RUN_TIMEOUT, f"All 4 attempts failed. The last one: {Reason.RUN_TIMEOUT.meaning}"),
    ),
    "suspended after its Job failed": (
        observing(a_conversion().suspended(), a_job().failed("PodFailurePolicy"), a_pod().ended(65, NO_AUDIO)),
        Fail(Reason.NO_AUDIO, "It has no sound."),
    ),
    # --- suspension ---
    "suspended before it began": (observing(a_conversion().suspended(), turn=ADMITTED), Suspend()),
    "suspended while it runs": (observing(a_conversion().suspended(), a_job().active(ready=1)), Suspend()),
    # --- the Job is there ---
    "Job just created": (
        observing(None, a_job()),
        Follow(Reason.STARTING, f"Its Job {a_job().document['metadata']['name']} exists and its pod is on the way."),
    ),
    "pod cannot start": (
        observing(None, a_job().active(), a_pod().waiting("ErrImagePull", "no such image")),
        Follow(Reason.STARTING, "ErrImagePull: no such image"),
    ),
    "worker runs": (
        observing(None, a_job().active(ready=1), a_pod().running(), entry=an_entry().at_percent(40)),
        Follow(Reason.RUNNING, Reason.RUNNING.meaning, Progress(percent=40, updated_at=NOW)),
    ),
    "worker runs, and the Job does not tell yet": (
        observing(None, a_job().active(), a_pod().created(NOW).running()),
        Follow(Reason.RUNNING, Reason.RUNNING.meaning),
    ),
    "worker of the Job before still runs": (
        observing(None, a_job().active(), a_pod().of_another_job().running()),
        Follow(Reason.STARTING, f"Its Job {a_job().document['metadata']['name']} exists and its pod is on the way."),
    ),
    "between two attempts": (
        observing(None, a_job().active(failed=1), a_pod().ended(75, AWAY)),
        Follow(Reason.RETRYING, "Attempt 1 failed: MongoDB was away. The next one follows."),
    ),
    "worker done, and the Job does not tell yet": (
        observing(None, a_job().active(), a_pod().created(NOW).ended(0), entry=an_entry().at_percent(100)),
        Follow(Reason.RUNNING, Reason.RUNNING.meaning, Progress(percent=100, updated_at=NOW)),
    ),
    "attempt failed, and the Job does not tell yet": (
        observing(None, a_job().active(), a_pod().created(NOW).ended(75, AWAY)),
        Follow(Reason.RETRYING, "Attempt 1 failed: MongoDB was away. The next one follows."),
    ),
    "attempt failed for good, and the Job does not tell yet": (
        observing(None, a_job().active(), a_pod().created(NOW).ended(65, NO_AUDIO)),
        Fail(Reason.NO_AUDIO, "It has no sound.", job_ends=True),
    ),
    "last attempt failed, and the Job does not tell yet": (
        observing(a_conversion().with_spec(retryLimit=0), a_job().active(), a_pod().created(NOW).ended(1)),
        Fail(
            Reason.RETRIES_EXHAUSTED,
            "The only attempt failed. The last one: The worker ended with exit code 1.",
            job_ends=True,
        ),
    ),
    "last attempt failed, and its pod may still say that it was disrupted": (
        observing(
            a_conversion().with_spec(retryLimit=0), a_job().active(), a_pod().created(NOW).ended(1).kept_by_a_sidecar()
        ),
        Follow(Reason.RUNNING, "Attempt 1 failed: The worker ended with exit code 1."),
    ),
    "an attempt of a Job before this one failed": (
        observing(None, a_job().active(), a_pod().of_another_job().ended(75, AWAY)),
        Follow(Reason.STARTING, f"Its Job {a_job().document['metadata']['name']} exists and its pod is on the way."),
    ),
    "pod evicted, and the next is on its way": (
        observing(None, a_job().active(), a_pod().created(NOW).disrupted()),
        Follow(Reason.STARTING, f"Its Job {a_job().document['metadata']['name']} exists and its pod is on the way."),
    ),
    "Job deleted by hand": (
        observing(None, a_job().active(ready=1).deleted()),
        Follow(Reason.RETRYING, "Its Job was deleted; a new one follows when that is gone."),
    ),
    "failed Job being deleted": (
        observing(None, a_job().failed().deleted()),
        Follow(Reason.RETRYING, "Its Job was deleted; a new one follows when that is gone."),
    ),
    "Job suspended by its queue": (
        observing(None, a_job().suspended()),
        Queue(None, "Its Job is suspended; whoever suspended it (Kueue, for example) starts it."),
    ),
    # --- the source ---
    "source cannot be looked at": (
        observing(source=None, source_known=False),
        Await("MongoDB does not answer, so the source cannot be checked; this goes on as soon as it does."),
    ),
    "source missing": (
        observing(source=None, turn=ADMITTED),
        Fail(Reason.SOURCE_NOT_FOUND, f"There is no uploaded file {FILE_ID}."),
    ),
    "source is somebody else's": (
        observing(source=SourceFile("b@example.com", 1), turn=ADMITTED),
        Fail(
            Reason.OWNER_MISMATCH,
            f"The uploaded file {FILE_ID} does not belong to spec.owner, {OWNER}, but to somebody else.",
        ),
    ),
    "source is nobody's, the Conversion somebody's": (
        observing(source=SourceFile("", 1), turn=ADMITTED),
        Fail(
            Reason.OWNER_MISMATCH,
            f"The uploaded file {FILE_ID} belongs to nobody, and spec.owner is {OWNER}: it must not be set.",
        ),
    ),
    "source is somebody's, the Conversion nobody's": (
        observing(a_conversion().owned_by(""), turn=ADMITTED),
        Fail(
            Reason.OWNER_MISMATCH,
            f"The uploaded file {FILE_ID} belongs to an account, and spec.owner is not set: it must name that account.",
        ),
    ),
    "source too large": (
        observing(source=SourceFile(OWNER, 10_001)),
        Fail(Reason.TOO_LARGE, "The source has 10001 bytes; worker.maxSourceBytes allows 10000."),
    ),
    "source on the web, and no host allowed": (
        observing(ON_THE_WEB, turn=ADMITTED),
        Fail(
            Reason.SOURCE_NOT_ALLOWED,
            "This installation fetches no sources from URLs; worker.urlSources.allowedHosts would name the hosts.",
        ),
    ),
    "source on the web, another host allowed": (
        observing(ON_THE_WEB, allowed_hosts=("example.com",), turn=ADMITTED),
        Fail(
            Reason.SOURCE_NOT_ALLOWED,
            "This installation does not fetch from media.example.com: worker.urlSources.allowedHosts does not name it.",
        ),
    ),
    "source on the web, its turn has come": (
        observing(ON_THE_WEB, allowed_hosts=("*.example.com",), source=None, source_known=False, turn=ADMITTED),
        Start(None),
    ),
    "source on the web, its host not allowed any more while its Job runs": (
        observing(ON_THE_WEB, a_job().active(ready=1)),
        Follow(Reason.RUNNING, Reason.RUNNING.meaning),
    ),
    "source on the web whose server stays away": (
        observing(
            ON_THE_WEB,
            a_job().failed("BackoffLimitExceeded", attempts=4),
            a_pod().ended(75, said(75, "SourceUnavailable", "media.example.com answered 503.")),
        ),
        Fail(Reason.SOURCE_UNAVAILABLE, "All 4 attempts failed. The last one: media.example.com answered 503."),
    ),
    # --- its turn ---
    "not its turn, place unknown": (observing(), Queue(None, Reason.QUEUED.meaning)),
    "not its turn": (observing(turn=Turn(admitted=False, position=7)), Queue(7, Reason.QUEUED.meaning)),
    "its turn": (observing(turn=ADMITTED), Start(1000)),
    "handed over to Kueue": (observing(handed_over=True), Start(1000)),
    "Job vanished after it failed for good": (
        observing(entry=an_entry().with_error(65, "NoAudio", "It has no sound."), turn=ADMITTED),
        Fail(Reason.NO_AUDIO, "It has no sound."),
    ),
    "Job vanished after it was asked to stop": (
        observing(entry=an_entry().with_error(75, "Stopped", "It was asked to stop."), turn=ADMITTED),
        Start(1000),
    ),
    "Job vanished without a result": (observing(entry=an_entry().attempted(), turn=ADMITTED), Start(1000)),
}


@pytest.mark.parametrize("case", CASES)
def test_decide(case: str) -> None:
    seen, expected = CASES[case]
    assert decide(seen) == expected


@pytest.mark.parametrize(
    ("job", "pods", "finished", "expected"),
    [
        (None, (), False, True),
        (a_job().active(ready=1), (), False, False),
        (a_job().active(ready=1), (a_pod().running(),), False, False),
        (a_job().active(ready=1), (a_pod().ended(0),), False, True),
        (a_job().active(ready=1), (a_pod().ended(75),), False, False),
        (a_job().complete(), (), False, True),
        (a_job().failed(), (), False, True),
        (None, (), True, False),
        (a_job().complete(), (a_pod().ended(0),), True, False),
    ],
)
def test_the_ledger_is_asked_only_where_the_decision_turns_on_it(
    job: JobBuilder | None, pods: tuple[PodBuilder, ...], finished: bool, expected: bool
) -> None:
    seen = observing(None, job, *pods)
    assert needs_ledger(seen.meta, seen.job, seen.pods, finished) is expected


def test_a_deletion_asks_the_ledger_whatever_else_is() -> None:
    meta = ObjectMeta.model_validate(a_conversion().deleted().document["metadata"])
    assert needs_ledger(meta, None, (), finished=True)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (observing(), True),
        (observing(None, a_job()), False),
        (observing(entry=an_entry().with_result()), False),
        (observing(entry=an_entry().with_failure()), False),
        (observing(ledger_known=False), False),
        (observing(a_conversion().succeeded()), False),
        (observing(a_conversion().deleted(NOW - timedelta(seconds=1))), False),
    ],
)
def test_the_source_is_looked_at_only_before_there_is_a_job(seen: Snapshot, expected: bool) -> None:
    assert needs_source(seen) is expected
