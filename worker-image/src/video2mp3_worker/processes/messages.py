"""What a program writes to its standard error, taken apart into messages that no file can forge. Pure.

ffmpeg quotes what stands in a file, line breaks included: a name with one in it looks like a line of ffmpeg's own. But
it writes a message in few pieces, each at once: its prefix, `[mov @ 0x55d0]`, and then the text. Through a pipe that
keeps pieces apart (pipe2(2), O_DIRECT), a message ends where a *piece* ends with a line break, and nowhere else. So a
pattern that matches a whole message, and has no room for a line break or for any text, matches only what ffmpeg means.
"""

from collections import deque
from typing import Final

PIECE_BYTES: Final = 4096
"""The most that a pipe keeps together (PIPE_BUF); what is longer comes in several, all but the last of this size."""

_KEPT: Final = 100
"""Messages kept from the beginning, and as many from the end."""

_LONGEST: Final = 1024


class Messages:
    """Takes the pieces as they come."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=_KEPT)
        self._begun = bytearray()

    def feed(self, piece: bytes) -> None:
        """Take the next piece, just as it was written."""
        self._begun.extend(piece)
        del self._begun[_LONGEST:]
        if piece.endswith(b"\n") and len(piece) < PIECE_BYTES:
            self._keep()

    def all(self) -> tuple[str, ...]:
        """The messages, without the line break at their end; of very many, those in the middle are left out."""
        begun = [_text(self._begun)] if self._begun else []
        return (*self._first, *self._last, *begun)

    def _keep(self) -> None:
        (self._first if len(self._first) < _KEPT else self._last).append(_text(self._begun))
        self._begun.clear()


def _text(message: bytearray) -> str:
    return message.decode(errors="replace").removesuffix("\n")
