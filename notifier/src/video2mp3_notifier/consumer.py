"""⑧ Staying connected to the broker, for as long as it takes, and handling messages in threads.

SMTP and pymongo block, so they run in threads; the event loop stays free for heartbeats and acknowledgements.
"""

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final

import structlog

from video2mp3_contracts.runtime.amqp import BrokerError, ConfirmedChannel, open_channel
from video2mp3_notifier.attempts import Attempts
from video2mp3_notifier.dispositions import Disposition
from video2mp3_notifier.health import Health
from video2mp3_notifier.metrics import NotifierMetrics
from video2mp3_notifier.session import Delivery, Session

_BACKOFF_SECONDS: Final = (1, 2, 4, 8, 15, 30)
"""Between connections; the last one for ever, since a notifier that gave up would only be started again."""

_STEADY_SECONDS: Final = 60
"""A connection that lasted this long was a good one: the next backoff begins anew."""

_log = structlog.get_logger(__name__)


class Consumer:
    """Consumes until it is told to stop, over as many connections as that takes."""

    def __init__(
        self,
        uri: str,
        handle: Callable[[bytes, Attempts], Disposition],
        threads: Executor,
        metrics: NotifierMetrics,
        health: Health,
    ) -> None:
        """`handle` is run in `threads`."""
        self._uri = uri
        self._handle = handle
        self._threads = threads
        self._metrics = metrics
        self._health = health

    async def run(self, prefetch: int, stop: asyncio.Event) -> None:
        """Consume, `prefetch` messages at once, until `stop` is set; then finish what is in hand."""
        losses = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                async with open_channel(self._uri, "video2mp3-notifier", consumes=True) as channel:
                    await self._consume(channel, prefetch, stop)
            except BrokerError as error:
                losses = 1 if time.monotonic() - began > _STEADY_SECONDS else losses + 1
                await self._pause(losses, error, stop)

    async def _consume(self, channel: ConfirmedChannel, prefetch: int, stop: asyncio.Event) -> None:
        session = Session(channel, self._decide, self._metrics)
        self._show_consuming(now=True)
        _log.info("consuming")
        try:
            await session.consume(prefetch, stop)
        finally:
            self._show_consuming(now=False)
        await session.finish()

    async def _pause(self, losses: int, error: BrokerError, stop: asyncio.Event) -> None:
        seconds = _BACKOFF_SECONDS[min(losses, len(_BACKOFF_SECONDS)) - 1]
        self._metrics.connection_losses.inc()
        _log.warning("broker_lost", reason=str(error), retry_in_seconds=seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()

    def _show_consuming(self, *, now: bool) -> None:
        self._health.consuming = now
        self._metrics.connected.set(now)

    async def _decide(self, delivery: Delivery) -> Disposition:
        loop = asyncio.get_running_loop()
        # The context carries the fields that every log line has.
        in_context = contextvars.copy_context().run
        with self._metrics.handling_seconds.time():
            return await loop.run_in_executor(self._threads, in_context, self._handle, delivery.body, delivery.attempts)
