"""How the sink treats senders: the switch by which a test makes it another provider, or takes SMTP down."""

import asyncio
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Mode(StrEnum):
    """What happens to a sender at the stage that is named, by default once a message's data has been received."""

    ACCEPT = "accept"
    """All goes on; a message is kept, and the sender is told so."""
    REJECT_TEMPORARILY = "reject-temporarily"
    """The sender is told to try again later (4xx)."""
    REJECT_PERMANENTLY = "reject-permanently"
    """The sender is told never to try again (5xx)."""
    ANSWER = "answer"
    """The sender is told `reply`, and goes no further."""
    STALL = "stall"
    """The sender gets no answer until the mode changes; then the new mode decides."""
    DROP = "drop"
    """The connection ends without an answer, and nothing is kept."""
    KEEP_AND_DROP = "keep-and-drop"
    """The message is kept, and the connection ends before the sender is told."""


class Stage(StrEnum):
    """How far a sender has come: what is being answered."""

    GREETING = "greeting"
    HELLO = "hello"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    """The command, before the message itself."""
    MESSAGE = "message"
    """All of its data, with the dot at the end."""


class Treatment(BaseModel):
    """What `PUT /behaviour` takes: all that makes one provider differ from another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode
    stage: Stage = Stage.MESSAGE
    reply: str = Field(default="", description="Code and text for `answer`; lines are parted by CR LF.")
    times: int | None = Field(default=None, ge=1, description="Senders it is for; the next are accepted. None: all.")
    seconds: float = Field(default=0, ge=0, le=60, description="Before each answer, or between two bytes of it.")
    bytewise: bool = Field(default=False, description="Answer one byte after another, as tarpits do.")
    smtputf8: bool = Field(default=True, description="Offer SMTPUTF8 (RFC 6531), for addresses beyond ASCII.")
    eightbitmime: bool = Field(default=True, description="Offer 8BITMIME (RFC 6152); without, 8-bit text is refused.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.mode is Mode.ANSWER) != bool(self.reply):
            raise ValueError("a reply is for the mode `answer`, and is needed there")
        if self.mode is Mode.KEEP_AND_DROP and self.stage is not Stage.MESSAGE:
            raise ValueError("only at the stage `message` is there something to keep")
        return self


_ACCEPTED = Treatment(mode=Mode.ACCEPT)


class Behaviour:
    """The treatment in force, whose change can be awaited."""

    def __init__(self) -> None:
        self._treatment = _ACCEPTED
        self._treated = 0
        self._changed = asyncio.Condition()

    @property
    def treatment(self) -> Treatment:
        """The treatment in force."""
        return self._treatment

    async def switch_to(self, treatment: Treatment) -> None:
        """Put a treatment in force and wake the stalled answers."""
        async with self._changed:
            self._treatment = treatment
            self._treated = 0
            self._changed.notify_all()

    async def decided(self, stage: Stage) -> Treatment:
        """Wait until the treatment of a sender who has come to `stage` is one that answers, and return it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._at(stage).mode is not Mode.STALL)
            treatment = self._at(stage)
            self._treated += treatment.mode is not Mode.ACCEPT
            return treatment

    def _at(self, stage: Stage) -> Treatment:
        treatment = self._treatment
        over = treatment.times is not None and self._treated >= treatment.times
        return _ACCEPTED if over or stage is not treatment.stage else treatment
