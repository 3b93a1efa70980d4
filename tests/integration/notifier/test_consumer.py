"""⑧ The consumer and its connection."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.notifier.broker import Broker
from tests.servers import RabbitMQServer
from tests.unit.notifier.builders import a_message
from video2mp3_contracts import amqp
from video2mp3_notifier.consumer import Consumer
from video2mp3_notifier.health import Health
from video2mp3_notifier.metrics import NotifierMetrics
from video2mp3_notifier.tries import Tries
from video2mp3_notifier.verdicts import Done, Outcome, Verdict

SEVERAL_HEARTBEATS = 6.0


def test_heartbeats_go_on_while_a_message_is_handled(
    rabbitmq: RabbitMQServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "HEARTBEAT_SECONDS", 1)
    metrics, handled = NotifierMetrics(), threading.Event()

    def handle(_body: bytes, _tries: Tries) -> Verdict:
        # The broker drops a client that is silent for twice the heartbeat's time.
        threading.Event().wait(SEVERAL_HEARTBEATS)
        handled.set()
        return Done(Outcome.SENT)

    async def consume() -> None:
        stop = asyncio.Event()
        with ThreadPoolExecutor(1) as threads:
            consumer = Consumer(rabbitmq.url, handle, threads, metrics, Health())
            running = asyncio.create_task(consumer.run(1, stop))
            await asyncio.to_thread(handled.wait, 60)
            stop.set()
            await running

    broker.publish(a_message().build())
    asyncio.run(consume())
    assert handled.is_set()
    assert metrics.registry.get_sample_value("notifier_broker_connection_losses_total") == 0
    assert metrics.registry.get_sample_value("notifier_messages_total", {"outcome": "sent"}) == 1
    broker.await_all_handled(seconds=5)


def test_a_message_that_crashes_its_handler_comes_back(rabbitmq: RabbitMQServer, broker: Broker) -> None:
    metrics, bodies = NotifierMetrics(), list[bytes]()

    async def consume() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def handle(body: bytes, _tries: Tries) -> Verdict:
            bodies.append(body)
            if len(bodies) == 1:
                raise ZeroDivisionError
            loop.call_soon_threadsafe(stop.set)
            return Done(Outcome.SENT)

        with ThreadPoolExecutor(1) as threads:
            async with asyncio.timeout(60):
                await Consumer(rabbitmq.url, handle, threads, metrics, Health()).run(1, stop)

    broker.publish(a_message().build())
    asyncio.run(consume())
    assert bodies == [a_message().build().body()] * 2
    assert metrics.registry.get_sample_value("notifier_redeliveries_total") == 1
    broker.await_all_handled(seconds=5)
