"""When a Job makes way for another, and what becomes of the attempts."""

import pytest

from tests.builders import NOW, a_conversion, a_pod
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import live, status
from video2mp3_contracts.api import names
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import Attempt
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy.retry import RetryState, retry_state

BACKOFF = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]
KILLED_CHILD = TerminationMessage(exit_code=75, reason="OutOfMemory", message="ffmpeg was ended.")


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([], RetryState()),
        ([Reason.NOT_MEDIA, Reason.WORKER_CRASHED], RetryState(failed=2)),
        ([Reason.SERVICE_UNAVAILABLE, Reason.LOST, Reason.NOT_STARTED], RetryState()),
        ([Reason.DISRUPTED, Reason.SUCCEEDED, Reason.STOPPED], RetryState()),
        ([Reason.STALLED, Reason.WORKER_CRASHED], RetryState(failed=2, generation=1)),
        ([Reason.OUT_OF_MEMORY, Reason.STALLED], RetryState(failed=2, generation=2, out_of_memory=1)),
    ],
)
def test_tries(reasons: list[Reason], expected: RetryState) -> None:
    ended = tuple(Attempt(number=n, reason=reason, end_time=NOW) for n, reason in enumerate(reasons))
    assert retry_state((*ended, Attempt(number=99, reason=Reason.OUT_OF_MEMORY))) == expected


def limits(world: World, key: Key) -> tuple[str, str, int]:
    """Generation and memory of the present Job, and the attempts it has left after its first."""
    job = world.job_of(key)
    [container] = job["spec"]["template"]["spec"]["containers"]
    generation = job["metadata"]["labels"][names.LABEL_JOB_GENERATION]
    return generation, container["resources"]["limits"]["memory"], job["spec"]["backoffLimit"]


def run_out(world: World, operator: Operator, key: Key, number: int) -> None:
    """The n-th attempt is ended for its memory."""
    pod = a_pod(number=number).ended(137, reason="OOMKilled").versioned(500 + number)
    world.pods[Key("media", f"pod-{number}")] = pod.document
    world.set_job_status(key, active=1, failed=1)
    live(world, operator)


def test_a_pod_ended_for_its_memory_is_tried_again_with_more() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    assert limits(world, key) == ("0", "512Mi", 3)
    run_out(world, operator, key, 1)
    assert limits(world, key) == ("1", "1024Mi", 2)
    run_out(world, operator, key, 2)
    assert limits(world, key) == ("2", "2048Mi", 1)
    assert [each["reason"] for each in status(world, key)["attempts"]] == ["OutOfMemory"] * 2
    world.work(key)
    live(world, operator)
    assert status(world, key)["phase"] == "Succeeded"


def test_at_the_ceiling_it_is_given_up() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world, worker_memory_ceiling="1Gi")
    run_out(world, operator, key, 1)
    run_out(world, operator, key, 2)
    told = status(world, key)
    assert (told["reason"], told["message"]) == (
        "OutOfMemory",
        "All 2 attempts failed. The last one had 1024Mi of memory, which is the most.",
    )
    assert (world.jobs, [message.reason for message in world.queue]) == ({}, ["OutOfMemory"])


def test_the_attempts_are_bounded_over_all_jobs() -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(retryLimit=1))
    operator = live(world)
    run_out(world, operator, key, 1)
    assert limits(world, key) == ("1", "1024Mi", 0)
    run_out(world, operator, key, 2)
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("OutOfMemory", 2)


def test_no_other_try_where_none_is_allowed() -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(retryLimit=0))
    operator = live(world)
    world.set_job_status(key, conditions=BACKOFF)
    run_out(world, operator, key, 1)
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("OutOfMemory", 1)


def test_a_worker_whose_ffmpeg_was_ended_for_memory_says_so_itself() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.pods[Key("media", "pod")] = a_pod().ended(75, KILLED_CHILD).versioned(500).document
    world.set_job_status(key, active=1, failed=1)
    live(world, operator)
    assert limits(world, key) == ("1", "1024Mi", 2)


def test_stopping_it_by_hand_again_and_again_uses_up_no_attempts() -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(retryLimit=0))
    operator = live(world)
    stopped = TerminationMessage(exit_code=75, reason="Stopped", message="It was asked to stop.")
    for number in (1, 2, 3):
        world.change(key, {"spec": {"suspend": True}})
        world.pods[Key("media", f"pod-{number}")] = (
            a_pod(number=number).ended(75, stopped).versioned(500 + number).document
        )
        live(world, operator)
        world.change(key, {"spec": {"suspend": False}})
        live(world, operator)
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Starting", 4)
