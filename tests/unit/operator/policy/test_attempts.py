"""The history of attempts, from pods that come, end and vanish."""

from datetime import timedelta

import pytest

from tests.builders import NOW, PodBuilder, a_conversion, a_pod
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import Attempt, ConversionStatus
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerError
from video2mp3_operator.objects.pods import Pod, parse_pod
from video2mp3_operator.policy.attempts import history, last_words, permanent, since_retry, succeeded, told_of_landlock

SAID = TerminationMessage(exit_code=75, reason="ServiceUnavailable", message="MongoDB was away.", detail="line\n" * 200)


def pods(*builders: PodBuilder) -> tuple[Pod, ...]:
    return tuple(pod for each in builders if (pod := parse_pod(each.document)))


@pytest.mark.parametrize(
    ("pod", "reason", "message"),
    [
        (a_pod().running(), "Running", ""),
        (a_pod().ended(0), "Succeeded", "The worker is done."),
        (a_pod().ended(75, SAID), "ServiceUnavailable", "MongoDB was away."),
        (a_pod().ended(75), "ServiceUnavailable", "A service that the worker needs was away."),
        (a_pod().ended(1, "Traceback"), "WorkerCrashed", "The worker ended with exit code 1."),
        (a_pod().ended(137, "", "OOMKilled"), "OutOfMemory", Reason.OUT_OF_MEMORY.meaning),
        (a_pod().ended(137).disrupted(), "Disrupted", Reason.DISRUPTED.meaning),
        (a_pod().disrupted(), "Disrupted", Reason.DISRUPTED.meaning),
        (a_pod().ended(143), "Stopped", "The worker was asked to stop."),
        (a_pod().ended(137).deleted(NOW), "Stopped", "Its pod was deleted."),
        (
            a_pod().ended(137).deleted(NOW).refused("Evicted", "Usage of EmptyDir volume exceeds the limit."),
            "OutOfDisk",
            "Evicted: Usage of EmptyDir volume exceeds the limit.",
        ),
        (
            a_pod().ended(137).refused("Evicted", "The node was low on memory.").disrupted(),
            "Disrupted",
            "Evicted: The node was low on memory.",
        ),
        (a_pod().refused("OutOfcpu", "Pod was rejected."), "NotStarted", "OutOfcpu: Pod was rejected."),
        (a_pod().refused("NodeAffinity", ""), "NotStarted", Reason.NOT_STARTED.meaning),
        (
            a_pod().with_init_failure("mesh-check", 126),
            "NotStarted",
            "Its init container mesh-check ended with exit code 126.",
        ),
        (
            a_pod().ended(65, TerminationMessage(exit_code=65, reason="NoAudio", message="No sound.")).deleted(NOW),
            "NoAudio",
            "No sound.",
        ),
        (
            a_pod().ended(65, TerminationMessage(exit_code=65, reason="<b>", message=" ")),
            "NotMedia",
            "The source cannot be converted.",
        ),
    ],
)
def test_outcome(pod: PodBuilder, reason: str, message: str) -> None:
    [attempt] = history((), pods(pod), NOW)
    assert (attempt.reason, attempt.message) == (reason, message)
    assert (attempt.end_time is None) == (reason == "Running")


def test_the_pods_own_deadline_is_a_run_timeout() -> None:
    document = a_pod().ended(137).document | {}
    document["status"]["reason"] = "DeadlineExceeded"
    [attempt] = history((), pods(PodBuilder(document)), NOW)
    assert attempt.reason == "RunTimeout"


def test_a_pod_that_has_not_started_is_no_attempt() -> None:
    assert history((), pods(a_pod(), a_pod(number=2).waiting("ErrImagePull", "no")), NOW) == ()


def test_numbers_follow_the_pods_ages_and_stay() -> None:
    first = history((), pods(a_pod(number=2).running(), a_pod(number=1).ended(75, SAID)), NOW)
    assert [(each.number, each.pod) for each in first] == [(1, "talk-pod-1"), (2, "talk-pod-2")]
    second = history(first, pods(a_pod(number=3).running(), a_pod(number=2).ended(75, SAID)), NOW)
    assert [(each.number, each.pod) for each in second] == [
        (1, "talk-pod-1"),
        (2, "talk-pod-2"),
        (3, "talk-pod-3"),
    ]
    assert second[0] == first[0]
    assert second[1].end_time == NOW


def test_a_running_attempt_whose_pod_is_gone_was_disrupted() -> None:
    running = history((), pods(a_pod().running()), NOW)
    later = NOW + timedelta(minutes=1)
    [attempt] = history(running, (), later)
    assert (attempt.reason, attempt.end_time) == ("Disrupted", later)


def test_the_history_is_bounded_and_keeps_the_latest() -> None:
    """And when an outage began, which bounds it."""
    many = pods(*(a_pod(number=number).ended(75, SAID) for number in range(1, 61)))
    kept = history((), many, NOW)
    assert [each.number for each in kept] == [1, *range(22, 61)]
    assert len(kept[0].detail) == 512


def test_history_is_stable() -> None:
    seen = pods(a_pod(number=1).ended(75, SAID), a_pod(number=2).running())
    once = history((), seen, NOW)
    assert history(once, seen, NOW + timedelta(hours=1)) == once


def test_only_the_attempt_that_made_it_succeeds() -> None:
    attempts = history((), pods(a_pod(number=1).ended(75, SAID), a_pod(number=2).running()), NOW)
    assert [each.reason for each in succeeded(attempts, "talk-pod-2", (), NOW)] == ["ServiceUnavailable", "Succeeded"]
    assert succeeded(attempts, "", (), NOW) == attempts


def error(pod: str, exit_code: int = 75) -> LedgerError:
    return LedgerError(exit_code=exit_code, reason="NoAudio", message="Told in the ledger.", pod=pod, at=NOW)


def test_last_words_are_the_pods_unless_the_ledger_has_the_same_pods() -> None:
    crashed = history((), pods(a_pod(number=1).ended(75, SAID), a_pod(number=2).ended(1)), NOW)
    assert last_words(crashed, None) == (Reason.WORKER_CRASHED, "The worker ended with exit code 1.")
    assert last_words(crashed, error("talk-pod-1")) == (Reason.WORKER_CRASHED, "The worker ended with exit code 1.")
    assert last_words(crashed, error("talk-pod-2")) == (Reason.NO_AUDIO, "Told in the ledger.")
    assert last_words((), error("talk-pod-2")) == (Reason.NO_AUDIO, "Told in the ledger.")
    assert last_words((), None) is None


def test_disruptions_have_no_words() -> None:
    attempts = history((), pods(a_pod(number=1).ended(75, SAID), a_pod(number=2).disrupted()), NOW)
    assert last_words(attempts, None) == (Reason.SERVICE_UNAVAILABLE, "MongoDB was away.")


def test_permanent_is_what_no_other_attempt_could_better() -> None:
    assert permanent((), error("p", 65)) == (Reason.NO_AUDIO, "Told in the ledger.")
    assert permanent((), error("p", 75)) is None
    assert permanent((Attempt(number=1, exit_code=66, reason="SourceNotFound", message="Gone."),), None) == (
        Reason.SOURCE_NOT_FOUND,
        "Gone.",
    )


@pytest.mark.parametrize("landlock", [True, False, None])
def test_a_worker_says_at_its_end_whether_its_node_has_landlock(landlock: bool | None) -> None:
    said = SAID.model_copy(update={"landlock": landlock})
    [attempt] = history((), pods(a_pod().ended(75, said)), NOW)
    assert attempt.landlock is landlock


@pytest.mark.parametrize("landlock", [True, False])
def test_what_the_worker_noted_when_it_began_is_told_of_its_attempt_alone(landlock: bool) -> None:
    attempts = history((), pods(a_pod(number=1).ended(75, SAID), a_pod(number=2).running()), NOW)
    opened = LedgerAttempt(token="x", pod="talk-pod-2", started_at=NOW, landlock=landlock)
    told = told_of_landlock(attempts, opened)
    assert [attempt.landlock for attempt in told] == [None, landlock]
    assert [attempt.landlock for attempt in history(told, pods(a_pod(number=2).running()), NOW)] == [None, landlock]
    assert told_of_landlock(attempts, None) == attempts


def test_new_attempts_are_numbered_after_those_that_nobody_saw_before_a_retry() -> None:
    before = (Attempt(number=1, pod="a", reason="WorkerCrashed", start_time=NOW, end_time=NOW),)
    pod = parse_pod(a_pod(a_conversion()).with_metadata(name="new").on("node-1").ended(137).document)
    assert pod is not None
    after = history(before, (pod,), NOW, 5)
    assert [attempt.number for attempt in after] == [1, 6]
    assert [attempt.number for attempt in since_retry(after, ConversionStatus(attempts_before_retry=5))] == [6]
