"""ConversionSets over several steps, with everything that can go wrong between any two of them."""

import asyncio
import copy
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from tests.builders import NOW, OWNER, a_class, a_conversion, a_set
from tests.unit.operator.fakes import DiedError, FakeSets, World
from tests.unit.operator.harness import an_operator, live, settle
from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_set import LABEL_SET, child_name
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.sets.plan import listed_sources

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


def test_where_kubernetes_refuses_conversions_it_says_so_and_tries_again_later() -> None:
    world = World(refuse_conversions="exceeded quota")
    apply(world, *files(300))
    operator = live(world)
    settled(world, operator)
    assert (children(world), found(world)["phase"]) == ([], "Running")
    assert found(world)["message"] == "0 of 300 are converted. Kubernetes refuses more: exceeded quota"
    # None of the others is tried meanwhile, whatever wakes the set.
    assert world.writes.count("create conversion") == 16
    world.refuse_conversions = ""
    world.pass_time(seconds=31)
    settled(world, operator)
    assert len(children(world)) == 300


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


# --- what reviews have found


def test_the_time_to_live_of_a_class_ends_none_of_a_sets_conversions() -> None:
    """It would be made again, as one that somebody deleted, and run again."""
    world = World(classes=[a_class("short", defaults={"ttlSecondsAfterFinished": 60})])
    apply(world, *files(2), template={"spec": {"owner": OWNER, "className": "short"}})
    operator = live(world)
    finish(world, children(world)[0])
    for _ in range(3):
        settled(world, operator)
        world.pass_time(seconds=61)
    settled(world, operator)
    assert (world.conversions_ever_created, len(children(world))) == (2, 2)


def test_what_a_newer_version_says_takes_nothing_away() -> None:
    world = World()
    apply(world, *files(2))
    operator = live(world)
    finish(world, children(world)[0])
    settled(world, operator)
    world.sets[SET]["spec"]["template"]["spec"]["aNewField"] = "of a newer version"
    world.stamp(world.sets[SET])
    settled(world, operator)
    assert "delete conversion" not in world.writes
    assert (found(world)["reason"], len(children(world))) == ("InvalidSpec", 2)
    assert "spec.template.spec.aNewField: unknown field" in found(world)["message"]


def test_a_source_that_only_a_newer_version_knows_keeps_its_conversion() -> None:
    world, sources = World(), files(2)
    apply(world, *sources)
    live(world)
    kept = children(world)[0]
    older = a_set(sources=[sources[0] | {"output": {"aNewField": 1}}, sources[1]])
    name = child_name("talks", older["spec"]["sources"][0])
    document = world.conversions.pop(kept)
    document["metadata"]["name"] = name
    world.conversions[Key("media", name)] = document
    world.stamp(document)
    change(world, sources=older["spec"]["sources"])
    settled(world, live(world))
    assert Key("media", name) in world.conversions


def test_deleted_and_applied_again_it_waits_for_the_names_to_come_free() -> None:
    world = World()
    apply(world, *files(2))
    operator = live(world)
    del world.sets[SET]
    live(world, operator)
    apply(world, *files(2))
    world.sets[SET]["metadata"]["uid"] = "another"
    world.stamp(world.sets[SET])
    settled(world, operator)
    assert (found(world)["phase"], counts(world)) == ("Running", {"total": 2, "waiting": 2})
    for key in children(world):
        world.conversions[key]["metadata"]["finalizers"] = []
        world.delete(key)
    settled(world, operator)
    assert (len(children(world)), counts(world)) == (2, {"total": 2, "active": 2})


def test_a_retry_counts_though_the_watch_has_not_told_of_it_yet() -> None:
    world = World()
    apply(world, *files(1))
    operator = live(world)
    [first] = children(world)
    finish(world, first, "Failed", "NoAudio")
    settled(world, operator)
    ask_for_a_retry(world)

    async def looks_twice() -> None:
        await operator.set_listing.once()
        assert await operator.set_reconciler.reconcile(SET) == 0.0
        await operator.set_reconciler.reconcile(SET)

    asyncio.run(looks_twice())
    assert found(world)["phase"] == "Running"
    settled(world, operator)
    finish(world, first)
    settled(world, operator)
    assert found(world)["phase"] == "Succeeded"


def test_a_retry_of_nothing_but_bad_sources_fails_again_at_once() -> None:
    world = World()
    apply(world, {"url": "ftp://example.com/a"})
    operator = live(world)
    ask_for_a_retry(world)
    settled(world, operator)
    assert (found(world)["phase"], found(world)["lastHandledRetryAt"]) == ("Failed", "now")


@pytest.fixture
def of_a_config_map() -> tuple[World, Operator, Key]:
    world = World(config_maps={Key("media", "list"): {"sources": file_id(1)}})
    world.sources[file_id(1)] = SourceFile(OWNER, 1)
    apply(world, sourcesFrom={"configMap": {"name": "list"}})
    operator = live(world)
    [first] = children(world)
    return world, operator, first


def test_a_retry_waits_for_the_config_map(of_a_config_map: tuple[World, Operator, Key]) -> None:
    world, operator, first = of_a_config_map
    finish(world, first, "Failed", "NoAudio")
    settled(world, operator)
    listed = world.config_maps.pop(Key("media", "list"))
    ask_for_a_retry(world)
    settled(world, operator)
    assert (found(world)["phase"], "lastHandledRetryAt" in found(world)) == ("Failed", False)
    world.config_maps[Key("media", "list")] = listed
    settled(world, operator)
    settled(world, operator)
    assert world.conversions[first]["status"]["phase"] == "Running"


def test_suspended_without_its_config_map_its_conversions_follow(of_a_config_map: tuple[World, Operator, Key]) -> None:
    world, operator, first = of_a_config_map
    world.config_maps.clear()
    change(world, suspend=True)
    settled(world, operator)
    settled(world, operator)
    assert world.conversions[first]["status"]["phase"] == "Suspended"


def test_what_is_not_its_own_any_more_is_left_alone() -> None:
    """Whoever takes the reference off, or puts it on somebody else's, has nothing deleted by that."""
    world = World()
    apply(world, *files(1))
    operator = live(world)
    other = world.apply(a_conversion("episode-1"))
    document = world.conversions[other]
    document["metadata"]["ownerReferences"] = world.conversions[children(world)[0]]["metadata"]["ownerReferences"]
    operator.cache.see_conversion(world.stamp(document))
    del document["metadata"]["ownerReferences"]
    operator.cache.see_conversion(world.stamp(document))
    settled(world, operator)
    assert "deletionTimestamp" not in world.conversions[other]["metadata"]


def test_after_the_verdict_only_other_sources_begin_anything() -> None:
    world = World()
    apply(world, *files(2))
    operator = live(world)
    for key in children(world):
        finish(world, key)
    settled(world, operator)
    first = children(world)[0]
    world.conversions[first]["metadata"]["finalizers"] = []
    world.delete(first)
    change(world, ttlSecondsAfterFinished=86400, parallelism=1)
    settled(world, operator)
    assert (world.conversions_ever_created, found(world)["phase"]) == (2, "Succeeded")
    assert found(world)["observedGeneration"] == 2
    assert {each["observedGeneration"] for each in found(world)["conditions"]} == {2}
    world.sources[file_id(9)] = SourceFile(OWNER, 1)
    change(world, sources=[*files(2), {"gridfs": {"fileId": file_id(9)}}])
    settled(world, operator)
    assert found(world)["phase"] == "Running"


def test_a_verdict_stands_though_this_operator_does_not_understand_the_set() -> None:
    world = World()
    apply(world, *files(1))
    operator = live(world)
    finish(world, children(world)[0])
    settled(world, operator)
    world.sets[SET]["spec"]["aNewField"] = "x"
    world.stamp(world.sets[SET])
    settled(world, operator)
    assert found(world)["phase"] == "Succeeded"


def test_long_names_that_share_a_beginning_stay_apart() -> None:
    long = "a" * 60
    assert child_name(f"{long}-1", {"url": "x"}) != child_name(f"{long}-2", {"url": "x"})
    assert len(child_name(f"{long}-1", {"url": "x"})) <= 63


def test_a_list_as_large_as_a_config_map_takes_little_memory() -> None:
    text = "ab\n" * (1024 * 1024 // 3)
    tracemalloc.start()
    assert len([*islice(listed_sources(text), 1000)]) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_a_set_that_is_made_while_all_are_listed_is_not_forgotten() -> None:
    world = World()
    operator = an_operator(world)
    apply(world, *files(1))
    document = copy.deepcopy(world.sets[SET])

    class Slow(FakeSets):
        async def sets(self, namespace: str | None) -> AsyncIterator[dict[str, Any]]:
            operator.sets.see(document)  # as the watch tells
            for none in ():
                yield none

    listing = replace(operator.set_listing, api=Slow(world))
    asyncio.run(listing.once())
    assert operator.sets.get(SET) is not None
