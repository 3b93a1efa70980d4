"""An operator in the fakes' world, brought on step by step: no watch, no background task, no waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import SecretStr

from tests.unit.operator.fakes import (
    INSTALLATION,
    FakeKubernetes,
    FakeLeases,
    FakePublisher,
    FakeSets,
    FakeStore,
    World,
)
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.app.connections import Ports
from video2mp3_operator.cache.documents import key_of
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import OutsideError
from video2mp3_operator.telemetry.metrics import Metrics

_ROUNDS = 12
_LEAST = 2
"""What one round learns from the ledger, the next acts on."""


def settings(**changes: Any) -> Settings:
    """Settings as a chart would give them."""
    return Settings(
        **{
            "mongodb_uri": SecretStr("mongodb://localhost"),
            "rabbitmq_uri": SecretStr("amqp://localhost"),
            "worker_image": "video2mp3/worker:1",
            "worker_secret": "video2mp3-worker",
            "watch_namespaces": ("media",),
            "installation": INSTALLATION,
        }
        | changes
    )


def an_operator(world: World, **changes: Any) -> Operator:
    """A process that has just started in this world, alone, and has seen nothing yet."""
    return Operator(settings(**changes), ports_of(world), Metrics())


def ports_of(world: World) -> Ports:
    """The world as an operator's outside."""
    kubernetes, store = FakeKubernetes(world), FakeStore(world)
    return Ports(
        conversions=kubernetes,
        jobs=kubernetes,
        lister=kubernetes,
        classes=kubernetes,
        sets=FakeSets(world),
        events=kubernetes,
        heartbeat=kubernetes,
        leases=FakeLeases(world),
        ledger=store,
        files=store,
        store=store,
        publisher=FakePublisher(world),
        clock=world.clock,
        elapsed=world.elapsed,
    )


async def settle(operator: Operator) -> list[Exception]:
    """Look at everything and bring every Conversion on, until nothing changes; answers the errors of the last round."""
    errors: list[Exception] = []
    for round_number in range(_ROUNDS):
        before = (operator.cache.newest, len(operator.outbox))
        await operator.class_polling.once()
        await operator.set_listing.once()
        await operator.resync.once()
        errors = await _round(operator)
        if round_number >= _LEAST and not errors and (operator.cache.newest, len(operator.outbox)) == before:
            break
    return errors


async def _round(operator: Operator) -> list[Exception]:
    errors: list[Exception] = []
    work: list[Callable[[], Awaitable[Any]]] = [operator.polling.once, operator.outbox.flush]
    for key in operator.sets.known:
        work.insert(0, lambda key=key: operator.set_reconciler.reconcile(key))  # type: ignore[misc]
    for key in [key_of(document) for document in operator.cache.documents()]:
        work.insert(0, lambda key=key: operator.reconciler.reconcile(key))  # type: ignore[misc]
    for each in work:
        try:
            await each()
        except OutsideError as error:
            errors.append(error)
    operator.admission_queue.review()
    while not operator.events._queue.empty():
        await operator.events._api.post(operator.events._queue.get_nowait())
    return errors


def live(world: World, operator: Operator | None = None, **changes: Any) -> Operator:
    """Let an operator (a new one, where none is given) do all that there is to do."""
    operator = operator or an_operator(world, **changes)
    asyncio.run(settle(operator))
    return operator


async def until(check: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so."""
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 - what is waited for is a fact, and nobody signals it
            await asyncio.sleep(0.001)


def status(world: World, key: Key) -> dict[str, Any]:
    """A Conversion's status as people see it."""
    found: dict[str, Any] = world.conversions[key]["status"]
    return found
