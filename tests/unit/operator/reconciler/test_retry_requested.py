"""A Conversion that has failed, and that somebody asks to be tried anew."""

import asyncio
from typing import Any

import pytest

from tests.builders import MP3_ID, a_conversion, a_pod
from tests.unit.operator.fakes import DiedError, World
from tests.unit.operator.harness import an_operator, live, settle, status
from video2mp3_contracts.api import names
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key

NO_AUDIO = TerminationMessage(exit_code=65, reason="NoAudio", message="It has no sound.")
FAILED = [{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}]
POD = Key("media", "pod")


def verdict(world: World, key: Key) -> tuple[str, str]:
    found = status(world, key)
    return found["phase"], found["reason"]


def ask(world: World, key: Key, value: str = "2026-03-01T12:00:00Z") -> None:
    world.change(key, {"metadata": {"annotations": {names.ANNOTATION_RETRY: value}}})


def fail(world: World, key: Key, operator: Operator | None = None, pod: str = "pod") -> Operator:
    """Its worker ends for good, and the Job with it."""
    operator = live(world, operator)
    ended = a_pod(a_conversion()).with_metadata(name=pod).on("node-1").ended(65, NO_AUDIO).versioned(500).document
    world.pods[Key("media", pod)] = ended
    world.set_job_status(key, conditions=FAILED, failed=1)
    return live(world, operator)


def end_pods(world: World) -> None:
    """The garbage collector: pods go with their Job."""
    world.claim_pods()
    jobs = {job["metadata"]["uid"] for job in world.jobs.values()}
    world.pods = {key: pod for key, pod in world.pods.items() if pod["metadata"]["ownerReferences"][0]["uid"] in jobs}


def try_anew(world: World, key: Key, operator: Operator) -> None:
    """Somebody asks, and what was there before goes."""
    ask(world, key)
    live(world, operator)
    end_pods(world)
    live(world, operator)


def test_it_gets_another_job_and_attempts_before_count_no_more() -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(retryLimit=0))
    operator = fail(world, key)
    assert verdict(world, key) == ("Failed", "NoAudio")
    try_anew(world, key, operator)
    found = status(world, key)
    assert (found["phase"], found["reason"], found["lastHandledRetryAt"]) == (
        "Running",
        "Starting",
        "2026-03-01T12:00:00Z",
    )
    assert "completionTime" not in found
    assert {condition["type"] for condition in found["conditions"]} == {"Ready", "Reconciling"}
    assert [attempt["reason"] for attempt in found["attempts"]] == ["NoAudio"]
    assert (found["attemptsBeforeRetry"], world.jobs_ever_created) == (1, 2)
    assert world.entries["uid-media-talk"].failure is None


def test_it_may_succeed_then_and_that_is_final() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = fail(world, key)
    try_anew(world, key, operator)
    world.work(key)
    live(world, operator)
    assert verdict(world, key) == ("Succeeded", "Succeeded")
    ask(world, key, "2026-03-01T13:00:00Z")
    live(world)
    assert verdict(world, key) == ("Succeeded", "Succeeded")
    assert status(world, key)["lastHandledRetryAt"] == "2026-03-01T13:00:00Z"
    assert (world.jobs_ever_created, list(world.mp3s)) == (2, [MP3_ID])


def test_a_second_failure_is_told_as_well_and_the_same_word_asks_only_once() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = fail(world, key)
    ask(world, key)
    live(world, operator)
    end_pods(world)
    operator = fail(world, key, operator, pod="pod-2")
    live(world)
    assert verdict(world, key) == ("Failed", "NoAudio")
    assert [attempt["number"] for attempt in status(world, key)["attempts"]] == [1, 2]
    assert [message.reason for message in world.queue] == ["NoAudio", "NoAudio"]
    assert world.jobs_ever_created == 2


def test_a_failure_that_is_not_told_yet_is_told_first() -> None:
    world = World()
    key = world.apply(a_conversion())
    live(world)
    world.away.add("rabbitmq")
    operator = fail(world, key)
    ask(world, key)
    live(world, operator)
    assert verdict(world, key) == ("Failed", "NoAudio")
    world.away.clear()
    live(world, operator)
    end_pods(world)
    live(world, operator)
    assert (verdict(world, key), len(world.queue)) == (("Running", "Starting"), 1)


def test_how_its_last_pod_ended_is_asked_for_though_pods_of_the_job_before_are_still_there() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = fail(world, key)
    ask(world, key)
    live(world, operator)
    assert POD in world.pods
    ended = a_pod(a_conversion()).with_metadata(name="pod-2").on("node-1").ended(65, NO_AUDIO).versioned(600).document
    world.pods[Key("media", "pod-2")] = ended
    world.set_job_status(key, conditions=FAILED, failed=1)
    # The Job's end comes through the watch before its pod's does.
    operator.cache.see_job(world.job_of(key))
    asyncio.run(operator.reconciler.reconcile(key))
    assert [attempt["number"] for attempt in status(world, key)["attempts"]] == [1, 2]


def test_without_mongodb_the_verdict_stands() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = fail(world, key)
    world.away.add("mongodb")
    ask(world, key)
    live(world, operator)
    assert verdict(world, key) == ("Failed", "NoAudio")
    world.away.clear()
    live(world, operator)
    end_pods(world)
    live(world, operator)
    assert verdict(world, key) == ("Running", "Starting")


def test_what_is_asked_while_it_runs_or_waits_is_passed_over() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    ask(world, key)
    live(world, operator)
    assert status(world, key)["lastHandledRetryAt"] == "2026-03-01T12:00:00Z"
    fail(world, key, operator)
    live(world)
    assert (verdict(world, key), world.jobs_ever_created) == (("Failed", "NoAudio"), 1)


def test_a_source_that_is_there_again_is_converted() -> None:
    world = World()
    key = world.apply(a_conversion())
    [(file_id, source)] = world.sources.items()
    world.sources.clear()
    operator = live(world)
    assert verdict(world, key) == ("Failed", "SourceNotFound")
    world.sources[file_id] = source
    ask(world, key)
    live(world, operator)
    assert verdict(world, key) == ("Running", "Starting")


def test_a_very_long_word_is_kept_in_part() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = fail(world, key)
    ask(world, key, "x" * 100_000)
    live(world, operator)
    end_pods(world)
    live(world, operator)
    live(world)
    assert (verdict(world, key), world.jobs_ever_created) == (("Running", "Starting"), 2)
    assert len(status(world, key)["lastHandledRetryAt"]) == 128


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
def test_killed_at_any_call_it_is_tried_anew_once(after_effect: bool) -> None:
    calls = _see_through(World())
    assert calls > 20
    for die_at in range(1, calls + 1):
        _see_through(World(die_at=die_at, die_after_effect=after_effect))


def _see_through(world: World) -> int:
    key = world.apply(a_conversion())
    operator: Any = an_operator(world)
    asked = False
    for _ in range(12):
        found = status(world, key)
        if not asked and found.get("completionTime"):
            ask(world, key)
            asked = True
        elif not asked and world.jobs:
            world.pods[POD] = a_pod(a_conversion()).on("node-1").ended(65, NO_AUDIO).versioned(500).document
            world.set_job_status(key, conditions=FAILED, failed=1)
        elif asked and world.jobs and found.get("attemptsBeforeRetry") and not world.mp3s:
            world.work(key)
        end_pods(world)
        try:
            asyncio.run(settle(operator))
        except DiedError:
            operator = an_operator(world)
    assert verdict(world, key) == ("Succeeded", "Succeeded")
    assert world.jobs_ever_created == 2
    assert {message.message_id for message in world.queue} == {"uid-media-talk:failed"}
    return world.calls
