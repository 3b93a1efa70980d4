"""Which workers stand still."""

import asyncio
from datetime import timedelta

import pytest

from tests.builders import NOW, a_conversion, a_pod, an_entry
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator, live, settle, status
from video2mp3_contracts.api.status import Progress
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerEntry
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.pods import parse_pod
from video2mp3_operator.policy.stall import StallWatch, sign_of

ROUND = 2.0


def test_time_without_a_sign_adds_up() -> None:
    watch = StallWatch(ROUND)
    for second in range(0, 11, 2):
        watch.look({"a": ("same",), "b": (second,)}, NOW + timedelta(seconds=second))
    assert (watch.quiet_seconds("a"), watch.quiet_seconds("b"), watch.quiet_seconds("c")) == (10, 0, 0)


@pytest.mark.parametrize(("step", "counted"), [(3600, 10), (-3600, 0)])
def test_a_gap_or_a_clock_that_jumps_counts_for_a_few_rounds_at_the_most(step: int, counted: float) -> None:
    watch = StallWatch(ROUND)
    watch.look({"a": ()}, NOW)
    watch.look({"a": ()}, NOW + timedelta(seconds=step))
    assert watch.quiet_seconds("a") == counted
    watch.look({"a": ()}, NOW + timedelta(seconds=step + 2))
    assert watch.quiet_seconds("a") == counted + 2


def test_who_does_not_run_is_forgotten() -> None:
    watch = StallWatch(ROUND)
    for second, signs in enumerate([{"a": ()}, {}, {"a": ()}, {"a": ()}]):
        watch.look(signs, NOW + timedelta(seconds=second))
    assert watch.quiet_seconds("a") == 1


def test_signs_of_life() -> None:
    pod, another = (parse_pod(a_pod(number=n).running().document) for n in (1, 2))
    ended = parse_pod(a_pod(number=3).ended(75).document)
    assert pod
    assert another
    assert ended
    entry = an_entry().attempted()
    same = sign_of(entry.entry, (pod,))
    assert sign_of(entry.entry, (pod, ended)) == same
    changed = [
        sign_of(None, (pod,)),
        sign_of(entry.entry, (another,)),
        sign_of(entry.at_percent(1).entry, (pod,)),
        sign_of(entry.uploading("a" * 24).entry, (pod,)),
        sign_of(entry.attempted("other").entry, (pod,)),
    ]
    assert same not in changed


def running(world: World, **spec: int) -> tuple[Key, Operator]:
    """A worker that has shown itself, then nothing."""
    key = world.apply(a_conversion().with_spec(**spec))
    operator = live(world)
    start_pod(world, key, 1)
    live(world, operator)
    return key, operator


def start_pod(world: World, key: Key, number: int) -> None:
    world.pods[Key("media", f"pod-{number}")] = a_pod(number=number).running(world.now).versioned(500).document
    world.set_job_status(key, active=1, ready=1)
    uid = world.conversions[key]["metadata"]["uid"]
    attempt = LedgerAttempt(token=str(number), started_at=world.now)
    world.entries[uid] = LedgerEntry(uid=uid, attempt=attempt, progress=Progress(percent=4, updated_at=world.now))


def let_stand(world: World, operator: Operator, seconds: int) -> None:
    for _ in range(seconds // 10):
        world.pass_time(seconds=10)
        asyncio.run(operator.polling.once())
    asyncio.run(settle(operator))


def test_a_worker_that_stands_still_is_replaced_and_that_is_an_attempt() -> None:
    world = World()
    key, operator = running(world)
    first = world.job_of(key)["metadata"]["name"]
    let_stand(world, operator, 880)
    assert status(world, key)["reason"] == "Running"
    let_stand(world, operator, 30)
    job = world.job_of(key)
    assert (job["metadata"]["name"] == first, world.jobs_ever_created) == (False, 2)
    assert (job["spec"]["backoffLimit"], job["metadata"]["labels"]["video2mp3.dev/job-generation"]) == (2, "1")
    [attempt] = status(world, key)["attempts"]
    assert (attempt["reason"], attempt["message"]) == ("Stalled", "The worker showed no sign of life for 900 s.")
    # Its pod takes its time to end; whatever it says then, the attempt was given up.
    world.pods[Key("media", "pod-1")] = a_pod().ended(75).versioned(501).document
    live(world, operator)
    assert [each["reason"] for each in status(world, key)["attempts"]] == ["Stalled"]


def test_its_last_attempt_fails_it() -> None:
    world = World()
    key, operator = running(world, retryLimit=1)
    let_stand(world, operator, 910)
    start_pod(world, key, 2)
    live(world, operator)
    let_stand(world, operator, 910)
    told = status(world, key)
    assert (told["reason"], told["message"]) == (
        "Stalled",
        "All 2 attempts failed. The last one: The worker showed no sign of life for 900 s.",
    )
    assert (world.jobs, world.jobs_ever_created) == ({}, 2)


def test_a_result_that_comes_at_last_counts() -> None:
    world = World()
    key, operator = running(world)
    let_stand(world, operator, 890)
    world.work(key)
    let_stand(world, operator, 900)
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Succeeded", 1)


def test_a_ledger_that_was_away_makes_nobody_look_idle() -> None:
    world = World()
    key, operator = running(world)
    world.pass_time(hours=2)
    asyncio.run(operator.polling.once())
    live(world, operator)
    assert status(world, key)["reason"] == "Running"


def test_killed_between_the_record_and_the_jobs_end_the_next_operator_goes_on() -> None:
    world = World()
    key, operator = running(world)
    let_stand(world, operator, 890)
    world.pass_time(seconds=10)
    asyncio.run(operator.polling.once())
    asyncio.run(operator.reconciler.reconcile(key))
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Retrying", 1)
    live(world, an_operator(world))
    assert world.jobs_ever_created == 2
    assert [each["reason"] for each in status(world, key)["attempts"]] == ["Stalled"]
