"""⑦ The message on the `mp3` queue, and the queues it travels through."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from video2mp3_contracts.messaging.notes import Notes

MessageKind = Literal["succeeded", "failed"]


class _Message(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class ConversionRef(_Message):
    """Which Conversion a message is about."""

    uid: str
    namespace: str
    name: str
    request_id: str = ""
    """Of the upload that made it, to find its lines in every log; "" where it was made otherwise."""

    @property
    def log_fields(self) -> dict[str, str]:
        """What every log line about it has, see `logs`."""
        known = {"namespace": self.namespace, "conversion": self.name, "conversion_uid": self.uid}
        return known | ({"request_id": self.request_id} if self.request_id else {})


class ConversionFinished(_Message):
    """A Conversion is over: `succeeded` is published by its worker, `failed` by the operator."""

    version: Literal[1] = 1
    kind: MessageKind
    conversion: ConversionRef
    owner: str = ""
    email: str = ""
    """Who is to be told; "" for nobody."""

    file_id: str = ""
    filename: str = ""
    size: Annotated[int, Field(ge=0, alias="bytes")] = 0
    duration_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    reason: str = ""
    message: str = ""
    notes: Notes = ()
    """Of a success: what its owner should know of how the mp3 was made. Older publishers send none."""

    expires_at: AwareDatetime | None = None
    """Of a success: until when the mp3 is kept; None: until its owner deletes it. Older publishers send none."""

    @property
    def message_id(self) -> str:
        """AMQP's `message_id`: two messages with the same one say the same."""
        return f"{self.conversion.uid}:{self.kind}"

    def body(self) -> bytes:
        """The message as JSON in UTF-8."""
        return self.model_dump_json(by_alias=True).encode()


CONTENT_TYPE: Final = "application/json"
MP3_QUEUE: Final = "mp3"
DEAD_LETTER_EXCHANGE: Final = "mp3.dead-letter"
DEAD_LETTER_QUEUE: Final = "mp3.dead"
RETRY_DELAYS_SECONDS: Final = (10, 60, 300, 1800)
"""A message that could not be handled waits this long before the next try: one queue for each delay, since RabbitMQ
expires messages only at a queue's head. The last delay is used for every further try."""


def retry_queue(delay_seconds: int) -> str:
    """The queue in which messages wait for `delay_seconds` before they return to MP3_QUEUE."""
    return f"{MP3_QUEUE}.retry.{delay_seconds}s"


@dataclass(frozen=True)
class Queue:
    """A durable queue to declare. Everyone who uses it declares the same, so the order of starting does not matter."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


_QUORUM: Final = {"x-queue-type": "quorum"}
_AT_LEAST_ONCE: Final = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
"""A broker that dies between two queues must not lose the message on its way; RabbitMQ asks for both together."""

QUEUES: Final = (
    # The notifier counts tries itself and dead-letters what it gives up; the delivery limit is the net under a
    # message that kills its consumer each time.
    Queue(
        MP3_QUEUE,
        _QUORUM | _AT_LEAST_ONCE | {"x-dead-letter-exchange": DEAD_LETTER_EXCHANGE, "x-delivery-limit": 20},
    ),
    Queue(DEAD_LETTER_QUEUE, _QUORUM),
    *(
        Queue(
            retry_queue(delay),
            _QUORUM
            | _AT_LEAST_ONCE
            | {
                "x-message-ttl": delay * 1000,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": MP3_QUEUE,
            },
        )
        for delay in RETRY_DELAYS_SECONDS
    ),
)
"""All queues. DEAD_LETTER_EXCHANGE is a durable fanout exchange bound to DEAD_LETTER_QUEUE."""
