"""A request's head as it arrives: whether it is whole, and whether it has become too long to wait for."""

import re
from typing import Final

from video2mp3_contracts.server.limits import MAX_HEAD_BYTES

_END: Final = re.compile(rb"\n\r?\n")
"""The empty line. One of a bare line feed ends a head too: it is then gunicorn that refuses it, at once."""

_LONGEST_END: Final = 3


class Head:
    """What has come on a connection and was not served yet."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._end: int | None = None

    @property
    def begun(self) -> bool:
        """Whether anything has come."""
        return bool(self._received)

    @property
    def whole(self) -> bool:
        """Whether the empty line has come, with no more than is allowed before it."""
        return self._end is not None and self._end <= MAX_HEAD_BYTES

    @property
    def too_large(self) -> bool:
        """Whether more has come than a head may have."""
        return not self.whole and (self._end is not None or len(self._received) > MAX_HEAD_BYTES)

    def add(self, data: bytes) -> None:
        """Take in what has come."""
        searched = max(0, len(self._received) - _LONGEST_END)
        self._received += data
        if self._end is None and (found := _END.search(self._received, searched)):
            self._end = found.end()

    def take(self) -> bytes:
        """All that has come, to be served; the next head begins."""
        taken = bytes(self._received)
        self._received, self._end = bytearray(), None
        return taken
