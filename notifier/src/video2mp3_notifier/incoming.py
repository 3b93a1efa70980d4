"""⑧ Reading a message from the queue. Pure."""

import json
from typing import Any

from pydantic import ValidationError

from video2mp3_contracts.api.conversion import is_file_id
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_notifier.dispositions import DeadReason

KNOWN_VERSION = 1


class UnreadableMessageError(Exception):
    """The message can never be handled."""

    def __init__(self, reason: DeadReason, why: str) -> None:
        """`why` names fields, never their contents."""
        super().__init__(why)
        self.reason = reason


def read_message(body: bytes) -> ConversionFinished:
    """The message in a body. Raises UnreadableMessageError."""
    document = _document(body)
    version = document.get("version", KNOWN_VERSION)
    if version != KNOWN_VERSION:
        raise UnreadableMessageError(DeadReason.UNKNOWN_VERSION, f"only version {KNOWN_VERSION} is known here")
    try:
        message = ConversionFinished.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise UnreadableMessageError(DeadReason.MALFORMED, problems) from error
    if message.kind == "succeeded" and not is_file_id(message.file_id):
        raise UnreadableMessageError(DeadReason.MALFORMED, "fileId: not a file id")
    return message


def about(body: bytes) -> dict[str, str]:
    """Which Conversion a message is about, as the fields of log lines; nothing where it cannot be read."""
    try:
        return read_message(body).conversion.log_fields
    except UnreadableMessageError:
        return {}


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableMessageError(DeadReason.MALFORMED, "the body is not JSON in UTF-8") from error
    if not isinstance(document, dict):
        raise UnreadableMessageError(DeadReason.MALFORMED, "the body is not a JSON object")
    return document
