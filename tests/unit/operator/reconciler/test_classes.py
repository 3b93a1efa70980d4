"""Conversions of a ConversionClass."""

import asyncio
from typing import Any

import pytest

from tests.builders import MP3_ID, a_class, a_conversion
from tests.unit.operator.fakes import DiedError, World
from tests.unit.operator.harness import an_operator, live, settle, status
from video2mp3_contracts.api import names
from video2mp3_contracts.api.status import Resolved
from video2mp3_contracts.jobs.worker import REQUEST_VARIABLE, WorkerRequest
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.spec_reading import effective_reading, read_spec

SPEECH: dict[str, Any] = {
    "defaults": {"output": {"encoding": {"vbr": 5}, "channels": "mono"}, "retryLimit": 1},
    "limits": {"maxDurationSeconds": 600},
    "worker": {
        "nodeSelector": {"pool": "audio"},
        "priorityClassName": "low",
        "tolerations": [{"key": "audio", "operator": "Exists"}],
        "resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "256Mi", "cpu": 1}},
    },
}


def of_class(name: str, **spec: Any) -> Any:
    return a_conversion().with_spec(className=name, **spec)


def request(job: dict[str, Any]) -> WorkerRequest:
    [container] = job["spec"]["template"]["spec"]["containers"]
    [value] = [each["value"] for each in container["env"] if each["name"] == REQUEST_VARIABLE]
    return WorkerRequest.model_validate_json(value)


def verdict(world: World, key: Key) -> tuple[str, str]:
    found = status(world, key)
    return found["phase"], found["reason"]


def test_what_a_class_says_reaches_the_job_and_is_on_record_before_it() -> None:
    world = World(classes=[a_class(**SPEECH)])
    operator = live(world)
    key = world.apply(of_class("speech"))
    live(world, operator)
    assert world.writes == ["set finalizers", "patch status", "create job", "patch status"]
    job, found = world.job_of(key), status(world, key)
    asked, pod = request(job), job["spec"]["template"]["spec"]
    assert (asked.output.encoding.vbr, asked.output.channels) == (5, "mono")
    assert asked.limits.max_duration_seconds == 600
    assert (job["spec"]["backoffLimit"], job["metadata"]["labels"][names.LABEL_CLASS]) == (1, "speech")
    assert (pod["nodeSelector"], pod["priorityClassName"]) == ({"pool": "audio"}, "low")
    assert pod["tolerations"] == [{"key": "audio", "operator": "Exists"}]
    assert pod["containers"][0]["resources"] == {
        "requests": {"memory": "64Mi"},
        "limits": {"memory": "256Mi", "cpu": "1"},
    }
    assert (found["resolved"]["className"], found["resolved"]["output"]) == (
        "speech",
        {"encoding": {"vbr": 5}, "channels": "mono"},
    )


def test_the_default_class_is_that_of_who_names_none() -> None:
    world = World(classes=[a_class("music"), a_class("plain", default=True, defaults={"retryLimit": 0})])
    key = world.apply(a_conversion())
    live(world)
    assert status(world, key)["resolved"]["className"] == "plain"
    assert world.job_of(key)["spec"]["backoffLimit"] == 0


def test_of_several_defaults_the_newest_counts() -> None:
    old, new = a_class("old", default=True), a_class("new", default=True)
    old["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    world = World(classes=[new, old])
    key = world.apply(a_conversion())
    live(world)
    assert status(world, key)["resolved"]["className"] == "new"


def test_a_default_that_comes_later_changes_nothing() -> None:
    world = World()
    waits = world.apply(a_conversion("waits").suspended())
    runs = world.apply(a_conversion("runs"))
    operator = live(world)
    world.classes.append(a_class(default=True, **SPEECH))
    world.change(waits, {"spec": {"suspend": False}})
    live(world, operator)
    live(world)
    assert [request(world.job_of(key)).output.encoding.vbr for key in (waits, runs)] == [2, 2]
    assert "resolved" not in status(world, waits)


def test_a_class_that_changes_or_goes_changes_nothing_that_was_seen() -> None:
    world = World(classes=[a_class(**SPEECH)])
    key = world.apply(of_class("speech").suspended())
    operator = live(world)
    assert status(world, key)["resolved"]["className"] == "speech"
    world.classes[:] = [a_class(defaults={"output": {"encoding": {"vbr": 9}}})]
    live(world, operator)
    world.classes.clear()
    world.change(key, {"spec": {"suspend": False}})
    live(world, operator)
    asked = request(world.job_of(key))
    assert (asked.output.encoding.vbr, asked.limits.max_duration_seconds) == (5, 600)


def test_it_waits_for_a_class_that_is_not_there_yet() -> None:
    world = World()
    key = world.apply(of_class("speech"))
    operator = live(world)
    assert (verdict(world, key), world.jobs_ever_created) == (("Pending", "ClassNotFound"), 0)
    assert status(world, key)["message"] == "There is no ConversionClass speech yet."
    world.classes.append(a_class(**SPEECH))
    live(world, operator)
    assert verdict(world, key) == ("Running", "Starting")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"colour": "red"}, "spec.colour: unknown field"),
        (
            {"worker": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}},
            "spec.worker.resources.requests.memory (2Gi) must not be more than limits.memory (1Gi)",
        ),
        (
            {"worker": {"memoryCeiling": "lots"}},
            "spec.worker.memoryCeiling: 'lots' is not a quantity such as 512Mi or 500m",
        ),
        (
            {"worker": {"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}},
            "spec.worker.resources.requests.memory is missing",
        ),
        (
            {"worker": {"resources": {"requests": {"memory": "much"}, "limits": {"memory": "1Gi"}}}},
            "spec.worker.resources: 'much' is not a quantity such as 512Mi or 500m",
        ),
    ],
)
def test_it_waits_for_a_class_that_cannot_be_used(spec: dict[str, Any], words: str) -> None:
    world = World(classes=[a_class(**spec), a_class("other")])
    key, other = world.apply(of_class("speech")), world.apply(a_conversion("other").with_spec(className="other"))
    live(world)
    assert verdict(world, key) == ("Pending", "ClassNotFound")
    assert status(world, key)["message"] == f"The ConversionClass speech cannot be used: {words}."
    assert verdict(world, other) == ("Running", "Starting")


def test_what_a_class_does_not_allow_fails_with_the_field() -> None:
    world = World(classes=[a_class(overrides=["timeouts"])])
    key = world.apply(of_class("speech", output={"encoding": {"cbr": 320}}, retryLimit=10))
    live(world)
    assert verdict(world, key) == ("Failed", "NotAllowedByClass")
    assert status(world, key)["message"] == (
        "The ConversionClass speech does not let it set spec.output, spec.retryLimit."
    )


def test_what_does_not_go_together_fails_with_both_named() -> None:
    world = World(classes=[a_class(defaults={"output": {"encoding": {"cbr": 320}}})])
    key = world.apply(of_class("speech", output={"sampleRate": 8000}))
    live(world)
    assert verdict(world, key) == ("Failed", "NotAllowedByClass")
    assert "output.encoding.cbr must be at most 160" in status(world, key)["message"]


def test_its_limits_are_never_wider_than_the_installations() -> None:
    world = World(classes=[a_class(limits={"maxDurationSeconds": 10**9, "maxSourceBytes": 500})])
    key = world.apply(of_class("speech"))
    live(world)
    assert verdict(world, key) == ("Failed", "TooLarge")  # the source has 1000 bytes
    world = World(classes=[a_class(limits={"maxDurationSeconds": 10**9})])
    key = world.apply(of_class("speech"))
    operator = live(world)
    assert request(world.job_of(key)).limits.max_duration_seconds == operator.settings.max_duration_seconds


def test_a_class_of_another_release_is_left_to_it() -> None:
    world = World(classes=[a_class(instance="other")])
    key = world.apply(of_class("speech"))
    live(world)
    assert (world.writes, status(world, key)["reason"]) == ([], "Pending")
    live(world, instance="other")
    assert verdict(world, key) == ("Running", "Starting")
    written = [*world.writes]
    world.classes.clear()
    live(world)
    assert world.writes == written


def test_no_more_run_of_a_class_than_its_quota_and_others_pass() -> None:
    world = World(classes=[a_class(quota={"maxRunning": 2}), a_class("other")])
    narrow = [world.apply(a_conversion(f"narrow-{each}").with_spec(className="speech")) for each in range(4)]
    other = world.apply(a_conversion("other").with_spec(className="other"))
    live(world)
    phases = [status(world, key)["phase"] for key in narrow]
    assert (phases.count("Running"), phases.count("Queued")) == (2, 2)
    assert status(world, other)["phase"] == "Running"


def test_its_policies_hold_for_the_files() -> None:
    world = World(classes=[a_class(defaults={"deletionPolicy": "Retain", "sourcePolicy": "Retain"})])
    key = world.apply(of_class("speech"))
    operator = live(world)
    world.work(key)
    live(world, operator)
    world.classes.clear()
    world.delete(key)
    live(world, operator)
    assert (world.conversions, list(world.mp3s), len(world.sources)) == ({}, [MP3_ID], 1)


def test_a_spec_that_says_all_itself_needs_no_second_write_without_a_class() -> None:
    world = World()
    operator = live(world)
    world.apply(a_conversion())
    live(world, operator)
    assert world.writes == ["set finalizers", "create job", "patch status"]


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
def test_killed_at_any_call_while_the_class_changes_the_job_is_of_what_is_on_record(after_effect: bool) -> None:
    for die_at in range(1, 16):
        world = World(classes=[a_class(**SPEECH)], die_at=die_at, die_after_effect=after_effect)
        key = world.apply(of_class("speech"))
        operator: Any = an_operator(world)
        for _ in range(4):
            try:
                asyncio.run(settle(operator))
            except DiedError:
                operator = an_operator(world)
                world.classes[:] = [a_class(defaults={"output": {"encoding": {"vbr": 9}}})]
        recorded = status(world, key)["resolved"]["output"]["encoding"]["vbr"]
        assert request(world.job_of(key)).output.encoding.vbr == recorded


def test_what_is_not_understood_is_not_put_on_record() -> None:
    """An operator that understands it would believe the record, and convert without it."""
    world = World(classes=[a_class(default=True, defaults={"output": {"channels": "mono"}})])
    key = world.apply(a_conversion().with_spec(output={"loudness": {"mode": "ofANewerVersion"}}))
    live(world)
    assert (verdict(world, key), "resolved" in status(world, key)) == (("Pending", "InvalidSpec"), False)
    world.change(key, {"spec": {"output": {"loudness": {"mode": "measureOnly"}}}})
    live(world)
    assert status(world, key)["resolved"]["output"] == {"channels": "mono", "loudness": {"mode": "measureOnly"}}


def test_what_the_class_keeps_is_kept_though_its_output_is_not_understood() -> None:
    resolved = Resolved(
        class_name="speech", output={"ofANewer": 1}, defaults={"deletionPolicy": "Retain", "sourcePolicy": "Retain"}
    )
    reading = effective_reading(read_spec(a_conversion().document["spec"]), resolved)
    assert (reading.keeps_mp3, reading.keeps_source) == (True, True)
    assert "unknown field" in reading.trouble


def test_a_fault_of_ours_keeps_no_place_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    operator = live(world, max_running=1)
    faulty = world.apply(a_conversion("faulty"))

    def fail(*_arguments: Any) -> None:
        raise ValueError("a fault")

    monkeypatch.setattr("video2mp3_operator.reconciler.job_effects.build_job", fail)
    with pytest.raises(ValueError, match="a fault"):
        live(world, operator)
    assert not operator.admission_queue.holds(world.conversions[faulty]["metadata"]["uid"])


def test_the_default_class_is_made_before_anybody_is_seen() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = an_operator(world, classes={"plain": {}}, default_class="plain")
    asyncio.run(operator.prime())
    live(world, operator)
    assert status(world, key)["resolved"]["className"] == "plain"
