"""⑦ Publishing as every service does it, against a real broker."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.integration.conftest import declare
from tests.servers import RabbitMQServer
from video2mp3_contracts.messaging.message import (
    DEAD_LETTER_QUEUE,
    QUEUES,
    ConversionFinished,
    ConversionRef,
    retry_queue,
)
from video2mp3_contracts.runtime import amqp

MESSAGE = ConversionFinished(kind="succeeded", conversion=ConversionRef(uid="u", namespace="n", name="talk"))


def publish(rabbitmq: RabbitMQServer) -> None:
    """Publish one message."""
    asyncio.run(amqp.publish(rabbitmq.url, MESSAGE, "test"))


def on_channel(rabbitmq: RabbitMQServer, do: Callable[[amqp.ConfirmedChannel], Awaitable[None]]) -> None:
    """Do something with an open channel."""

    async def run() -> None:
        async with amqp.open_channel(rabbitmq.url, "test") as channel:
            await do(channel)

    asyncio.run(run())


def take(rabbitmq: RabbitMQServer, queue: str) -> dict[str, object]:
    """The first message of a queue, as the management API shows it."""
    (message,) = rabbitmq.management(
        "POST",
        rabbitmq.queue_path(queue) + "/get",
        {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"},
    )
    found: dict[str, object] = message
    return found


def test_a_published_message_lies_in_the_queue_for_good(rabbitmq: RabbitMQServer) -> None:
    publish(rabbitmq)
    rabbitmq.stop()
    rabbitmq.start()
    message = take(rabbitmq, "mp3")
    assert message["payload"] == MESSAGE.body().decode()
    properties = message["properties"]
    assert isinstance(properties, dict)
    assert (properties["message_id"], properties["delivery_mode"], properties["content_type"]) == (
        "u:succeeded",
        2,
        "application/json",
    )


def test_every_queue_is_declared_and_declaring_again_is_harmless(rabbitmq: RabbitMQServer) -> None:
    publish(rabbitmq)
    publish(rabbitmq)
    queues = {queue["name"]: queue for queue in rabbitmq.management("GET", "/api/queues")}
    assert set(queues) == {queue.name for queue in QUEUES}
    assert {queue["type"] for queue in queues.values()} == {"quorum"}


def test_what_is_dead_lettered_reaches_the_dead_letter_queue(rabbitmq: RabbitMQServer) -> None:
    on_channel(rabbitmq, lambda channel: channel.publish("m", b"{}", exchange="mp3.dead-letter", headers={"why": "x"}))
    properties = take(rabbitmq, DEAD_LETTER_QUEUE)["properties"]
    assert isinstance(properties, dict)
    assert properties["headers"]["why"] == "x"


def test_many_at_once_are_all_confirmed(rabbitmq: RabbitMQServer) -> None:
    async def do(channel: amqp.ConfirmedChannel) -> None:
        queue = retry_queue(1800)
        await asyncio.gather(*(channel.publish(str(i), b"{}", routing_key=queue) for i in range(300)))
        # The broker handles a channel's requests in their order, so the count includes what it has confirmed.
        counted = asyncio.get_running_loop().create_future()
        channel.raw.queue_declare(queue, passive=True, callback=counted.set_result)
        assert (await counted).method.message_count == 300

    on_channel(rabbitmq, do)


def test_a_message_without_a_queue_is_an_error(rabbitmq: RabbitMQServer) -> None:
    with pytest.raises(amqp.BrokerError, match="no queue for the message"):
        on_channel(rabbitmq, lambda channel: channel.publish("m", b"{}", routing_key="nowhere"))


def test_a_queue_declared_otherwise_is_an_error_that_says_so(rabbitmq: RabbitMQServer) -> None:
    rabbitmq.management("DELETE", rabbitmq.queue_path("mp3"))
    rabbitmq.management("PUT", rabbitmq.queue_path("mp3"), {"durable": True, "arguments": {}})
    with pytest.raises(amqp.BrokerError, match="PRECONDITION_FAILED"):
        asyncio.run(declare(rabbitmq.url))


def test_who_publishes_declares_nothing(rabbitmq: RabbitMQServer) -> None:
    """While nobody has declared the queue the message is not taken, which the sender hears at once."""
    rabbitmq.management("DELETE", rabbitmq.queue_path("mp3"))
    with pytest.raises(amqp.BrokerError, match="there is no queue"):
        publish(rabbitmq)


def test_a_wrong_password_is_an_error_that_does_not_show_it(rabbitmq: RabbitMQServer) -> None:
    uri = rabbitmq.url.replace(rabbitmq.password, "not-the-password")
    with pytest.raises(amqp.BrokerError, match="ACCESS_REFUSED") as error:
        asyncio.run(amqp.publish(uri, MESSAGE, "test"))
    assert "not-the-password" not in str(error.value)


def test_no_broker_is_an_error_at_once(rabbitmq: RabbitMQServer) -> None:
    rabbitmq.stop()
    with pytest.raises(amqp.BrokerError, match="refused"):
        publish(rabbitmq)


def test_a_frozen_broker_is_an_error_in_time(rabbitmq: RabbitMQServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amqp, "CONNECT_SECONDS", 1)
    rabbitmq.pause()
    with pytest.raises(amqp.BrokerError, match="within 1 s"):
        publish(rabbitmq)


def test_a_broker_that_freezes_before_the_confirm_is_an_error_in_time(
    rabbitmq: RabbitMQServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "CONFIRM_SECONDS", 1)

    async def do(channel: amqp.ConfirmedChannel) -> None:
        rabbitmq.pause()
        with pytest.raises(amqp.BrokerError, match="did not confirm within 1 s"):
            await channel.publish("m", b"{}")
        rabbitmq.resume()

    on_channel(rabbitmq, do)


def test_a_connection_lost_before_the_confirm_is_an_error(rabbitmq: RabbitMQServer) -> None:
    async def do(channel: amqp.ConfirmedChannel) -> None:
        rabbitmq.pause()
        publishing = asyncio.ensure_future(channel.publish("m", b"{}"))
        await asyncio.sleep(0)
        rabbitmq.kill()
        await publishing

    with pytest.raises(amqp.BrokerError, match="connection was lost"):
        on_channel(rabbitmq, do)
