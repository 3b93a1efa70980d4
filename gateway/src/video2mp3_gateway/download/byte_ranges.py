"""⑨ Which bytes of a file a request wants (RFC 9110, section 14)."""

from dataclasses import dataclass

from werkzeug.http import parse_range_header


class RangeNotSatisfiable(Exception):
    """The range lies behind the end of the file."""


@dataclass(frozen=True)
class ByteRange:
    """From `start` up to, not including, `stop`."""

    start: int
    stop: int

    def content_range(self, size: int) -> str:
        """The Content-Range header of an answer that holds it."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def requested_range(range_header: str | None, if_range: str | None, etag: str, size: int) -> ByteRange | None:
    """The one range that is wanted, or None for the whole file. Raises RangeNotSatisfiable.

    The whole file is also the answer to several ranges, to what cannot be understood, and to an If-Range that names
    another content than this one: the RFC allows or demands it. `etag` is the strong one, in its quotes.
    """
    parsed = parse_range_header(range_header)
    if parsed is None or parsed.units != "bytes" or len(parsed.ranges) != 1 or if_range not in (None, etag):
        return None
    start, stop = parsed.ranges[0]
    if start < 0:
        start = max(0, size + start)
    if start >= size:
        raise RangeNotSatisfiable
    return ByteRange(start, min(size, size if stop is None else stop))
