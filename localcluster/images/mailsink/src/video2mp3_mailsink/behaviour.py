"""How the sink treats the next message: the switch by which a test takes SMTP down."""

import asyncio
from enum import StrEnum


class Mode(StrEnum):
    """What happens once a message's data has been received."""

    ACCEPT = "accept"
    """It is kept, and the sender is told so."""
    REJECT_TEMPORARILY = "reject-temporarily"
    """The sender is told to try again later (4xx)."""
    REJECT_PERMANENTLY = "reject-permanently"
    """The sender is told never to try again (5xx)."""
    STALL = "stall"
    """The sender gets no answer until the mode changes; then the new mode decides."""


class Behaviour:
    """The current mode, which can be awaited to change."""

    def __init__(self) -> None:
        self._mode = Mode.ACCEPT
        self._changed = asyncio.Condition()

    @property
    def mode(self) -> Mode:
        """The mode in force."""
        return self._mode

    async def switch_to(self, mode: Mode) -> None:
        """Put a mode in force and wake the stalled answers."""
        async with self._changed:
            self._mode = mode
            self._changed.notify_all()

    async def decided(self) -> Mode:
        """Wait until the mode is one that answers, and return it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._mode is not Mode.STALL)
            return self._mode
