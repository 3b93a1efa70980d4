"""What an application is told of a body that cannot be read."""

import pytest
from gunicorn.http import errors

from video2mp3_contracts.runtime.problem import Problem
from video2mp3_contracts.server.bodies import ToldReader


class Reader:
    """One of gunicorn's: gives what is asked for, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def read(self, size: int) -> bytes:
        if self._error:
            raise self._error
        return b"x" * size


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidChunkSize(b"x"), 400, "malformed-request"),
        (errors.ChunkMissingTerminator(b"xx"), 400, "malformed-request"),
        (errors.InvalidChunkExtension("bare CR not allowed"), 400, "malformed-request"),
        (errors.InvalidHeaderName(" folded"), 400, "malformed-request"),
        (errors.LimitRequestHeaders("limit request trailer section size"), 431, "head-too-large"),
    ],
)
def test_what_is_wrong_with_a_body_is_told(error: Exception, status: int, code: str) -> None:
    with pytest.raises(Problem) as told:
        ToldReader(Reader(error)).read(10)
    assert (told.value.status, told.value.code) == (status, code)


def test_a_connection_that_breaks_is_not_the_bodys_fault() -> None:
    with pytest.raises(errors.NoMoreData):
        ToldReader(Reader(errors.NoMoreData())).read(10)


def test_a_body_is_read_as_it_is() -> None:
    assert ToldReader(Reader()).read(3) == b"xxx"
