"""An operator that stands for election: what it does while it does not lead, when it wins, and when it has lost."""

import asyncio
import inspect
import json
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from tests.builders import a_conversion
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import ports_of, settings, until
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.app.connections import Ports, stand_for_election
from video2mp3_operator.leadership.record import leader_name
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.ports.errors import NotLeadingError
from video2mp3_operator.telemetry.metrics import Metrics

LEASE = Key("media", leader_name("video2mp3"))
OUTSIDE = ("conversions", "jobs", "classes", "sets", "events", "ledger", "files", "store", "publisher")
FREE_OF_FENCE = {"lister", "leases", "heartbeat", "clock", "elapsed"}
"""A standby lists, beats and looks at the Lease."""


def elected(world: World, lost: list[str]) -> tuple[Operator, Ports]:
    """An operator that has just started, and its outside behind the fence."""
    ours = settings(namespace="media", heartbeat_seconds=0.01)
    ports, election = stand_for_election(ours, ports_of(world), lost.append)
    return Operator(ours, ports, Metrics(), election), ports


def held_by(world: World, holder: str) -> None:
    """Somebody has the Lease; "" for nobody."""
    metadata = {"namespace": LEASE.namespace, "name": LEASE.name, "uid": "lease"}
    world.leases[LEASE] = {"metadata": metadata, "spec": {"holderIdentity": holder, "leaseDurationSeconds": 10}}
    world.stamp(world.leases[LEASE])


def metric(operator: Operator, name: str, **labels: str) -> float | None:
    return operator.metrics.registry.get_sample_value(f"video2mp3_operator_{name}", labels)


def test_a_standby_sees_everything_and_writes_nothing_but_beats() -> None:
    world = World()
    held_by(world, "another")
    key = world.apply(a_conversion())
    operator, _ = elected(world, [])

    async def stand_by() -> None:
        await operator.prime()
        operator.start()
        operator.queue.add(key)
        await until(lambda: len(world.beats) > 3)
        assert (operator.leads, operator._unhealthy()) == (False, "")
        assert operator.cache.conversion(key) is not None
        assert (metric(operator, "leader"), metric(operator, "conversions", phase="Pending")) == (0, None)
        await operator.stop()

    asyncio.run(stand_by())
    assert set(world.writes) == {"beat"}
    assert world.leases[LEASE]["spec"]["holderIdentity"] == "another"


def test_whoever_wins_looks_at_everything_again_and_then_works_and_gives_the_lease_up_at_the_end() -> None:
    world = World()
    held_by(world, "")
    operator, _ = elected(world, [])

    async def lead() -> None:
        await operator.prime()
        key = world.apply(a_conversion())  # no watch tells of it
        operator.start()
        await until(lambda: bool(world.jobs))
        assert operator.cache.conversion(key) is not None
        assert (metric(operator, "leader"), metric(operator, "jobs_live")) == (1, 1)
        assert world.leases[LEASE]["spec"]["holderIdentity"]
        await operator.stop()

    asyncio.run(lead())
    assert world.writes[-1] == "replace lease"
    assert world.leases[LEASE]["spec"]["holderIdentity"] == ""
    assert not operator.leads


def test_whoever_was_paused_for_too_long_writes_nothing_more() -> None:
    world, lost = World(), list[str]()
    held_by(world, "")
    operator, _ = elected(world, lost)

    async def lead() -> None:
        await operator.prime()
        operator.start()
        await until(lambda: operator.leads)
        await until(lambda: len(world.beats) > 1)
        world.pass_time(seconds=60)
        before = list(world.writes)
        key = world.apply(a_conversion())
        await operator.resync.once()
        with pytest.raises(NotLeadingError):
            await operator.reconciler.reconcile(key)
        await until(lambda: bool(lost))
        assert world.writes == before
        await operator.stop()

    asyncio.run(lead())
    assert lost == ["no renewal was confirmed within 6 s"]
    assert world.jobs == {}


def calls(port: object) -> list[str]:
    """The methods of a port that ask something of the outside, but for lists."""
    found = inspect.getmembers(port, inspect.iscoroutinefunction)
    return [name for name, _ in found if not name.startswith("_")]


def test_every_part_of_the_outside_is_behind_the_fence_or_known_not_to_be() -> None:
    assert {field.name for field in fields(Ports)} == {*OUTSIDE} | FREE_OF_FENCE


@pytest.mark.parametrize("part", OUTSIDE)
def test_no_call_passes_unless_it_leads(part: str) -> None:
    world = World()
    _, ports = elected(world, [])
    port: Any = getattr(ports, part)
    asked = calls(getattr(ports_of(world), part))
    assert asked
    for name in asked:
        method = getattr(port, name)
        arguments = [None for each in inspect.signature(method).parameters.values() if each.default is each.empty]
        with pytest.raises(NotLeadingError):
            asyncio.run(method(*arguments))
    assert world.writes == []


def test_the_process_that_has_lost_ends_at_once_and_says_why() -> None:
    script = (
        "from video2mp3_contracts.runtime.logs import configure_logging\n"
        "from video2mp3_operator.app.ending import end_process\n"
        "configure_logging('operator', 'INFO')\n"
        "try:\n    end_process('another leads')\nfinally:\n    print('tidied up')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    [line] = (done.stdout + done.stderr).splitlines()
    said = json.loads(line)
    assert (said["event"], said["why"]) == ("leadership_lost", "another leads")
