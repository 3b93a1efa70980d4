"""The accepted messages, newest last, within bounds."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass(frozen=True)
class StoredMessage:
    """One accepted message: its envelope, when it came, and its octets."""

    id: int
    sender: str
    recipients: tuple[str, ...]
    received_at: datetime
    content: bytes

    def parsed(self) -> EmailMessage:
        """Parse the octets; broken MIME gives defects, never an exception."""
        return message_from_bytes(self.content, policy=policy.default)

    def summary(self) -> dict[str, Any]:
        """Return what the API answers: envelope addresses, the headers that matter, and both bodies."""
        message = self.parsed()
        return {
            "id": self.id,
            "from": self.sender,
            "to": list(self.recipients),
            "subject": str(message.get("Subject", "")),
            "date": str(message.get("Date", "")),
            "messageId": str(message.get("Message-ID", "")),
            "receivedAt": self.received_at.isoformat(),
            "text": _body(message, "plain"),
            "html": _body(message, "html"),
        }


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    # SMTP ends lines with CR LF; readers of the API expect what the sender wrote.
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


class Mailbox:
    """Accepted messages in memory, bounded in number and in bytes."""

    def __init__(self, max_messages: int, max_total_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_total_bytes = max_total_bytes
        self._messages: deque[StoredMessage] = deque()
        self._total_bytes = 0
        self._last_id = 0

    def add(self, sender: str, recipients: tuple[str, ...], content: bytes, received_at: datetime) -> StoredMessage:
        """Keep one message, dropping the oldest ones that no longer fit."""
        self._last_id += 1
        stored = StoredMessage(self._last_id, sender, recipients, received_at, content)
        self._messages.append(stored)
        self._total_bytes += len(content)
        while len(self._messages) > self._max_messages or self._total_bytes > self._max_total_bytes:
            self._total_bytes -= len(self._messages.popleft().content)
        return stored

    def all(self) -> tuple[StoredMessage, ...]:
        """Return the messages, oldest first."""
        return tuple(self._messages)

    def clear(self) -> None:
        """Forget every message; ids go on counting."""
        self._messages.clear()
        self._total_bytes = 0
