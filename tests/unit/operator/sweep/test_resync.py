"""Full lists, and what cannot be listed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.builders import a_conversion
from tests.unit.operator.fakes import FakeKubernetes, World
from tests.unit.operator.harness import an_operator, until
from video2mp3_operator.ports.errors import RefusedError, UnavailableError
from video2mp3_operator.sweep import resync


def test_what_went_between_the_first_lists_and_the_watches_is_noticed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resync, "_FIRST_RESYNC_SECONDS", 0.001)
    world = World()
    key = world.apply(a_conversion())
    operator = an_operator(world, resync_seconds=3600)

    async def main() -> None:
        await operator.prime()
        del world.conversions[key]
        task = asyncio.create_task(operator.resync.run())
        await until(lambda: operator.cache.conversion(key) is None)
        task.cancel()

    asyncio.run(main())
    assert operator.metrics.registry.get_sample_value("video2mp3_operator_resync_repairs_total") == 1


def refusing(operator: Any, namespace: str) -> None:
    """The lists of one namespace are refused from now on: it is gone, and the operator's Role with it."""
    allowed = operator.resync.lister.conversions

    async def conversions(asked: str | None) -> AsyncIterator[dict[str, Any]]:
        if asked == namespace:
            raise RefusedError("conversions is forbidden")
        async for document in allowed(asked):
            yield document

    operator.resync.lister.conversions = conversions


def test_lists_that_are_refused_end_nothing_and_let_nothing_be_forgotten() -> None:
    """What is forgotten would be taken for nobody's; and the other namespaces are listed on."""
    world = World()
    gone, there = world.apply(a_conversion()), world.apply(a_conversion("new", "team-a"))
    operator = an_operator(world, watch_namespaces=("media", "team-a"))
    asyncio.run(operator.prime())
    refusing(operator, "media")
    del world.conversions[there]
    asyncio.run(operator.resync.once())
    assert operator.cache.conversion(gone) is not None
    assert operator.cache.conversion(there) is None
    assert operator.metrics.registry.get_sample_value("video2mp3_operator_namespaces_unlisted") == 1


def test_a_namespace_that_is_refused_at_the_start_keeps_no_other_from_being_served() -> None:
    world = World()
    key = world.apply(a_conversion("new", "team-a"))
    operator = an_operator(world, watch_namespaces=("media", "team-a"))
    refusing(operator, "media")
    asyncio.run(operator.prime())
    assert operator.cache.conversion(key) is not None


def test_what_is_nobodys_is_not_asked_before_every_namespace_was_listed() -> None:
    """Files of Conversions that a new operator has not been able to see are not nobody's."""
    world = World()
    world.apply(a_conversion())
    operator = an_operator(world, watch_namespaces=("media", "team-a"))
    refusing(operator, "media")
    asyncio.run(operator.prime())
    for question in (operator.cache.uids, operator.cache.sources):
        with pytest.raises(UnavailableError, match="media"):
            question()
    operator.resync.lister.conversions = FakeKubernetes(world).conversions  # type: ignore[method-assign]
    asyncio.run(operator.resync.once())
    assert operator.cache.uids() == {"uid-media-talk"}


@pytest.mark.parametrize("refused", [("media",), ("media", "team-a")])
def test_an_operator_that_may_list_nothing_does_not_start(refused: tuple[str, ...]) -> None:
    operator = an_operator(World(), watch_namespaces=refused)
    for namespace in refused:
        refusing(operator, namespace)
    with pytest.raises(RefusedError):
        asyncio.run(operator.prime())
