"""⑦⑧ pika as every service uses it: time limits, the queues' declaration, and publishing that the broker has confirmed.

The only module here that knows pika (extra `amqp`). It runs on asyncio: a service without an event loop of its own
publishes by `asyncio.run(publish(uri, message, name))`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel
from pika.exceptions import AMQPError
from pika.frame import Method
from pika.spec import Basic

from video2mp3_contracts.messaging.message import (
    CONTENT_TYPE,
    DEAD_LETTER_EXCHANGE,
    DEAD_LETTER_QUEUE,
    MP3_QUEUE,
    QUEUES,
    ConversionFinished,
)

CONNECT_SECONDS: Final = 15
"""From the first packet to an open connection: TCP, TLS and login."""

HEARTBEAT_SECONDS: Final = 20
"""A broker that says nothing for this long (and pika's 5 s on top) is gone."""

CONFIRM_SECONDS: Final = 30
"""A quorum queue confirms within milliseconds; one that lost its majority never does, nor a broker that is blocked."""

CLOSE_SECONDS: Final = 5
"""For the closing handshake; a broker that is frozen does not answer it."""


class BrokerError(Exception):
    """The broker is away, refuses, or did not confirm in time. What was being published may be published again."""


async def publish(uri: str, message: ConversionFinished, name: str) -> None:
    """Connect, publish one message to MP3_QUEUE and wait until the broker has confirmed it.

    Whoever consumes declares the queues: a user who only publishes needs no other right. While nobody has, the message
    is not taken (BrokerError).

    `name` is how the connection is called in RabbitMQ's lists. Raises BrokerError, within CONNECT_SECONDS +
    CONFIRM_SECONDS + CLOSE_SECONDS; the message may then be in the queue or not.
    """
    async with open_channel(uri, name) as channel:
        await channel.publish(message.message_id, message.body())


@asynccontextmanager
async def open_channel(uri: str, name: str, *, consumes: bool = False) -> AsyncIterator["ConfirmedChannel"]:
    """Connect and open a channel in confirm mode; closed at the end. Raises BrokerError.

    Who consumes declares all queues first.
    """
    channel = ConfirmedChannel(_parameters(uri, name), declares=consumes)
    try:
        await _opened(channel)
        yield channel
    except AMQPError as error:
        raise BrokerError(str(error) or repr(error)) from error
    finally:
        await channel.close()


async def _opened(channel: "ConfirmedChannel") -> None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await channel.opened
    except TimeoutError as error:
        raise BrokerError(f"the broker did not let us in within {CONNECT_SECONDS} s") from error


def declare_topology(channel: Channel, on_declared: Callable[[], None]) -> None:
    """Declare the dead-letter exchange and QUEUES, then call back. What the broker refuses closes the channel."""
    channel.exchange_declare(DEAD_LETTER_EXCHANGE, exchange_type="fanout", durable=True)
    for queue in QUEUES:
        channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
    channel.queue_bind(DEAD_LETTER_QUEUE, DEAD_LETTER_EXCHANGE, callback=lambda _frame: on_declared())


def _parameters(uri: str, name: str) -> pika.URLParameters:
    parameters = pika.URLParameters(uri)
    parameters.socket_timeout = CONNECT_SECONDS
    parameters.stack_timeout = CONNECT_SECONDS
    parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.blocked_connection_timeout = CONFIRM_SECONDS
    parameters.connection_attempts = 1
    parameters.client_properties = {"connection_name": name}
    return parameters


class ConfirmedChannel:
    """One connection with one channel in confirm mode, on the running event loop. Made by `open_channel`."""

    def __init__(self, parameters: pika.URLParameters, *, declares: bool) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        """Done when the channel can be used; fails with the reason why it cannot."""

        self.closed: asyncio.Future[BaseException] = loop.create_future()
        """Done when the channel can no longer be used; the reason is its result."""

        self._disconnected: asyncio.Future[None] = loop.create_future()
        self._unconfirmed: dict[int, tuple[str, asyncio.Future[None]]] = {}
        self._published = 0
        self._declares = declares
        self._channel: Channel | None = None
        self._connection = AsyncioConnection(
            parameters,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._on_channel_open),
            on_open_error_callback=self._on_disconnected,
            on_close_callback=self._on_disconnected,
            custom_ioloop=loop,
        )

    @property
    def raw(self) -> Channel:
        """The channel as pika has it, for consuming. Raises BrokerError when it is closed."""
        if self._channel is None or not self._channel.is_open:
            raise BrokerError("the channel is closed")
        return self._channel

    async def publish(
        self,
        message_id: str,
        body: bytes,
        *,
        exchange: str = "",
        routing_key: str = MP3_QUEUE,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish a persistent message and wait until a queue has it safely. Raises BrokerError."""
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=pika.DeliveryMode.Persistent,
            message_id=message_id,
            headers=dict(headers or {}),
        )
        self.raw.basic_publish(exchange, routing_key, body, properties, mandatory=True)
        self._published += 1
        number, confirmed = self._published, asyncio.get_running_loop().create_future()
        self._unconfirmed[number] = (message_id, confirmed)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await confirmed
        except TimeoutError as error:
            raise BrokerError(f"the broker did not confirm within {CONFIRM_SECONDS} s") from error
        finally:
            self._unconfirmed.pop(number, None)

    async def close(self) -> None:
        """Close the connection; harmless when it is closed. What is not acknowledged goes back to its queue."""
        if not (self._connection.is_closing or self._connection.is_closed):
            self._connection.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.shield(self._disconnected)

    def _on_channel_open(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _channel, reason: self._on_closed(reason))
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(self._on_confirmed, callback=lambda _frame: self._on_confirming(channel))

    def _on_confirming(self, channel: Channel) -> None:
        if self._declares:
            declare_topology(channel, self._on_opened)
        else:
            self._on_opened()

    def _on_opened(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _on_confirmed(self, frame: Method[Any]) -> None:
        answer = frame.method
        numbers = [
            number
            for number in self._unconfirmed
            if number == answer.delivery_tag or (answer.multiple and number < answer.delivery_tag)
        ]
        for number in numbers:
            _message_id, confirmed = self._unconfirmed[number]
            if confirmed.done():
                continue
            if isinstance(answer, Basic.Ack):
                confirmed.set_result(None)
            else:
                confirmed.set_exception(BrokerError("the broker could not store the message"))

    def _on_returned(
        self, _channel: Channel, _method: Basic.Return, properties: pika.BasicProperties, _body: bytes
    ) -> None:
        # The broker returns an unroutable message just before it confirms it.
        for message_id, confirmed in self._unconfirmed.values():
            if message_id == properties.message_id and not confirmed.done():
                confirmed.set_exception(BrokerError("there is no queue for the message"))

    def _on_closed(self, reason: BaseException) -> None:
        if not self.opened.done():
            self.opened.set_exception(BrokerError(str(reason) or repr(reason)))
        if not self.closed.done():
            self.closed.set_result(reason)
        for _message_id, confirmed in self._unconfirmed.values():
            if not confirmed.done():
                confirmed.set_exception(BrokerError(f"the connection was lost before the confirm: {reason!r}"))

    def _on_disconnected(self, _connection: AsyncioConnection, reason: BaseException) -> None:
        self._on_closed(reason)
        if not self._disconnected.done():
            self._disconnected.set_result(None)
