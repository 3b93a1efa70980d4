"""What is deleted in a namespace that is not watched any more is let go, and nothing else is begun there."""

import asyncio

import pytest

from tests.builders import FILE_ID, a_conversion
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator, live
from video2mp3_operator.app.release import Released, release_deleted
from video2mp3_operator.ports.errors import UnavailableError


def released(world: World) -> Released:
    async def to_the_end() -> Released:
        async with asyncio.timeout(5):
            return await release_deleted(an_operator(world), round_seconds=0)

    return asyncio.run(to_the_end())


def test_what_is_deleted_goes_with_its_worker_and_its_files() -> None:
    world = World()
    key = world.apply(a_conversion())
    live(world)
    world.delete(key)
    assert released(world) == Released(gone=1, staying=0)
    assert (world.conversions, world.jobs, FILE_ID in world.sources) == ({}, {}, False)


def test_what_nobody_has_deleted_stays_and_is_not_begun() -> None:
    world = World()
    key = world.apply(a_conversion())
    assert released(world) == Released(gone=0, staying=1)
    assert (world.jobs, world.writes, key in world.conversions) == ({}, [], True)


def test_who_is_away_is_told_instead_of_waited_for() -> None:
    world = World()
    key = world.apply(a_conversion())
    live(world)
    world.delete(key)
    world.away.add("kubernetes")
    with pytest.raises(UnavailableError):
        released(world)
