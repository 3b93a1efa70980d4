"""The heartbeat that comes back through the watches, and the health that follows from it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders import NOW
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator
from video2mp3_operator.ports.errors import GoneError

HEARTBEAT = "video2mp3-operator-heartbeat"


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_between_two_beats_makes_none_look_late(hours: int) -> None:
    world = World()
    operator = an_operator(world)
    asyncio.run(operator.heartbeat.beat())
    world.step_clock(hours=hours)
    assert operator.heartbeat.age() == 0
    world.pass_time(seconds=5)
    asyncio.run(operator.heartbeat.beat())
    assert operator.heartbeat.age() == 5
    operator.heartbeat.hear("media", HEARTBEAT, world.now)
    assert operator.heartbeat.age() == 0
    world.pass_time(seconds=100)
    assert operator.heartbeat.age() == 0


def test_the_first_namespaces_heartbeat_tells_the_cluster() -> None:
    operator = an_operator(World(), watch_namespaces=("media", "team"))
    assert operator.heartbeat.uid == ""
    asyncio.run(operator.heartbeat.beat())
    assert operator.heartbeat.uid == "lease-of-media"


def test_health_follows_the_heartbeats_echo() -> None:
    world = World()
    operator = an_operator(world)
    assert operator._unready() == "starting"
    asyncio.run(_started(operator))
    asyncio.run(operator.heartbeat.beat())
    assert world.beats == [NOW]
    operator.heartbeat.hear("media", HEARTBEAT, NOW - timedelta(seconds=1))
    operator.heartbeat.hear("media", "anothers-operator-heartbeat", NOW)
    assert operator._unready() == "no heartbeat has come back yet"
    operator.heartbeat.hear("media", HEARTBEAT, NOW)
    assert (operator._unready(), operator._unhealthy()) == ("", "")


def test_a_deaf_watch_is_unhealthy_until_it_hears_again() -> None:
    world = World()
    operator = an_operator(world)
    asyncio.run(_started(operator))
    for _ in range(10):
        asyncio.run(operator.heartbeat.beat())
        world.pass_time(seconds=10)
    assert operator._unhealthy() == "no heartbeat came back for 100 s"
    operator.heartbeat.hear("media", HEARTBEAT, world.beats[-1])
    assert operator._unhealthy() == ""


def test_an_api_server_that_is_away_is_not_our_fault() -> None:
    world = World(away={"kubernetes"})
    operator = an_operator(world)
    asyncio.run(_started(operator))
    for _ in range(10):
        asyncio.run(operator.heartbeat.beat())
        world.pass_time(seconds=60)
    assert operator._unhealthy() == ""


async def _started(operator: Any) -> None:
    """Tasks that have not ended, as those of a process that runs."""
    operator._tasks = {"reconcile": asyncio.get_running_loop().create_future()}


def test_a_namespace_that_takes_no_beat_makes_nobody_look_deaf() -> None:
    world = World()
    operator = an_operator(world, watch_namespaces=("media", "team-a"))

    async def beat(namespace: str, name: str, now: datetime) -> None:
        if namespace == "media":
            raise GoneError("no such namespace")

    for each in operator.heartbeat._beating.values():
        each._api.beat = beat  # type: ignore[method-assign]
    asyncio.run(_started(operator))
    asyncio.run(operator.heartbeat.beat())
    operator.heartbeat.hear("team-a", HEARTBEAT, world.now)
    world.pass_time(seconds=100)
    assert (operator._unready(), operator._unhealthy()) == ("", "")
    asyncio.run(operator.heartbeat.beat())
    world.pass_time(seconds=100)
    assert operator._unhealthy() == "no heartbeat came back for 100 s"
