"""How long a Conversion may wait."""

from datetime import datetime, timedelta

import pytest

from tests.builders import NOW, JobBuilder, PodBuilder, a_conversion, a_job, a_pod, at
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import live, status
from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_operator.objects.jobs import parse_job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.pods import parse_pod
from video2mp3_operator.policy.timeouts import Limits, left, starting_since
from video2mp3_operator.reconciler.job import KUEUE_QUEUE_LABEL

CREATED = NOW - timedelta(seconds=59)
STARTED = NOW - timedelta(seconds=5)


def test_the_spec_comes_before_the_installation() -> None:
    def limits(**timeouts: int) -> Limits:
        spec = a_conversion().with_spec(timeouts=timeouts).document["spec"]
        return Limits(10, 20).of(ConversionSpec.model_validate(spec))

    assert limits() == Limits(10, 20)
    assert limits(queueSeconds=1) == Limits(1, 20)
    assert limits(startSeconds=2) == Limits(10, 2, asked_start=True)
    assert Limits(10, 20).of(None) == Limits(10, 20)


@pytest.mark.parametrize(
    ("since", "expected"), [(None, None), (NOW, 60), (NOW - timedelta(seconds=60), 0), (NOW + timedelta(hours=1), 3660)]
)
def test_what_is_left(since: datetime | None, expected: float | None) -> None:
    assert left(since, 60, NOW) == expected


@pytest.mark.parametrize(
    ("job", "pods", "expected"),
    [
        (a_job(), [], None),
        (a_job().active(), [], STARTED),
        (a_job().active(), [a_pod()], CREATED),
        (a_job().active(), [a_pod().waiting("ErrImagePull", "no")], CREATED),
        (a_job().active(), [a_pod().disrupted(), a_pod(number=2)], CREATED + timedelta(seconds=1)),
        (a_job().active(), [a_pod().running()], None),
        (a_job().active(ready=1), [a_pod()], None),
        (a_job().active(failed=1), [a_pod().ended(75)], None),
        (a_job().active(failed=1), [a_pod().ended(75), a_pod(number=2)], CREATED + timedelta(seconds=1)),
        (a_job().active(failed=1), [], None),
        (a_job().active().suspended(), [], None),
        (a_job().active().deleted(), [a_pod()], None),
        (a_job().failed(), [a_pod()], None),
    ],
)
def test_since_when_a_pod_is_waited_for(job: JobBuilder, pods: list[PodBuilder], expected: datetime | None) -> None:
    seen = parse_job(job.document)
    assert seen
    assert starting_since(seen, tuple(pod for each in pods if (pod := parse_pod(each.document)))) == expected


def reason(world: World, key: Key) -> str:
    return str(status(world, key)["reason"])


def test_a_turn_that_does_not_come_in_time() -> None:
    world = World()
    world.apply(a_conversion("first"))
    key = world.apply(a_conversion("second").with_spec(timeouts={"queueSeconds": 60}))
    live(world, max_running=1)
    world.pass_time(seconds=59)
    live(world, max_running=1)
    assert (reason(world, key), status(world, key)["queue"]) == ("Queued", {"position": 1, "since": at(NOW)})
    world.pass_time(seconds=1)
    live(world, max_running=1)
    assert (reason(world, key), status(world, key)["message"]) == (
        "QueueTimeout",
        "Its turn did not come within timeouts.queueSeconds, 60 s.",
    )
    assert [message.reason for message in world.queue] == ["QueueTimeout"]


def test_a_suspension_begins_the_time_anew() -> None:
    world = World()
    world.apply(a_conversion("first"))
    key = world.apply(a_conversion("second"))
    live(world, max_running=1, queue_seconds=60)
    world.change(key, {"spec": {"suspend": True}})
    live(world, max_running=1, queue_seconds=60)
    world.pass_time(seconds=60)
    world.change(key, {"spec": {"suspend": False}})
    live(world, max_running=1, queue_seconds=60)
    assert reason(world, key) == "Queued"


def test_time_goes_on_while_mongodb_is_away() -> None:
    world = World()
    world.apply(a_conversion("first"))
    key = world.apply(a_conversion("second"))
    live(world, max_running=1, queue_seconds=60)
    world.away.add("mongodb")
    world.pass_time(seconds=61)
    live(world, max_running=1, queue_seconds=60)
    assert reason(world, key) == "ServiceUnavailable"
    world.away.clear()
    live(world, max_running=1, queue_seconds=60)
    assert reason(world, key) == "QueueTimeout"


def test_a_queue_that_is_not_ours_has_the_same_time() -> None:
    world = World()
    key = world.apply(a_conversion().with_metadata(labels={KUEUE_QUEUE_LABEL: "audio"}))
    live(world, queue_seconds=60)
    world.pass_time(seconds=60)
    live(world, queue_seconds=60)
    assert (reason(world, key), world.jobs) == ("QueueTimeout", {})


def test_a_pod_that_does_not_start_in_time() -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(timeouts={"startSeconds": 60}))
    operator = live(world)
    world.set_job_status(key, active=1, startTime=at(NOW))
    pod = a_pod().created(NOW).waiting("ErrImagePull", "no such image").versioned(500).document
    world.pods[Key("media", "p")] = pod
    live(world, operator)
    world.pass_time(seconds=59)
    live(world, operator)
    assert reason(world, key) == "Starting"
    world.pass_time(seconds=1)
    live(world, operator)
    assert reason(world, key) == "StartTimeout"
    assert status(world, key)["message"] == "The worker's pod did not start within 60 s. ErrImagePull: no such image"
    assert (world.jobs, [message.reason for message in world.queue]) == ({}, ["StartTimeout"])


def test_a_job_without_any_pod_does_not_wait_for_ever() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.set_job_status(key, startTime=at(NOW))
    live(world, operator)
    world.pass_time(seconds=901)
    live(world, operator)
    assert (reason(world, key), world.jobs_ever_created) == ("Starting", 2)
    assert status(world, key)["message"] == "The worker's pod did not start within 900 s."


def test_a_next_pod_that_the_job_controller_forgets_is_followed_by_another_job() -> None:
    """It waits ten minutes at most between two attempts, and the next pod may take as long as any."""
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.set_job_status(key, startTime=at(NOW), failed=1)
    world.pods[key] = a_pod().ended(75).document
    live(world, operator)
    assert reason(world, key) == "Retrying"
    world.pass_time(seconds=600 + 900 - 1)
    live(world, operator)
    assert (reason(world, key), world.jobs_ever_created) == ("Retrying", 1)
    world.pass_time(seconds=2)
    live(world, operator)
    live(world, operator)
    assert world.jobs_ever_created == 2
    assert "No pod followed the last one within 1500 s" in str(status(world, key)["attempts"])
