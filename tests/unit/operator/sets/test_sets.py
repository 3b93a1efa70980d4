"""ConversionSets over several steps, with everything that can go wrong between any two of them."""

import asyncio
from typing import Any

import pytest

from tests.builders import NOW, OWNER, a_conversion, a_set
from tests.unit.operator.fakes import DiedError, World
from tests.unit.operator.harness import an_operator, live, settle
from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_set import LABEL_SET, child_name
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.stored import SourceFile

SET = Key("media", "talks")


def file_id(number: int) -> str:
    return f"{number:024x}"


def files(count: int) -> list[dict[str, Any]]:
    return [{"gridfs": {"fileId": file_id(number)}} for number in range(count)]


def apply(world: World, *sources: dict[str, Any], name: str = "talks", **spec: Any) -> None:
    document = a_set(name, sources=[*sources], **({"template": {"spec": {"owner": OWNER}}} | spec))
    world.sets[Key("media", name)] = world.stamp(document)
    for source in sources:
        if "gridfs" in source:
            world.sources[source["gridfs"]["fileId"]] = SourceFile(OWNER, 1000)


def change(world: World, **spec: Any) -> None:
    document = world.sets[SET]
    document["spec"] |= spec
    document["metadata"]["generation"] += 1
    world.stamp(document)


def ask_for_a_retry(world: World, value: str = "now") -> None:
    world.sets[SET]["metadata"]["annotations"] = {names.ANNOTATION_RETRY: value}
    world.stamp(world.sets[SET])


def found(world: World) -> dict[str, Any]:
    status: dict[str, Any] = world.sets[SET]["status"]
    return status


def counts(world: World) -> dict[str, int]:
    return {name: count for name, count in found(world)["counts"].items() if count}


def children(world: World) -> list[Key]:
    return [key for key, each in world.conversions.items() if each["metadata"].get("labels", {}).get(LABEL_SET)]


def settled(world: World, operator: Operator) -> None:
    """Let all happen, the writes that may wait for some seconds included."""
    live(world, operator)
    world.pass_time(seconds=3)
    live(world, operator)


def finish(world: World, key: Key, kind: str = "Complete", reason: str = "Succeeded") -> None:
    """As its operator would: the verdict."""
    document = world.conversions[key]
    verdict = {"type": kind, "status": "True", "reason": reason, "message": "So it is.", "observedGeneration": 1}
    phase = "Succeeded" if kind == "Complete" else "Failed"
    document["status"] = document["status"] | {
        "conditions": [verdict],
        "phase": phase,
        "reason": reason,
        "message": "So it is.",
    }
    world.jobs = {each: job for each, job in world.jobs.items() if key.name not in job["metadata"]["labels"].values()}
    world.stamp(document)


def conditions(world: World) -> dict[str, str]:
    return {each["type"]: each["status"] for each in found(world)["conditions"]}


def test_each_source_becomes_a_conversion_of_template_and_its_own_words() -> None:
    world, (first, second) = World(), files(2)
    second |= {"output": {"filename": "second.mp3"}}
    template = {
        "spec": {"owner": OWNER, "retryLimit": 1, "output": {"encoding": {"cbr": 128}, "tags": {"album": "Talks"}}}
    }
    apply(world, first, second, template=template)
    live(world)
    assert children(world) == [Key("media", child_name("talks", each)) for each in (first, second)]
    spec = world.conversions[children(world)[1]]["spec"]
    assert spec["source"] == {"gridfs": {"fileId": file_id(1)}}
    assert spec["output"] == {"encoding": {"cbr": 128}, "tags": {"album": "Talks"}, "filename": "second.mp3"}
    assert (spec["owner"], spec["retryLimit"]) == (OWNER, 1)
    [owner] = world.conversions[children(world)[0]]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ConversionSet", "talks", True)
    assert (found(world)["phase"], counts(world)["total"]) == ("Running", 2)


def test_it_succeeds_when_all_have() -> None:
    world = World()
    apply(world, *files(3))
    operator = live(world)
    for key in children(world):
        finish(world, key)
    settled(world, operator)
    assert (found(world)["phase"], found(world)["message"]) == ("Succeeded", "All 3 are converted.")
    assert conditions(world) == {"Ready": "True", "Complete": "True"}
    assert counts(world) == {"total": 3, "succeeded": 3}
    assert found(world)["completionTime"]


def test_one_bad_source_stops_no_other_and_is_named() -> None:
    world = World()
    apply(world, *files(2), {"url": "ftp://example.com/a.mp4"}, {"colour": "red"})
    operator = live(world)
    for key in children(world):
        finish(world, key)
    settled(world, operator)
    assert (found(world)["phase"], found(world)["reason"]) == ("Failed", "SomeFailed")
    assert counts(world) == {"total": 4, "succeeded": 2, "failed": 2}
    by_source = {each["source"]: each["message"] for each in found(world)["failures"]}
    assert by_source["ftp://example.com/a.mp4"].startswith("spec.source.url: source.url must be http or https")
    assert "spec.source.colour: unknown field" in by_source[""]
    assert conditions(world) == {"Ready": "False", "Stalled": "True", "Failed": "True"}


def test_reordered_or_listed_twice_it_makes_none_anew() -> None:
    world, sources = World(), files(3)
    apply(world, *sources)
    operator = live(world)
    before = {*children(world)}
    change(world, sources=[*reversed(sources), sources[0]])
    settled(world, operator)
    live(world)
    assert ({*children(world)}, world.conversions_ever_created) == (before, 3)


def test_what_leaves_the_list_goes_and_what_joins_begins() -> None:
    world, sources = World(), files(4)
    apply(world, *sources[:3])
    operator = live(world)
    world.sources[file_id(3)] = SourceFile(OWNER, 1000)
    change(world, sources=sources[1:])
    settled(world, operator)
    wanted = {child_name("talks", each) for each in sources[1:]}
    assert {key.name for key in children(world)} == wanted
    assert counts(world)["total"] == 3


def test_no_more_are_unfinished_than_is_allowed() -> None:
    world = World()
    apply(world, *files(5), parallelism=2)
    operator = live(world)
    order = [child_name("talks", each) for each in files(5)]
    assert [key.name for key in children(world)] == order[:2]
    finish(world, children(world)[0])
    settled(world, operator)
    assert [key.name for key in children(world)] == order[:3]
    assert counts(world) == {"total": 5, "waiting": 2, "active": 2, "succeeded": 1}


@pytest.mark.parametrize(("fail_fast", "phases"), [(False, ["Running"]), (True, ["Suspended"])])
def test_after_too_many_failures_no_further_one_begins(fail_fast: bool, phases: list[str]) -> None:
    world = World()
    apply(world, *files(4), parallelism=2, maxFailures=0, failFast=fail_fast)
    operator = live(world)
    first, second = children(world)
    finish(world, first, "Failed", "NoAudio")
    settled(world, operator)
    settled(world, operator)
    assert (len(children(world)), [world.conversions[second]["status"]["phase"]]) == (2, phases)
    if not fail_fast:
        assert found(world)["phase"] == "Running"
        finish(world, second)
        settled(world, operator)
    assert (found(world)["phase"], found(world)["reason"]) == ("Failed", "TooManyFailures")
    [failure] = found(world)["failures"]
    assert (failure["conversion"], failure["source"], failure["reason"]) == (first.name, file_id(0), "NoAudio")


def test_suspended_and_resumed_with_all_of_its_conversions() -> None:
    world = World()
    apply(world, *files(2), parallelism=1)
    operator = live(world)
    change(world, suspend=True)
    settled(world, operator)
    settled(world, operator)
    assert [world.conversions[key]["status"]["phase"] for key in children(world)] == ["Suspended"]
    assert (found(world)["phase"], conditions(world)) == ("Suspended", {"Ready": "True"})
    change(world, suspend=False)
    settled(world, operator)
    assert [world.conversions[key]["status"]["phase"] for key in children(world)] == ["Running"]


def test_what_failed_is_tried_anew_and_what_succeeded_is_not() -> None:
    world = World()
    apply(world, *files(2))
    operator = live(world)
    first, second = children(world)
    finish(world, first, "Failed", "NoAudio")
    finish(world, second)
    settled(world, operator)
    assert found(world)["phase"] == "Failed"
    ask_for_a_retry(world)
    live(world, operator)
    assert (found(world)["phase"], found(world)["lastHandledRetryAt"]) == ("Running", "now")
    settled(world, operator)
    assert world.conversions[first]["status"]["reason"] == "Starting"
    assert world.conversions[second]["status"]["phase"] == "Succeeded"
    finish(world, first)
    settled(world, operator)
    assert found(world)["phase"] == "Succeeded"


def test_one_that_was_deleted_by_hand_is_made_again_until_the_verdict() -> None:
    world = World()
    apply(world, *files(2))
    operator = live(world)
    first, second = children(world)
    world.conversions[first]["metadata"]["finalizers"] = []
    world.delete(first)
    settled(world, operator)
    assert {*children(world)} == {first, second}
    for key in (first, second):
        finish(world, key)
    settled(world, operator)
    world.conversions[first]["metadata"]["finalizers"] = []
    world.delete(first)
    settled(world, operator)
    assert (children(world), found(world)["phase"]) == ([second], "Succeeded")


def test_a_conversion_of_that_name_that_is_somebody_elses_is_left_alone() -> None:
    world, (source,) = World(), files(1)
    key = world.apply(a_conversion(child_name("talks", source)))
    apply(world, source)
    operator = live(world)
    settled(world, operator)
    assert (found(world)["phase"], found(world)["failures"][0]["reason"]) == ("Failed", "NameTaken")
    ask_for_a_retry(world)
    settled(world, operator)
    assert names.ANNOTATION_RETRY not in world.conversions[key]["metadata"].get("annotations", {})


def test_sources_in_a_config_map_are_waited_for() -> None:
    world = World()
    apply(world, sourcesFrom={"configMap": {"name": "list", "key": "urls"}})
    operator = live(world)
    assert (found(world)["phase"], found(world)["message"]) == ("Pending", "There is no ConfigMap list yet.")
    world.config_maps[Key("media", "list")] = {"other": ""}
    settled(world, operator)
    assert found(world)["message"] == "There is no ConfigMap list with the key urls yet."
    world.config_maps[Key("media", "list")] = {
        "urls": f"# talks\nhttps://media.example.com/a.mp4\n\n{file_id(7)}\nnonsense\n"
    }
    settled(world, operator)
    assert counts(world)["total"] == 3
    sources = [world.conversions[key]["spec"]["source"] for key in children(world)]
    assert sources == [{"url": "https://media.example.com/a.mp4"}, {"gridfs": {"fileId": file_id(7)}}]
    assert [each["source"] for each in found(world)["failures"]][:1] == ["nonsense"]


def test_a_conversion_that_is_refused_stops_no_other_and_is_tried_again() -> None:
    world = World(refuse_conversions="exceeded quota")
    apply(world, *files(2))
    operator = live(world)
    assert (children(world), found(world)["phase"]) == ([], "Running")
    world.refuse_conversions = ""
    live(world, operator)
    assert len(children(world)) == 2


def test_a_set_that_is_not_understood_waits() -> None:
    world = World()
    apply(world, *files(1), colour="red")
    live(world)
    assert (found(world)["phase"], found(world)["reason"]) == ("Pending", "InvalidSpec")
    assert "spec.colour: unknown field" in found(world)["message"]


def test_when_its_time_is_over_it_goes() -> None:
    world = World()
    apply(world, *files(1), ttlSecondsAfterFinished=60)
    operator = live(world)
    finish(world, children(world)[0])
    settled(world, operator)
    assert SET in world.sets
    world.pass_time(seconds=61)
    live(world, operator)
    assert SET not in world.sets


def test_how_far_it_is_is_written_no_more_often_than_every_two_seconds() -> None:
    world = World(now=NOW)
    apply(world, *files(30))
    operator = live(world)
    world.writes.clear()
    for key in children(world)[:20]:
        finish(world, key)
        live(world, operator)
    assert world.writes.count("patch set status") <= 1
    settled(world, operator)
    assert counts(world)["succeeded"] == 20


def test_a_thousand_cost_little_more_than_a_thousand_single_ones() -> None:
    world = World()
    apply(world, *files(1000))
    operator = live(world)
    assert world.conversions_ever_created == 1000
    mine = [each for each in world.writes if "set" in each and each != "set finalizers"]
    assert len(mine) <= 10
    live(world, operator)


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
def test_killed_at_any_call_it_makes_each_once(after_effect: bool) -> None:
    calls = _see_through(World())
    assert calls > 15
    for die_at in range(1, calls + 1):
        _see_through(World(die_at=die_at, die_after_effect=after_effect))


def _see_through(world: World) -> int:
    apply(world, *files(3), parallelism=2)
    operator: Any = an_operator(world)
    for _ in range(9):
        for key in children(world):
            if world.jobs and world.conversions[key]["status"].get("phase") == "Running":
                finish(world, key)
        world.pass_time(seconds=3)
        try:
            asyncio.run(settle(operator))
        except DiedError:
            operator = an_operator(world)
    assert found(world)["phase"] == "Succeeded"
    assert (world.conversions_ever_created, len(children(world))) == (3, 3)
    return world.calls
