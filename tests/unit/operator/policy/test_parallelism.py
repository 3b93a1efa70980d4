"""Audio that is split: its Job, its attempts, its progress and its end."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, ConversionBuilder, PodBuilder, a_conversion, a_pod, an_entry
from tests.unit.operator.fakes import DiedError, World
from tests.unit.operator.harness import an_operator, live, settings, settle, status
from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import Conversion, ConversionSpec
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import Attempt, Progress
from video2mp3_contracts.jobs.worker import Division, TerminationMessage, WorkerRequest
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerEntry, LedgerPart
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.jobs import parse_job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.pods import COMPLETION_INDEX, parse_pod
from video2mp3_operator.policy.parallelism import division_of, parts_of
from video2mp3_operator.policy.retry import RetryState, retry_state
from video2mp3_operator.policy.stall import sign_of
from video2mp3_operator.reconciler.job import KUEUE_QUEUE_LABEL, build_job
from video2mp3_operator.reconciler.progress import overall

STOPPED = TerminationMessage(exit_code=75, reason="Stopped", message="It was asked to stop.")
AWAY = TerminationMessage(exit_code=75, reason="ServiceUnavailable", message="MongoDB was away.")
DIVIDED = TerminationMessage(exit_code=0, reason="Divided", message="It is long.")
COMPLETE = [{"type": "Complete", "status": "True"}]


def a_long_talk(parallelism: int | str = 3) -> ConversionBuilder:
    return a_conversion().with_spec(parallelism=parallelism)


def a_part(number: int, **more: Any) -> LedgerPart:
    return LedgerPart(**({"token": f"t{number}", "pod": f"pod-{number}", "started_at": NOW} | more))


def spec(parallelism: int | str) -> ConversionSpec:
    return ConversionSpec.model_validate(a_long_talk(parallelism).document["spec"])


def a_pod_of(part: int, number: int, generation: int = 0) -> PodBuilder:
    labels = {COMPLETION_INDEX: str(part), names.LABEL_JOB_GENERATION: str(generation)}
    return a_pod(number=number)._merged({"metadata": {"labels": labels}}).versioned(500 + number)


def shape(world: World, key: Key) -> tuple[str, int, int | None]:
    """Generation, pods, and retries for each part of the present Job."""
    job = world.job_of(key)
    generation = job["metadata"]["labels"][names.LABEL_JOB_GENERATION]
    return generation, job["spec"].get("completions", 1), job["spec"].get("backoffLimitPerIndex")


def notes(world: World, key: Key, parts: int) -> None:
    """The worker of the first Job has found the sound to be long."""
    uid = world.conversions[key]["metadata"]["uid"]
    attempt = LedgerAttempt(token="t", pod="pod-1", started_at=NOW)
    world.entries.setdefault(
        uid, LedgerEntry(uid=uid, namespace=key.namespace, name=key.name, attempt=attempt, parallelism=parts)
    )


# --- into how many parts ---


@pytest.mark.parametrize(
    ("parallelism", "noted", "parts", "looks"),
    [(1, None, 1, False), (5, None, 5, False), ("auto", None, 1, True), ("auto", 4, 4, False)],
)
def test_into_how_many_parts(parallelism: int | str, noted: int | None, parts: int, looks: bool) -> None:
    entry = LedgerEntry(uid="u", parallelism=noted)
    assert parts_of(spec(parallelism), entry) == parts
    assert parts_of(None, None) == 1
    wanted = Division(part_seconds=600, max_parts=6) if looks else None
    assert division_of(spec(parallelism), parts, settings(worker_part_seconds=600, worker_max_parts=6)) == wanted


# --- the Job ---


def job(parallelism: int | str, parts: int, done: RetryState = RetryState()) -> dict[str, Any]:  # noqa: B008 - it is frozen
    conversion = Conversion.model_validate(a_long_talk(parallelism).document)
    return build_job(conversion, settings(), 1000, done, parts)


def request(manifest: dict[str, Any]) -> WorkerRequest:
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    return WorkerRequest.model_validate_json(container["env"][0]["value"])


def test_each_part_is_an_index_of_the_job() -> None:
    whole, split = job(1, 1), job(3, 3)
    assert (request(split).parts, request(split).division) == (3, None)
    [container] = split["spec"]["template"]["spec"]["containers"]
    container["env"][0] = whole["spec"]["template"]["spec"]["containers"][0]["env"][0]
    assert container["env"].pop() == {
        "name": "WORKER_PART",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}},
    }
    assert split["spec"]["template"]["metadata"]["labels"].pop(names.LABEL_JOB_GENERATION) == "0"
    [spread] = split["spec"]["template"]["spec"].pop("topologySpreadConstraints")
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    expected = {
        "completionMode": "Indexed",
        "completions": 3,
        "parallelism": 3,
        "backoffLimitPerIndex": whole["spec"].pop("backoffLimit"),
        "maxFailedIndexes": 0,
    }
    assert {name: split["spec"].pop(name) for name in expected} == expected
    assert split == whole


def test_the_first_look_at_a_sound_is_a_job_as_ever() -> None:
    whole, looking = job(1, 1), job("auto", 1)
    assert request(looking).division == Division(part_seconds=7200, max_parts=8)
    assert request(looking).model_copy(update={"division": None}) == request(whole)
    for manifest in (whole, looking):
        manifest["spec"]["template"]["spec"]["containers"][0]["env"].pop(0)
    assert looking == whole


def test_a_divided_job_is_seen_as_it_is() -> None:
    document = job(3, 3, RetryState(generation=2))
    document["metadata"] |= {"uid": "u", "resourceVersion": "7"}
    seen = parse_job(document | {"status": {"active": 2, "succeeded": 1}})
    assert seen is not None
    assert (seen.parts, seen.parts_done, seen.pods, seen.generation) == (3, 1, 2, 2)
    pod = parse_pod(a_pod_of(1, 4, generation=2).document)
    assert pod is not None
    assert (pod.part, pod.generation) == (1, 2)


# --- from the first look to the parts ---


def test_a_number_is_obeyed_at_once() -> None:
    world = World()
    key = world.apply(a_long_talk(4))
    live(world)
    assert shape(world, key) == ("0", 4, 3)


@pytest.mark.parametrize("job_ended", [True, False])
def test_a_sound_that_was_found_long_gets_a_job_with_many_pods(job_ended: bool) -> None:
    world = World()
    key = world.apply(a_long_talk("auto"))
    operator = live(world)
    assert shape(world, key) == ("0", 1, None)
    notes(world, key, parts=3)
    world.pods[Key("media", "pod-1")] = a_pod(number=1).ended(0, DIVIDED).versioned(500).document
    world.set_job_status(key, **({"conditions": COMPLETE} if job_ended else {"active": 1, "ready": 1}))
    live(world, operator)
    assert shape(world, key) == ("1", 3, 3)
    assert [each["reason"] for each in status(world, key)["attempts"]] == ["Divided"]
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Starting", 2)
    world.work(key)
    live(world, operator)
    assert status(world, key)["phase"] == "Succeeded"


def test_a_sound_that_was_found_short_needs_no_second_job() -> None:
    world = World()
    key = world.apply(a_long_talk("auto"))
    operator = live(world)
    world.work(key)
    live(world, operator)
    assert (status(world, key)["phase"], world.jobs_ever_created) == ("Succeeded", 1)


@pytest.mark.parametrize("after_effect", [False, True])
def test_killed_at_any_call_the_sound_is_divided_once(after_effect: bool) -> None:
    calls = divide(World())
    for die_at in range(1, calls + 1):
        divide(World(die_at=die_at, die_after_effect=after_effect))


def divide(world: World) -> int:
    key = world.apply(a_long_talk("auto"))
    operator = an_operator(world)
    for _ in range(8):
        try:
            asyncio.run(settle(operator))
        except DiedError:
            operator = an_operator(world)
        if key in world.conversions and world.jobs:
            notes(world, key, parts=3)
    assert shape(world, key) == ("1", 3, 3)
    assert world.jobs_ever_created == 2
    return world.calls


def test_a_suspended_one_goes_on_with_what_it_has() -> None:
    """The parts that are complete stay, and the ledger knows them."""
    world = World()
    key = world.apply(a_long_talk("auto"))
    operator = live(world)
    notes(world, key, parts=3)
    live(world, operator)
    world.change(key, {"spec": {"suspend": True}})
    live(world, operator)
    assert (status(world, key)["phase"], world.jobs) == ("Suspended", {})
    world.change(key, {"spec": {"suspend": False}})
    live(world, operator)
    assert shape(world, key) == ("1", 3, 3)


def test_kueue_gets_the_divided_job_too() -> None:
    world = World()
    key = world.apply(a_long_talk("auto").with_metadata(labels={KUEUE_QUEUE_LABEL: "media"}))
    operator = live(world)
    notes(world, key, parts=3)
    world.set_job_status(key, conditions=COMPLETE)
    live(world, operator)
    assert (shape(world, key), world.job_of(key)["spec"]["suspend"]) == (("1", 3, 3), True)


# --- attempts ---


@pytest.mark.parametrize(
    ("ended", "is_split", "expected"),
    [
        ([(0, 0, Reason.WORKER_CRASHED), (1, 0, Reason.WORKER_CRASHED)], False, RetryState(failed=1)),
        ([(0, 0, Reason.WORKER_CRASHED), (0, 0, Reason.WORKER_CRASHED), (1, 0, "Error")], False, RetryState(failed=2)),
        ([(0, 0, Reason.STALLED), (1, 0, Reason.STALLED)], False, RetryState(failed=1, generation=1)),
        (
            [(0, 1, Reason.OUT_OF_MEMORY), (2, 1, Reason.OUT_OF_MEMORY), (2, 2, Reason.OUT_OF_MEMORY)],
            True,
            RetryState(failed=2, generation=3, out_of_memory=2),
        ),
        (
            [(None, None, Reason.OUT_OF_MEMORY), (None, None, Reason.DIVIDED), (1, 2, Reason.OUT_OF_MEMORY)],
            True,
            RetryState(failed=1, generation=3, out_of_memory=2),
        ),
    ],
)
def test_each_part_has_its_own_tries(
    ended: list[tuple[int | None, int | None, str]], is_split: bool, expected: RetryState
) -> None:
    attempts = tuple(
        Attempt(number=number, part=part, generation=generation, reason=reason, end_time=NOW)
        for number, (part, generation, reason) in enumerate(ended)
    )
    assert retry_state(attempts, is_split=is_split) == expected


def run_out(world: World, operator: Operator, key: Key, *pods: PodBuilder) -> None:
    for pod in pods:
        document = pod.ended(137, reason="OOMKilled").document
        world.pods[Key("media", document["metadata"]["name"])] = document
    world.set_job_status(key, active=1, failed=len(pods))
    live(world, operator)


def test_two_pods_that_run_out_of_memory_together_are_one_reason_for_more() -> None:
    world = World()
    key = world.apply(a_long_talk(3))
    operator = live(world)
    run_out(world, operator, key, a_pod_of(0, 1), a_pod_of(2, 2))
    assert shape(world, key) == ("1", 3, 2)
    [container] = world.job_of(key)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "1024Mi"
    assert [(each["part"], each["generation"]) for each in status(world, key)["attempts"]] == [(0, 0), (2, 0)]


def fail(world: World, key: Key, *pods: PodBuilder) -> None:
    for pod in pods:
        world.pods[Key("media", pod.document["metadata"]["name"])] = pod.document
    condition = {"type": "Failed", "status": "True", "reason": "MaxFailedIndexesExceeded"}
    world.set_job_status(key, active=None, failed=len(pods), conditions=[condition])


def test_the_verdict_is_that_of_the_part_that_was_given_up() -> None:
    """The pods of the other parts are stopped then, and end later."""
    world = World()
    key = world.apply(a_long_talk(3).with_spec(retryLimit=1))
    operator = live(world)
    lost = [a_pod_of(1, 1).ended(1), a_pod_of(1, 4).ended(1)]
    fail(world, key, *lost, a_pod_of(0, 2).ended(0), a_pod_of(2, 5).ended(75, STOPPED))
    live(world, operator)
    told = status(world, key)
    assert (told["reason"], told["message"]) == (
        "RetriesExhausted",
        "All 2 attempts at a part of the sound failed. The last one: The worker ended with exit code 1.",
    )


def test_what_no_other_attempt_could_better_is_told_though_others_were_stopped() -> None:
    world = World()
    key = world.apply(a_long_talk(2))
    operator = live(world)
    no_audio = TerminationMessage(exit_code=65, reason="NoAudio", message="It has no sound.")
    fail(world, key, a_pod_of(0, 1).ended(65, no_audio), a_pod_of(1, 2).ended(75, STOPPED))
    live(world, operator)
    assert (status(world, key)["reason"], status(world, key)["message"]) == ("NoAudio", "It has no sound.")


def test_when_it_succeeds_all_pods_that_made_a_part_have() -> None:
    world = World()
    key = world.apply(a_long_talk(2))
    operator = live(world)
    for part, number in ((0, 1), (1, 2)):
        world.pods[Key("media", f"pod-{number}")] = a_pod_of(part, number).running().document
    world.set_job_status(key, active=2, ready=2)
    live(world, operator)
    world.work(key)
    uid = world.conversions[key]["metadata"]["uid"]
    attempt = LedgerAttempt(token="t", pod="talk-pod-2", part=1, started_at=NOW)
    parts = {0: a_part(0, pod="talk-pod-1"), 1: a_part(1, pod="talk-pod-2")}
    world.entries[uid] = world.entries[uid].model_copy(update={"attempt": attempt, "parts": parts})
    live(world, operator)
    assert [(each["reason"], each["message"]) for each in status(world, key)["attempts"]] == [
        ("Succeeded", "It made its part of the sound."),
        ("Succeeded", "It made the mp3."),
    ]


def test_a_pod_that_waited_for_anothers_place_has_its_time_to_start_from_then_on() -> None:
    world = World()
    key = world.apply(a_long_talk(2))
    operator = live(world, worker_start_seconds=300)
    world.pods[Key("media", "one")] = a_pod_of(0, 1).created(NOW - timedelta(hours=1)).ended(0).document
    world.pods[Key("media", "two")] = a_pod_of(1, 2).created(NOW - timedelta(hours=1)).document
    world.set_job_status(key, active=1)
    live(world, operator)
    assert status(world, key)["phase"] == "Running"
    world.pass_time(seconds=301)
    live(world, operator)
    assert [each["reason"] for each in status(world, key)["attempts"]] == ["Succeeded", "NotStarted"]


# --- progress ---


def progress(processed: float, duration: float | None = 1000.0, **more: Any) -> Progress:
    return Progress(processed_seconds=processed, duration_seconds=duration, **more)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, None),
        (LedgerEntry(uid="u"), None),
        (LedgerEntry(uid="u", progress=progress(7)), progress(7)),
        (LedgerEntry(uid="u", progress=progress(7), parts={0: a_part(0)}), progress(7)),
        (
            LedgerEntry(
                uid="u",
                parts={
                    0: a_part(0, progress=progress(300, speed=50.0, updated_at=NOW)),
                    1: a_part(1, progress=progress(100, speed=30.0, updated_at=NOW - timedelta(seconds=1))),
                    2: a_part(2, progress=progress(200), file_id="f" * 24),
                },
            ),
            progress(600, percent=60, speed=80.0, eta_seconds=5.0, updated_at=NOW),
        ),
        (
            LedgerEntry(
                uid="u",
                progress=progress(10, updated_at=NOW),
                parts={number: a_part(number, progress=progress(500), file_id="f" * 24) for number in (0, 1)},
            ),
            progress(1000, percent=99, updated_at=NOW),
        ),
        (LedgerEntry(uid="u", parts={0: a_part(0, progress=progress(3, None))}), progress(3, None)),
    ],
    ids=["nothing", "no word", "whole", "just opened", "parts", "joining", "no duration"],
)
def test_the_progress_of_all(entry: LedgerEntry | None, expected: Progress | None) -> None:
    assert overall(entry) == expected


def test_any_parts_word_is_a_sign_of_life() -> None:
    entry = an_entry().entry
    signs = [
        sign_of(entry.model_copy(update={"parts": parts}), ())
        for parts in ({}, {0: a_part(0)}, {0: a_part(0, progress=progress(1))}, {0: a_part(0, progress=progress(2))})
    ]
    assert all(one != other for one, other in itertools.pairwise(signs))
