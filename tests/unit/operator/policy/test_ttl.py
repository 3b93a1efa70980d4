"""How long finished Conversions stay."""

import asyncio
from datetime import timedelta

import pytest

from tests.builders import NOW, ConversionBuilder, a_conversion, at
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import live, status
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy.ttl import Lifetime, lifetime

HOUR = timedelta(hours=1)


def finished(ttl: int | None, ago: timedelta = HOUR) -> ConversionBuilder:
    done = a_conversion().with_spec(ttlSecondsAfterFinished=ttl).succeeded()
    return done.with_status(completionTime=at(NOW - ago))


def left(conversion: ConversionBuilder) -> Lifetime | None:
    parsed = Conversion.model_validate(conversion.document)
    return lifetime(parsed.metadata, parsed.spec, parsed.status, NOW)


@pytest.mark.parametrize(
    ("conversion", "expected"),
    [
        (finished(None), None),
        (a_conversion().with_spec(ttlSecondsAfterFinished=0), None),
        (finished(7200), Lifetime(HOUR)),
        (finished(3600), Lifetime(timedelta(0))),
        (finished(0), Lifetime(-HOUR)),
        (finished(0, ago=-HOUR), Lifetime(HOUR)),
        # Its time counts from the verdict's condition where the status does not say when it was completed.
        (finished(60).with_status(completionTime=None), Lifetime(timedelta(seconds=60))),
    ],
)
def test_what_is_left_of_its_time(conversion: ConversionBuilder, expected: Lifetime | None) -> None:
    assert left(conversion) == expected


@pytest.mark.parametrize(
    ("kind", "name", "by"),
    [
        ("labels", "kustomize.toolkit.fluxcd.io/name", "label kustomize.toolkit.fluxcd.io/name"),
        ("labels", "helm.toolkit.fluxcd.io/name", "label helm.toolkit.fluxcd.io/name"),
        ("labels", "argocd.argoproj.io/instance", "label argocd.argoproj.io/instance"),
        ("labels", "app.kubernetes.io/instance", "label app.kubernetes.io/instance"),
        ("annotations", "argocd.argoproj.io/tracking-id", "annotation argocd.argoproj.io/tracking-id"),
        ("labels", "app.kubernetes.io/name", ""),
        ("annotations", "kubectl.kubernetes.io/last-applied-configuration", ""),
    ],
)
def test_who_manages_it(kind: str, name: str, by: str) -> None:
    found = left(finished(0).with_metadata(**{kind: {name: "x"}}))
    assert found == Lifetime(-HOUR, by)
    assert found.over


def succeeded(world: World, conversion: ConversionBuilder) -> Key:
    key = world.apply(conversion.with_spec(ttlSecondsAfterFinished=60))
    operator = live(world)
    world.work(key)
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    live(world, operator)
    return key


def test_it_goes_when_its_time_is_over_and_its_files_as_its_policy_says() -> None:
    world = World()
    key = succeeded(world, a_conversion())
    world.pass_time(seconds=59)
    live(world)
    assert key in world.conversions
    world.pass_time(seconds=1)
    live(world)
    assert (world.conversions, world.mp3s, world.entries) == ({}, {}, {})


def test_its_verdict_is_followed_by_a_look_at_its_time() -> None:
    """No event brings it back: the status write is our own."""
    world = World()
    key = world.apply(a_conversion().with_spec(ttlSecondsAfterFinished=60))
    operator = live(world)
    world.work(key)
    looks = [asyncio.run(operator.reconciler.reconcile(key)) for _ in range(2)]
    assert (looks, status(world, key)["phase"]) == ([None, None], "Running")
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    asyncio.run(operator.resync.once())
    looks = [asyncio.run(operator.reconciler.reconcile(key)) for _ in range(2)]
    assert (looks, status(world, key)["phase"]) == ([0.0, 60.0], "Succeeded")


def test_of_what_git_manages_only_the_job_goes_and_a_condition_says_why() -> None:
    world = World()
    key = succeeded(world, a_conversion().with_metadata(labels={"kustomize.toolkit.fluxcd.io/name": "apps"}))
    world.pass_time(seconds=60)
    live(world)
    assert world.jobs == {}
    conditions = {each["type"]: each for each in status(world, key)["conditions"]}
    assert (conditions["Expired"]["status"], conditions["Expired"]["reason"]) == ("True", "ManagedByGit")
    assert conditions["Expired"]["message"].endswith("It carries the label kustomize.toolkit.fluxcd.io/name.")
    assert (conditions["Ready"]["status"], conditions["Complete"]["status"]) == ("True", "True")
    world.writes.clear()
    live(world)
    assert world.writes == []


def test_the_condition_goes_when_more_time_is_given() -> None:
    world = World()
    key = succeeded(world, a_conversion().with_metadata(labels={"kustomize.toolkit.fluxcd.io/name": "apps"}))
    world.pass_time(seconds=60)
    live(world)
    world.change(key, {"spec": {"ttlSecondsAfterFinished": 600}})
    live(world)
    assert {each["type"] for each in status(world, key)["conditions"]} == {"Ready", "Complete"}


def test_what_was_changed_since_it_was_looked_at_is_looked_at_again_first() -> None:
    world = World()
    key = succeeded(world, a_conversion())
    operator = live(world)
    world.pass_time(seconds=60)
    world.change(key, {"spec": {"ttlSecondsAfterFinished": None}})
    live(world, operator)
    assert key in world.conversions
