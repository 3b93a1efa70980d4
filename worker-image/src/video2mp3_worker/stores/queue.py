"""⑦ Publishing to the `mp3` queue: confirmed by the broker, tried a few times, given up in time."""

import asyncio
import importlib
import threading
from collections.abc import Coroutine
from typing import Any, Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import TryAgain

_PAUSES_SECONDS: Final = (1.0, 3.0)
"""Before the second and the third try. A broker that restarts takes longer: then the next attempt only publishes."""

_WATCH_SECONDS: Final = 0.2
_AMQP: Final = "video2mp3_contracts.runtime.amqp"


class AmqpQueue:
    """The queue in RabbitMQ. `name` is how the connection is called in its lists."""

    def __init__(self, uri: str, name: str, stop: Stop) -> None:
        self._uri = uri
        self._name = name
        self._stop = stop
        # pika takes its time to be imported; until it is needed the worker mostly waits for others.
        threading.Thread(target=importlib.import_module, args=(_AMQP,), daemon=True).start()

    def publish(self, message: ConversionFinished) -> None:
        """Publish a message and return when the broker has it safely. Raises TryAgain."""
        asyncio.run(self._publish(message))

    async def _publish(self, message: ConversionFinished) -> None:
        from video2mp3_contracts.runtime import amqp  # noqa: PLC0415 - see above

        for pause in (*_PAUSES_SECONDS, None):
            try:
                await self._unless_stopped(amqp.publish(self._uri, message, self._name))
            except amqp.BrokerError as error:
                if pause is None:
                    sentence = "The mp3 is stored, but the message queue was away."
                    raise TryAgain(Reason.SERVICE_UNAVAILABLE, sentence, detail=str(error)) from error
                await self._unless_stopped(asyncio.sleep(pause))
            else:
                return

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                self._stop.check()
                await asyncio.wait({task}, timeout=_WATCH_SECONDS)
        finally:
            task.cancel()
        await task
