"""A client's connection whose sending waits for nobody, as long as little is to be sent."""

from collections.abc import Sequence
from socket import socket
from typing import TYPE_CHECKING, Self

from video2mp3_contracts.server.limits import OUTGOING_BYTES

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Client(socket):
    """Keeps what the client does not take yet, up to a bound; whoever sends more waits for it as on any socket."""

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.unsent = bytearray()

    @classmethod
    def of(cls, accepted: socket) -> Self:
        """The same connection."""
        return cls(accepted.detach())

    def sendall(self, data: "ReadableBuffer", flags: int = 0, /) -> None:
        """Send now what can be, keep the rest or wait for it."""
        rest = memoryview(data)
        if not self.unsent:
            rest = rest[self._send_now(rest) :]
        if len(self.unsent) + len(rest) <= OUTGOING_BYTES:
            self.unsent += rest
            return
        before, self.unsent = self.unsent, bytearray()  # what could not be sent is not tried again
        super().sendall(before, flags)
        super().sendall(rest, flags)

    def send_unsent(self) -> None:
        """Send what was kept, as far as it goes now."""
        del self.unsent[: self._send_now(self.unsent)]

    def _send_now(self, data: "ReadableBuffer") -> int:
        patience = self.gettimeout()
        self.settimeout(0)
        try:
            return self.send(data)
        except BlockingIOError:
            return 0
        finally:
            self.settimeout(patience)


def beyond(sizes: Sequence[int], bound: int) -> int:
    """How many of the first have to go, so that what stays is no more than the bound."""
    left = sum(sizes)
    for gone, size in enumerate(sizes):
        if left <= bound:
            return gone
        left -= size
    return len(sizes)
