"""What the metrics tell of what happened."""

from datetime import timedelta

import pytest

from tests.builders import NOW, OWNER, a_conversion, a_pod, a_result, an_entry
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import live
from video2mp3_contracts.api.reasons import Phase, Reason
from video2mp3_contracts.api.status import Attempt, ConversionStatus
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.reconciler.status import realtime_factor


def metric(operator: Operator, name: str, **labels: str) -> float | None:
    return operator.metrics.registry.get_sample_value(f"video2mp3_operator_{name}", labels)


def test_every_phase_has_a_gauge() -> None:
    world = World()
    world.apply(a_conversion())
    operator = live(world)
    told = {phase: metric(operator, "conversions", phase=phase) for phase in Phase}
    assert told == dict.fromkeys(Phase, 0) | {Phase.RUNNING: 1}


def test_the_queues_depth_and_its_longest_wait() -> None:
    world = World()
    world.apply(a_conversion("first"))
    operator = live(world, max_running=1)
    assert (metric(operator, "queued"), metric(operator, "queue_wait_seconds")) == (0, 0)
    world.apply(a_conversion("second"))
    live(world, operator)
    world.pass_time(seconds=50)
    assert (metric(operator, "queued"), metric(operator, "queue_wait_seconds")) == (1, 60)


def test_attempts_are_counted_once_by_their_reason() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.pods[Key("media", "one")] = a_pod(number=1).ended(75).versioned(500).document
    world.set_job_status(key, active=1, failed=1)
    live(world, operator)
    live(world, operator)
    world.pods[Key("media", "two")] = a_pod(number=2).running(NOW - timedelta(seconds=5)).versioned(501).document
    live(world, operator)
    world.work(key)
    uid = world.conversions[key]["metadata"]["uid"]
    attempted = an_entry().attempted("talk-pod-2").entry
    world.entries[uid] = world.entries[uid].model_copy(update={"attempt": attempted.attempt, "owner": OWNER})
    live(world, operator)
    counted = [metric(operator, "attempts_total", reason=reason) for reason in ("ServiceUnavailable", "Succeeded")]
    assert counted == [1, 1]
    assert metric(operator, "realtime_factor_count") == 1


def test_attempts_on_nodes_without_landlock_are_counted() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    said = TerminationMessage(exit_code=75, reason="ServiceUnavailable", message="Away.")
    for number, landlock in enumerate((None, True, False), start=1):
        words = said.model_copy(update={"landlock": landlock})
        ended = a_pod(number=number).ended(75, words).versioned(500 + number)
        world.pods[Key("media", f"pod-{number}")] = ended.document
    world.set_job_status(key, active=1, failed=3)
    live(world, operator)
    live(world, operator)
    assert metric(operator, "attempts_without_landlock_total") == 1


@pytest.mark.parametrize(
    ("start", "seconds", "expected"), [(NOW, 5, 2.5), (NOW, 0, 12.5), (None, 5, None), (NOW, None, None)]
)
def test_the_real_time_factor(start: object, seconds: int | None, expected: float | None) -> None:
    attempt = Attempt(
        number=1,
        reason=Reason.SUCCEEDED,
        start_time=start,
        end_time=None if seconds is None else NOW + timedelta(seconds=seconds),
    )
    assert realtime_factor(ConversionStatus(attempts=(attempt,), output=a_result())) == expected


def test_no_attempt_no_factor() -> None:
    assert realtime_factor(ConversionStatus(output=a_result())) is None
