"""The queues as a test sees them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from tests.servers.process import await_condition
from video2mp3_contracts.messaging.message import DEAD_LETTER_QUEUE, MP3_QUEUE, QUEUES, ConversionFinished
from video2mp3_contracts.runtime import amqp


@dataclass(frozen=True)
class Letter:
    """A message as it lies in a queue."""

    message_id: str
    body: bytes
    headers: dict[str, Any]


class Broker:
    """Publishes as the worker does, and looks into queues."""

    def __init__(self, url: str) -> None:
        self._url = url

    def publish(self, message: ConversionFinished, copies: int = 1) -> None:
        """Put a message into the queue, so many times."""
        for _ in range(copies):
            asyncio.run(amqp.publish(self._url, message, "test"))

    def publish_raw(self, body: bytes, message_id: str, headers: Mapping[str, Any] | None = None) -> None:
        """Put anything into the queue."""

        async def publish() -> None:
            async with amqp.open_channel(self._url, "test") as channel:
                await channel.publish(message_id, body, headers=headers)

        asyncio.run(publish())

    def publish_many(self, bodies: Sequence[bytes]) -> None:
        """Put bodies into the queue, in their order, over one connection."""

        async def publish() -> None:
            async with amqp.open_channel(self._url, "test") as channel:
                for number, body in enumerate(bodies):
                    await channel.publish(f"message-{number}", body)

        asyncio.run(publish())

    def await_dead_letter(self, seconds: float = 15) -> Letter:
        """Wait for a dead letter and take it."""
        letters: list[Letter] = []

        def taken() -> bool:
            with self._channel() as channel:
                method, properties, body = channel.basic_get(DEAD_LETTER_QUEUE, auto_ack=True)
            if method is not None:
                letters.append(Letter(properties.message_id, body, properties.headers))
            return bool(letters)

        await_condition(taken, seconds=seconds, what="no dead letter came")
        return letters[0]

    def ready(self, queue: str = MP3_QUEUE) -> int:
        """How many messages wait in a queue; those that a consumer holds are not among them."""
        with self._channel() as channel:
            count: int = channel.queue_declare(queue, passive=True).method.message_count
        return count

    def await_all_handled(self, seconds: float = 40) -> None:
        """Wait until no message is left in any queue, dead ones included."""

        def empty() -> bool:
            return not any(self.ready(queue.name) for queue in QUEUES)

        await_condition(empty, seconds=seconds, what="the queues did not become empty")

    @contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        try:
            yield connection.channel()
        finally:
            connection.close()
