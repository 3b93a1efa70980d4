"""⑧ The consumer and its connection."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.integration.notifier.broker import Broker
from tests.servers import RabbitMQServer
from tests.unit.notifier.builders import a_message
from video2mp3_contracts.messaging.message import RETRY_DELAYS_SECONDS, retry_queue
from video2mp3_contracts.runtime import amqp
from video2mp3_notifier.attempts import Attempts
from video2mp3_notifier.consumer import Consumer
from video2mp3_notifier.dispositions import Disposition, Done, Outcome, Retry
from video2mp3_notifier.health import Health
from video2mp3_notifier.metrics import NotifierMetrics
from video2mp3_notifier.retry import MOST_CRASHES

SEVERAL_HEARTBEATS = 6.0


def test_heartbeats_go_on_while_a_message_is_handled(
    rabbitmq: RabbitMQServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "HEARTBEAT_SECONDS", 1)
    metrics, handled = NotifierMetrics(), threading.Event()

    def handle(_body: bytes, _tries: Attempts) -> Disposition:
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
    assert metrics.registry.get_sample_value("video2mp3_notifier_broker_connection_losses_total") == 0
    assert metrics.registry.get_sample_value("video2mp3_notifier_messages_total", {"outcome": "sent"}) == 1
    broker.await_all_handled(seconds=5)


POISON = b"poison"


def consume_until(
    url: str, metrics: NotifierMetrics, handle: Callable[[bytes, Attempts], Disposition], done: Event
) -> None:
    """Consume, four messages at once as the notifier does by default, until `done`."""

    async def consume() -> None:
        stop = asyncio.Event()
        with ThreadPoolExecutor(4) as threads:
            running = asyncio.create_task(Consumer(url, handle, threads, metrics, Health()).run(4, stop))
            await asyncio.to_thread(done.wait, 60)
            stop.set()
            await running

    asyncio.run(consume())


def test_poison_among_others_costs_nobody_else_anything(rabbitmq: RabbitMQServer, broker: Broker) -> None:
    metrics, handled, done = NotifierMetrics(), list[bytes](), Event()

    def handle(body: bytes, _tries: Attempts) -> Disposition:
        if body == POISON:
            raise ZeroDivisionError
        handled.append(body)
        if len(handled) == 50:
            done.set()
        return Done(Outcome.SENT)

    bodies = [f"good {number}".encode() for number in range(50)]
    broker.publish_many([*bodies[:25], POISON, *bodies[25:]])
    began = time.monotonic()
    consume_until(rabbitmq.url, metrics, handle, done)
    assert sorted(handled) == sorted(bodies), "each was handled once"
    assert time.monotonic() - began < RETRY_DELAYS_SECONDS[0], "nobody waited for the poison"
    assert metrics.registry.get_sample_value("video2mp3_notifier_broker_connection_losses_total") == 0
    assert metrics.registry.get_sample_value("video2mp3_notifier_redeliveries_total") == 0
    assert metrics.registry.get_sample_value("video2mp3_notifier_messages_total", {"outcome": "crashed"}) == 1
    assert broker.ready(retry_queue(RETRY_DELAYS_SECONDS[0])) == 1, "it has tries of its own"


def test_poison_is_given_up_after_its_own_tries(rabbitmq: RabbitMQServer, broker: Broker) -> None:
    metrics, done = NotifierMetrics(), Event()

    def handle(_body: bytes, _tries: Attempts) -> Disposition:
        done.set()
        raise ZeroDivisionError

    broker.publish_raw(POISON, "poison", Attempts(failed=40, crashed=MOST_CRASHES - 1).headers())
    consume_until(rabbitmq.url, metrics, handle, done)
    letter = broker.await_dead_letter()
    assert (letter.message_id, letter.body, letter.headers["x-video2mp3-reason"]) == ("poison", POISON, "Crashed")
    assert letter.headers["x-video2mp3-why"] == f"{MOST_CRASHES} tries crashed, at last: ZeroDivisionError"
    assert metrics.registry.get_sample_value("video2mp3_notifier_dead_letters_total", {"reason": "Crashed"}) == 1


def test_a_verdict_that_cannot_be_carried_out_dead_letters_its_message_alone(
    rabbitmq: RabbitMQServer, broker: Broker
) -> None:
    metrics, done = NotifierMetrics(), Event()

    def handle(body: bytes, _tries: Attempts) -> Disposition:
        if body == POISON:
            # A count that AMQP has no number for.
            return Retry(Outcome.RETRIED, RETRY_DELAYS_SECONDS[0], Attempts(failed=2**70), "why")
        done.set()
        return Done(Outcome.SENT)

    broker.publish_many([POISON, b"good"])
    consume_until(rabbitmq.url, metrics, handle, done)
    letter = broker.await_dead_letter()
    assert letter.body == POISON
    assert metrics.registry.get_sample_value("video2mp3_notifier_broker_connection_losses_total") == 0
    assert metrics.registry.get_sample_value("video2mp3_notifier_dead_letters_total", {"reason": "Crashed"}) == 1
