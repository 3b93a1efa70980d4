"""⑦ The `mp3` queue. A connection is made for each batch: messages of the operator are rare."""

from collections.abc import Sequence

from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_contracts.runtime.amqp import BrokerError, open_channel
from video2mp3_operator.ports.errors import UnavailableError


class RabbitPublisher:
    """Implements Publisher."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    async def publish(self, messages: Sequence[ConversionFinished]) -> Sequence[ConversionFinished]:
        """See the port."""
        confirmed: list[ConversionFinished] = []
        try:
            async with open_channel(self._uri, "video2mp3-operator") as channel:
                for message in messages:
                    await channel.publish(message.message_id, message.body())
                    confirmed.append(message)
        except BrokerError as error:
            if not confirmed:
                raise UnavailableError(f"RabbitMQ did not take the message: {error}") from error
        return confirmed
