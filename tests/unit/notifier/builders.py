"""Messages for the notifier's tests, unit and integration."""

from dataclasses import dataclass, replace
from datetime import datetime

from video2mp3_contracts.messaging.message import ConversionFinished, ConversionRef, MessageKind

FILE_ID = "65a1b2c3d4e5f60718293a4b"


@dataclass(frozen=True)
class MessageBuilder:
    """`a_message().failed("NoAudio", "…").build()`; each step makes a new builder."""

    message: ConversionFinished

    def about(self, uid: str) -> "MessageBuilder":
        """Of another Conversion."""
        ref = self.message.conversion.model_copy(update={"uid": uid})
        return self._with(conversion=ref)

    def asked_for_by(self, request_id: str) -> "MessageBuilder":
        """Of an upload by this request."""
        ref = self.message.conversion.model_copy(update={"request_id": request_id})
        return self._with(conversion=ref)

    def to(self, email: str) -> "MessageBuilder":
        """For somebody else; "" for nobody."""
        return self._with(email=email)

    def named(self, filename: str) -> "MessageBuilder":
        """With another file name."""
        return self._with(filename=filename)

    def noted(self, *notes: str) -> "MessageBuilder":
        """With notes."""
        return self._with(notes=notes)

    def expiring(self, at: datetime) -> "MessageBuilder":
        """Of an mp3 that goes then."""
        return self._with(expires_at=at)

    def owned_by(self, owner: str) -> "MessageBuilder":
        """Of another account; "" for none."""
        return self._with(owner=owner)

    def failed(self, reason: str, sentence: str) -> "MessageBuilder":
        """The conversion was given up."""
        kind: MessageKind = "failed"
        return self._with(kind=kind, file_id="", size=0, duration_seconds=0, reason=reason, message=sentence)

    def build(self) -> ConversionFinished:
        """The message."""
        return self.message

    def _with(self, **changes: object) -> "MessageBuilder":
        return replace(self, message=self.message.model_copy(update=changes))


def a_message() -> MessageBuilder:
    """A conversion of ada@example.org that succeeded."""
    return MessageBuilder(
        ConversionFinished(
            kind="succeeded",
            conversion=ConversionRef(uid="4f6c", namespace="media", name="talk"),
            owner="ada@example.org",
            email="ada@example.org",
            file_id=FILE_ID,
            filename="talk.mp3",
            size=3_565_158,
            duration_seconds=183.4,
        )
    )
