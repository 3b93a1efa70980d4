"""⑧ One connection's worth of consuming: take messages, have them handled, do what the verdicts say.

A message is acknowledged last, after whatever follows from it is safely elsewhere: sent, or confirmed by the broker in
a retry queue or the dead-letter queue. Whatever breaks before that brings the message back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import pika
import structlog
from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic

from video2mp3_contracts.messaging.message import DEAD_LETTER_EXCHANGE, MP3_QUEUE, retry_queue
from video2mp3_contracts.runtime.amqp import BrokerError, ConfirmedChannel
from video2mp3_notifier.attempts import Attempts
from video2mp3_notifier.dispositions import DeadLetter, DeadReason, Disposition, Done, Outcome, Retry
from video2mp3_notifier.incoming import about
from video2mp3_notifier.metrics import NotifierMetrics
from video2mp3_notifier.retry import after_crash
from video2mp3_notifier.texts import sanitize

REASON_HEADER: Final = "x-video2mp3-reason"
"""On dead letters: a DeadReason."""

WHY_HEADER: Final = "x-video2mp3-why"
"""On dead letters and on waiting messages: a sentence."""

_LONGEST_WHY: Final = 500
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Delivery:
    """One message as it came."""

    tag: int
    message_id: str
    body: bytes
    attempts: Attempts


class Session:
    """Consumes over one channel until it breaks or is told to stop."""

    def __init__(
        self, channel: ConfirmedChannel, decide: Callable[[Delivery], Awaitable[Disposition]], metrics: NotifierMetrics
    ) -> None:
        self._channel = channel
        self._decide = decide
        self._metrics = metrics
        self._in_hand: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        channel.closed.add_done_callback(lambda closed: self._break(closed.result()))

    async def consume(self, prefetch: int, stop: asyncio.Event) -> None:
        """Handle up to `prefetch` messages at once, until `stop`. Raises BrokerError."""
        channel = self._channel.raw
        channel.basic_qos(prefetch_count=prefetch)
        channel.add_on_cancel_callback(self._on_cancelled)
        consumer_tag = channel.basic_consume(MP3_QUEUE, self._on_message)
        await self._until_broken_or(stop)
        self._raise_if_broken()
        self._channel.raw.basic_cancel(consumer_tag)

    async def finish(self) -> None:
        """Wait for the messages in hand, whose time limits are those of what they do. Raises BrokerError."""
        if self._in_hand:
            await asyncio.wait(self._in_hand)
        self._raise_if_broken()

    async def _until_broken_or(self, stop: asyncio.Event) -> None:
        stopping = asyncio.ensure_future(stop.wait())
        either: set[asyncio.Future[Any]] = {stopping, self._broken}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()

    def _raise_if_broken(self) -> None:
        if self._broken.done():
            error = self._broken.result()
            raise BrokerError(f"consuming ended: {error!r}") from error

    def _break(self, error: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_result(error)

    def _on_cancelled(self, _frame: Method[Basic.Cancel]) -> None:
        # The queue was deleted, for example. A new connection declares it again.
        self._break(BrokerError("the broker ended the subscription"))

    def _on_message(
        self, _channel: Channel, method: Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        if method.redelivered:
            self._metrics.redeliveries.inc()
        attempts = Attempts.from_headers(properties.headers)
        delivery = Delivery(method.delivery_tag, properties.message_id or "", body, attempts)
        task = asyncio.get_running_loop().create_task(self._process(delivery))
        self._in_hand.add(task)
        task.add_done_callback(self._on_processed)

    def _on_processed(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if not isinstance(error, BrokerError):
            _log.error("session_crashed", exc_info=error)
        self._break(error)

    async def _process(self, delivery: Delivery) -> None:
        # The task has a context of its own.
        structlog.contextvars.bind_contextvars(message_id=delivery.message_id, **about(delivery.body))
        verdict = await self._verdict(delivery)
        try:
            await self._settle(delivery, verdict)
        except BrokerError:
            raise
        except Exception:  # noqa: BLE001  whatever it is, it is about this message
            _log.exception("settling_crashed")
            verdict = DeadLetter(DeadReason.CRASHED, "what it came to could not be written down")
            # The broker itself puts it into the dead-letter queue, as it came.
            self._channel.raw.basic_reject(delivery.tag, requeue=False)
        else:
            self._channel.raw.basic_ack(delivery.tag)
        self._report(delivery, verdict)

    async def _verdict(self, delivery: Delivery) -> Disposition:
        """What becomes of the message. Whatever one message raises is about that message, never about the session.

        An error that broke the connection would bring back every message in hand, and each time count down the
        deliveries that the queue allows them.
        """
        try:
            return await self._decide(delivery)
        except Exception as error:  # noqa: BLE001  see above
            _log.exception("handling_crashed")
            return after_crash(delivery.attempts, error)

    async def _settle(self, delivery: Delivery, verdict: Disposition) -> None:
        """Put the message where the verdict says; only our own headers travel on.

        RabbitMQ's `x-death` must not: it takes a message that comes through the same queues again for a cycle.
        """
        match verdict:
            case Retry():
                headers = verdict.attempts.headers() | {WHY_HEADER: sanitize(verdict.why, _LONGEST_WHY)}
                queue = retry_queue(verdict.delay_seconds)
                await self._channel.publish(delivery.message_id, delivery.body, routing_key=queue, headers=headers)
            case DeadLetter():
                # Without the count of tries: moved back to MP3_QUEUE by hand, it has all of them again.
                reasons = {REASON_HEADER: verdict.reason.value, WHY_HEADER: sanitize(verdict.why, _LONGEST_WHY)}
                await self._channel.publish(
                    delivery.message_id, delivery.body, exchange=DEAD_LETTER_EXCHANGE, headers=reasons
                )
            case Done():
                pass

    def _report(self, delivery: Delivery, verdict: Disposition) -> None:
        match verdict:
            case Done(outcome):
                _log.info("message_done", outcome=outcome.value)
            case Retry():
                outcome = verdict.outcome
                _log.info("message_retried", outcome=outcome.value, retry_in_seconds=verdict.delay_seconds,
                         failed_tries=verdict.attempts.failed, why=verdict.why)  # fmt: skip
            case DeadLetter():
                outcome = Outcome.DEAD_LETTERED
                self._metrics.dead_letters.labels(verdict.reason).inc()
                _log.error("message_dead_lettered", reason=verdict.reason.value, why=verdict.why)
        self._metrics.messages.labels(outcome).inc()
