"""A request's body as an application reads it."""

from typing import Any

from gunicorn.http import errors

from video2mp3_contracts.server.refusals import problem_of


class ToldReader:
    """Raises what makes a body unreadable as the Problem that its client is told: applications know no gunicorn."""

    def __init__(self, reader: Any) -> None:
        """`reader` is one of gunicorn's."""
        self._reader = reader

    def read(self, size: int) -> bytes:
        """Read up to so many bytes. Raises Problem where chunks are wrong, OSError where the connection broke."""
        try:
            return bytes(self._reader.read(size))
        except errors.ParseException as error:
            raise problem_of(error) from error
